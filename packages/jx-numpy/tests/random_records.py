"""The recorded calls of JAX's random functions, for the tests that replay them.

The file's format is described in `ci/record_random.py`, which writes it.
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

import ml_dtypes
import numpy as np

import jx_numpy as jnp
from jx_batching import vmap
from jx_core.config import enable_x64
from jx_numpy.random.keys import is_typed

FILE = pathlib.Path(__file__).parent / "data" / "random_bits.json"


def records() -> list[dict[str, Any]]:
    """The calls of functions that are there."""
    found = json.loads(FILE.read_text())["records"]
    return [r for r in found if hasattr(jnp.random, r["call"])]


def _dtype(name: str) -> np.dtype:
    return np.dtype(getattr(ml_dtypes, name, name))


def _argument(value: Any) -> Any:
    if isinstance(value, dict) and "hex" in value:
        return jnp.asarray(expected(value))
    if isinstance(value, dict):
        return _dtype(value["dtype"])
    return tuple(value) if isinstance(value, list) else value


def expected(result: dict[str, Any]) -> np.ndarray:
    """The recorded array."""
    flat = np.frombuffer(bytes.fromhex(result["hex"]), _dtype(result["dtype"]))
    return flat.reshape(result["shape"])


def replay(record: dict[str, Any]) -> np.ndarray:
    """The array that the recorded call gives here; keys as their raw words."""
    function = getattr(jnp.random, record["call"])
    with enable_x64(record["x64"]):
        args = [_argument(a) for a in record["args"]]
        kwargs = {name: _argument(v) for name, v in record.get("kwargs", {}).items()}
        if "key" not in record:
            out = function(*args, **kwargs)
        else:
            made = record["key"]
            key = getattr(jnp.random, made["make"])(made["seed"], impl=made.get("impl"))
            if "map" in record:
                keys = jnp.random.split(key, record["map"])
                out = vmap(lambda k: function(k, *args, **kwargs))(keys)
            else:
                out = function(key, *args, **kwargs)
        return np.asarray(jnp.random.key_data(out) if is_typed(out) else out)

"""Calls of the functions that say something about arrays and dtypes, or write them out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import jx_numpy as jnp

from .call import Call, of
from .data import bools, complexes, empty, ints, reals

X, I, B, Z = reals(2, 3), ints(2, 3), bools(3), complexes(3)  # noqa: E741
PYTHON = {"batch": "a Python value"}


def facts() -> Iterator[Call]:
    for x in (X, I, B, Z, np.array(1.0), empty(0, 3)):
        for f in (jnp.shape, jnp.ndim, jnp.size, jnp.iscomplexobj, jnp.isrealobj):
            yield of(f, x).having(**PYTHON)
        yield of(jnp.iterable, x).having(**PYTHON)
    yield of(jnp.size, X, axis=1).having(**PYTHON)
    for value in (1, 2.5, 1j, "text", [1], None):
        yield of(jnp.iterable, value)
    for value in (1, 2.5, 1j, True):
        yield of(jnp.isscalar, value)
    yield of(jnp.isscalar, X).having(**PYTHON)


def of_dtypes() -> Iterator[Call]:
    names = ("bool", "uint8", "int32", "float16", "float32", "float64", "complex64")
    for a in names:
        for b in names:
            yield of(jnp.can_cast, a, b)
            yield of(jnp.issubdtype, a, b)
        for kind in (np.integer, np.floating, np.inexact, np.number, np.generic):
            yield of(jnp.issubdtype, np.dtype(a), kind)
        for kind in ("bool", "integral", "real floating", "numeric", ("bool", "integral")):
            yield of(jnp.isdtype, np.dtype(a), kind)
    for casting in ("no", "equiv", "safe", "same_kind", "unsafe"):
        yield of(jnp.can_cast, "float64", "float32", casting=casting)
    # Promotion is JAX's own: integers with floats give the float.
    rows = {
        ("int32", "float32"): "float32", ("uint8", "int8"): "int16", ("bool", "int32"): "int32",
        ("float16", "bfloat16"): "float32", ("float32", "complex64"): "complex64",
        ("int64", "float16"): "float16",
    }  # fmt: skip
    for (a, b), c in rows.items():
        for f in (jnp.promote_types, jnp.result_type):
            yield of(f, a, b).having(expected=lambda *_, c=c: c, view=spelled)
    yield of(jnp.result_type, I, 1.0, return_weak_type_flag=True).having(
        expected=lambda *_, **__: ("float64", True), view=lambda r: (spelled(r[0]), r[1]), **PYTHON
    )


def spelled(dtype: Any) -> Any:
    """The letters of a dtype's name."""
    return letters(dtype if isinstance(dtype, str) else np.dtype(dtype).name)


def texts() -> Iterator[Call]:
    options: dict[str, Any] = {"precision": 3, "suppress_small": True, "max_line_width": 30}
    for x in (X.astype(np.float32), I, empty(0)):
        for kwargs in ({}, options):
            yield Call(lambda x, k: letters(jnp.array_str(x, **k)), (x, kwargs),
                       expected=lambda x, k: letters(np.array_str(x, **k)),
                       name="numpy.array_str", jit="a text", batch="a text")  # fmt: skip
            yield Call(lambda x, k: letters(jnp.array_repr(x, **k)[6:30]), (x, kwargs),
                       expected=lambda x, k: letters(np.array_repr(x, **k)[6:30]),
                       name="numpy.array_repr", jit="a text", batch="a text")  # fmt: skip


def letters(text: str) -> Any:
    """A text as an array of its letters' numbers."""
    return np.array([ord(c) for c in text])


CALLS = [*facts(), *of_dtypes(), *texts()]

"""What the tests of array functions share: NumPy as the back end and as the oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import jx_numpy as jnp
from jx_core import backend, jit, tree


@pytest.fixture(autouse=True)
def on_numpy() -> Iterator[None]:
    """Whatever else is installed, these tests compute in plain NumPy."""
    with backend.use("numpy"):
        yield


@pytest.fixture
def same_as_numpy() -> Callable[..., None]:
    return check_same_as_numpy


def check_same_as_numpy(name: str, *args: Any, rtol: float = 2e-6, **kwargs: Any) -> None:
    """Assert that `jnp.<name>` and `np.<name>` give the same values and shapes.

    The ndarrays among the arguments are passed as they are, as arrays, and, under `jit`, as
    tracers.
    """
    expected = tree.leaves(getattr(np, name)(*args, **kwargs))
    fun = getattr(jnp, name)

    def compare(results: Any) -> None:
        got = tree.leaves(results)
        assert len(got) == len(expected), name
        for x, wanted in zip(got, expected, strict=True):
            wanted = np.asarray(wanted)
            assert x.shape == wanted.shape, name
            if np.issubdtype(wanted.dtype, np.inexact):
                np.testing.assert_allclose(np.asarray(x), wanted, rtol=rtol, atol=1e-6)
            else:
                np.testing.assert_array_equal(np.asarray(x), wanted)

    leaves, structure = tree.flatten((args, kwargs))
    arrays = [i for i, x in enumerate(leaves) if isinstance(x, np.ndarray)]
    values = [jnp.asarray(leaves[i]) for i in arrays]

    def call(*operands: Any) -> Any:
        filled = list(leaves)
        for i, x in zip(arrays, operands, strict=True):
            filled[i] = x
        a, k = tree.unflatten(structure, filled)
        return fun(*a, **k)

    compare(fun(*args, **kwargs))
    compare(call(*values))
    compare(jit(call)(*values))

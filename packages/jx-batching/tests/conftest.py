"""What the tests of batching rules share: comparing `vmap` with a loop over rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from jx_batching import vmap
from jx_core import backend, tree, typeof


@pytest.fixture(autouse=True)
def on_numpy() -> Iterator[None]:
    """Whatever else is installed, these tests compute in plain NumPy."""
    with backend.use("numpy"):
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def check_rows() -> Callable[..., None]:
    return check_against_loop


def check_against_loop(fun: Callable[..., Any], *batches: np.ndarray) -> None:
    """Assert that `vmap` of `fun` gives what a loop does.

    Every subset of the arguments is batched, along every axis, counted from either end;
    the others get their first row.

    Args:
        fun: takes a row of each batch, returns a pytree of arrays.
        batches: arrays whose rows lie along axis 0, all of one length.
    """
    n = len(batches[0])
    for mask in itertools.product((True, False), repeat=len(batches)):
        if not any(mask):
            continue
        rows = [
            [b[i] if on else b[0] for b, on in zip(batches, mask, strict=True)] for i in range(n)
        ]
        wanted = [tree.leaves(fun(*r)) for r in rows]
        types = [typeof(x) for x in wanted[0]]
        for axes in placements(batches, mask):
            moved = [
                b[0] if axis is None else np.moveaxis(b, 0, axis)
                for b, axis in zip(batches, axes, strict=True)
            ]
            got = tree.leaves(vmap(fun, in_axes=axes)(*moved))
            assert len(got) == len(types)
            for x, aval, column in zip(got, types, zip(*wanted, strict=True), strict=True):
                assert (x.shape, x.dtype) == ((n, *aval.shape), aval.dtype), axes
                assert typeof(x).weak_type == aval.weak_type, axes
                expected = np.stack([np.asarray(c) for c in column])
                if np.issubdtype(expected.dtype, np.inexact):
                    np.testing.assert_allclose(np.asarray(x), expected, rtol=2e-5, atol=1e-6)
                else:
                    np.testing.assert_array_equal(np.asarray(x), expected)


def placements(
    batches: tuple[np.ndarray, ...], mask: tuple[bool, ...]
) -> Iterator[tuple[int | None, ...]]:
    """Choices of batch axes: every one for every argument, together and apart."""
    most = max(b.ndim for b, on in zip(batches, mask, strict=True) if on)
    for first, step in itertools.product(range(-most, most), (0, 1)):
        yield tuple(
            (first + step * i) % (2 * b.ndim) - b.ndim if on else None
            for i, (b, on) in enumerate(zip(batches, mask, strict=True))
        )

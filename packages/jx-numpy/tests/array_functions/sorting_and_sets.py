"""Calls of sorting, searching in what is sorted, and the set functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import jx_numpy as jnp

from .call import Call, of
from .data import BF16, bools, complexes, empty, ints, reals

X = reals(3, 4)
I, U, B = ints(3, 4), ints(3, 4, dtype=np.uint8), bools(3, 4)  # noqa: E741
Z = complexes(2, 3)
HOLES = np.where(np.arange(4) == 1, np.nan, X)
A, C = ints(8), ints(6, low=-2, high=11)
UNIQUE = np.array([3, 1, 7, 5], np.int32)
SHAPE_OF_VALUES = {"jit": "the shape goes with the values", "batch": "likewise"}


def descending(f: Any) -> Any:
    def oracle(a: Any, axis: int = -1, *, descending: bool = False, **kwargs: Any) -> Any:
        if not descending:
            return f(a, axis)
        if f is np.sort:
            return np.flip(np.sort(a, axis), axis)
        # stable: equal elements keep their order
        n = a.shape[axis]
        return n - 1 - np.flip(np.argsort(np.flip(a, axis), axis, kind="stable"), axis)

    return oracle


def sorts() -> Iterator[Call]:
    for f, oracle in ((jnp.sort, np.sort), (jnp.argsort, np.argsort)):
        stable = descending(lambda a, axis: np.argsort(a, axis, kind="stable"))
        expected = descending(np.sort) if f is jnp.sort else stable
        stable_descending = descending(np.sort) if f is jnp.sort else descending(np.argsort)
        for x in (X, I, U, B, HOLES, Z, X.astype(BF16)):
            yield of(f, x).having(expected=expected)
        yield of(f, X, axis=0).having(moving=(0,) if f is jnp.sort else (), expected=expected)
        yield of(f, X, axis=None).having(expected=oracle)
        yield of(f, I, axis=1, descending=True).having(expected=stable_descending)
        yield of(f, I, stable=False, kind=None, order=None).having(
            expected=lambda a, stable, kind, order, f=expected: f(a),
            view=None if f is jnp.sort else np.shape,
        )
        yield of(f, empty(0, 3), axis=0).having(expected=expected)
    yield of(jnp.argsort, I, axis=0, dtype=np.int32).having(
        dtype=np.int32, expected=lambda a, axis, dtype: np.argsort(a, axis, kind="stable")
    )
    yield of(jnp.sort_complex, Z.ravel())
    yield of(jnp.sort_complex, Z)
    yield of(jnp.sort_complex, I.ravel())
    for f in (jnp.partition, jnp.argpartition):
        for x in (X, I, U):
            for kth, axis in ((1, -1), (-2, 0)):
                yield Call(
                    parted(f), (x, kth, axis), expected=parted(getattr(np, f.__name__)),
                    name=f"numpy.{f.__name__}",
                )  # fmt: skip
    yield of(jnp.partition, X[:, :2], kth=1, axis=-1).having(moving=(0,))
    yield of(jnp.argpartition, X[:, :2], kth=1, axis=-1)
    yield of(jnp.lexsort, (ints(6, high=1), ints(6))).having(batch="a tuple of keys")
    yield of(jnp.lexsort, I)
    yield of(jnp.lexsort, (I, X), axis=0)
    yield of(jnp.lexsort, (X[0],))


def parted(f: Any) -> Any:
    """The `kth` element, and the two sides in order: what partitions agree on."""

    def call(x: Any, kth: int, axis: int) -> Any:
        part = f(x, kth, axis)
        if "arg" in f.__name__:
            part = jnp.take_along_axis(x, part, axis)
        low, high = jnp.split(jnp.moveaxis(part, axis, -1), [kth % x.shape[axis]], -1)
        return jnp.sort(low), jnp.min(high, -1), jnp.sort(high)

    call.__name__ = f.__name__
    return call


def searches() -> Iterator[Call]:
    steps = np.array([-2.0, -0.5, 0.1, 0.1, 2.0])
    values = np.array([[-3.0, -0.5, 0.1], [0.2, 2.0, np.nan]])
    fixed = {"batch": "rows turned round are not sorted"}
    for method in ("scan", "scan_unrolled", "sort", "compare_all"):
        for side in ("left", "right"):
            yield of(jnp.searchsorted, steps, values, side=side, method=method).having(
                expected=lambda a, v, side, method: np.searchsorted(a, v, side), **fixed
            )
    yield of(jnp.searchsorted, steps, 0.3).having(**fixed)
    yield of(jnp.searchsorted, np.sort(A), C).having(**fixed)
    yield of(jnp.searchsorted, np.sort(A).astype(np.uint8), C[:0].astype(np.uint8)).having(**fixed)
    yield of(jnp.searchsorted, A, C, sorter=np.argsort(A)).having(**fixed)
    for right in (False, True):
        yield of(jnp.digitize, values, steps, right=right).having(**fixed)
        yield of(jnp.digitize, values, steps[::-1].copy(), right=right).having(**fixed)
        yield of(jnp.digitize, C, np.array([0, 3, 5]), right=right, method="sort").having(
            expected=lambda x, b, right, method: np.digitize(x, b, right), **fixed
        )


def sized(f: Any) -> Any:
    """NumPy's set function, its result cut or filled up to a size."""

    def oracle(*args: Any, size: int | None = None, fill_value: Any = None, **kwargs: Any) -> Any:
        result = f(*args, **kwargs)
        if size is None:
            return result
        filler = result[0] if fill_value is None else fill_value
        return np.concatenate([result, np.full(size, filler, result.dtype)])[:size]

    return oracle


def sets() -> Iterator[Call]:
    for f in (jnp.intersect1d, jnp.setdiff1d, jnp.setxor1d, jnp.union1d):
        oracle = sized(getattr(np, f.__name__))
        most = {"expected": oracle, "batch": True}
        yield of(f, A, C).having(**SHAPE_OF_VALUES)
        yield of(f, X.ravel(), X[0] + np.array([0, 1, 0, 1])).having(**SHAPE_OF_VALUES)
        yield of(f, A, C, size=4).having(**most)
        yield of(f, A, C, size=12, fill_value=-9).having(**most)
        yield of(f, A.astype(np.uint8), C.astype(np.uint8), size=9, fill_value=3).having(**most)
        if f is not jnp.union1d:
            yield of(f, UNIQUE, np.array([7, 2, 3]), assume_unique=True).having(**SHAPE_OF_VALUES)
    yield of(jnp.intersect1d, A, C, return_indices=True).having(**SHAPE_OF_VALUES)
    yield of(jnp.intersect1d, empty(0), X.ravel()).having(**SHAPE_OF_VALUES)
    for method in ("auto", "compare_all", "binary_search", "sort"):
        yield of(jnp.isin, I, C[:3], method=method).having(
            expected=lambda e, t, method: np.isin(e, t)
        )
    yield of(jnp.isin, I, C, invert=True)
    yield of(jnp.isin, UNIQUE, np.array([7, 2]), assume_unique=True)
    yield of(jnp.isin, X, X[0])
    yield of(jnp.isin, np.array(3), A)


def uniques() -> Iterator[Call]:
    rows = np.array([[1, 2], [0, 1], [1, 2], [0, 3]])
    odd = np.array([np.nan, 2.0, 1.0, np.nan, 2.0])
    for x in (A, U, B, np.array([2.5, 1.0, 2.5]), Z.ravel()):
        yield of(jnp.unique, x).having(**SHAPE_OF_VALUES)
    yield of(
        jnp.unique, A, return_index=True, return_inverse=True, return_counts=True
    ).having(**SHAPE_OF_VALUES)  # fmt: skip
    yield of(jnp.unique, I, return_inverse=True).having(**SHAPE_OF_VALUES)
    yield of(jnp.unique, rows, axis=0, return_counts=True).having(**SHAPE_OF_VALUES)
    yield of(jnp.unique, rows, axis=1, return_index=True).having(**SHAPE_OF_VALUES)
    yield of(jnp.unique, odd, equal_nan=True, return_counts=True).having(**SHAPE_OF_VALUES)
    yield of(jnp.unique, odd, equal_nan=False, sorted=True).having(**SHAPE_OF_VALUES)
    yield of(jnp.unique, empty(0)).having(**SHAPE_OF_VALUES)
    yield of(jnp.unique, A, size=4).having(expected=sized(np.unique))
    yield of(jnp.unique, A, size=12, fill_value=-1).having(expected=sized(np.unique))
    yield of(jnp.unique_values, A, size=12, fill_value=-1).having(expected=sized(np.unique))
    yield of(jnp.unique_values, I).having(
        expected=lambda x: np.unique(x), **SHAPE_OF_VALUES
    )  # fmt: skip
    everything = {"return_index": True, "return_inverse": True, "return_counts": True}
    some = {
        jnp.unique_all: ("return_index", "return_inverse", "return_counts"),
        jnp.unique_counts: ("return_counts",),
        jnp.unique_inverse: ("return_inverse",),
    }
    for f, parts in some.items():
        kwargs = {k: v for k, v in everything.items() if k in parts}
        yield of(f, A).having(**SHAPE_OF_VALUES)
        yield of(f, I).having(**SHAPE_OF_VALUES)
        n = len(np.unique(A))
        yield of(f, A, size=n, fill_value=0).having(
            expected=lambda x, size, fill_value, kw=kwargs: np.unique(x, **kw), batch="size"
        )


CALLS = [*sorts(), *searches(), *sets(), *uniques()]

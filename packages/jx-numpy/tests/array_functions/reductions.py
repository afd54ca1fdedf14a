"""Calls of the reductions, of those that skip NaNs, and of the cumulative functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import jx_numpy as jnp

from .call import Call, of
from .data import BF16, bools, complexes, empty, ints, reals

X = reals(2, 3)
CUBE = reals(2, 3, 2, dtype=np.float32)
I, U, B = ints(2, 3), ints(2, 3, dtype=np.uint8), bools(2, 3)  # noqa: E741
Z = complexes(2, 3)
MASK = np.array([[True, False, True], [True, True, False]])
HOLES = np.where(MASK, X, np.nan)
COLUMN_OF_NAN = np.where(np.arange(3) == 1, np.nan, X)


def own(name: str, /, **defaults: Any) -> Any:
    """NumPy's function without the parameters that only jx's has, or with them as it takes them."""

    def oracle(a: Any, *args: Any, promote_integers: bool | None = None, **kwargs: Any) -> Any:
        if promote_integers is False:
            kwargs["dtype"] = a.dtype
        for k in ("initial", "where"):
            if kwargs.get(k, 0) is None:
                del kwargs[k]
        return getattr(np, name)(a, *args, **{**defaults, **kwargs})

    return oracle


def sums_and_products() -> Iterator[Call]:
    for f in (jnp.sum, jnp.prod):
        yield of(f, X).having(moving=(0,), slack=4)
        yield of(f, X, axis=0, keepdims=True).having(moving=(0,))
        yield of(f, X, axis=1, initial=2.0, where=MASK).having(moving=(0,))
        yield of(f, CUBE, axis=(0, -1))
        yield of(f, CUBE, axis=()).having(expected=lambda a, axis: a)
        yield of(f, I, dtype=np.float32)
        yield of(f, U, axis=1)
        yield of(f, U, axis=1, promote_integers=False).having(expected=own(f.__name__))
        yield of(f, B)
        yield of(f, Z, axis=-1).having(moving=(0,), slack=4)
        yield of(f, CUBE.astype(BF16), axis=1).having(dtype=BF16, atol=5e-2)
        yield of(f, empty(0, 3), axis=0)
        yield of(f, empty(3, 0), axis=0)
        yield of(f, np.array(2.5))
    yield of(jnp.prod, np.array([[0.0, 2.0, 3.0], [1.0, 0.0, 0.0]]), axis=1).having(moving=(0,))


def extremes() -> Iterator[Call]:
    for f in (jnp.max, jnp.amax, jnp.min, jnp.amin):
        yield of(f, X).having(moving=(0,))
        yield of(f, X, axis=1, keepdims=True).having(moving=(0,))
        yield of(f, X, axis=0, initial=0.5, where=MASK).having(moving=(0,))
        yield of(f, CUBE, axis=(0, 2))
        yield of(f, I, axis=0)
        yield of(f, U)
        yield of(f, B, axis=1)
        yield of(f, Z, axis=1)
        yield of(f, HOLES, axis=1)
        yield of(f, CUBE.astype(BF16), axis=1).having(dtype=BF16)
        yield of(f, np.array(2.5))
        yield of(f, empty(3, 0), axis=0)
        yield of(f, empty(0, 2), axis=0, initial=1.0)
    yield of(jnp.ptp, X).having(moving=(0,))
    yield of(jnp.ptp, X, axis=1, keepdims=True).having(moving=(0,))
    yield of(jnp.ptp, I, axis=0)
    for f in (jnp.argmax, jnp.argmin):
        for x in (X, I, U, B, HOLES, CUBE.astype(BF16)):
            yield of(f, x)
            yield of(f, x, axis=1)
        yield of(f, X, axis=0, keepdims=True)
        yield of(f, X, keepdims=True)
        yield of(f, np.array(3))


def logical() -> Iterator[Call]:
    for f in (jnp.all, jnp.any):
        for x in (B, I, X, Z, U):
            yield of(f, x)
        yield of(f, B, axis=0, keepdims=True)
        yield of(f, I, axis=(0, 1))
        yield of(f, B, axis=1, where=MASK)
        yield of(f, empty(0, 3), axis=0)
        yield of(f, np.array(True))
    f = jnp.count_nonzero
    for x in (B, I, X, Z):
        yield of(f, x)
        yield of(f, x, axis=1, keepdims=True)
    yield of(f, I, axis=(0, 1))
    yield of(f, empty(0, 3))


def skipping_nans() -> Iterator[Call]:
    for f in (jnp.nansum, jnp.nanprod):
        yield of(f, X).having(moving=(0,), slack=4)
        yield of(f, HOLES, axis=0, keepdims=True)
        yield of(f, COLUMN_OF_NAN, axis=1).having(slack=4)
        yield of(f, HOLES, axis=1, initial=2.0, where=~MASK | (X > 0)).having(slack=2)
        yield of(f, CUBE, axis=(0, 2))
        yield of(f, I, dtype=np.float64)
        yield of(f, B)
        yield of(f, Z).having(slack=4)
        yield of(f, HOLES.astype(BF16), axis=1).having(dtype=BF16, atol=3e-2)
        yield of(f, empty(0, 3), axis=0)
    for f in (jnp.nanmax, jnp.nanmin):
        yield of(f, X).having(moving=(0,))
        yield of(f, HOLES, axis=0, keepdims=True)
        yield of(f, HOLES, axis=1)
        yield of(f, COLUMN_OF_NAN, axis=0)
        yield of(f, HOLES, axis=1, initial=0.3, where=X > 0)
        yield of(f, I, axis=1)
        yield of(f, HOLES.astype(np.float32))
    for f in (jnp.nanargmax, jnp.nanargmin):
        yield of(f, HOLES)
        yield of(f, HOLES, axis=1)
        yield of(f, HOLES, axis=1, keepdims=True)
        yield of(f, I, axis=0)


def cumulative() -> Iterator[Call]:
    for f in (jnp.cumsum, jnp.cumprod, jnp.nancumsum, jnp.nancumprod):
        yield of(f, X).having(moving=(0,), slack=4)
        yield of(f, X, axis=1).having(moving=(0,), slack=4)
        yield of(f, CUBE, axis=-2)
        yield of(f, I, axis=0)
        yield of(f, U, dtype=np.float32)
        yield of(f, B)
        yield of(f, Z, axis=1).having(moving=(0,), slack=4)
        yield of(f, np.array(2.0, np.float32))
        yield of(f, empty(0, 3), axis=1)
        yield of(f, CUBE[0].astype(BF16), axis=0).having(dtype=BF16, atol=6e-2)
    for f in (jnp.nancumsum, jnp.nancumprod):
        yield of(f, HOLES, axis=1)
    zeros = np.array([[2.0, 0.0, 3.0], [0.0, 4.0, 0.0]])
    yield of(jnp.cumprod, zeros, axis=1).having(moving=(0,))
    for f in (jnp.cumulative_sum, jnp.cumulative_prod):
        yield of(f, X, axis=1).having(moving=(0,), slack=4)
        yield of(f, X[0], include_initial=True).having(moving=(0,), slack=4)
        yield of(f, I, axis=0, dtype=np.float64, include_initial=True)
        yield of(f, Z, axis=-1).having(slack=4)
        yield of(f, U, axis=1)
        yield of(f, empty(0))


CALLS = [
    *sums_and_products(), *extremes(), *logical(), *skipping_nans(), *cumulative(),
]  # fmt: skip

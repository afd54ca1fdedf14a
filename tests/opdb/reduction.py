"""Samples of the reduction family."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jx_core import lax
from jx_core.errors import ShapeError

from .sample import (
    ALL,
    COMPLEX,
    FLOATS,
    INTEGERS,
    NUMBERS,
    REAL,
    ErrorSample,
    Sample,
    apart,
    array,
    dtype_of,
    traced,
)


def _inexact(dtype: str) -> bool:
    return "float" in dtype or "complex" in dtype


MONOIDS = (
    (lax.reduce_sum_p, NUMBERS, 1),
    (lax.reduce_prod_p, NUMBERS, 2),
    (lax.reduce_max_p, ALL, 1),
    (lax.reduce_min_p, ALL, 1),
    (lax.reduce_and_p, ("bool", *INTEGERS), 0),
    (lax.reduce_or_p, ("bool", *INTEGERS), 0),
    (lax.reduce_xor_p, ("bool", *INTEGERS), 0),
)
CUMULATIVE = (
    (lax.cumsum_p, NUMBERS, 1),
    (lax.cumprod_p, NUMBERS, 2),
    (lax.cummax_p, NUMBERS, 1),
    (lax.cummin_p, NUMBERS, 1),
    (lax.cumlogsumexp_p, (*FLOATS, *COMPLEX), 2),
)


def samples() -> Iterator[Sample]:
    for primitive, accepted, order in MONOIDS:
        for dtype in accepted:
            x = array((2, 3, 4), dtype, -9, 9) if dtype == "bool" else apart((2, 3, 4), dtype)
            moving = (0,) if order and _inexact(dtype) else ()
            for axes in ((), (1,), (0, 2), (0, 1, 2)):
                yield Sample(
                    primitive, (x,), {"axes": axes}, moving=moving, order=order, slack=16
                )
            yield Sample(primitive, (array((0, 2), dtype),), {"axes": (0,)}, note="empty")
            yield Sample(primitive, (array((), dtype),), {"axes": ()})
    for dtype in FLOATS:
        x = array((3, 4), dtype)
        x[1, 2] = np.nan
        x[2] = np.inf, -np.inf, 1, 0
        for primitive in (lax.reduce_sum_p, lax.reduce_max_p, lax.reduce_min_p):
            yield Sample(primitive, (x,), {"axes": (1,)}, slack=16, note="NaN")
    for primitive, accepted, order in CUMULATIVE:
        yield from _cumulative(primitive, accepted, order)
    for primitive in (lax.argmax_p, lax.argmin_p):
        yield from _positions(primitive)
    yield from _general()


def _cumulative(primitive, accepted, order) -> Iterator[Sample]:
    for dtype in accepted:
        moving = (0,) if _inexact(dtype) else ()
        facts = {"moving": moving, "order": order, "slack": 32}
        for n in (1, 2, 3, 5, 8) if dtype == "float32" else (5,):
            for reverse in (False, True):
                x = apart((n, 2), dtype)
                yield Sample(primitive, (x,), {"axis": 0, "reverse": reverse}, **facts)
        yield Sample(primitive, (apart((2, 7), dtype),), {"axis": 1, "reverse": False}, **facts)
    yield Sample(primitive, (array((0, 2), "float32"),), {"axis": 0, "reverse": False})
    yield Sample(primitive, (array((2, 0), "float32"),), {"axis": 0, "reverse": True})
    x = np.float32([[1, 2], [np.inf, -np.inf], [3, np.nan], [-np.inf, 5]])
    if primitive is not lax.cumprod_p:
        yield Sample(primitive, (x,), {"axis": 0, "reverse": False}, slack=32, note="NaN")


def _positions(primitive) -> Iterator[Sample]:
    for dtype in ("bool", *REAL):
        for index in ("int32", "int64", "uint8"):
            params = {"axes": (1,), "index_dtype": dtype_of(index)}
            yield Sample(primitive, (array((2, 5), dtype, -3, 3),), params)
    for dtype in FLOATS:
        x = np.float64([
            [1, np.nan, 2, np.nan], [np.inf, 1, np.inf, 0], [-np.inf, -np.inf, -np.inf, -np.inf],
            [0.0, -0.0, 0.0, -0.0],
        ]).astype(dtype_of(dtype))  # fmt: skip
        for axis in (0, 1):
            params = {"axes": (axis,), "index_dtype": dtype_of("int32")}
            yield Sample(primitive, (x,), params, note="NaN and ties")


def _general() -> Iterator[Sample]:
    """`reduce` with functions that are no monoid of their own."""
    for dtype in ("float32", "float64", "int32", "bfloat16", "complex64"):
        x, zero = array((2, 3), dtype), np.zeros((), dtype_of(dtype))
        for axes in ((0,), (0, 1)):
            yield traced(
                lambda x, z, axes=axes: lax.reduce(x, z, lambda a, b: a + b + a * b, axes),
                x, zero, slack=16,
            )  # fmt: skip
    x, place = apart((3, 4), "float32"), np.arange(12, dtype=np.int32).reshape(3, 4)

    def later(a, b):
        greater = lax.gt(a[0], b[0])
        return lax.select(greater, a[0], b[0]), lax.select(greater, a[1], b[1])

    yield traced(
        lambda x, i, a, b: lax.reduce((x, i), (a, b), later, (1,)), x, place,
        np.float32(-np.inf), np.int32(-1),
    )  # fmt: skip


def error_samples() -> Iterator[ErrorSample]:
    x = np.zeros((2, 3), np.float32)
    yield ErrorSample("sum_axis", lambda: lax.reduce_sum(x, (2,)), ShapeError, r"\(2, 3\)")
    yield ErrorSample("sum_twice", lambda: lax.reduce_sum(x, (1, 1)), ShapeError, r"\(1, 1\)")
    yield ErrorSample(
        "sum_bool", lambda: lax.reduce_sum(x > 0, (0,)), TypeError, "reduce_sum does not"
    )
    yield ErrorSample(
        "and_float", lambda: lax.reduce_and(x, (0,)), TypeError, "reduce_and does not"
    )
    yield ErrorSample("cumsum_axis", lambda: lax.cumsum(x, 2), ShapeError, "axis")
    yield ErrorSample(
        "argmax_empty", lambda: lax.argmax(x[:0], 0, np.int32), ShapeError, "must not be empty"
    )
    yield ErrorSample(
        "argmax_float", lambda: lax.argmax(x, 0, np.float32), TypeError, "integer dtype"
    )
    yield ErrorSample(
        "reduce_init", lambda: lax.reduce(x, np.int32(0), lax.add, (0,)), TypeError, "init_values"
    )

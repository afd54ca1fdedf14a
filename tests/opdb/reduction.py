"""Samples of the reduction family."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jx_core import ShapeDtypeStruct, lax, make_jaxpr
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
    yield from _windows()
    yield from _picking()


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


def window(dims, strides=None, padding=None, base=None, holes=None) -> dict:
    """The params of windows, ones and zeros where left out."""
    ones = (1,) * len(dims)
    return {
        "window_dimensions": dims,
        "window_strides": strides or ones,
        "padding": padding or ((0, 0),) * len(dims),
        "base_dilation": base or ones,
        "window_dilation": holes or ones,
    }


PLAIN = window((2, 3))
WINDOWS = (
    PLAIN,
    window((2, 2), (2, 2)),
    window((3, 2), (1, 3), ((1, 1), (0, 2))),
    window((2, 2), (1, 2), ((2, 0), (1, 1)), holes=(2, 1)),
    window((2, 3), (1, 2), ((0, 1), (2, 1)), base=(1, 2)),
    window((2, 2), (2, 1), ((-1, 1), (1, -2)), base=(2, 3), holes=(1, 2)),
    window((1, 1)),
)


def _windows() -> Iterator[Sample]:
    """Reductions of windows by one operation, then by functions."""
    for primitive, accepted in (
        (lax.reduce_window_sum_p, NUMBERS),
        (lax.reduce_window_max_p, ("bool", *REAL)),
        (lax.reduce_window_min_p, ("bool", *REAL)),
    ):
        for dtype in accepted:
            x = array((4, 5), dtype) if dtype == "bool" else apart((4, 5), dtype)
            moving = (0,) if _inexact(dtype) else ()
            for params in WINDOWS if dtype == "float32" else WINDOWS[2:4]:
                yield Sample(primitive, (x,), params, moving=moving, order=1, slack=16)
        for params in WINDOWS:
            x = apart((4, 5), "float64")
            # Of padding alone, the extreme is an infinity, which has no differences.
            moving = (0,) if np.isfinite(primitive.reference(x, **params)).all() else ()
            yield Sample(primitive, (x,), params, moving=moving, order=1)
        x = apart((7,), "float64")
        yield Sample(primitive, (x,), window((7,), padding=((6, 0),)), moving=(0,), order=1)
        pooled = window((1, 2, 2, 1), (1, 2, 2, 1), ((0, 0), (0, 1), (1, 0), (0, 0)))
        yield Sample(primitive, (apart((2, 3, 3, 2), "float64"),), pooled, moving=(0,), order=1)
        yield Sample(primitive, (array((), "float32"),), window(()), note="no axes")
        yield Sample(primitive, (array((0, 5), "float32"),), PLAIN, note="empty")
        yield Sample(
            primitive, (array((0, 3), "float32"),), window((2, 2), padding=((1, 1), (0, 0))),
            note="padding alone",
        )  # fmt: skip
        yield Sample(primitive, (array((1, 5), "float32"),), PLAIN, note="no window fits")
        x = np.float32([[np.nan, 1, -np.inf, -np.inf, 2], [0, np.inf, -np.inf, -np.inf, -0.0]])
        yield Sample(primitive, (x,), window((2, 2)), note="NaN")
    yield from _windows_by_functions()


def _product(x, one, params):
    return lax.reduce_window(x, one, lax.mul, **params)


def _larger_with_place(x, i, a, b, params):
    def later(a, b):
        greater = lax.gt(a[0], b[0])
        return lax.select(greater, a[0], b[0]), lax.select(greater, a[1], b[1])

    return lax.reduce_window((x, i), (a, b), later, **params)


def _windows_by_functions() -> Iterator[Sample]:
    for dtype in ("float32", "int32", "bfloat16", "complex64"):
        x = array((4, 5), dtype)
        for params in WINDOWS if dtype == "float32" else WINDOWS[2:3]:
            yield traced(
                lambda x, one, params=params: _product(x, one, params),
                x, np.ones((), dtype_of(dtype)), slack=16,
            )  # fmt: skip
    for dtype in ("float64", "complex128"):
        for params in WINDOWS[:1] + WINDOWS[2:6] if dtype == "float64" else WINDOWS[2:3]:
            yield traced(
                lambda x, one, params=params: _product(x, one, params),
                array((4, 5), dtype), np.ones((), dtype), moving=(0, 1), slack=16,
            )  # fmt: skip
    # Long windows, which are taken apart by doubling.
    yield traced(
        lambda x, one: _product(x, one, window((23,), padding=((2, 1),))),
        array((24,), "float64", 0.5, 1.5), np.ones((), "float64"), moving=(0,), slack=16,
    )  # fmt: skip
    for shape in ((0, 5), (1, 5), (0, 0)):
        yield traced(
            lambda x, one: _product(x, one, PLAIN), array(shape, "float32"), np.float32(1)
        )
    yield traced(lambda x, one: _product(x, one, window(())), np.float32(3), np.float32(2))
    x, place = apart((3, 4), "float32"), np.arange(12, dtype=np.int32).reshape(3, 4)
    params = window((2, 2), (1, 2), ((0, 1), (1, 0)))
    yield traced(
        lambda x, i, a, b: _larger_with_place(x, i, a, b, params), x, place,
        np.float32(-np.inf), np.int32(-1),
    )  # fmt: skip


def _picking() -> Iterator[Sample]:
    """What picks one element of each window, or puts one there."""
    for dtype in ("float32", "float64", "bfloat16", "int32", "uint8"):
        x, t = apart((4, 5), dtype), array((4, 5), dtype, 0, 9)
        moving = (0,) if "float" in dtype else ()
        for params in WINDOWS if dtype in ("float32", "float64") else WINDOWS[3:4]:
            for chosen in ("ge", "le"):
                yield Sample(
                    lax.select_and_gather_add_p, (t, x), {**params, "select_prim": chosen},
                    moving=moving, order=1,
                )  # fmt: skip
        for params in WINDOWS[:3]:
            counts = lax.reduce_window_shape_tuple((4, 5), **params)
            for chosen in ("ge", "le"):
                yield Sample(
                    lax.select_and_scatter_add_p, (array(counts, dtype, 0, 9), x),
                    {**_plain(params), "select_prim": chosen}, moving=moving, order=1, slack=16,
                )  # fmt: skip
    ties = np.float32([
        [np.nan, 1, 1, -np.inf, -np.inf], [np.nan, 1, -0.0, -np.inf, -np.inf],
        [2, np.inf, np.inf, 0.0, -0.0], [-np.inf, 5, 5, 5, 5],
    ])  # fmt: skip
    t, params = array((4, 5), "float32"), window((2, 2), padding=((1, 1), (1, 0)))
    for chosen in ("ge", "le"):
        yield Sample(
            lax.select_and_gather_add_p, (t, ties), {**params, "select_prim": chosen}, note="ties"
        )
        yield Sample(
            lax.select_and_scatter_add_p, (array((5, 5), "float32"), ties),
            {**_plain(params), "select_prim": chosen}, note="ties", slack=16,
        )  # fmt: skip
        for shape in ((0, 5), (1, 5)):
            empty = array((0, 3), "float32"), array(shape, "float32")
            yield Sample(
                lax.select_and_scatter_add_p, empty, {**_plain(PLAIN), "select_prim": chosen}
            )
        large = apart((12, 12), "float32")
        yield Sample(
            lax.select_and_scatter_add_p, (array((1, 1), "float32"), large),
            {**_plain(window((12, 12))), "select_prim": chosen}, note="a large window",
        )  # fmt: skip
    yield from _scattering()


def _plain(params: dict) -> dict:
    return {k: v for k, v in params.items() if "dilation" not in k}


def _scattering() -> Iterator[Sample]:
    def program(fun, dtype):
        return make_jaxpr(fun)(*[ShapeDtypeStruct((), dtype_of(dtype))] * 2)

    for dtype in ("float32", "float64", "int32"):
        for combine, init, order in ((lax.add, 0, 1), (lambda a, b: a + b + a * b, 1, 1)):
            programs = {
                "select_jaxpr": program(lax.ge, dtype), "scatter_jaxpr": program(combine, dtype),
            }  # fmt: skip
            for params in WINDOWS[:3]:
                counts = lax.reduce_window_shape_tuple((4, 5), **params)
                yield Sample(
                    lax.select_and_scatter_p,
                    (apart((4, 5), dtype), array(counts, dtype), np.asarray(init, dtype)),
                    {**_plain(params), **programs}, moving=(1, 2) if dtype == "float64" else (),
                    order=order, slack=16,
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
    yield from _window_errors(x)
    yield ErrorSample(
        "reduce_init", lambda: lax.reduce(x, np.int32(0), lax.add, (0,)), TypeError, "init_values"
    )


def _window_errors(x) -> Iterator[ErrorSample]:
    def call(*args, **kwargs):
        return lambda: lax.reduce_window(x, *args, **kwargs)

    for name, fun, error, text in (
        ("rank", call(0.0, lax.add, (2,)), ShapeError, r"window_dimensions.*\(2,\) for shape"),
        ("strides", call(0.0, lax.add, (1, 1), (1,)), ShapeError, "window_strides must have"),
        ("zero", call(0.0, lax.add, (0, 1)), ShapeError, "window_dimensions must be positive"),
        ("step", call(0.0, lax.add, (1, 1), (0, 1)), ShapeError, "window_strides must be pos"),
        ("pads", call(0.0, lax.add, (1, 1), None, [(0, 0)]), ShapeError, "padding needs"),
        ("cut", call(0.0, lax.add, (1, 1), None, [(-2, -1), (0, 0)]), ShapeError, "cuts off more"),
        ("name", call(0.0, lax.add, (1, 1), None, "BEST"), ValueError, "Unrecognized padding"),
        ("init", call(np.int32(0), lax.add, (1, 1)), TypeError, "init_values must have"),
        ("shape", call(x[0], lax.add, (1, 1)), ShapeError, "must be scalars"),
        ("tree", call((0.0, 0.0), lax.add, (1, 1)), ValueError, "must be alike"),
        ("result", call(0.0, lambda a, b: (a, b), (1, 1)), TypeError, "must return what it takes"),
        ("dtype", call(0.0, lax.eq, (1, 1)), TypeError, "scalars of the operands' dtypes"),
        ("none", lambda: lax.reduce_window((), (), lax.add, ()), ValueError, "not empty"),
    ):
        yield ErrorSample(f"window_{name}", fun, error, text)
    yield ErrorSample(
        "window_shape_tuple", lambda: lax.reduce_window_shape_tuple((2, 3), (1,), (1, 1), [(0, 0)]),
        ShapeError, "padding needs",
    )  # fmt: skip
    plain = _plain(window((1, 1)))
    yield ErrorSample(
        "scatter_select",
        lambda: lax.select_and_scatter_add_p.bind(x, x, select_prim="gt", **plain),
        ValueError, "'ge' or 'le'",
    )  # fmt: skip
    yield ErrorSample(
        "scatter_source",
        lambda: lax.select_and_scatter_add_p.bind(x[0], x, select_prim="ge", **plain),
        ShapeError, "an element for each window",
    )  # fmt: skip
    yield ErrorSample(
        "gather_shapes",
        lambda: lax.select_and_gather_add_p.bind(x[:1], x, select_prim="ge", **window((1, 1))),
        ShapeError, "one shape",
    )  # fmt: skip

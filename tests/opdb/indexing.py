"""Samples of the indexing family."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from jx_core import lax
from jx_core.errors import ShapeError
from jx_core.lax import GatherDimensionNumbers, GatherScatterMode, ScatterDimensionNumbers

from .sample import ALL, FEW, NUMBERS, ErrorSample, Sample, apart, array, dtype_of, traced, words

# Which axes a gather from shape (4, 5) or (2, 4, 5) reads: the operand's shape, that of the
# batch of index vectors, dimension numbers and slice sizes.
GATHERS: tuple[tuple[Any, ...], ...] = (
    ((4, 5), (3,), GatherDimensionNumbers((1,), (0,), (0,)), (1, 5)),
    ((4, 5), (3,), GatherDimensionNumbers((), (0, 1), (0, 1)), (1, 1)),
    ((4, 5), (3,), GatherDimensionNumbers((), (0, 1), (1, 0)), (1, 1)),
    ((4, 5), (2, 3), GatherDimensionNumbers((0, 3), (), (0, 1)), (2, 3)),
    ((4, 5), (), GatherDimensionNumbers((0, 1), (), (1,)), (4, 2)),
    ((4, 5), (0,), GatherDimensionNumbers((1,), (0,), (0,)), (1, 5)),
    ((4, 5), (3,), GatherDimensionNumbers((1, 2), (), ()), (2, 3)),
    ((2, 4, 5), (2, 3), GatherDimensionNumbers((2,), (1,), (1,), (0,), (0,)), (1, 1, 5)),
    ((2, 4, 5), (3, 2), GatherDimensionNumbers((0,), (2,), (2,), (0,), (1,)), (1, 4, 1)),
)
MODES = (GatherScatterMode.CLIP, GatherScatterMode.FILL_OR_DROP)
PROMISE = GatherScatterMode.PROMISE_IN_BOUNDS


def _vectors(numbers: Any, batch: tuple[int, ...], low: int, high: int, seed: int = 0) -> Any:
    """Index vectors for the axes that the dimension numbers name."""
    axes = numbers[2]
    return array((*batch, len(axes)), "int32", low, high, seed)


# Dtypes of a byte and less; integers of less than a byte are not combined by scatters on CPU.
NARROW = ("float8_e4m3fn", "float8_e5m2", "int4", "uint4", "float4_e2m1fn")


def samples() -> Iterator[Sample]:
    yield from _slices()
    yield from _narrow()
    yield from _gathers()
    yield from _scatters()


def _slices() -> Iterator[Sample]:
    for dtype in ALL:
        moving = (0,) if "float" in dtype or "complex" in dtype else ()
        x = array((4, 5), dtype)
        for start, limit, strides in (
            ((0, 0), (4, 5), None), ((1, 2), (3, 5), (1, 2)), ((4, 5), (4, 5), None),
            ((0, 1), (4, 2), (3, 7)),
        ):  # fmt: skip
            params = {"start_indices": start, "limit_indices": limit, "strides": strides}
            yield Sample(lax.slice_p, (x,), params, moving=moving, order=1)
        update = array((2, 3), dtype, seed=1)
        both = (0, 1) if moving else ()
        for i, j in ((0, 0), (1, 2), (-3, 4), (9, -9)):
            places = (np.int32(i), np.int32(j))
            sizes = {"slice_sizes": (2, 3)}
            yield Sample(lax.dynamic_slice_p, (x, *places), sizes, moving=moving, order=1)
            yield Sample(lax.dynamic_update_slice_p, (x, update, *places), moving=both, order=1)
    x = array((4, 5), "float32")
    for index in ("int8", "uint8", "int64", "uint32"):
        places = tuple(np.asarray(i, dtype_of(index)) for i in (3, 1))
        yield Sample(lax.dynamic_slice_p, (x, *places), {"slice_sizes": (2, 2)})
        yield Sample(lax.dynamic_update_slice_p, (x, x[:2, :2], *places))
    long = array((1000,), "float32")  # longer than the index's dtype counts
    for index, place in (("int8", 100), ("uint8", 255), ("int16", -3)):
        start = np.asarray(place, dtype_of(index))
        yield Sample(lax.dynamic_slice_p, (long, start), {"slice_sizes": (2,)})
        yield Sample(lax.dynamic_update_slice_p, (long, long[:2], start))
    zero = np.int32(0)
    yield Sample(lax.dynamic_slice_p, (x, zero, zero), {"slice_sizes": (0, 5)}, note="empty")
    yield Sample(lax.dynamic_slice_p, (x[0, 0],), {"slice_sizes": ()}, note="scalar")
    yield Sample(lax.dynamic_update_slice_p, (x[0, 0], x[1, 1]), note="scalar")
    keys = words((4, 5))
    params = {"start_indices": (1, 0), "limit_indices": (3, 5), "strides": (1, 2)}
    yield Sample(lax.slice_p, (keys,), params, keys=(0,))
    yield Sample(lax.dynamic_slice_p, (keys, zero, zero), {"slice_sizes": (2, 3)}, keys=(0,))
    yield Sample(lax.dynamic_update_slice_p, (keys, words((2, 3)), zero, zero), keys=(0, 1))


def _narrow() -> Iterator[Sample]:
    for dtype in NARROW:
        x = array((4, 5), "float32", 0, 3).astype(dtype_of(dtype))
        params = {"start_indices": (0, 1), "limit_indices": (4, 5), "strides": (1, 2)}
        yield Sample(lax.slice_p, (x,), params)
        places = (np.int32(2), np.int32(9))
        yield Sample(lax.dynamic_slice_p, (x, *places), {"slice_sizes": (2, 3)})
        yield Sample(lax.dynamic_update_slice_p, (x, x[:2, 1:4], *places))
        shape, batch, numbers, sizes = GATHERS[0]
        indices = _vectors(numbers, batch, -6, 8)
        for mode in MODES:
            yield _gather(x, indices, numbers, sizes, mode)
        _, _, updates, numbers = SCATTERS[0]
        for primitive, *_ in ((lax.scatter_p,), *COMBINING):
            params = {
                "dimension_numbers": numbers, "indices_are_sorted": False,
                "unique_indices": True, "mode": MODES[1],
            }  # fmt: skip
            yield Sample(primitive, (x, np.int32([[1], [9], [0]]), x[:3]), params)


def _gathers() -> Iterator[Sample]:
    for shape, batch, numbers, sizes in GATHERS:
        for mode in (*MODES, PROMISE):
            low, high = (0, 2) if mode is PROMISE else (-6, 8)
            if mode is PROMISE and batch == (2, 3) and sizes == (2, 3):
                low, high = 0, 1
            indices = _vectors(numbers, batch, low, high)
            for dtype in ALL if shape == (4, 5) and batch == (3,) else FEW:
                yield _gather(array(shape, dtype), indices, numbers, sizes, mode)
            if mode is GatherScatterMode.FILL_OR_DROP:
                for dtype in ("float64", "complex128"):
                    x = array(shape, dtype)
                    yield _gather(x, indices, numbers, sizes, mode, fill_value=1)
            yield _gather(words(shape), indices, numbers, sizes, mode, keys=(0,))
    shape, batch, numbers, sizes = GATHERS[0]
    for dtype in ("float32", "int32", "bool"):
        indices = _vectors(numbers, batch, -6, 8)
        for fill in (0, 1):
            yield _gather(array(shape, dtype), indices, numbers, sizes, MODES[1], fill_value=fill)
    for index in ("int8", "uint8", "int64", "uint64"):
        indices = array((3, 1), index, -6, 8)
        for mode in MODES:
            yield _gather(array(shape, "float32"), indices, numbers, sizes, mode)
    ordered = np.int32([[0], [2], [3]])
    yield _gather(
        array(shape, "float32"), ordered, numbers, sizes, PROMISE,
        indices_are_sorted=True, unique_indices=True,
    )  # fmt: skip


def _gather(x: Any, indices: Any, numbers: Any, sizes: Any, mode: Any, **options: Any) -> Sample:
    keys = options.pop("keys", ())
    moving = (0,) if x.dtype.kind in "fcV" and not keys else ()
    if mode is GatherScatterMode.FILL_OR_DROP and options.get("fill_value") is None:
        moving = ()  # it reads NaN, from which no difference can be told
    params = {
        "dimension_numbers": numbers, "slice_sizes": sizes, "mode": mode, "fill_value": None,
        "indices_are_sorted": False, "unique_indices": False, **options,
    }  # fmt: skip
    return Sample(lax.gather_p, (x, indices), params, keys=keys, moving=moving, order=1)


# The same for scatters: shapes of operand, batch and updates, dimension numbers.
SCATTERS: tuple[tuple[Any, ...], ...] = (
    ((4, 5), (3,), (3, 5), ScatterDimensionNumbers((1,), (0,), (0,))),
    ((4, 5), (3,), (3,), ScatterDimensionNumbers((), (0, 1), (0, 1))),
    ((4, 5), (3,), (3,), ScatterDimensionNumbers((), (0, 1), (1, 0))),
    ((4, 5), (2,), (2, 2, 3), ScatterDimensionNumbers((1, 2), (), (0, 1))),
    ((4, 5), (), (4, 2), ScatterDimensionNumbers((0, 1), (), (1,))),
    ((4, 5), (0,), (0, 5), ScatterDimensionNumbers((1,), (0,), (0,))),
    ((2, 4, 5), (2, 3), (2, 3, 5), ScatterDimensionNumbers((2,), (1,), (1,), (0,), (0,))),
    ((2, 4, 5), (3, 2), (4, 3, 2), ScatterDimensionNumbers((0,), (2,), (2,), (0,), (1,))),
)
# Whether updates of one element may meet: which of them `scatter` keeps is not specified.
COMBINING = (
    (lax.scatter_add_p, NUMBERS, 1),
    (lax.scatter_sub_p, NUMBERS, 1),
    (lax.scatter_mul_p, NUMBERS, 2),
    (lax.scatter_min_p, ("bool", *NUMBERS), 1),
    (lax.scatter_max_p, ("bool", *NUMBERS), 1),
)


def _scatters() -> Iterator[Sample]:
    for place, (shape, batch, updates, numbers) in enumerate(SCATTERS):
        for mode in (*MODES, PROMISE):
            low, high = (0, 2) if mode is PROMISE else (-6, 8)
            if mode is PROMISE and updates == (2, 2, 3):
                low, high = 0, 1
            indices = _vectors(numbers, batch, low, high)
            dtypes_ = ALL if place < 2 else FEW
            for primitive, accepted, order in COMBINING:
                for dtype in (d for d in dtypes_ if d in accepted):
                    yield _scatter(primitive, shape, indices, updates, dtype, numbers, mode, order)
    for shape, indices, updates, numbers in (
        ((4, 5), [[1], [3], [0]], (3, 5), SCATTERS[0][3]),
        ((4, 5), [[1, 2], [9, 9], [-1, 0]], (3,), SCATTERS[1][3]),
        ((4, 5), [[1, 0], [0, 9]], (2, 2, 3), SCATTERS[3][3]),
        ((2, 4, 5), [[[0], [1], [2]], [[3], [5], [-1]]], (2, 3, 5), SCATTERS[6][3]),
    ):
        for dtype in ALL:
            places = np.int32(indices)
            modes = MODES[1:] if (places < 0).any() or (places > 3).any() else (*MODES, PROMISE)
            for mode in modes:
                yield _scatter(lax.scatter_p, shape, places, updates, dtype, numbers, mode, 1)
    shape, _, updates, numbers = SCATTERS[0]
    places = np.int32([[1], [3], [0]])
    params = {
        "dimension_numbers": numbers, "indices_are_sorted": False, "unique_indices": True,
        "mode": PROMISE,
    }  # fmt: skip
    operands = (words(shape), places, words(updates, 1))
    yield Sample(lax.scatter_p, operands, params, keys=(0, 2))
    for dtype in ("float32", "int32", "complex64"):
        yield traced(
            lambda x, i: lax.scatter_apply(x, i, lambda v: v * v + v, numbers, update_shape=(3, 5)),
            array(shape, dtype), np.int32([[1], [9], [0]]), slack=8,
        )  # fmt: skip
    for unique, order in ((True, 2), (False, 1)):
        yield traced(
            lambda x, i, unique=unique: lax.scatter_apply(
                x, i, lambda v: v * v + v, numbers, update_shape=(3, 5), unique_indices=unique
            ),
            array(shape, "float64"), np.int32([[1], [3 if unique else 1], [0]]), slack=8,
            moving=(0,), order=order,
        )  # fmt: skip


def _scatter(
    primitive: Any, shape: Any, indices: Any, updates: Any, dtype: str, numbers: Any, mode: Any,
    order: int,
) -> Sample:  # fmt: skip
    params = {
        "dimension_numbers": numbers, "indices_are_sorted": False, "unique_indices": False,
        "mode": mode,
    }  # fmt: skip
    makes = array if dtype == "bool" else apart
    operands = makes(shape, dtype), indices, makes(updates, dtype, seed=1)
    moving = (0, 2) if "float" in dtype or "complex" in dtype else ()
    if primitive is lax.scatter_mul_p:
        moving = moving[1:]  # where updates meet, there is no rule for the operand's updates
    return Sample(primitive, operands, params, moving=moving, order=order, slack=8)


def error_samples() -> Iterator[ErrorSample]:
    x = np.zeros((4, 5), np.float32)
    yield ErrorSample(
        "slice", lambda: lax.slice(x, (0, 0), (2, 9)), ShapeError, "limit 9 on axis 1"
    )
    yield ErrorSample(
        "dynamic_slice_sizes", lambda: lax.dynamic_slice(x, (0, 0), (2, 9)), ShapeError,
        r"slice_sizes must lie between 0 and",
    )  # fmt: skip
    yield ErrorSample(
        "dynamic_slice_count", lambda: lax.dynamic_slice(x, (0,), (2, 2)), ShapeError,
        "one entry for each axis",
    )  # fmt: skip
    yield ErrorSample(
        "update_dtype", lambda: lax.dynamic_update_slice(x, x.astype(int), (0, 0)), TypeError,
        "same dtypes",
    )  # fmt: skip
    yield ErrorSample(
        "gather_float", lambda: lax.gather(x, x, GATHERS[0][2], (1, 5)), TypeError,
        "indices must have an integer dtype",
    )  # fmt: skip
    yield ErrorSample(
        "gather_sizes",
        lambda: lax.gather(x, np.zeros((3, 1), np.int32), GATHERS[0][2], (2, 5)),
        ShapeError, r"slice_sizes\[0\] must be 1",
    )  # fmt: skip
    yield ErrorSample(
        "scatter_updates",
        lambda: lax.scatter_add(x, np.zeros((3, 1), np.int32), x, SCATTERS[0][3]), ShapeError,
        r"must have the indices' sizes \(3,\), got \(4,\)",
    )  # fmt: skip
    yield ErrorSample(
        "scatter_dtype",
        lambda: lax.scatter(x, np.zeros((4, 1), np.int32), x.astype(int), SCATTERS[0][3]),
        TypeError, "same dtypes",
    )  # fmt: skip

"""Writing blocks at many computed places: `scatter` and its combining kin.

The mirror of `gather`, with StableHLO's meaning
(https://openxla.org/stablehlo/spec#scatter): each index vector points to a block of the
operand that an update goes to. A block that is not wholly inside of the operand is dropped,
or moved inside under CLIP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import dtypes
from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...jaxpr.evaluate import eval_jaxpr
from ...jaxpr.ir import ClosedJaxpr
from ...primitive import Primitive
from ...staging import function_name, trace_to_jaxpr
from ...trace import Tracer
from ..axes import integers
from ..elementwise import convert_element_type
from ..kit import any_or_key, check_kind, number
from .gather import (
    GatherScatterMode,
    block_starts,
    blocks,
    check_indices,
    check_sorted_axes,
    hashable_numbers,
    mode_of,
)

__all__ = [
    "ScatterDimensionNumbers",
    "scatter",
    "scatter_add",
    "scatter_add_p",
    "scatter_apply",
    "scatter_apply_p",
    "scatter_max",
    "scatter_max_p",
    "scatter_min",
    "scatter_min_p",
    "scatter_mul",
    "scatter_mul_p",
    "scatter_p",
    "scatter_sub",
    "scatter_sub_p",
]

Shape = tuple[int, ...]


class ScatterDimensionNumbers(NamedTuple):
    """Which axes of a scatter mean what.

    Attributes:
        update_window_dims: the axes of the updates that run inside of a block, increasing.
        inserted_window_dims: the axes of the operand along which blocks have size 1 and that
            the updates lack, increasing.
        scatter_dims_to_operand_dims: for each entry of an index vector, the operand's axis it
            is on.
        operand_batching_dims: axes of the operand that walk along with an axis of the indices,
            increasing; blocks have size 1 there and the updates lack them.
        scatter_indices_batching_dims: for each of `operand_batching_dims`, that axis of the
            indices.

    >>> from jx_core import lax
    >>> numbers = ScatterDimensionNumbers(
    ...     update_window_dims=(), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,)
    ... )
    >>> places = np.int32([[0], [2], [0]])
    >>> lax.scatter_add(np.zeros(3, np.float32), places, np.float32([1, 2, 3]), numbers)
    Array([4., 0., 2.], dtype=float32)
    """

    update_window_dims: Sequence[int]
    inserted_window_dims: Sequence[int]
    scatter_dims_to_operand_dims: Sequence[int]
    operand_batching_dims: Sequence[int] = ()
    scatter_indices_batching_dims: Sequence[int] = ()


def block_sizes(
    operand_shape: Shape, updates_shape: Shape, numbers: ScatterDimensionNumbers
) -> Shape:
    """The size of a block on every axis of the operand: 1 where the updates lack the axis."""
    lacking = {*numbers.inserted_window_dims, *numbers.operand_batching_dims}
    sizes = iter(updates_shape[a] for a in numbers.update_window_dims)
    return tuple(1 if a in lacking else next(sizes) for a in range(len(operand_shape)))


def _check(
    name: str,
    operand: ShapedArray,
    indices: ShapedArray,
    updates: Shape,
    numbers: ScatterDimensionNumbers,
) -> None:
    window, inserted, index_map, batching, indices_batching = map(tuple, numbers)
    check_indices(
        name,
        operand,
        indices,
        ("scatter_dims_to_operand_dims", index_map),
        batching,
        ("scatter_indices_batching_dims", indices_batching),
    )
    check_sorted_axes(name, "inserted_window_dims", inserted, operand.ndim)
    if set(inserted) & set(batching):
        raise ShapeError(
            f"{name}: an axis can't be both in inserted_window_dims {inserted} and in "
            f"operand_batching_dims {batching}"
        )
    if len(window) + len(inserted) + len(batching) != operand.ndim:
        raise ShapeError(
            f"{name}: update_window_dims {window}, inserted_window_dims {inserted} and "
            f"operand_batching_dims {batching} must count {operand.ndim} axes together, the "
            f"operand's of shape {operand.shape}; they count "
            f"{len(window) + len(inserted) + len(batching)}"
        )
    ndim = indices.ndim - 1 + len(window)
    if len(updates) != ndim:
        raise ShapeError(
            f"{name}: updates must be of rank {ndim} ({indices.ndim - 1} axes of indices and "
            f"{len(window)} of update_window_dims), got updates of shape {updates}"
        )
    check_sorted_axes(name, "update_window_dims", window, ndim)
    batch = tuple(d for a, d in enumerate(updates) if a not in window)
    if batch != indices.shape[:-1]:
        raise ShapeError(
            f"{name}: the axes of updates outside of update_window_dims {window} must have the "
            f"indices' sizes {indices.shape[:-1]}, got {batch} (updates shape {updates}, indices "
            f"shape {indices.shape})"
        )
    sizes = block_sizes(operand.shape, updates, numbers)
    lacking = (*inserted, *batching)
    for a, (n, d) in enumerate(zip(sizes, operand.shape, strict=True)):
        if n > d and a not in lacking:
            raise ShapeError(
                f"{name}: a block of updates must not be larger than the operand, got block "
                f"{sizes} for operand shape {operand.shape} (axis {a}; updates shape {updates})"
            )


def _targets(
    operand_shape: Shape,
    indices: np.ndarray,
    updates_shape: Shape,
    numbers: ScatterDimensionNumbers,
    mode: GatherScatterMode,
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Index arrays of shape (blocks, *block) for the blocks that are written, and which are."""
    window, inserted, index_map, batching, indices_batching = numbers
    sizes = block_sizes(operand_shape, updates_shape, numbers)
    lacking = {*inserted, *batching}
    keep = [a for a in range(len(operand_shape)) if a not in lacking]
    starts = block_starts(operand_shape, indices, index_map, batching, indices_batching)
    clip = mode is GatherScatterMode.CLIP
    arrays, inside = blocks(operand_shape, starts, sizes, keep, clip)
    shape = (*inside.shape, *(sizes[a] for a in keep))
    return tuple(np.broadcast_to(x, shape)[inside] for x in arrays), inside


def _writer(combine: Callable[..., None]) -> Callable[..., np.ndarray]:
    """The reference meaning of a scatter: `combine(result, places, values)` acts in place."""

    def reference(
        operand: np.ndarray,
        indices: np.ndarray,
        updates: np.ndarray,
        *,
        dimension_numbers: ScatterDimensionNumbers,
        indices_are_sorted: bool,
        unique_indices: bool,
        mode: GatherScatterMode,
    ) -> np.ndarray:
        result = operand.copy()
        if not operand.size or not updates.size:
            return result
        places, inside = _targets(operand.shape, indices, updates.shape, dimension_numbers, mode)
        window = tuple(dimension_numbers.update_window_dims)
        values = np.moveaxis(updates, window, range(updates.ndim - len(window), updates.ndim))
        combine(result, places, values[inside])
        return result

    return reference


def _scatter_like(name: str, combine: Callable[..., None], kinds: Sequence[str]) -> Primitive:
    def abstract(
        operand: ShapedArray,
        indices: ShapedArray,
        updates: ShapedArray,
        *,
        dimension_numbers: ScatterDimensionNumbers,
        indices_are_sorted: bool,
        unique_indices: bool,
        mode: GatherScatterMode,
    ) -> ShapedArray:
        if operand.dtype != updates.dtype:
            raise TypeError(
                f"lax.{name} requires arguments to have the same dtypes, got operand "
                f"{operand.dtype.name} and updates {updates.dtype.name}; "
                f"lax.convert_element_type converts"
            )
        check_kind(name, operand, kinds)
        _check(name, operand, indices, updates.shape, dimension_numbers)
        return operand

    return Primitive(name, abstract=abstract, reference=_writer(combine))


def _assign(result: np.ndarray, places: tuple[np.ndarray, ...], values: np.ndarray) -> None:
    result[places] = values


# Params of all: dimension_numbers, indices_are_sorted and unique_indices (promises), mode.
# Where one element gets several updates, `scatter` keeps an unspecified one of them.
scatter_p = _scatter_like("scatter", _assign, any_or_key)
scatter_add_p = _scatter_like("scatter-add", np.add.at, number)
scatter_sub_p = _scatter_like("scatter-sub", np.subtract.at, number)
scatter_mul_p = _scatter_like("scatter-mul", np.multiply.at, number)
scatter_min_p = _scatter_like("scatter-min", np.minimum.at, ("bool", *number))
scatter_max_p = _scatter_like("scatter-max", np.maximum.at, ("bool", *number))


def scatter(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """`operand` with blocks at many computed places replaced by `updates`.

    Where blocks overlap, which update an element gets is not specified.

    Args:
        operand: an array.
        scatter_indices: integers of shape (*batch, k): index vectors of k entries.
        updates: an array of the operand's dtype: shape batch, with the axes of a block put in
            at `update_window_dims`.
        dimension_numbers: which axes mean what.
        indices_are_sorted: a promise that the index vectors ascend.
        unique_indices: a promise that no element is written twice.
        mode: what becomes of blocks out of bounds: `"drop"` (the default) or `"clip"`, or
            `"promise_in_bounds"`.

    Returns:
        An array of the operand's shape and dtype.

    Raises:
        TypeError: indices that are not integers; updates of another dtype.
        ShapeError: dimension numbers or shapes that don't fit.
        ValueError: an unknown mode.

    >>> rows = ScatterDimensionNumbers((1,), (0,), (0,))
    >>> x, at, updates = np.zeros((3, 2), int), np.array([[2], [0]]), np.array([[1, 2], [3, 4]])
    >>> scatter(x, at, updates, rows).tolist()
    [[3, 4], [0, 0], [1, 2]]
    """
    return _bind(
        scatter_p, operand, scatter_indices, updates, dimension_numbers, indices_are_sorted,
        unique_indices, mode,
    )  # fmt: skip


def _bind(
    primitive: Primitive,
    operand: Any,
    indices: Any,
    updates: Any,
    numbers: ScatterDimensionNumbers,
    indices_are_sorted: bool,
    unique_indices: bool,
    mode: str | GatherScatterMode | None,
) -> Any:
    return primitive.bind(
        operand,
        indices,
        updates,
        dimension_numbers=hashable_numbers(primitive.name, numbers, ScatterDimensionNumbers),
        indices_are_sorted=bool(indices_are_sorted),
        unique_indices=bool(unique_indices),
        mode=mode_of(primitive.name, mode),
    )


def _combining(primitive: Primitive, what: str, example: str) -> Callable[..., Any]:
    """The `lax` function of a scatter that combines updates with what is there."""

    def function(
        operand: Any,
        scatter_indices: Any,
        updates: Any,
        dimension_numbers: ScatterDimensionNumbers,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: str | GatherScatterMode | None = None,
    ) -> Any:
        return _bind(
            primitive, operand, scatter_indices, updates, dimension_numbers, indices_are_sorted,
            unique_indices, mode,
        )  # fmt: skip

    function.__name__ = function.__qualname__ = primitive.name.replace("-", "_")
    function.__doc__ = f"""`operand` {what} at many computed places.

    Updates of one element are all applied, in an unspecified order. Arguments, result and
    errors are those of `scatter`.

    >>> points = ScatterDimensionNumbers((), (0,), (0,))
    >>> x, at = np.array([5, 6, 7]), np.array([[0], [2], [2]])
    >>> {function.__name__}(x, at, np.array([1, 2, 3]), points).tolist()
    {example}
    """
    return function


scatter_add = _combining(scatter_add_p, "with `updates` added", "[6, 6, 12]")
scatter_sub = _combining(scatter_sub_p, "with `updates` subtracted", "[4, 6, 2]")
scatter_mul = _combining(scatter_mul_p, "multiplied by `updates`", "[5, 6, 42]")
scatter_min = _combining(scatter_min_p, "with the minimum taken with `updates`", "[1, 6, 2]")
scatter_max = _combining(scatter_max_p, "with the maximum taken with `updates`", "[5, 6, 7]")


# --- scatter_apply ---


def _scatter_apply_type(
    operand: ShapedArray,
    indices: ShapedArray,
    *,
    dimension_numbers: ScatterDimensionNumbers,
    update_shape: Shape,
    update_jaxpr: ClosedJaxpr,
    indices_are_sorted: bool,
    unique_indices: bool,
    mode: GatherScatterMode,
) -> ShapedArray:
    _check("scatter_apply", operand, indices, update_shape, dimension_numbers)
    return operand


def _scatter_apply(
    operand: Any,
    indices: Any,
    *,
    dimension_numbers: ScatterDimensionNumbers,
    update_shape: Shape,
    update_jaxpr: ClosedJaxpr,
    indices_are_sorted: bool,
    unique_indices: bool,
    mode: GatherScatterMode,
) -> Any:
    from ... import backend

    here, aval = backend.current(), typeof(operand)
    result = np.array(here.get(operand), aval.dtype)
    if result.size and 0 not in update_shape:
        where = np.asarray(here.get(indices))
        places, _ = _targets(aval.shape, where, update_shape, dimension_numbers, mode)
        for place in zip(*(axis.ravel().tolist() for axis in places), strict=True):
            (new,) = eval_jaxpr(update_jaxpr.jaxpr, update_jaxpr.consts, result[place])
            result[place] = here.get(new)
    return here.put(result, aval)


# Params: those of scatter; update_shape, the shape that updates would have; update_jaxpr, a
# program from one scalar of the operand's dtype to another.
scatter_apply_p = Primitive(
    "scatter-apply", abstract=_scatter_apply_type, reference=_scatter_apply, higher_order=True
)


def scatter_apply(
    operand: Any,
    scatter_indices: Any,
    func: Callable[[Any], Any],
    dimension_numbers: ScatterDimensionNumbers,
    *,
    update_shape: Shape = (),
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """`operand` with a scalar function applied to its elements at many computed places.

    An element that is pointed to several times has the function applied as often. Differentiable
    where the function is made of elementwise operations on real numbers; more than once in
    reverse mode with `unique_indices` only.

    Args:
        operand: an array.
        scatter_indices: integers of shape (*batch, k): index vectors of k entries.
        func: takes and returns a scalar of the operand's dtype; must not use traced values
            other than its argument.
        dimension_numbers: which axes mean what.
        update_shape: the shape that updates of `scatter` would have.
        indices_are_sorted, unique_indices, mode: as for `scatter`.

    Raises:
        TypeError: `func` does not return a scalar, or uses traced values of its surroundings.
        ShapeError: dimension numbers or shapes that don't fit.

    >>> points = ScatterDimensionNumbers((), (0,), (0,))
    >>> from jx_core import lax
    >>> def twice(x):
    ...     return lax.mul(x, 2)
    >>> scatter_apply(np.array([5, 6, 7]), np.array([[0], [2], [2]]), twice, points,
    ...               update_shape=(3,)).tolist()
    [10, 6, 28]
    """
    scalar = ShapedArray((), typeof(operand).dtype)
    name = function_name(func)
    jaxpr, consts = trace_to_jaxpr(lambda x: [_scalar_of(name, func(x), scalar)], [scalar], name)
    if any(isinstance(c, Tracer) or typeof(c).shape for c in consts):
        raise TypeError(
            f"scatter_apply: {name} uses an array or a traced value other than its argument; it "
            f"may only close over numbers"
        )
    return scatter_apply_p.bind(
        operand,
        scatter_indices,
        dimension_numbers=hashable_numbers(
            "scatter_apply", dimension_numbers, ScatterDimensionNumbers
        ),
        update_shape=integers("scatter_apply", update_shape, "update_shape"),
        update_jaxpr=ClosedJaxpr(jaxpr, consts),
        indices_are_sorted=bool(indices_are_sorted),
        unique_indices=bool(unique_indices),
        mode=mode_of("scatter_apply", mode),
    )


def _scalar_of(name: str, x: Any, scalar: ShapedArray) -> Any:
    aval = typeof(x)
    if aval.shape:
        raise ShapeError(f"scatter_apply: {name} must return a scalar, got {aval.str_short()}")
    if isinstance(scalar.dtype, dtypes.ExtendedDType):
        return x
    return convert_element_type(x, scalar.dtype)

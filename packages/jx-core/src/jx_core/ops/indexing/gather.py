"""Reading blocks at many computed places: `gather`.

Gather takes an array of index vectors and reads the block of the operand that each points
to. Which axes mean what is said by `GatherDimensionNumbers`, with the meaning that StableHLO
gives them (https://openxla.org/stablehlo/spec#gather); the index vectors always lie along the
last axis of the indices. Also here: what both gather and scatter need, such as the treatment
of places out of bounds.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import dtypes
from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...primitive import Primitive
from ..axes import integers
from ..elementwise import add, convert_element_type, lt, rem, select
from ..shape import broadcast_in_dim, concatenate

__all__ = [
    "GatherDimensionNumbers",
    "GatherScatterMode",
    "gather",
    "gather_p",
    "index_take",
]

Shape = tuple[int, ...]


class GatherScatterMode(enum.Enum):
    """What gather and scatter do with places that lie out of bounds.

    CLIP moves them to the nearest place inside. FILL_OR_DROP reads the fill value there, and
    drops updates there. PROMISE_IN_BOUNDS: the caller promises that there are none; what
    happens if there are is not defined. ONE_HOT is for array indexing, which then reads by a
    matrix product with a one-hot matrix; the functions here do not take it.

    Functions take the members, or their names as strings: `"clip"`, `"fill"` or `"drop"`,
    `"promise_in_bounds"`, `"one_hot"`; None is FILL_OR_DROP, and PROMISE_IN_BOUNDS for `gather`.

    >>> from jx_core import lax
    >>> lax.index_take(np.int32([5, 6]), (np.int32([9]),), (0,))
    Array([6], dtype=int32)
    """

    CLIP = enum.auto()
    FILL_OR_DROP = enum.auto()
    PROMISE_IN_BOUNDS = enum.auto()
    ONE_HOT = enum.auto()

    @staticmethod
    def from_any(s: str | GatherScatterMode | None) -> GatherScatterMode:
        """The mode that `s` names.

        Raises:
            ValueError: it names none.

        >>> GatherScatterMode.from_any("drop").name
        'FILL_OR_DROP'
        """
        if isinstance(s, GatherScatterMode):
            return s
        try:
            return _MODES[s]
        except (KeyError, TypeError):
            raise ValueError(
                f"Unknown gather/scatter mode {s!r}: expected a GatherScatterMode, None, or one "
                f"of {[m for m in _MODES if m]}"
            ) from None


_MODES = {
    None: GatherScatterMode.FILL_OR_DROP,
    "clip": GatherScatterMode.CLIP,
    "fill": GatherScatterMode.FILL_OR_DROP,
    "drop": GatherScatterMode.FILL_OR_DROP,
    "promise_in_bounds": GatherScatterMode.PROMISE_IN_BOUNDS,
    "one_hot": GatherScatterMode.ONE_HOT,
}


class GatherDimensionNumbers(NamedTuple):
    """Which axes of a gather mean what.

    Attributes:
        offset_dims: the axes of the result that run inside of a block, increasing.
        collapsed_slice_dims: the axes of the operand along which blocks have size 1 and that
            the result lacks, increasing.
        start_index_map: for each entry of an index vector, the operand's axis it is on.
        operand_batching_dims: axes of the operand that walk along with an axis of the indices,
            increasing; blocks have size 1 there and the result lacks them.
        start_indices_batching_dims: for each of `operand_batching_dims`, that axis of the
            indices.

    >>> numbers = GatherDimensionNumbers(
    ...     offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0,)
    ... )
    >>> rows = np.int32([[2], [0]])
    >>> gather(np.eye(3, dtype=np.float32), rows, numbers, slice_sizes=(1, 3))
    Array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """

    offset_dims: tuple[int, ...]
    collapsed_slice_dims: tuple[int, ...]
    start_index_map: tuple[int, ...]
    operand_batching_dims: tuple[int, ...] = ()
    start_indices_batching_dims: tuple[int, ...] = ()


# --- checks that gather and scatter share ---


def mode_of(name: str, mode: str | GatherScatterMode | None) -> GatherScatterMode:
    """The mode of a gather or scatter operation.

    Raises:
        ValueError: it is unknown, or is ONE_HOT.
    """
    mode = GatherScatterMode.from_any(mode)
    if mode is GatherScatterMode.ONE_HOT:
        raise ValueError(
            f"lax.{name} has no mode 'one_hot'; a product with jx.nn.one_hot(indices, size) does it"
        )
    return mode


def check_sorted_axes(name: str, what: str, axes: Sequence[int], ndim: int) -> None:
    """Raise a ShapeError unless `axes` are increasing axes of an array of rank `ndim`."""
    if any(a >= b for a, b in zip(axes, axes[1:], strict=False)):
        raise ShapeError(f"{name}: {what} must be increasing and distinct, got {tuple(axes)}")
    check_axes_in_range(name, what, axes, ndim)


def check_axes_in_range(name: str, what: str, axes: Sequence[int], ndim: int) -> None:
    """Raise a ShapeError unless `axes` are distinct axes of an array of rank `ndim`."""
    if any(not 0 <= a < ndim for a in axes):
        raise ShapeError(f"{name}: {what} must lie in [0, {ndim}), got {tuple(axes)}")
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{name}: {what} must be distinct, got {tuple(axes)}")


def check_indices(
    name: str,
    operand: ShapedArray,
    indices: ShapedArray,
    index_map: tuple[str, tuple[int, ...]],
    operand_batching: tuple[int, ...],
    indices_batching: tuple[str, tuple[int, ...]],
) -> None:
    """Check the indices of a gather or scatter, and the axes that they are on.

    Args:
        name: the operation's name.
        operand, indices: the operands' types.
        index_map: for each entry of an index vector the operand's axis, under the name that
            this operation has for it.
        operand_batching: the operand's axes that walk along with axes of the indices.
        indices_batching: those axes of the indices, under their name.
    """
    if not dtypes.issubdtype(indices.dtype, np.integer):
        raise TypeError(f"{name}: indices must have an integer dtype, got {indices.dtype.name}")
    if not indices.ndim:
        raise ShapeError(
            f"{name}: indices must have an axis for the index vectors, their last one; got a "
            f"scalar. One index i is the index vector [i], of shape (1,)"
        )
    map_name, axes = index_map
    check_axes_in_range(name, map_name, axes, operand.ndim)
    if len(axes) != indices.shape[-1]:
        raise ShapeError(
            f"{name}: {map_name} names {len(axes)} axes, {axes}, but index vectors have "
            f"{indices.shape[-1]} entries (the last axis of indices of shape {indices.shape})"
        )
    batching_name, batching = indices_batching
    check_sorted_axes(name, "operand_batching_dims", operand_batching, operand.ndim)
    check_axes_in_range(name, batching_name, batching, indices.ndim - 1)
    if set(axes) & set(operand_batching):
        raise ShapeError(
            f"{name}: an axis can't be both in {map_name} {axes} and in operand_batching_dims "
            f"{operand_batching}"
        )
    sizes = [operand.shape[a] for a in operand_batching]
    other = [indices.shape[a] for a in batching]
    if sizes != other:
        raise ShapeError(
            f"{name}: operand_batching_dims {operand_batching} and {batching_name} {batching} must "
            f"have equal sizes, got {sizes} and {other}"
        )


def hashable_numbers(name: str, numbers: Any, kind: Any) -> Any:
    """Dimension numbers with tuples for fields, whatever sequences the caller wrote.

    Raises:
        TypeError: they are not of class `kind`.
    """
    if not isinstance(numbers, kind):
        raise TypeError(
            f"lax.{name}: dimension_numbers must be a {kind.__name__}, got {numbers!r:.200}"
        )
    return kind(*map(tuple, numbers))


# --- the reference meaning, shared by gather and scatter ---


def block_starts(
    operand_shape: Shape,
    indices: np.ndarray,
    index_map: Sequence[int],
    operand_batching: Sequence[int],
    indices_batching: Sequence[int],
) -> np.ndarray:
    """The first index of every block on every axis of the operand: shape (axes, *batch)."""
    batch = indices.shape[:-1]
    starts = np.zeros((len(operand_shape), *batch), np.int64)
    if indices.dtype == np.uint64:
        indices = np.minimum(indices, np.uint64(np.iinfo(np.int64).max))
    for k, axis in enumerate(index_map):
        starts[axis] = indices[..., k]
    for axis, along in zip(operand_batching, indices_batching, strict=True):
        starts[axis] = np.indices(batch, sparse=True)[along]
    return starts


def blocks(
    operand_shape: Shape, starts: np.ndarray, sizes: Shape, keep: Sequence[int], clip: bool
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Index arrays for all blocks at once, and which blocks lie inside of the operand.

    Args:
        operand_shape: the shape of the array that the blocks are in.
        starts: the first index of every block on every axis.
        sizes: the blocks' size on every axis.
        keep: the axes along which a block is more than a point.
        clip: count every block as inside, moved there. Blocks outside are moved in any case,
            so that the index arrays can be used.

    Returns:
        For each axis of the operand an array that broadcasts to the shape (*batch, *block),
        and a boolean array of shape batch.
    """
    limits = np.array(operand_shape, np.int64) - np.array(sizes, np.int64)
    limits = limits.reshape((-1, *(1,) * (starts.ndim - 1)))
    inside = np.asarray(np.logical_and(starts >= 0, starts <= limits).all(axis=0))
    starts = np.clip(starts, 0, limits)
    offsets = np.indices([sizes[a] for a in keep], sparse=True)
    within = dict(zip(keep, offsets, strict=True))
    rank = len(keep)
    arrays = tuple(
        start.reshape(start.shape + (1,) * rank) + within.get(axis, 0)
        for axis, start in enumerate(starts)
    )
    return arrays, np.ones_like(inside) if clip else inside


# --- gather ---


def _gather_type(
    operand: ShapedArray,
    indices: ShapedArray,
    *,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Shape,
    indices_are_sorted: bool,
    unique_indices: bool,
    mode: GatherScatterMode,
    fill_value: Any,
) -> ShapedArray:
    offset, collapsed, index_map, batching, indices_batching = dimension_numbers
    check_indices(
        "gather",
        operand,
        indices,
        ("start_index_map", index_map),
        batching,
        ("start_indices_batching_dims", indices_batching),
    )
    check_sorted_axes("gather", "collapsed_slice_dims", collapsed, operand.ndim)
    if set(collapsed) & set(batching):
        raise ShapeError(
            f"gather: an axis can't be both in collapsed_slice_dims {collapsed} and in "
            f"operand_batching_dims {batching}"
        )
    if len(slice_sizes) != operand.ndim:
        raise ShapeError(
            f"gather: slice_sizes must have one entry for each axis of the operand, got "
            f"{slice_sizes} for operand shape {operand.shape}"
        )
    for axis, (n, d) in enumerate(zip(slice_sizes, operand.shape, strict=True)):
        point = axis in collapsed or axis in batching
        if axis in batching and n == 0 and d == 0:
            continue  # a batch of none
        if not 0 <= n <= d or (point and n != 1):
            expected = "1, as the axis is collapsed or batching" if point else f"in [0, {d}]"
            raise ShapeError(
                f"gather: slice_sizes[{axis}] must be {expected}, got {n} "
                f"(slice_sizes={slice_sizes}, operand shape {operand.shape})"
            )
    block = [n for a, n in enumerate(slice_sizes) if a not in collapsed and a not in batching]
    if len(offset) != len(block):
        raise ShapeError(
            f"gather: offset_dims must name {len(block)} axes of the result, one for each axis of "
            f"the operand that is neither collapsed nor batching, got {offset} with "
            f"collapsed_slice_dims={collapsed}, operand_batching_dims={batching}"
        )
    ndim = indices.ndim - 1 + len(offset)
    check_sorted_axes("gather", "offset_dims", offset, ndim)
    sizes, batch = iter(block), iter(indices.shape[:-1])
    shape = tuple(next(sizes) if a in offset else next(batch) for a in range(ndim))
    return ShapedArray(shape, operand.dtype, operand.weak_type)


def _gather(
    operand: np.ndarray,
    indices: np.ndarray,
    *,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Shape,
    indices_are_sorted: bool,
    unique_indices: bool,
    mode: GatherScatterMode,
    fill_value: Any,
) -> np.ndarray:
    offset, collapsed, index_map, batching, indices_batching = dimension_numbers
    keep = [a for a in range(operand.ndim) if a not in collapsed and a not in batching]
    fills = mode is GatherScatterMode.FILL_OR_DROP
    starts = block_starts(operand.shape, indices, index_map, batching, indices_batching)
    arrays, inside = blocks(operand.shape, starts, slice_sizes, keep, clip=not fills)
    batch = indices.shape[:-1]
    result = np.broadcast_to(operand[arrays], (*batch, *(slice_sizes[a] for a in keep)))
    if not inside.all():
        result = result.copy()
        result[~inside] = _fill(operand.dtype, fill_value)
    return np.moveaxis(result, range(len(batch), result.ndim), offset)


def _fill(dtype: np.dtype, fill_value: Any) -> Any:
    if dtype.type is np.void:  # a typed key
        word = _ALL_ONES if fill_value is None else fill_value
        return np.full(dtype.itemsize // 4, word, np.uint32).view(dtype)[0]
    return np.asarray(default_fill(dtype) if fill_value is None else fill_value, dtype)


_ALL_ONES = 2**32 - 1  # the greatest word of a typed key


@functools.cache
def default_fill(dtype: Any) -> Any:
    """What reads as out of bounds: NaN, the least signed, the greatest unsigned integer, True.

    Of typed keys it is what each word is.
    """
    if isinstance(dtype, dtypes.ExtendedDType):
        return _ALL_ONES
    if dtype == np.bool_:
        return True
    if dtypes.issubdtype(dtype, np.signedinteger):
        return int(dtypes.iinfo(dtype).min)  # type: ignore[no-untyped-call]
    if dtypes.issubdtype(dtype, np.unsignedinteger):
        return int(dtypes.iinfo(dtype).max)  # type: ignore[no-untyped-call]
    return np.nan


# Params: dimension_numbers, slice_sizes (the block's size on every axis of the operand),
# indices_are_sorted and unique_indices (promises), mode, fill_value (a number, or None where
# the mode fills nothing).
gather_p = Primitive("gather", abstract=_gather_type, reference=_gather)


def gather(
    operand: Any,
    start_indices: Any,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Sequence[int],
    *,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    mode: str | GatherScatterMode | None = None,
    fill_value: Any = None,
) -> Any:
    """The blocks of `operand` at many computed places.

    Args:
        operand: an array.
        start_indices: integers of shape (*batch, k): index vectors of k entries.
        dimension_numbers: which axes mean what.
        slice_sizes: the blocks' size on every axis of the operand.
        unique_indices: a promise that no element is read twice.
        indices_are_sorted: a promise that the index vectors ascend.
        mode: what places out of bounds read; a `GatherScatterMode` or its name. None
            promises that there are none, and reads the nearest places inside if there are.
        fill_value: what they read under `"fill"`; by default NaN for inexact dtypes, the
            least value of signed and the greatest of unsigned integers, True for booleans.

    Returns:
        An array of shape batch, with the axes of a block put in at `offset_dims`.

    Raises:
        TypeError: indices that are not integers.
        ShapeError: dimension numbers or slice sizes that don't fit.
        ValueError: an unknown mode.

    >>> rows = GatherDimensionNumbers((1,), (0,), (0,))
    >>> gather(np.arange(6).reshape(3, 2), np.array([[2], [0]]), rows, (1, 2)).tolist()
    [[4, 5], [0, 1]]
    """
    mode = mode_of("gather", "promise_in_bounds" if mode is None else mode)
    if mode is not GatherScatterMode.FILL_OR_DROP:
        fill_value = None
    elif fill_value is None:
        fill_value = default_fill(typeof(operand).dtype)
    return gather_p.bind(
        operand,
        start_indices,
        dimension_numbers=hashable_numbers("gather", dimension_numbers, GatherDimensionNumbers),
        slice_sizes=integers("gather", slice_sizes, "slice_sizes"),
        indices_are_sorted=bool(indices_are_sorted),
        unique_indices=bool(unique_indices),
        mode=mode,
        fill_value=fill_value,
    )


def index_take(src: Any, idxs: Sequence[Any], axes: Sequence[int]) -> Any:
    """The entries of `src` at indices along some axes, one rank-1 index array for each.

    Indices are taken modulo the sizes of their axes.

    Args:
        src: an array.
        idxs: integer arrays of one shape (n,).
        axes: the axis that each of them is on.

    Returns:
        An array of shape (n, *the sizes of the other axes).

    >>> x, rows, columns = np.arange(6).reshape(2, 3), np.array([0, 1]), np.array([2, 0])
    >>> index_take(x, (rows, columns), (0, 1)).tolist()
    [2, 3]
    """
    shape = typeof(src).shape
    columns = []
    for idx, axis in zip(idxs, axes, strict=True):
        n = typeof(idx).shape[0]
        columns.append(broadcast_in_dim(_modulo(idx, shape[axis]), (n, 1), (0,)))
    axes = integers("index_take", axes, "axes")
    others = tuple(a for a in range(len(shape)) if a not in axes)
    return gather(
        src,
        concatenate(columns, 1),
        GatherDimensionNumbers(tuple(range(1, len(others) + 1)), tuple(sorted(axes)), axes),
        tuple(1 if a in axes else d for a, d in enumerate(shape)),
        mode=GatherScatterMode.PROMISE_IN_BOUNDS,
    )


def _modulo(index: Any, size: int) -> Any:
    dtype = typeof(index).dtype
    if dtypes.issubdtype(dtype, np.integer) and dtype.itemsize < 4:
        index = convert_element_type(index, np.int32)
    remainder = rem(index, size)
    return select(lt(remainder, 0), add(remainder, size), remainder)

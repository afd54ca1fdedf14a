"""Contiguous blocks of arrays: `slice` at known places, `dynamic_slice` at computed ones.

Holds the primitives and the `lax` functions on them. Blocks at many places at once are
`gather` and `scatter`, in the files beside this one.
"""

from __future__ import annotations

import builtins
import operator as op
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray, as_dimension, typeof
from ...dispatch import compiled
from ...errors import ShapeError
from ...primitive import Primitive
from ...state import state
from ...trace import EVAL
from ..axes import canonical_axis, integers
from ..elementwise import add, convert, lt, select
from ..kit import scalar_like
from ..shape import broadcast_in_dim, squeeze

__all__ = [
    "dynamic_index_in_dim",
    "dynamic_slice",
    "dynamic_slice_in_dim",
    "dynamic_slice_p",
    "dynamic_update_index_in_dim",
    "dynamic_update_slice",
    "dynamic_update_slice_in_dim",
    "dynamic_update_slice_p",
    "index_in_dim",
    "slice",
    "slice_in_dim",
    "slice_p",
]


# --- slice ---


def _slice_type(
    operand: ShapedArray,
    *,
    start_indices: tuple[int, ...],
    limit_indices: tuple[int, ...],
    strides: tuple[int, ...] | None,
) -> ShapedArray:
    steps = (1,) * operand.ndim if strides is None else strides
    for name, values in (
        ("start_indices", start_indices),
        ("limit_indices", limit_indices),
        ("strides", steps),
    ):
        if len(values) != operand.ndim:
            raise ShapeError(
                f"slice {name} must have one entry for each of the operand's {operand.ndim} axes, "
                f"got {values} for operand shape {operand.shape}"
            )
    shape = []
    for axis, (start, limit, step, size) in enumerate(
        zip(start_indices, limit_indices, steps, operand.shape, strict=True)
    ):
        if not 0 <= start <= limit <= size:
            raise ShapeError(
                f"slice needs 0 <= start <= limit <= size on every axis, got start {start} and "
                f"limit {limit} on axis {axis} of size {size} (start_indices={start_indices}, "
                f"limit_indices={limit_indices}, operand shape {operand.shape})"
            )
        if step < 1:
            raise ShapeError(f"slice strides must be positive, got {steps}; lax.rev reverses axes")
        shape.append((limit - start + step - 1) // step)
    return ShapedArray(tuple(shape), operand.dtype, operand.weak_type)


def _slice(
    operand: np.ndarray,
    *,
    start_indices: tuple[int, ...],
    limit_indices: tuple[int, ...],
    strides: tuple[int, ...] | None,
) -> np.ndarray:
    steps = (1,) * operand.ndim if strides is None else strides
    return operand[tuple(map(builtins.slice, start_indices, limit_indices, steps))]


slice_p = Primitive("slice", abstract=_slice_type, reference=_slice)


def slice(
    operand: Any,
    start_indices: Sequence[int],
    limit_indices: Sequence[int],
    strides: Sequence[int] | None = None,
) -> Any:
    """The block of `operand` from `start_indices` up to `limit_indices`, known beforehand.

    Args:
        operand: an array of rank n.
        start_indices: n first indices, each at least 0.
        limit_indices: n past-the-end indices, each at most the size of its axis.
        strides: n positive steps; 1 everywhere if left out.

    Raises:
        TypeError: a list has a wrong length, or a bound lies outside of the operand.

    >>> slice(np.arange(12).reshape(3, 4), (0, 1), (2, 4), (1, 2)).tolist()
    [[1, 3], [5, 7]]
    """
    return slice_p.bind(
        operand,
        start_indices=integers("slice", start_indices, "start_indices"),
        limit_indices=integers("slice", limit_indices, "limit_indices"),
        strides=None if strides is None else integers("slice", strides, "strides"),
    )


def slice_in_dim(
    operand: Any,
    start_index: int | None,
    limit_index: int | None,
    stride: int = 1,
    axis: int = 0,
) -> Any:
    """`slice` along one axis, with Python's reading of None and of negative bounds.

    Args:
        operand: an array of rank at least 1.
        start_index, limit_index: bounds on `axis`; None for its ends, negative from its end.
        stride: a positive step.
        axis: the axis to slice.

    Raises:
        ValueError: `axis` is out of bounds.
        TypeError: the bounds are, or are in the wrong order.

    >>> slice_in_dim(np.arange(6), 1, -1, stride=2).tolist()
    [1, 3]
    """
    shape = typeof(operand).shape
    axis = canonical_axis("slice_in_dim", axis, len(shape))
    size = shape[axis]
    start = 0 if start_index is None else as_dimension(start_index)
    limit = size if limit_index is None else as_dimension(limit_index)
    starts, limits, strides = [0] * len(shape), list(shape), [1] * len(shape)
    starts[axis] = start + size if start < 0 else start
    limits[axis] = limit + size if limit < 0 else limit
    strides[axis] = as_dimension(stride)
    return slice_p.bind(
        operand,
        start_indices=tuple(starts),
        limit_indices=tuple(limits),
        strides=tuple(strides),
    )


def index_in_dim(operand: Any, index: int, axis: int = 0, keepdims: bool = True) -> Any:
    """The entry at a known `index` along one axis.

    Args:
        operand: an array of rank at least 1.
        index: a Python integer; negative counts from the end.
        axis: the axis to index.
        keepdims: keep the axis, with size 1.

    Raises:
        IndexError: `index` is out of bounds.

    >>> index_in_dim(np.arange(6).reshape(2, 3), -1, axis=1, keepdims=False).tolist()
    [2, 5]
    """
    index, shape = op.index(index), typeof(operand).shape
    axis = canonical_axis("index_in_dim", axis, len(shape))
    size = shape[axis]
    if not -size <= index < size:
        raise IndexError(f"index {index} is out of bounds for axis {axis} with size {size}")
    index %= size
    result = slice_in_dim(operand, index, index + 1, 1, axis)
    return result if keepdims else squeeze(result, (axis,))


# --- dynamic_slice, dynamic_update_slice ---


def _check_start_indices(name: str, operand: ShapedArray, indices: tuple[ShapedArray, ...]) -> None:
    if len(indices) != operand.ndim:
        raise ShapeError(
            f"{name} needs one start index for each axis, got {len(indices)} of them for an "
            f"operand of shape {operand.shape}"
        )
    if any(i.shape for i in indices):
        got = ", ".join(i.str_short() for i in indices)
        raise TypeError(f"start_indices of {name} must be scalars, got {got}")
    if indices and (
        not dtypes.issubdtype(indices[0].dtype, np.integer)
        or any(i.dtype != indices[0].dtype for i in indices)
    ):
        got = ", ".join(i.dtype.name for i in indices)
        raise TypeError(f"index arguments to {name} must be integers of the same type, got: {got}")


def _dynamic_slice_type(
    operand: ShapedArray, *indices: ShapedArray, slice_sizes: tuple[int, ...]
) -> ShapedArray:
    _check_start_indices("dynamic_slice", operand, indices)
    if len(slice_sizes) != operand.ndim:
        raise ShapeError(
            f"dynamic_slice slice_sizes must have one entry for each axis, got {slice_sizes} for "
            f"operand shape {operand.shape}"
        )
    if any(not 0 <= n <= d for n, d in zip(slice_sizes, operand.shape, strict=True)):
        raise ShapeError(
            f"dynamic_slice slice_sizes must lie between 0 and the operand's shape, got "
            f"{slice_sizes} for operand shape {operand.shape}"
        )
    return ShapedArray(slice_sizes, operand.dtype, operand.weak_type)


def _clamped_block(
    shape: tuple[int, ...], indices: tuple[np.ndarray, ...], sizes: tuple[int, ...]
) -> tuple[builtins.slice, ...]:
    """The block at `indices`, moved so that it lies inside of `shape`."""
    starts = [min(max(int(i), 0), d - n) for i, d, n in zip(indices, shape, sizes, strict=True)]
    return tuple(builtins.slice(s, s + n) for s, n in zip(starts, sizes, strict=True))


def _dynamic_slice(
    operand: np.ndarray, *indices: np.ndarray, slice_sizes: tuple[int, ...]
) -> np.ndarray:
    return operand[_clamped_block(operand.shape, indices, slice_sizes)]


dynamic_slice_p = Primitive("dynamic_slice", abstract=_dynamic_slice_type, reference=_dynamic_slice)


def _dynamic_update_slice_type(
    operand: ShapedArray, update: ShapedArray, *indices: ShapedArray
) -> ShapedArray:
    if update.dtype != operand.dtype:
        raise TypeError(
            f"lax.dynamic_update_slice requires arguments to have the same dtypes, got "
            f"{operand.dtype.name}, {update.dtype.name}"
        )
    if update.ndim != operand.ndim:
        raise ShapeError(
            f"dynamic_update_slice update must have the same rank as operand, got update shape "
            f"{update.shape} for operand shape {operand.shape}"
        )
    if any(n > d for n, d in zip(update.shape, operand.shape, strict=True)):
        raise ShapeError(
            f"dynamic_update_slice update must not be larger than operand on any axis, got update "
            f"shape {update.shape} for operand shape {operand.shape}"
        )
    _check_start_indices("dynamic_update_slice", operand, indices)
    return ShapedArray(operand.shape, operand.dtype, operand.weak_type and update.weak_type)


def _dynamic_update_slice(
    operand: np.ndarray, update: np.ndarray, *indices: np.ndarray
) -> np.ndarray:
    result = operand.copy()
    result[_clamped_block(operand.shape, indices, update.shape)] = update
    return result


dynamic_update_slice_p = Primitive(
    "dynamic_update_slice", abstract=_dynamic_update_slice_type, reference=_dynamic_update_slice
)


# --- lax functions at computed places ---

_INTEGERS = (int, np.integer)


def _settled(
    name: str, shape: tuple[int, ...], start_indices: Any, allow_negative: bool | Sequence[bool]
) -> tuple[Any, tuple[bool, ...]]:
    """The start indices with the known ones final, and which are still to be looked at.

    A negative index counts from the end where `allow_negative` says so. What is still out
    of bounds after that is clamped by the primitive. Known integers take the dtype of the
    computed ones.
    """
    ndim = len(shape)
    wraps = (allow_negative,) * ndim if isinstance(allow_negative, bool) else tuple(allow_negative)
    listed = isinstance(start_indices, (tuple, list))
    if not listed and typeof(start_indices).ndim != 1:
        raise ShapeError(
            f"{name}: start_indices must be a sequence of scalars or an array of rank 1, got "
            f"{typeof(start_indices).str_short()}"
        )
    for what, values in (("start_indices", start_indices), ("allow_negative_indices", wraps)):
        if len(values) != ndim:
            raise ShapeError(
                f"{name}: {what} needs one entry for each axis, got {len(values)} for an "
                f"operand of shape {shape}"
            )
    if not listed:
        return start_indices, wraps
    known = [isinstance(i, _INTEGERS) for i in start_indices]
    dtype = next((typeof(i).dtype for i, k in zip(start_indices, known) if not k), None)
    starts = [
        _known_index(name, i, size, wrap, dtype) if k else i
        for i, k, size, wrap in zip(start_indices, known, shape, wraps)
    ]
    return starts, tuple(wrap and not k for k, wrap in zip(known, wraps))


def _known_index(name: str, i: int, size: int, wrap: bool, dtype: Any) -> Any:
    """A known start index beside computed ones of `dtype`."""
    i = int(i) + size if wrap and i < 0 else int(i)
    i = min(max(i, 0), size)  # so that it fits any dtype; it means the same
    return i if dtype is None else scalar_like(i, _widened(dtype), name)


def _widened(dtype: Any) -> Any:
    """The dtype to which indices of `dtype` are converted, so that every size fits."""
    if dtypes.issubdtype(dtype, np.integer) and dtype.itemsize < 4:
        return np.dtype(np.int32)
    return dtype


def _counted_from_front(starts: Any, shape: tuple[int, ...], wraps: tuple[bool, ...]) -> list[Any]:
    """Start indices as the primitive's operands: scalars, negative ones counted from the end."""
    if not isinstance(starts, list):
        starts = [index_in_dim(starts, i, keepdims=False) for i in range(len(shape))]
    out = []
    for i, size, wrap in zip(starts, shape, wraps):
        if not isinstance(i, _INTEGERS):
            dtype = typeof(i).dtype
            wide = _widened(dtype)
            if wide != dtype:
                i = convert(i, wide)
            if wrap and dtypes.issubdtype(dtype, np.signedinteger):
                i = select(lt(i, 0), add(i, size), i)
        out.append(i)
    return out


def _dynamic_slice_plain(
    operand: Any, starts: Any, slice_sizes: tuple[int, ...], wraps: tuple[bool, ...]
) -> Any:
    starts = _counted_from_front(starts, typeof(operand).shape, wraps)
    return dynamic_slice_p.bind(operand, *starts, slice_sizes=slice_sizes)


def _dynamic_update_slice_plain(
    operand: Any, update: Any, starts: Any, wraps: tuple[bool, ...]
) -> Any:
    starts = _counted_from_front(starts, typeof(operand).shape, wraps)
    return dynamic_update_slice_p.bind(operand, update, *starts)


# Eagerly, an index that must be looked at would cost a dispatch for each step of that.
_dynamic_slice_eager = compiled(_dynamic_slice_plain, static_argnames=("slice_sizes", "wraps"))
_dynamic_update_slice_eager = compiled(_dynamic_update_slice_plain, static_argnames=("wraps",))


def dynamic_slice(
    operand: Any,
    start_indices: Any,
    slice_sizes: Sequence[int],
    *,
    allow_negative_indices: bool | Sequence[bool] = True,
) -> Any:
    """The block of `operand` of shape `slice_sizes` at computed `start_indices`.

    A block that would reach over an edge is moved back inside, so the result always has
    shape `slice_sizes`.

    Args:
        operand: an array of rank n.
        start_indices: n integer scalars, or an integer array of shape (n,).
        slice_sizes: n sizes, known beforehand.
        allow_negative_indices: whether a negative start index counts from the end; one bool,
            or one for each axis. False saves the work of looking.

    Raises:
        TypeError: indices that are not integer scalars of one dtype; slice sizes out of range.
        ValueError: a wrong number of indices.

    >>> dynamic_slice(np.arange(12).reshape(3, 4), (1, 3), (2, 2)).tolist()
    [[6, 7], [10, 11]]
    """
    sizes = integers("dynamic_slice", slice_sizes, "slice_sizes")
    shape = typeof(operand).shape
    starts, wraps = _settled("dynamic_slice", shape, start_indices, allow_negative_indices)
    if state.trace is EVAL and any(wraps):
        return _dynamic_slice_eager(operand, starts, sizes, wraps)
    return _dynamic_slice_plain(operand, starts, sizes, wraps)


def dynamic_update_slice(
    operand: Any,
    update: Any,
    start_indices: Any,
    *,
    allow_negative_indices: bool | Sequence[bool] = True,
) -> Any:
    """`operand` with the block at computed `start_indices` replaced by `update`.

    A block that would reach over an edge is moved back inside.

    Args:
        operand: an array of rank n.
        update: an array of rank n and the operand's dtype, on no axis larger than it.
        start_indices: n integer scalars, or an integer array of shape (n,).
        allow_negative_indices: whether a negative start index counts from the end; one bool,
            or one for each axis.

    Raises:
        TypeError: `update` has another dtype or rank or is too large; bad indices.
        ValueError: a wrong number of indices.

    >>> dynamic_update_slice(np.zeros(4, int), np.array([7, 8]), (-2,)).tolist()
    [0, 0, 7, 8]
    """
    shape = typeof(operand).shape
    starts, wraps = _settled("dynamic_update_slice", shape, start_indices, allow_negative_indices)
    if state.trace is EVAL and any(wraps):
        return _dynamic_update_slice_eager(operand, update, starts, wraps)
    return _dynamic_update_slice_plain(operand, update, starts, wraps)


def dynamic_slice_in_dim(
    operand: Any,
    start_index: Any,
    slice_size: int,
    axis: int = 0,
    *,
    allow_negative_indices: bool = True,
) -> Any:
    """`dynamic_slice` along one axis, whole along the others.

    Args:
        operand: an array of rank at least 1.
        start_index: an integer scalar.
        slice_size: the block's size along `axis`.
        axis: the axis to slice.
        allow_negative_indices: whether a negative index counts from the end.

    >>> dynamic_slice_in_dim(np.arange(5), 3, 2).tolist()
    [3, 4]
    """
    shape = typeof(operand).shape
    axis = canonical_axis("dynamic_slice_in_dim", axis, len(shape))
    starts: list[Any] = [0] * len(shape)
    starts[axis] = start_index
    sizes = (*shape[:axis], as_dimension(slice_size), *shape[axis + 1 :])
    return dynamic_slice(operand, starts, sizes, allow_negative_indices=allow_negative_indices)


def dynamic_index_in_dim(
    operand: Any,
    index: Any,
    axis: int = 0,
    keepdims: bool = True,
    *,
    allow_negative_indices: bool = True,
) -> Any:
    """The entry at a computed `index` along one axis, clamped into bounds.

    Args:
        operand: an array of rank at least 1.
        index: an integer scalar.
        axis: the axis to index.
        keepdims: keep the axis, with size 1.
        allow_negative_indices: whether a negative index counts from the end.

    >>> dynamic_index_in_dim(np.arange(6).reshape(2, 3), 1, keepdims=False).tolist()
    [3, 4, 5]
    """
    axis = canonical_axis("dynamic_index_in_dim", axis, typeof(operand).ndim)
    result = dynamic_slice_in_dim(
        operand, index, 1, axis, allow_negative_indices=allow_negative_indices
    )
    return result if keepdims else squeeze(result, (axis,))


def dynamic_update_slice_in_dim(
    operand: Any,
    update: Any,
    start_index: Any,
    axis: int,
    *,
    allow_negative_indices: bool = True,
) -> Any:
    """`dynamic_update_slice` along one axis, from 0 along the others.

    Args:
        operand: an array of rank at least 1.
        update: an array of the operand's rank and dtype.
        start_index: an integer scalar.
        axis: the axis that `start_index` is on.
        allow_negative_indices: whether a negative index counts from the end.

    >>> dynamic_update_slice_in_dim(np.zeros(4, int), np.array([7, 8]), 1, 0).tolist()
    [0, 7, 8, 0]
    """
    ndim = typeof(operand).ndim
    starts: list[Any] = [0] * ndim
    starts[canonical_axis("dynamic_update_slice_in_dim", axis, ndim)] = start_index
    return dynamic_update_slice(
        operand, update, starts, allow_negative_indices=allow_negative_indices
    )


def dynamic_update_index_in_dim(
    operand: Any,
    update: Any,
    index: Any,
    axis: int,
    *,
    allow_negative_indices: bool = True,
) -> Any:
    """`operand` with the entry at a computed `index` along one axis replaced by `update`.

    Args:
        operand: an array of rank n >= 1.
        update: an array of rank n with size 1 along `axis`, or of rank n - 1 without it.
        index: an integer scalar.
        axis: the axis that `index` is on.
        allow_negative_indices: whether a negative index counts from the end.

    >>> dynamic_update_index_in_dim(np.zeros((2, 2), int), np.array([7, 8]), 1, 0).tolist()
    [[0, 0], [7, 8]]
    """
    ndim, block = typeof(operand).ndim, typeof(update)
    axis = canonical_axis("dynamic_update_index_in_dim", axis, ndim)
    if block.ndim != ndim:
        if block.ndim != ndim - 1:
            raise ShapeError(
                f"dynamic_update_index_in_dim: update must have rank {ndim} or {ndim - 1} for an "
                f"operand of rank {ndim}, got update shape {block.shape}"
            )
        shape = (*block.shape[:axis], 1, *block.shape[axis:])
        update = broadcast_in_dim(update, shape, tuple(a for a in range(ndim) if a != axis))
    return dynamic_update_slice_in_dim(
        operand, update, index, axis, allow_negative_indices=allow_negative_indices
    )

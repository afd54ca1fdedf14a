"""Batching reads and writes of blocks of arrays.

Blocks at places known beforehand, or at the same places in every row, just span the batch
axis. At places that differ from row to row they become a gather or a scatter, in which the
batch axis of the operand walks along with that of the indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import Primitive, typeof
from jx_core.lax import (
    GatherDimensionNumbers,
    GatherScatterMode,
    ScatterDimensionNumbers,
    broadcast_in_dim_p,
    concatenate_p,
    dynamic_slice_p,
    dynamic_update_slice_p,
    gather_p,
    scatter_add_p,
    scatter_apply_p,
    scatter_max_p,
    scatter_min_p,
    scatter_mul_p,
    scatter_p,
    scatter_sub_p,
    slice_p,
)

from ..axes import Shape, at_axis, insert, move_axis, shifted
from ..tables import BatchAxis, defbatch
from .alignment import Dims, Operands

Axes = tuple[int, ...]


@defbatch(slice_p)
def _(
    batch: BatchAxis,
    operands: Operands,
    dims: Dims,
    *,
    start_indices: Axes,
    limit_indices: Axes,
    strides: Axes | None,
) -> tuple[Any, int]:
    (x,), (dim,) = operands, dims
    assert dim is not None
    out = slice_p.bind(
        x,
        start_indices=insert(start_indices, dim, 0),
        limit_indices=insert(limit_indices, dim, batch.size),
        strides=None if strides is None else insert(strides, dim, 1),
    )
    return out, dim


# --- dynamic_slice, dynamic_update_slice ---


@defbatch(dynamic_slice_p)
def _(batch: BatchAxis, operands: Operands, dims: Dims, *, slice_sizes: Shape) -> tuple[Any, int]:
    x, *starts = operands
    dim, *start_dims = dims
    if all(d is None for d in start_dims):
        assert dim is not None
        spanning = insert(starts, dim, _zero_like(starts))
        sizes = insert(slice_sizes, dim, batch.size)
        return dynamic_slice_p.bind(x, *spanning, slice_sizes=sizes), dim
    row = _row_shape(x, dim)
    moving = _moving_axes(row, slice_sizes)
    numbers = GatherDimensionNumbers(tuple(range(len(row))), (), moving)
    return _gather(
        batch,
        (x, _index_vectors(batch, starts, start_dims, moving)),
        (dim, 0),
        dimension_numbers=numbers,
        slice_sizes=slice_sizes,
        indices_are_sorted=True,
        unique_indices=True,
        mode=GatherScatterMode.CLIP,
        fill_value=None,
    )


@defbatch(dynamic_update_slice_p)
def _(batch: BatchAxis, operands: Operands, dims: Dims) -> tuple[Any, int]:
    x, update, *starts = operands
    dim, update_dim, *start_dims = dims
    if all(d is None for d in start_dims):
        place = dim if dim is not None else update_dim
        assert place is not None
        x = at_axis(x, dim, batch.size, place)
        update = at_axis(update, update_dim, batch.size, place)
        spanning = insert(starts, place, _zero_like(starts))
        return dynamic_update_slice_p.bind(x, update, *spanning), place
    row, sizes = _row_shape(x, dim), _row_shape(update, update_dim)
    moving = _moving_axes(row, sizes)
    numbers = ScatterDimensionNumbers(tuple(range(len(row))), (), moving)
    return _scatter(
        scatter_p,
        batch,
        (x, _index_vectors(batch, starts, start_dims, moving), update),
        (dim, 0, update_dim),
        dimension_numbers=numbers,
        indices_are_sorted=True,
        unique_indices=True,
        mode=GatherScatterMode.CLIP,
    )


def _zero_like(starts: Sequence[Any]) -> Any:
    """A start index of 0, of the dtype of the others."""
    return np.zeros((), typeof(starts[0]).dtype if starts else np.int32)[()]


def _row_shape(x: Any, dim: int | None) -> Shape:
    shape = typeof(x).shape
    return shape if dim is None else shape[:dim] + shape[dim + 1 :]


def _moving_axes(row: Shape, sizes: Shape) -> Axes:
    """The axes that a block does not fill: on the others it can only start at 0."""
    return tuple([a for a, (n, k) in enumerate(zip(row, sizes, strict=True)) if n != k])


def _index_vectors(
    batch: BatchAxis, starts: Sequence[Any], dims: Sequence[int | None], axes: Axes
) -> Any:
    """The start indices on `axes` as the columns of one array, a row of it for each row."""
    columns = [
        broadcast_in_dim_p.bind(
            starts[a],
            shape=(batch.size, 1),
            broadcast_dimensions=() if dims[a] is None else (0,),
        )
        for a in axes
    ]
    if not columns:
        return np.zeros((batch.size, 0), typeof(starts[0]).dtype)
    return columns[0] if len(columns) == 1 else concatenate_p.bind(*columns, dimension=1)


# --- gather ---


@defbatch(gather_p)
def _gather(
    batch: BatchAxis,
    operands: Operands,
    dims: Dims,
    *,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Shape,
    indices_are_sorted: bool,
    unique_indices: bool,
    **params: Any,
) -> tuple[Any, int]:
    x, indices = operands
    dim, index_dim = dims
    offset, collapsed, index_map, batching, index_batching = map(tuple, dimension_numbers)
    if dim is not None:
        collapsed, index_map, batching = (
            shifted(axes, dim) for axes in (collapsed, index_map, batching)
        )
    if index_dim is None:
        assert dim is not None
        # A block spans the batch axis, which the result has among those of blocks.
        slice_sizes = insert(slice_sizes, dim, batch.size)
        nth = _block_axes_before(dim, (*collapsed, *batching))
        place = offset[nth - 1] + 1 if nth else 0
        offset = insert(shifted(offset, place), nth, place)
    else:
        indices, index_dim = _vectors_last(indices, index_dim)
        place = _among_others(offset, typeof(indices).ndim - 2 + len(offset), index_dim)
        offset = shifted(offset, place)
        index_batching = shifted(index_batching, index_dim)
        if dim is None:
            # Different rows may read the same element, and each begins anew.
            indices_are_sorted = unique_indices = False
        else:
            none = isinstance(batch.size, int) and batch.size == 0
            slice_sizes = insert(slice_sizes, dim, 0 if none else 1)
            batching, index_batching = _with_pair(batching, index_batching, dim, index_dim)
            indices_are_sorted = indices_are_sorted and dim == index_dim == 0
    numbers = GatherDimensionNumbers(offset, collapsed, index_map, batching, index_batching)
    out = gather_p.bind(
        x,
        indices,
        dimension_numbers=numbers,
        slice_sizes=slice_sizes,
        indices_are_sorted=indices_are_sorted,
        unique_indices=unique_indices,
        **params,
    )
    return out, place


def _block_axes_before(dim: int, points: Sequence[int]) -> int:
    """How many of the operand's axes before `dim` run inside of blocks."""
    return dim - sum([a < dim for a in points])


def _vectors_last(indices: Any, dim: int) -> tuple[Any, int]:
    """The indices with the axis of index vectors last, and where the batch axis then lies."""
    if dim == typeof(indices).ndim - 1:
        return move_axis(indices, dim, 0), 0
    return indices, dim


def _among_others(block_axes: Axes, ndim: int, nth: int) -> int:
    """Where to put an axis so that, of the `ndim` not in `block_axes`, it is the `nth`."""
    others = [a for a in range(ndim) if a not in block_axes]
    if nth < len(others):
        return others[nth]
    return others[-1] + 1 if others else 0


def _with_pair(batching: Axes, index_batching: Axes, dim: int, index_dim: int) -> tuple[Axes, Axes]:
    """The axes that walk along, with one more pair; those of the operand stay increasing."""
    nth = sum([a < dim for a in batching])
    return insert(batching, nth, dim), insert(index_batching, nth, index_dim)


# --- scatter ---


def _define_scatter(primitive: Primitive) -> None:
    @defbatch(primitive)
    def _(batch: BatchAxis, operands: Operands, dims: Dims, **params: Any) -> tuple[Any, int]:
        return _scatter(primitive, batch, operands, dims, **params)


def _scatter(
    primitive: Primitive,
    batch: BatchAxis,
    operands: Operands,
    dims: Dims,
    *,
    dimension_numbers: ScatterDimensionNumbers,
    indices_are_sorted: bool,
    **params: Any,
) -> tuple[Any, int]:
    x, indices, updates = operands
    dim, index_dim, update_dim = dims
    x, dim = (x, dim) if dim is not None else (at_axis(x, None, batch.size), 0)
    if index_dim is not None:
        indices, index_dim = _vectors_last(indices, index_dim)
        indices_are_sorted = indices_are_sorted and dim == index_dim == 0
    numbers, place = _batched_numbers(
        dimension_numbers, dim, index_dim, update_dim, typeof(indices).ndim
    )
    out = primitive.bind(
        x,
        indices,
        at_axis(updates, update_dim, batch.size, place),
        dimension_numbers=numbers,
        indices_are_sorted=indices_are_sorted,
        **params,
    )
    return out, dim


def _batched_numbers(
    numbers: ScatterDimensionNumbers,
    dim: int,
    index_dim: int | None,
    update_dim: int | None,
    index_ndim: int,
) -> tuple[ScatterDimensionNumbers, int]:
    """The axes of a scatter into batches, and where the updates are to have their batch axis.

    Args:
        numbers: the axes of the scatter into a row.
        dim: the operand's batch axis.
        index_dim: that of the indices, None where all rows share them.
        update_dim: that of the updates, to leave it in place if that is possible.
        index_ndim: the rank of the indices, with their batch axis.
    """
    window, inserted, index_map, batching, index_batching = map(tuple, numbers)
    inserted, index_map, batching = (shifted(a, dim) for a in (inserted, index_map, batching))
    if index_dim is None:
        # A block spans the batch axis.
        nth = _block_axes_before(dim, (*inserted, *batching))
        first = window[nth - 1] + 1 if nth else 0
        last = window[nth] if nth < len(window) else index_ndim - 1 + len(window)
        place = update_dim if update_dim is not None and first <= update_dim <= last else first
        window = insert(shifted(window, place), nth, place)
    else:
        place = _among_others(window, index_ndim - 2 + len(window), index_dim)
        window = shifted(window, place)
        index_batching = shifted(index_batching, index_dim)
        batching, index_batching = _with_pair(batching, index_batching, dim, index_dim)
    batched = ScatterDimensionNumbers(window, inserted, index_map, batching, index_batching)
    return batched, place


for _p in (scatter_p, scatter_add_p, scatter_sub_p, scatter_mul_p, scatter_min_p, scatter_max_p):
    _define_scatter(_p)


@defbatch(scatter_apply_p)
def _(
    batch: BatchAxis,
    operands: Operands,
    dims: Dims,
    *,
    dimension_numbers: ScatterDimensionNumbers,
    update_shape: Shape,
    indices_are_sorted: bool,
    **params: Any,
) -> tuple[Any, int]:
    x, indices = operands
    dim, index_dim = dims
    x, dim = (x, dim) if dim is not None else (at_axis(x, None, batch.size), 0)
    if index_dim is not None:
        indices, index_dim = _vectors_last(indices, index_dim)
        indices_are_sorted = indices_are_sorted and dim == index_dim == 0
    numbers, place = _batched_numbers(dimension_numbers, dim, index_dim, None, typeof(indices).ndim)
    out = scatter_apply_p.bind(
        x,
        indices,
        dimension_numbers=numbers,
        update_shape=insert(update_shape, place, batch.size),
        indices_are_sorted=indices_are_sorted,
        **params,
    )
    return out, dim

"""Batching operations that move elements about: their axes are renumbered."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jx_core import typeof
from jx_core.lax import (
    broadcast_in_dim_p,
    concatenate_p,
    dim_as_value_p,
    empty_p,
    iota_p,
    pad_p,
    reshape_p,
    rev_p,
    select_n_p,
    slice_p,
    split_p,
    squeeze_p,
    stack_p,
    tile_p,
    transpose_p,
    unstack_p,
)

from ..axes import Shape, at_axis, broadcast_axis, insert, move_axis, shift, shifted
from ..tables import BatchAxis, batch_rules, defbatch
from .alignment import Dims, Operands, all_batched

batch_rules.explain(
    "it has no operands, so all rows share its result", iota_p, empty_p, dim_as_value_p
)


@defbatch(broadcast_in_dim_p)
def _(
    batch: BatchAxis,
    operands: Operands,
    dims: Dims,
    *,
    shape: Shape,
    broadcast_dimensions: tuple[int, ...],
) -> tuple[Any, int]:
    (x,), (dim,) = operands, dims
    assert dim is not None
    # Right after the axis that the one before it becomes: nothing changes its order.
    place = broadcast_dimensions[dim - 1] + 1 if dim else 0
    targets = insert(shifted(broadcast_dimensions, place), dim, place)
    shape = insert(shape, place, batch.size)
    return broadcast_in_dim_p.bind(x, shape=shape, broadcast_dimensions=targets), place


@defbatch(reshape_p)
def _(
    batch: BatchAxis,
    operands: Operands,
    dims: Dims,
    *,
    new_sizes: Shape,
    dimensions: tuple[int, ...] | None,
) -> tuple[Any, int]:
    (x,), (dim,) = operands, dims
    assert dim is not None
    place = None if dimensions is not None else _same_place(typeof(x).shape[:dim], new_sizes)
    if place is None:
        x, place = move_axis(x, dim, 0), 0
        dimensions = None if dimensions is None else (0, *[d + 1 for d in dimensions])
    new_sizes = insert(new_sizes, place, batch.size)
    return reshape_p.bind(x, new_sizes=new_sizes, dimensions=dimensions), place


def _same_place(before: Shape, new_sizes: Shape) -> int | None:
    """How many leading axes of `new_sizes` hold as much as the axes `before` a batch axis."""
    size = math.prod(before)
    if not before or not size:
        return 0 if not before else None
    for n in range(len(new_sizes) + 1):
        if math.prod(new_sizes[:n]) == size:
            return n
    return None


@defbatch(transpose_p)
def _(
    batch: BatchAxis, operands: Operands, dims: Dims, *, permutation: tuple[int, ...]
) -> tuple[Any, int]:
    (x,), (dim,) = operands, dims
    assert dim is not None
    return transpose_p.bind(x, permutation=insert(shifted(permutation, dim), dim, dim)), dim


@defbatch(squeeze_p)
def _(
    batch: BatchAxis, operands: Operands, dims: Dims, *, dimensions: tuple[int, ...]
) -> tuple[Any, int]:
    (x,), (dim,) = operands, dims
    assert dim is not None
    out = squeeze_p.bind(x, dimensions=shifted(dimensions, dim))
    return out, dim - sum(d < dim for d in dimensions)


@defbatch(rev_p)
def _(
    batch: BatchAxis, operands: Operands, dims: Dims, *, dimensions: tuple[int, ...]
) -> tuple[Any, int]:
    (x,), (dim,) = operands, dims
    assert dim is not None
    return rev_p.bind(x, dimensions=shifted(dimensions, dim)), dim


@defbatch(tile_p)
def _(
    batch: BatchAxis, operands: Operands, dims: Dims, *, reps: tuple[int, ...]
) -> tuple[Any, int]:
    (x,), (dim,) = operands, dims
    assert dim is not None
    return tile_p.bind(x, reps=insert(reps, dim, 1)), dim


@defbatch(concatenate_p)
def _(batch: BatchAxis, operands: Operands, dims: Dims, *, dimension: int) -> tuple[Any, int]:
    batches, dim = all_batched(batch, operands, dims)
    return concatenate_p.bind(*batches, dimension=shift(dimension, dim)), dim


# `stack` and `unstack` make and unmake an axis, so the batch axis moves past it.


@defbatch(stack_p)
def _(batch: BatchAxis, operands: Operands, dims: Dims, *, axis: int) -> tuple[Any, int]:
    batches, dim = all_batched(batch, operands, dims)
    return stack_p.bind(*batches, axis=axis + (axis > dim)), dim + (axis <= dim)


@defbatch(unstack_p)
def _(batch: BatchAxis, operands: Operands, dims: Dims, *, axis: int) -> tuple[Any, Any]:
    (x,), (dim,) = operands, dims
    assert dim is not None
    outs = unstack_p.bind(x, axis=shift(axis, dim))
    return outs, [dim - (axis < dim)] * len(outs)


@defbatch(split_p)
def _(
    batch: BatchAxis, operands: Operands, dims: Dims, *, sizes: tuple[int, ...], axis: int
) -> tuple[Any, Any]:
    (x,), (dim,) = operands, dims
    assert dim is not None
    outs = split_p.bind(x, sizes=sizes, axis=shift(axis, dim))
    return outs, [dim] * len(outs)


@defbatch(pad_p)
def _(
    batch: BatchAxis,
    operands: Operands,
    dims: Dims,
    *,
    padding_config: tuple[tuple[int, int, int], ...],
) -> tuple[Any, int]:
    x, value = operands
    dim, value_dim = dims
    if value_dim is None:
        assert dim is not None
        return pad_p.bind(x, value, padding_config=insert(padding_config, dim, (0, 0, 0))), dim
    # Pad with the first row's value, then put each row's own where the padding is.
    x = at_axis(x, dim, batch.size)
    kept = broadcast_in_dim_p.bind(np.True_, shape=typeof(x).shape[1:], broadcast_dimensions=())
    kept = pad_p.bind(kept, np.False_, padding_config=padding_config)
    kept = broadcast_axis(kept, batch.size, 0)
    shape = typeof(kept).shape
    values = broadcast_in_dim_p.bind(value, shape=shape, broadcast_dimensions=(0,))
    if not batch.size:
        return values, 0
    first = slice_p.bind(value, start_indices=(0,), limit_indices=(1,), strides=None)
    first = squeeze_p.bind(first, dimensions=(0,))
    padded = pad_p.bind(x, first, padding_config=((0, 0, 0), *padding_config))
    return select_n_p.bind(kept, values, padded), 0

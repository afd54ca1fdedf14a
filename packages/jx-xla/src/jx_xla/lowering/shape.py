"""Lowering of the operations that rearrange elements.

Typed keys are held with trailing axes of words; each rule carries those along.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import ShapedArray, dtypes, lax

from .builder import Block, Value, i64_array
from .elementwise import convert
from .tables import Context, deflower
from .types import physical, tensor, type_of


def words(aval: ShapedArray) -> tuple[int, ...]:
    """The trailing axes that one element takes on the device: none but for typed keys."""
    return physical(aval).shape[aval.ndim :]


@deflower(lax.broadcast_in_dim_p)
def _broadcast_in_dim(
    ctx: Context, x: Value, *, shape: tuple[int, ...], broadcast_dimensions: tuple[int, ...]
) -> Value:
    source = ctx.in_avals[0]
    rank, extra = len(shape), len(words(source))
    dims = (*broadcast_dimensions, *range(rank, rank + extra))
    attributes = f"broadcast_dimensions = {i64_array(dims)}"
    return ctx.block.op(
        "stablehlo.broadcast_in_dim", (x,), (type_of(source),), type_of(ctx.out), attributes
    )


@deflower(lax.reshape_p)
def _reshape(
    ctx: Context, x: Value, *, new_sizes: tuple[int, ...], dimensions: tuple[int, ...] | None
) -> Value:
    source = ctx.in_avals[0]
    kind = type_of(source)
    if dimensions is not None:
        moved = source.update(shape=tuple(source.shape[d] for d in dimensions))
        x = _transposed(ctx, x, source, moved, dimensions)
        kind = type_of(moved)
    if kind == type_of(ctx.out):
        return x
    return ctx.block.op("stablehlo.reshape", (x,), (kind,), type_of(ctx.out))


@deflower(lax.squeeze_p)
def _squeeze(ctx: Context, x: Value, *, dimensions: tuple[int, ...]) -> Value:
    return ctx.block.op("stablehlo.reshape", (x,), (type_of(ctx.in_avals[0]),), type_of(ctx.out))


def _transposed(
    ctx: Context, x: Value, source: ShapedArray, out: ShapedArray, order: tuple[int, ...]
) -> Value:
    n, extra = source.ndim, len(words(source))
    attributes = f"permutation = {i64_array((*order, *range(n, n + extra)))}"
    return ctx.block.op("stablehlo.transpose", (x,), (type_of(source),), type_of(out), attributes)


@deflower(lax.transpose_p)
def _transpose(ctx: Context, x: Value, *, permutation: tuple[int, ...]) -> Value:
    return _transposed(ctx, x, ctx.in_avals[0], ctx.out, permutation)


@deflower(lax.concatenate_p)
def _concatenate(ctx: Context, *operands: Value, dimension: int) -> Value:
    block, out, avals = ctx.block, ctx.out, ctx.in_avals
    if not isinstance(out.dtype, dtypes.ExtendedDType) and dtypes.itemsize_bits(out.dtype) < 4:
        # XLA's CPU compiler aborts on these.
        wide = np.dtype(np.int8)
        operands = tuple(convert(block, x, a, wide) for x, a in zip(operands, avals, strict=True))
        out, avals = out.update(dtype=wide), [a.update(dtype=wide) for a in avals]
    kinds = [type_of(a) for a in avals]
    attributes = f"dimension = {dimension} : i64"
    joined = block.op("stablehlo.concatenate", operands, kinds, type_of(out), attributes)
    return convert(block, joined, out, ctx.out.dtype)


@deflower(lax.split_p)
def _split(ctx: Context, x: Value, *, sizes: tuple[int, ...], axis: int) -> list[Value]:
    source = ctx.in_avals[0]
    held = physical(source)
    starts, limits = [0] * held.ndim, list(held.shape)
    results, start = [], 0
    for size, out in zip(sizes, ctx.out_avals, strict=True):
        starts[axis], limits[axis] = start, start + size
        attributes = slice_attributes(starts, limits, (1,) * held.ndim)
        kinds = (type_of(source),)
        results.append(ctx.block.op("stablehlo.slice", (x,), kinds, type_of(out), attributes))
        start += size
    return results


def slice_attributes(starts: Any, limits: Any, strides: Any) -> str:
    """The attributes of `stablehlo.slice`."""
    return (
        f"start_indices = {i64_array(starts)}, limit_indices = {i64_array(limits)}, "
        f"strides = {i64_array(strides)}"
    )


@deflower(lax.pad_p)
def _pad(ctx: Context, x: Value, fill: Value, *, padding_config: Any) -> Value:
    source, filling = ctx.in_avals
    held = physical(source)
    if not words(source):
        return _padded(ctx.block, x, fill, held, ctx.out, padding_config)
    # StableHLO pads with scalars: each word of the keys is padded with that of the one.
    (count,) = words(source)
    kind, scalar = tensor((), held.dtype), physical(filling)
    before, after = (held.update(shape=(*a.shape, 1)) for a in (source, ctx.out))
    columns = []
    for i in range(count):
        word = _part(ctx.block, fill, scalar, i)
        word = ctx.block.op("stablehlo.reshape", (word,), (tensor((1,), held.dtype),), kind)
        part = _part(ctx.block, x, held, i)
        config = (*padding_config, (0, 0, 0))
        columns.append(_padded(ctx.block, part, word, before, after, config))
    return ctx.block.op(
        "stablehlo.concatenate", columns, (type_of(after),) * count, type_of(ctx.out),
        f"dimension = {source.ndim} : i64",
    )  # fmt: skip


def _padded(
    block: Block, x: Value, fill: Value, aval: ShapedArray, out: ShapedArray, config: Any
) -> Value:
    low, high, inner = ([c[i] for c in config] for i in range(3))
    attributes = (
        f"edge_padding_low = {i64_array(low)}, edge_padding_high = {i64_array(high)}, "
        f"interior_padding = {i64_array(inner)}"
    )
    kinds = type_of(aval), tensor((), aval.dtype)
    return block.op("stablehlo.pad", (x, fill), kinds, type_of(out), attributes)


def _part(block: Block, x: Value, aval: ShapedArray, i: int) -> Value:
    """The `i`-th word of keys held as `aval`, along a last axis of length 1."""
    starts = (*(0 for _ in aval.shape[1:]), i)
    limits = (*aval.shape[:-1], i + 1)
    attributes = slice_attributes(starts, limits, (1,) * aval.ndim)
    thin = tensor((*aval.shape[:-1], 1), aval.dtype)
    return block.op("stablehlo.slice", (x,), (type_of(aval),), thin, attributes)


@deflower(lax.rev_p)
def _rev(ctx: Context, x: Value, *, dimensions: tuple[int, ...]) -> Value:
    kind = type_of(ctx.out)
    return ctx.block.op(
        "stablehlo.reverse", (x,), (kind,), kind, f"dimensions = {i64_array(dimensions)}"
    )


@deflower(lax.dim_as_value_p)
def _dim_as_value(ctx: Context, *, dim: Any) -> Value:
    wide = ShapedArray((), np.dtype(np.int64))
    return convert(ctx.block, ctx.block.size(dim), wide, ctx.out.dtype)


@deflower(lax.iota_p)
def _iota(ctx: Context, *, dtype: Any, shape: tuple[int, ...], dimension: int) -> Value:
    attributes = f"iota_dimension = {dimension} : i64"
    if dtype == np.bool_ or dtypes.itemsize_bits(dtype) < 8 or dtype.name.startswith("float8"):
        counting = ShapedArray(shape, np.dtype(np.int32))
        steps = ctx.block.op("stablehlo.iota", (), (), type_of(counting), attributes)
        return convert(ctx.block, steps, counting, dtype)
    return ctx.block.op("stablehlo.iota", (), (), type_of(ctx.out), attributes)

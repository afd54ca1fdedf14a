"""Lowering of slices, gathers and scatters.

Typed keys are held with a trailing axis of words, which slices carry along whole and
gathers and scatters count among the window's axes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import ClosedJaxpr, ShapedArray, lax
from jx_core.ops.indexing.gather import default_fill

from .builder import Block, Value, i64_array
from .elementwise import binary, compare, convert
from .program import constants, lower_jaxpr
from .reduction.monoids import combine, reduce_with
from .shape import slice_attributes, words
from .tables import Context, deflower
from .types import physical, tensor, type_of

_CLIP = lax.GatherScatterMode.CLIP
_FILL = lax.GatherScatterMode.FILL_OR_DROP


@deflower(lax.slice_p)
def _slice(
    ctx: Context, x: Value, *, start_indices: Any, limit_indices: Any, strides: Any
) -> Value:
    source = ctx.in_avals[0]
    extra = words(source)
    starts = (*start_indices, *(0 for _ in extra))
    limits = (*limit_indices, *extra)
    steps = (*(strides or (1,) * source.ndim), *(1 for _ in extra))
    attributes = slice_attributes(starts, limits, steps)
    return ctx.block.op("stablehlo.slice", (x,), (type_of(source),), type_of(ctx.out), attributes)


def _starts(
    ctx: Context, indices: Sequence[Value], avals: Sequence[ShapedArray], extra: int
) -> tuple[list[Value], list[str]]:
    """Start indices, all of one type, with zeros for the axes of words.

    Narrow ones are widened: XLA limits them to the size of the axis in their own dtype, in which
    that size may not fit.
    """
    dtype = avals[0].dtype if avals else np.dtype(np.int32)
    if dtype.itemsize < 4 or any(a.dtype != dtype for a in avals):
        wide = any(a.dtype.itemsize > 4 for a in avals)
        dtype = np.dtype(np.int64 if wide else np.int32)
        indices = [convert(ctx.block, i, a, dtype) for i, a in zip(indices, avals, strict=True)]
    zeros = [ctx.block.constant(0, dtype)] * extra
    return [*indices, *zeros], [tensor((), dtype)] * (len(indices) + extra)


@deflower(lax.dynamic_slice_p)
def _dynamic_slice(ctx: Context, x: Value, *indices: Value, slice_sizes: Any) -> Value:
    source, *avals = ctx.in_avals
    extra = words(source)
    if source.ndim == 0:
        return x
    starts, kinds = _starts(ctx, indices, avals, len(extra))
    attributes = f"slice_sizes = {i64_array((*slice_sizes, *extra))}"
    return ctx.block.op(
        "stablehlo.dynamic_slice", (x, *starts), (type_of(source), *kinds), type_of(ctx.out),
        attributes,
    )  # fmt: skip


@deflower(lax.dynamic_update_slice_p)
def _dynamic_update_slice(ctx: Context, x: Value, update: Value, *indices: Value) -> Value:
    source, changed, *avals = ctx.in_avals
    if source.ndim == 0:
        return update
    starts, kinds = _starts(ctx, indices, avals, len(words(source)))
    return ctx.block.op(
        "stablehlo.dynamic_update_slice",
        (x, update, *starts),
        (type_of(source), type_of(changed), *kinds),
        type_of(ctx.out),
    )


def _list(values: Sequence[int]) -> str:
    return f"[{', '.join(map(str, values))}]"


def _clipped(
    ctx: Context, indices: Value, aval: ShapedArray, limits: Sequence[int]
) -> Value:
    """Start indices moved to the nearest that keep windows inside; `limits` are the greatest."""
    block = ctx.block
    high = block.counts(limits, aval.dtype)
    row = ShapedArray((len(limits),), aval.dtype)
    full = block.broadcast(high, row, aval.shape, (aval.ndim - 1,))
    zero = block.constant(0, aval.dtype, aval.shape)
    kind = type_of(aval)
    return block.op("stablehlo.clamp", (zero, indices, full), (kind,) * 3, kind)


def _inside(ctx: Context, indices: Value, aval: ShapedArray, limits: Sequence[int]) -> Value:
    """For each start index whether its window lies inside: a boolean for each window."""
    block = ctx.block
    bits = ShapedArray(aval.shape, np.dtype(np.bool_))
    high = block.counts(limits, aval.dtype)
    row = ShapedArray((len(limits),), aval.dtype)
    full = block.broadcast(high, row, aval.shape, (aval.ndim - 1,))
    zero = block.constant(0, aval.dtype, aval.shape)
    each = binary(
        block, "and", compare(block, indices, zero, aval, "GE"),
        compare(block, indices, full, aval, "LE"), bits,
    )  # fmt: skip
    return reduce_with(block, each, bits, (aval.ndim - 1,), "and", True)


def _gather_attributes(ctx: Context, numbers: Any, slice_sizes: Any, is_sorted: bool) -> str:
    extra = words(ctx.in_avals[0])
    rank = ctx.out.ndim
    offsets = (*numbers.offset_dims, *range(rank, rank + len(extra)))
    vector = ctx.in_avals[1].ndim - 1
    fields = [
        f"offset_dims = {_list(offsets)}",
        f"collapsed_slice_dims = {_list(numbers.collapsed_slice_dims)}",
        f"operand_batching_dims = {_list(numbers.operand_batching_dims)}",
        f"start_indices_batching_dims = {_list(numbers.start_indices_batching_dims)}",
        f"start_index_map = {_list(numbers.start_index_map)}",
        f"index_vector_dim = {vector}",
    ]
    return (
        f"dimension_numbers = #stablehlo.gather<{', '.join(fields)}>, "
        f"indices_are_sorted = {'true' if is_sorted else 'false'}, "
        f"slice_sizes = {i64_array((*slice_sizes, *extra))}"
    )


@deflower(lax.gather_p)
def _gather(
    ctx: Context,
    x: Value,
    indices: Value,
    *,
    dimension_numbers: Any,
    slice_sizes: tuple[int, ...],
    indices_are_sorted: bool,
    unique_indices: bool,
    mode: Any,
    fill_value: Any,
) -> Value:
    block = ctx.block
    source, places = ctx.in_avals
    limits = [source.shape[d] - slice_sizes[d] for d in dimension_numbers.start_index_map]
    if mode == _CLIP:
        indices = _clipped(ctx, indices, places, limits)
    attributes = _gather_attributes(ctx, dimension_numbers, slice_sizes, indices_are_sorted)
    kind = type_of(ctx.out)
    read = block.op(
        "stablehlo.gather", (x, indices), (type_of(source), type_of(places)), kind, attributes
    )
    if mode != _FILL or not limits:
        return read
    held = physical(ctx.out)
    inside = _inside(ctx, indices, places, limits)
    batch = [d for d in range(ctx.out.ndim) if d not in dimension_numbers.offset_dims]
    bits = ShapedArray(tuple(ctx.out.shape[d] for d in batch), np.dtype(np.bool_))
    inside = block.broadcast(inside, bits, held.shape, batch)
    fill = block.constant(_fill(source.dtype, fill_value), held.dtype, held.shape)
    mask = tensor(held.shape, bits.dtype)
    return block.op("stablehlo.select", (inside, read, fill), (mask, kind, kind), kind)


def _fill(dtype: Any, fill_value: Any) -> Any:
    """What is read out of bounds, of typed keys in each word."""
    return default_fill(dtype) if fill_value is None else fill_value


def _scatter(op: str) -> Callable[..., Value]:
    def rule(
        ctx: Context, x: Value, indices: Value, updates: Value, *, dimension_numbers: Any,
        indices_are_sorted: bool, unique_indices: bool, mode: Any, **params: Any,
    ) -> Value:  # fmt: skip
        block = ctx.block
        source, places, changed = ctx.in_avals
        scalar = ShapedArray((), physical(source).dtype)
        inner = block.inner()
        old, new = inner.fresh(), inner.fresh()
        kind = type_of(scalar)
        result = new if op == "assign" else combine(inner, op, old, new, scalar)
        region = inner.region([(old, kind), (new, kind)], [result], [kind])
        if mode == _CLIP:
            limits = _window_limits(source, changed, dimension_numbers)
            indices = _clipped(ctx, indices, places, limits)
        attributes = _scatter_attributes(
            ctx, dimension_numbers, changed, indices_are_sorted, unique_indices
        )
        return block.op(
            "stablehlo.scatter",
            (x, indices, updates),
            (type_of(source), type_of(places), type_of(changed)),
            type_of(ctx.out),
            attributes,
            f" ({region})",
        )

    return rule


def _window_limits(source: ShapedArray, updates: ShapedArray, numbers: Any) -> list[int]:
    """The greatest start along each scattered axis that keeps the window inside."""
    dropped = {*numbers.inserted_window_dims, *numbers.operand_batching_dims}
    window = iter(updates.shape[d] for d in numbers.update_window_dims)
    sizes = [1 if d in dropped else next(window) for d in range(source.ndim)]
    return [source.shape[d] - sizes[d] for d in numbers.scatter_dims_to_operand_dims]


def _scatter_attributes(
    ctx: Context, numbers: Any, updates: ShapedArray, is_sorted: bool, is_unique: bool
) -> str:
    extra = len(words(ctx.in_avals[0]))
    window = (*numbers.update_window_dims, *range(updates.ndim, updates.ndim + extra))
    fields = [
        f"update_window_dims = {_list(window)}",
        f"inserted_window_dims = {_list(numbers.inserted_window_dims)}",
        f"input_batching_dims = {_list(numbers.operand_batching_dims)}",
        f"scatter_indices_batching_dims = {_list(numbers.scatter_indices_batching_dims)}",
        f"scatter_dims_to_operand_dims = {_list(numbers.scatter_dims_to_operand_dims)}",
        f"index_vector_dim = {ctx.in_avals[1].ndim - 1}",
    ]
    return (
        f"scatter_dimension_numbers = #stablehlo.scatter<{', '.join(fields)}>, "
        f"indices_are_sorted = {'true' if is_sorted else 'false'}, "
        f"unique_indices = {'true' if is_unique else 'false'}"
    )


deflower(lax.scatter_p)(_scatter("assign"))
deflower(lax.scatter_add_p)(_scatter("add"))
deflower(lax.scatter_sub_p)(_scatter("subtract"))
deflower(lax.scatter_mul_p)(_scatter("multiply"))
deflower(lax.scatter_min_p)(_scatter("minimum"))
deflower(lax.scatter_max_p)(_scatter("maximum"))


@deflower(lax.scatter_apply_p)
def _scatter_apply(
    ctx: Context, x: Value, indices: Value, *, dimension_numbers: Any, update_shape: Any,
    update_jaxpr: ClosedJaxpr, indices_are_sorted: bool, unique_indices: bool, mode: Any,
) -> Value:  # fmt: skip
    block: Block = ctx.block
    source, places = ctx.in_avals
    changed = ShapedArray(tuple(update_shape), source.dtype)
    updates = block.constant(0, source.dtype, changed.shape)
    scalar = type_of(ShapedArray((), source.dtype))
    inner = block.inner()
    old, new = inner.fresh(), inner.fresh()
    (result,) = lower_jaxpr(inner, update_jaxpr.jaxpr, constants(inner, update_jaxpr.consts), [old])
    region = inner.region([(old, scalar), (new, scalar)], [result], [scalar])
    if mode == _CLIP:
        limits = _window_limits(source, changed, dimension_numbers)
        indices = _clipped(ctx, indices, places, limits)
    attributes = _scatter_attributes(
        ctx, dimension_numbers, changed, indices_are_sorted, unique_indices
    )
    return block.op(
        "stablehlo.scatter",
        (x, indices, updates),
        (type_of(source), type_of(places), type_of(changed)),
        type_of(ctx.out),
        attributes,
        f" ({region})",
    )

"""Lowering of ragged products.

On the CPU each group's rows are multiplied a tile at a time, in a loop over the tiles that
there are: the work is that of one product of all rows, and a part of a tile for each group.
TPUs have an instruction. Elsewhere rows are spread out over an axis of groups, with zeros in
all places but that of their own, which costs as much for each group as a product of all rows.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from jx_core import lax
from jx_core.dtypes import issubdtype
from jx_core.ops.contraction.ragged import RaggedAxes, ragged_axes

from ..builder import Value
from ..program import lower_traced
from ..tables import Context, deflower
from ..types import type_of
from .dot import precision_config

_INT = np.dtype(np.int32)


class _Flat(NamedTuple):
    """A ragged product as one of rows: those of all batches, one after the other.

    Attributes:
        lhs: [batch, rows, k], or [batch, rows, m] where rows are contracted.
        rhs: [groups, batch, k, n], or [batch, rows, n] where rows are contracted.
        starts, ends: [batch, parts, groups], the rows of each group; within the batch, parts
            are what lies in front of the ragged axis.
        shape: that of the result.
    """

    lhs: Any
    rhs: Any
    starts: Any
    ends: Any
    shape: tuple[int, ...]


def _flat(lhs: Any, rhs: Any, group_sizes: Any, axes: RaggedAxes) -> _Flat:
    def sizes(x: Any, which: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(x.shape[a] for a in which)

    batch = sizes(lhs, axes.lhs_batch)
    rows, columns = sizes(lhs, axes.lhs_free), sizes(rhs, axes.rhs_free)
    summed = sizes(lhs, axes.lhs_contracting)
    b, k, m, n = map(math.prod, (batch, summed, rows, columns))
    groups = group_sizes.shape[-1]
    if axes.mode == "free":
        left = lax.transpose(lhs, (*axes.lhs_batch, *axes.lhs_free, *axes.lhs_contracting))
        left = lax.reshape(left, (b, m, k))
        assert axes.group is not None
        order = (axes.group, *axes.rhs_batch, *axes.rhs_contracting, *axes.rhs_free)
        right = lax.reshape(lax.transpose(rhs, order), (groups, b, k, n))
        shape, count = (*batch, *rows, *columns), m
    else:
        left = lax.transpose(lhs, (*axes.lhs_batch, *axes.lhs_contracting, *axes.lhs_free))
        right = lax.transpose(rhs, (*axes.rhs_batch, *axes.rhs_contracting, *axes.rhs_free))
        left, right = lax.reshape(left, (b, k, m)), lax.reshape(right, (b, k, n))
        shape, count = (groups, *batch, *rows, *columns), k
    prefix = sizes(lhs, axes.prefix)
    length = lhs.shape[axes.ragged]
    parts = math.prod(prefix[len(batch) :])
    inner = count // max(parts * length, 1)
    each = lax.convert_element_type(group_sizes, _INT)
    if each.ndim == 1:
        each = lax.broadcast_in_dim(each, (*prefix, groups), (len(prefix),))
    each = lax.reshape(each, (b, parts, groups))
    ends = lax.clamp(0, lax.cumsum(each, 2), length)
    starts = lax.clamp(0, lax.sub(lax.cumsum(each, 2), each), length)
    first = lax.mul(lax.broadcasted_iota(_INT, each.shape, 1), length)
    starts, ends = (lax.mul(lax.add(x, first), inner) for x in (starts, ends))
    return _Flat(left, right, starts, ends, shape)


def _written(spread: Any) -> Any:
    """A rule that writes `spread(flat, contracted, dot, dtype)` of a flattened product."""

    def rule(
        ctx: Context, *operands: Value, ragged_dot_dimension_numbers: Any, **params: Any
    ) -> Value:
        lhs, rhs, _ = ctx.in_avals
        axes = ragged_axes(ragged_dot_dimension_numbers, lhs.ndim, rhs.ndim)
        dtype = ctx.out.dtype

        def fun(lhs: Any, rhs: Any, group_sizes: Any) -> list[Any]:
            if axes.mode == "batch":
                numbers = ragged_dot_dimension_numbers.dot_dimension_numbers
                return [lax.dot_general_p.bind(lhs, rhs, dimension_numbers=numbers, **params)]
            flat = _flat(lhs, rhs, group_sizes, axes)
            if not lhs.size or not rhs.size or not group_sizes.size:
                return [lax.full(flat.shape, 0, dtype)]
            out = spread(flat, axes.mode == "contracting", params, dtype)
            return [lax.reshape(lax.convert_element_type(out, dtype), flat.shape)]

        return lower_traced(ctx.block, fun, ctx.in_avals, operands, "ragged_dot")[0]

    return rule


# --- rows spread out over the groups ---


def _masked(flat: _Flat, contracted: bool, params: dict[str, Any], dtype: Any) -> Any:
    """[batch, rows, n], or [groups, batch, m, n] where rows are contracted."""
    b, rows, width = flat.lhs.shape
    parts, groups = flat.starts.shape[1:]
    # [batch, rows, groups]: whose rows they are. Parts do not overlap, nor do their groups.
    own = lax.full((b, rows, groups), False, np.bool_)
    row = lax.broadcasted_iota(_INT, own.shape, 1)
    for part in range(parts):
        start, end = (
            lax.broadcast_in_dim(
                lax.index_in_dim(x, part, 1, keepdims=False), own.shape, (0, 2)
            )
            for x in (flat.starts, flat.ends)
        )
        inside = lax.bitwise_and(lax.le(start, row), lax.lt(row, end))
        own = lax.bitwise_or(own, inside)

    def spread(x: Any) -> Any:
        shape = (*own.shape, x.shape[-1])
        x = lax.broadcast_in_dim(x, shape, (0, 1, 3))
        return lax.select(lax.broadcast_in_dim(own, shape, (0, 1, 2)), x, lax.full_like(x, 0))

    # Either contract the rows, with groups as a batch, or groups together with k.
    numbers: Any = (((2, 3), (0, 2)), ((0,), (1,)))
    if contracted:
        numbers = (((1,), (1,)), ((2, 0), (2, 0)))
    rhs = spread(flat.rhs) if contracted else flat.rhs
    return lax.dot_general_p.bind(spread(flat.lhs), rhs, dimension_numbers=numbers, **params)


deflower(lax.ragged_dot_general_p)(_written(_masked))


# --- a loop over tiles of rows ---


def _tile(rows: int, segments: int) -> int:
    """How many rows to multiply at once: about those of a group, within limits.

    Small tiles waste less of themselves at the ends of groups, large ones multiply faster.
    """
    return min(rows, max(16, min(256, rows // segments)))


def _tiled(flat: _Flat, contracted: bool, params: dict[str, Any], dtype: Any) -> Any:
    """[batch * rows, n], or [groups * batch, m, n] where rows are contracted."""
    b, rows, width = flat.lhs.shape
    _, parts, groups = flat.starts.shape
    offset = lax.mul(lax.broadcasted_iota(_INT, flat.starts.shape, 0), rows)
    starts, ends = (
        lax.reshape(lax.add(x, offset), (b * parts * groups,)) for x in (flat.starts, flat.ends)
    )
    tile = _tile(b * rows, starts.shape[0])
    # The tiles up to and with each segment: segments are (batch, part, group).
    counts = lax.cumsum(lax.div(lax.add(lax.sub(ends, starts), tile - 1), tile))
    lhs = lax.reshape(flat.lhs, (b * rows, width))
    n = flat.rhs.shape[-1]
    held = _summed_in(dtype) if contracted else dtype
    if contracted:
        rhs, out = lax.reshape(flat.rhs, (b * rows, n)), lax.full((groups * b, width, n), 0, held)
        params = params | {"preferred_element_type": held}
    else:
        rhs, out = lax.reshape(flat.rhs, (groups * b, width, n)), lax.full((b * rows, n), 0, held)

    def body(carry: tuple[Any, Any]) -> tuple[Any, Any]:
        i, out = carry
        before = lax.convert_element_type(lax.le(counts, i), _INT)
        s = lax.reduce_sum(before, (0,))
        start, end, last = (lax.dynamic_index_in_dim(x, s, keepdims=False)
                            for x in (starts, ends, counts))
        # Counted from the segment's end: the tile number within it.
        number = lax.sub(lax.add(i, _tiles(start, end, tile)), last)
        begin = lax.add(start, lax.mul(number, tile))
        row = lax.min(begin, b * rows - tile)
        place = lax.add(lax.broadcasted_iota(_INT, (tile,), 0), row)
        mine = lax.bitwise_and(lax.ge(place, begin), lax.lt(place, end))
        matrix = lax.add(lax.mul(lax.rem(s, groups), b), lax.div(s, parts * groups))
        step = _contract_tile if contracted else _multiply_tile
        return lax.add(i, 1), step(out, lhs, rhs, row, mine, matrix, params)

    first = lax.full((), 0, _INT)
    total = lax.index_in_dim(counts, counts.shape[0] - 1, keepdims=False)
    _, out = lax.while_loop(lambda carry: lax.lt(carry[0], total), body, (first, out))
    return out


def _summed_in(dtype: Any) -> Any:
    """The dtype to add up the products of tiles in."""
    if issubdtype(dtype, np.floating) and dtype.itemsize < 4:
        return np.dtype(np.float32)
    return _INT if dtype == np.bool_ else dtype


def _tiles(start: Any, end: Any, tile: int) -> Any:
    return lax.div(lax.add(lax.sub(end, start), tile - 1), tile)


def _rows_only(mine: Any, x: Any, other: Any) -> Any:
    return lax.select(lax.broadcast_in_dim(mine, x.shape, (0,)), x, other)


def _multiply_tile(
    out: Any, lhs: Any, rhs: Any, row: Any, mine: Any, matrix: Any, params: dict[str, Any]
) -> Any:
    """`out` with the rows of a tile that are `mine` set to their products."""
    x = lax.dynamic_slice_in_dim(lhs, row, mine.shape[0], 0)
    y = lax.dynamic_index_in_dim(rhs, matrix, keepdims=False)
    numbers = (((1,), (0,)), ((), ()))
    product = lax.dot_general_p.bind(x, y, dimension_numbers=numbers, **params)
    old = lax.dynamic_slice_in_dim(out, row, mine.shape[0], 0)
    return lax.dynamic_update_slice_in_dim(out, _rows_only(mine, product, old), row, 0)


def _contract_tile(
    out: Any, lhs: Any, rhs: Any, row: Any, mine: Any, matrix: Any, params: dict[str, Any]
) -> Any:
    """`out` with the products of the rows of a tile that are `mine` added to its matrix."""
    x, y = (lax.dynamic_slice_in_dim(x, row, mine.shape[0], 0) for x in (lhs, rhs))
    # Both, for what lies in other rows may be infinite.
    x, y = (_rows_only(mine, x, lax.full_like(x, 0)) for x in (x, y))
    numbers = (((0,), (0,)), ((), ()))
    product = lax.dot_general_p.bind(x, y, dimension_numbers=numbers, **params)
    old = lax.dynamic_index_in_dim(out, matrix, keepdims=False)
    return lax.dynamic_update_index_in_dim(out, lax.add(old, product), matrix, 0)


deflower(lax.ragged_dot_general_p, platform="cpu")(_written(_tiled))


# --- TPUs ---


@deflower(lax.ragged_dot_general_p, platform="tpu")
def _ragged_instruction(
    ctx: Context,
    *operands: Value,
    ragged_dot_dimension_numbers: Any,
    precision: Any,
    preferred_element_type: Any,
) -> Value:
    numbers = ragged_dot_dimension_numbers
    (lhs_contracting, rhs_contracting), (lhs_batch, rhs_batch) = numbers.dot_dimension_numbers
    fields = ", ".join(
        f"{name} = [{', '.join(map(str, axes))}]"
        for name, axes in (
            ("lhs_batching_dimensions", lhs_batch),
            ("rhs_batching_dimensions", rhs_batch),
            ("lhs_contracting_dimensions", lhs_contracting),
            ("rhs_contracting_dimensions", rhs_contracting),
            ("lhs_ragged_dimensions", numbers.lhs_ragged_dimensions),
            ("rhs_group_dimensions", numbers.rhs_group_dimensions),
        )
        if axes
    )
    config = precision_config(precision).replace("#stablehlo", "#chlo")
    return ctx.block.op(
        "chlo.ragged_dot",
        operands,
        [type_of(a) for a in ctx.in_avals],
        type_of(ctx.out),
        f"{config}, ragged_dot_dimension_numbers = #chlo.ragged_dot<{fields}>",
    )

"""Lowering of what looks at few places of the sorted order.

On CPUs XLA sorts one element after the other. Where rows are long it is faster to find the bits of
the element asked for, from the highest to the lowest, by counting how many elements lie below a
candidate: as many passes as an element has bits, each with vector instructions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import lax
from jx_core.ops.sorting.selection import by_sorting

from ..builder import Value
from ..program import lower_traced
from ..tables import Context, deflower
from .order_bits import from_sort_key, sort_key

# Rows must be at least this long, and of elements of these sizes in bytes, for counting to pay.
_LONG = 4096
_SIZES = (4, 8)
# Counts up to here are exact as float32, sums of which are faster than those of integers.
_EXACT = 1 << 24


@deflower(lax.order_statistics_p, platform="cpu")
def _order_statistics(ctx: Context, x: Value, place: Value) -> list[Value]:
    block, (aval, places) = ctx.block, ctx.in_avals
    n = aval.shape[-1]
    if not (type(n) is int and n >= _LONG and aval.dtype.itemsize in _SIZES):
        return lower_traced(block, by_sorting, ctx.in_avals, [x, place], "order_statistics")
    keys, kind = sort_key(block, x, aval)
    found = lower_traced(block, _by_counting, [kind, places], [keys, place], "order_statistics")
    row = kind.update(shape=places.shape)
    return [from_sort_key(block, key, row, aval.dtype) for key in found]


def _by_counting(keys: Any, place: Any) -> list[Any]:
    """The integer at a place is the greatest that has at most so many below it; and the next."""
    dtype, n = keys.dtype, keys.shape[-1]
    last = len(keys.shape) - 1
    counting = np.dtype(np.float32 if n <= _EXACT else np.int32)
    bits = dtype.itemsize * 8
    rank = lax.convert_element_type(place, counting)

    def wide(row: Any) -> Any:
        return lax.broadcast_in_dim(row, keys.shape, tuple(range(last)))

    def count(flags: Any) -> Any:
        return lax.reduce_sum(lax.convert_element_type(flags, counting), (last,))

    def next_bit(i: Any, found: Any) -> Any:
        shift = lax.convert_element_type(lax.sub(np.int32(bits - 1), i), dtype)
        bit = lax.shift_left(lax.full((), 1, dtype), shift)
        candidate = lax.add(found, lax.broadcast(bit, found.shape))
        below = count(lax.lt(keys, wide(candidate)))
        return lax.select(lax.le(below, rank), candidate, found)

    # From the least number up; where there are signs, the highest bit leads over to the positive.
    start = lax.full(place.shape, np.iinfo(dtype).min, dtype)
    found = lax.fori_loop(np.int32(0), np.int32(bits), next_bit, start)
    most = lax.full(keys.shape, np.iinfo(dtype).max, dtype)
    above = lax.reduce_min(lax.select(lax.gt(keys, wide(found)), keys, most), (last,))
    up_to_it = count(lax.le(keys, wide(found)))
    repeats = lax.gt(up_to_it, lax.add(rank, lax.full_like(rank, 1)))
    is_greatest = lax.eq(up_to_it, lax.full_like(up_to_it, n))
    return [found, lax.select(lax.bitwise_or(repeats, is_greatest), found, above)]

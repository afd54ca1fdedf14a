"""Lowering of what looks at few places of the sorted order.

On CPUs XLA sorts one element after the other. Where rows are long it is faster to find the bits of
the element asked for, from the highest to the lowest, by counting how many elements lie below a
candidate: as many passes as an element has bits, each with vector instructions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import lax
from jx_core.dtypes import issubdtype
from jx_core.ops.sorting.selection import by_sorting

from ..builder import Value
from ..program import lower_traced
from ..tables import Context, deflower

# Rows must be at least this long, and of elements of these sizes in bytes, for counting to pay.
_LONG = 4096
_SIZES = (4, 8)
# Counts up to here are exact as float32, sums of which are faster than those of integers.
_EXACT = 1 << 24


@deflower(lax.order_statistics_p, platform="cpu")
def _order_statistics(ctx: Context, x: Value, place: Value) -> list[Value]:
    aval = ctx.in_avals[0]
    n = aval.shape[-1]
    pays = type(n) is int and n >= _LONG and aval.dtype.itemsize in _SIZES
    rule = _by_counting if pays else by_sorting
    return lower_traced(ctx.block, rule, ctx.in_avals, [x, place], "order_statistics")


def _by_counting(x: Any, place: Any) -> list[Any]:
    """The element at a place is the greatest that has at most so many elements below it."""
    keys = _signed_keys(x)
    signed, n = keys.dtype, keys.shape[-1]
    last = len(keys.shape) - 1
    counting = np.dtype(np.float32 if n <= _EXACT else np.int32)
    bits = signed.itemsize * 8
    rank = lax.convert_element_type(place, counting)

    def wide(row: Any) -> Any:
        return lax.broadcast_in_dim(row, keys.shape, tuple(range(last)))

    def count(flags: Any) -> Any:
        return lax.reduce_sum(lax.convert_element_type(flags, counting), (last,))

    def next_bit(i: Any, found: Any) -> Any:
        shift = lax.convert_element_type(lax.sub(np.int32(bits - 1), i), signed)
        bit = lax.shift_left(lax.full((), 1, signed), shift)
        candidate = lax.add(found, lax.broadcast(bit, found.shape))
        below = count(lax.lt(keys, wide(candidate)))
        return lax.select(lax.le(below, rank), candidate, found)

    # From the least number up; adding the highest bit first goes over to the positive ones.
    start = lax.full(place.shape, np.iinfo(signed).min, signed)
    found = lax.fori_loop(np.int32(0), np.int32(bits), next_bit, start)
    most = lax.full(keys.shape, np.iinfo(signed).max, signed)
    above = lax.reduce_min(lax.select(lax.gt(keys, wide(found)), keys, most), (last,))
    up_to_it = count(lax.le(keys, wide(found)))
    repeats = lax.gt(up_to_it, lax.add(rank, lax.full_like(rank, 1)))
    is_greatest = lax.eq(up_to_it, lax.full_like(up_to_it, n))
    after = lax.select(lax.bitwise_or(repeats, is_greatest), found, above)
    return [_from_keys(found, x.dtype), _from_keys(after, x.dtype)]


def _signed_keys(x: Any) -> Any:
    """Signed integers in the order of sorting: both zeros are one, and NaNs one that is last."""
    if not issubdtype(x.dtype, np.floating):
        if issubdtype(x.dtype, np.unsignedinteger):
            signed = np.dtype(f"i{x.dtype.itemsize}")
            bits = lax.bitcast_convert_type(x, signed)
            return lax.bitwise_xor(bits, lax.full_like(bits, np.iinfo(signed).min))
        return x
    signed = np.dtype(f"i{x.dtype.itemsize}")
    zero = lax.full_like(x, 0)
    x = lax.select(lax.eq(x, zero), zero, x)
    x = lax.select(lax.ne(x, x), lax.full_like(x, np.nan), x)
    return _turned(lax.bitcast_convert_type(x, signed))


def _turned(bits: Any) -> Any:
    """The bits but the sign inverted where it is set: floats' bits as integers in their order."""
    rest = lax.full_like(bits, np.iinfo(bits.dtype).max)
    return lax.select(lax.lt(bits, lax.full_like(bits, 0)), lax.bitwise_xor(bits, rest), bits)


def _from_keys(keys: Any, dtype: Any) -> Any:
    """The elements that have these keys."""
    if issubdtype(dtype, np.floating):
        return lax.bitcast_convert_type(_turned(keys), dtype)
    if issubdtype(dtype, np.unsignedinteger):
        keys = lax.bitwise_xor(keys, lax.full_like(keys, np.iinfo(keys.dtype).min))
        return lax.bitcast_convert_type(keys, dtype)
    return keys

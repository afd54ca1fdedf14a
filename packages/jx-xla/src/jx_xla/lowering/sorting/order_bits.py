"""Integers and floats of 32 bits that are in the order of one another.

A float's bits count upwards from 0, and downwards where the sign bit is set: with all the others
inverted there, they are integers in the floats' total order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import ShapedArray
from jx_core.dtypes import issubdtype

from ..builder import Block, Value
from ..elementwise import binary, compare, convert
from ..types import tensor, type_of

BIT = ShapedArray((), np.dtype(np.bool_))
_INT32, _FLOAT32 = np.dtype(np.int32), np.dtype(np.float32)


def floats_in_order(block: Block, x: Value, aval: ShapedArray, dtype: Any) -> Value:
    """Integers of 32 bits as the float32 numbers whose total order is theirs."""
    signed = aval.update(dtype=_INT32)
    x = _signed(block, x, aval)
    return bitcast(block, _turned(block, x, signed), signed, _FLOAT32)


def integers_in_order(block: Block, x: Value, aval: ShapedArray, dtype: Any) -> Value:
    """The inverse of `floats_in_order`, to integers of `dtype`."""
    signed = aval.update(dtype=_INT32)
    x = _turned(block, bitcast(block, x, aval, _INT32), signed)
    if dtype == np.uint32:
        x = _other_half(block, bitcast(block, x, signed, dtype), aval.update(dtype=dtype))
    return x


def sort_key(block: Block, x: Value, aval: ShapedArray) -> Value:
    """Elements of at most 32 bits as int32 in the order of sorting: one zero, one NaN, last."""
    if not issubdtype(aval.dtype, np.floating):
        if aval.dtype == np.uint32:
            return _signed(block, x, aval)
        return convert(block, x, aval, _INT32)
    x, aval = convert(block, x, aval, _FLOAT32), aval.update(dtype=_FLOAT32)
    x = canonical_float(block, x, aval)
    signed = aval.update(dtype=_INT32)
    return _turned(block, bitcast(block, x, aval, _INT32), signed)


def canonical_float(block: Block, x: Value, aval: ShapedArray) -> Value:
    """A float whose total order is the order of sorting: one zero, one NaN, which comes last."""
    kind, bits = type_of(aval), tensor(aval.shape, BIT.dtype)
    for number, how, other in ((0.0, "EQ", None), (np.nan, "NE", x)):
        constant = block.constant(number, aval.dtype, aval.shape)
        found = compare(block, x, constant if other is None else x, aval, how)
        x = block.op("stablehlo.select", (found, constant, x), (bits, kind, kind), kind)
    return x


def bitcast(block: Block, x: Value, aval: ShapedArray, dtype: Any) -> Value:
    """The same bits as another dtype of as many."""
    if aval.dtype == dtype:
        return x
    out = type_of(aval.update(dtype=dtype))
    return block.op("stablehlo.bitcast_convert", (x,), (type_of(aval),), out)


def _signed(block: Block, x: Value, aval: ShapedArray) -> Value:
    """Integers of 32 bits as int32 in the same order."""
    if aval.dtype == np.uint32:
        x = bitcast(block, _other_half(block, x, aval), aval, _INT32)
    return x


def _other_half(block: Block, x: Value, aval: ShapedArray) -> Value:
    """uint32 with the highest bit inverted."""
    return binary(block, "xor", x, block.constant(2**31, aval.dtype, aval.shape), aval)


def _turned(block: Block, x: Value, aval: ShapedArray) -> Value:
    """int32 with the bits below the sign bit inverted where that is set; its own inverse."""
    places, rest = (block.constant(n, aval.dtype, aval.shape) for n in (31, 2**31 - 1))
    sign = binary(block, "shift_right_arithmetic", x, places, aval)
    return binary(block, "xor", x, binary(block, "and", sign, rest, aval), aval)

"""Integers and floats that are in the order of one another.

A float's bits count upwards from 0, and downwards where the sign bit is set: with all the others
inverted there, they are integers in the floats' total order. Working on bits keeps numbers so
small that processors take them for zero apart, and NaNs as they are.
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


def floats_in_order(block: Block, x: Value, aval: ShapedArray) -> Value:
    """float32 numbers whose total order is that of the elements, of at most 32 bits."""
    signed = aval.update(dtype=_INT32)
    if aval.dtype == np.uint32:
        x = bitcast(block, _other_half(block, x, aval), aval, _INT32)
    elif aval.dtype.itemsize == 2 and issubdtype(aval.dtype, np.floating):
        short = aval.update(dtype=np.dtype(np.int16))
        x = _turned(block, bitcast(block, x, aval, short.dtype), short)
        x = convert(block, x, short, _INT32)
    elif aval.dtype != _INT32:  # few enough numbers to be exact as floats
        return convert(block, x, aval, _FLOAT32)
    return bitcast(block, _turned(block, x, signed), signed, _FLOAT32)


def from_floats_in_order(block: Block, x: Value, aval: ShapedArray, dtype: Any) -> Value:
    """The inverse of `floats_in_order`, to elements of `dtype`."""
    short = dtype.itemsize == 2 and issubdtype(dtype, np.floating)
    if not (short or dtype in (_INT32, np.uint32)):
        return convert(block, x, aval, dtype)
    signed = aval.update(dtype=_INT32)
    x = _turned(block, bitcast(block, x, aval, _INT32), signed)
    if short:
        narrow = aval.update(dtype=np.dtype(np.int16))
        x = _turned(block, convert(block, x, signed, narrow.dtype), narrow)
        return bitcast(block, x, narrow, dtype)
    if dtype == np.uint32:
        return _other_half(block, bitcast(block, x, signed, dtype), aval.update(dtype=dtype))
    return x


def sort_key(block: Block, x: Value, aval: ShapedArray) -> tuple[Value, ShapedArray]:
    """Elements as integers in the order of sorting, and their type.

    Of floats, both zeros are one, and NaNs are one that comes last.
    """
    if not issubdtype(aval.dtype, np.floating):
        return x, aval
    if aval.dtype.itemsize == 1:
        x, aval = convert(block, x, aval, _FLOAT32), aval.update(dtype=_FLOAT32)
    infinity = np.asarray(np.inf, aval.dtype).view(f"i{aval.dtype.itemsize}")[()]
    signed = aval.update(dtype=infinity.dtype)
    bits = bitcast(block, x, aval, signed.dtype)
    most = np.iinfo(infinity.dtype).max
    zero, top, limit = (block.constant(n, signed.dtype, aval.shape) for n in (0, most, infinity))
    size = binary(block, "and", bits, top, signed)
    kind, flags = type_of(signed), tensor(aval.shape, BIT.dtype)
    key = _turned(block, bits, signed)
    for found, value in (
        (compare(block, size, zero, signed, "EQ"), zero),
        (compare(block, size, limit, signed, "GT"), top),
    ):
        key = block.op("stablehlo.select", (found, value, key), (flags, kind, kind), kind)
    return key, signed


def from_sort_key(block: Block, key: Value, aval: ShapedArray, dtype: Any) -> Value:
    """The inverse of `sort_key`, to elements of `dtype`, of at least 16 bits where they are floats.

    `aval` is the key's type. Zeros come back as 0, and NaNs as one of positive sign.
    """
    if not issubdtype(dtype, np.floating):
        return key
    return bitcast(block, _turned(block, key, aval), aval, dtype)


def narrow_sort_key(block: Block, x: Value, aval: ShapedArray) -> Value:
    """`sort_key` of elements of at most 32 bits, as int32."""
    if aval.dtype == np.uint32:
        return bitcast(block, _other_half(block, x, aval), aval, _INT32)
    key, kind = sort_key(block, x, aval)
    return convert(block, key, kind, _INT32)


def bitcast(block: Block, x: Value, aval: ShapedArray, dtype: Any) -> Value:
    """The same bits as another dtype of as many."""
    if aval.dtype == dtype:
        return x
    out = type_of(aval.update(dtype=dtype))
    return block.op("stablehlo.bitcast_convert", (x,), (type_of(aval),), out)


def _other_half(block: Block, x: Value, aval: ShapedArray) -> Value:
    """uint32 with the highest bit inverted: as int32, its order is that of the numbers."""
    return binary(block, "xor", x, block.constant(2**31, aval.dtype, aval.shape), aval)


def _turned(block: Block, x: Value, aval: ShapedArray) -> Value:
    """Signed integers with the bits below the sign bit inverted where that is set.

    It is its own inverse.
    """
    info = np.iinfo(aval.dtype)
    places, rest = (block.constant(n, aval.dtype, aval.shape) for n in (info.bits - 1, info.max))
    sign = binary(block, "shift_right_arithmetic", x, places, aval)
    return binary(block, "xor", x, binary(block, "and", sign, rest, aval), aval)

"""The threefry generator: a block cipher on counters, and keys and bits made with it.

Threefry-2x32 with 20 rounds: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy
as 1, 2, 3" (SC 2011). It maps a key and a counter, two words each, to two random words, so
that any part of a stream of bits can be computed by itself.

Which counters give which bits is part of the specification: results are those of JAX, in
both of its layouts. In the partitionable one (the default) the bits of an element depend on
its index only; in the other they depend on the size of the array too.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ...aval import ShapedArray, typeof
from ...config import threefry_partitionable
from ...primitive import Primitive
from ..elementwise import (
    add,
    bitwise_or,
    bitwise_xor,
    convert,
    lt,
    mul,
    mulhi,
    shift_left,
    shift_right_logical,
)
from ..indexing import index_in_dim, slice_in_dim
from ..kit import result_shape
from ..shape import (
    broadcast_in_dim,
    broadcasted_iota,
    concatenate,
    dim_as_value,
    full,
    iota,
    reshape,
)
from .keys import PRNGImpl, register_prng_impl

__all__ = ["threefry2x32_p"]

Shape = tuple[int, ...]
Words = tuple[Any, Any]

_UINT32 = np.dtype(np.uint32)
_PARITY = np.uint32(0x1BD11BDA)
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


# --- the cipher ---


def _cipher(
    k0: Any,
    k1: Any,
    x0: Any,
    x1: Any,
    *,
    add: Callable[[Any, Any], Any],
    xor: Callable[[Any, Any], Any],
    rotate: Callable[[Any, int], Any],
) -> Words:
    """Threefry-2x32, given the operations on 32-bit words to do it with."""
    schedule = (k0, k1, xor(xor(k0, k1), _PARITY))
    x0, x1 = add(x0, k0), add(x1, k1)
    for group in range(5):
        for distance in _ROTATIONS[group % 2]:
            x0 = add(x0, x1)
            x1 = xor(rotate(x1, distance), x0)
        x0 = add(x0, schedule[(group + 1) % 3])
        x1 = add(add(x1, schedule[(group + 2) % 3]), np.uint32(group + 1))
    return x0, x1


def _rotate_ndarray(x: np.ndarray, distance: int) -> Any:
    return (x << np.uint32(distance)) | (x >> np.uint32(32 - distance))


def _rotate(x: Any, distance: int) -> Any:
    return bitwise_or(
        shift_left(x, np.uint32(distance)), shift_right_logical(x, np.uint32(32 - distance))
    )


def _threefry2x32_type(
    k0: ShapedArray, k1: ShapedArray, x0: ShapedArray, x1: ShapedArray
) -> list[ShapedArray]:
    operands = (k0, k1, x0, x1)
    if any(a.dtype != _UINT32 for a in operands):
        got = ", ".join(a.str_short() for a in operands)
        raise TypeError(f"Arguments to threefry2x32 must have uint32 type, got {got}")
    return [ShapedArray(result_shape("threefry2x32", operands), _UINT32)] * 2


def _threefry2x32(*words: np.ndarray) -> Words:
    shape = np.broadcast_shapes(*(w.shape for w in words))
    flat = [np.broadcast_to(w, shape).reshape(-1) for w in words]  # scalars would warn of overflow
    y0, y1 = _cipher(*flat, add=np.add, xor=np.bitwise_xor, rotate=_rotate_ndarray)
    return y0.reshape(shape), y1.reshape(shape)


def _threefry2x32_in_steps(*words: Any) -> list[Any]:
    return list(_cipher(*words, add=add, xor=bitwise_xor, rotate=_rotate))


# Operands: the key's two words and the counter's two. Elementwise; results as long as they are.
threefry2x32_p = Primitive(
    "threefry2x32",
    abstract=_threefry2x32_type,
    reference=_threefry2x32,
    decompose=_threefry2x32_in_steps,
    multiple_results=True,
)


def threefry_2x32(keypair: Any, count: Any) -> Any:
    """The random words for counters, enciphered in pairs of the first and the second half.

    Args:
        keypair: a key's words, of shape (*keys, 2).
        count: uint32 of any shape.

    Returns:
        uint32 of shape (*keys, *count.shape).

    Raises:
        TypeError: an argument is not uint32.

    >>> threefry_2x32(np.zeros(2, np.uint32), np.arange(2, dtype=np.uint32)).tolist()
    [928981903, 3453687069]
    """
    shape = typeof(count).shape
    n = math.prod(shape)
    flat = reshape(count, (n,))
    if n % 2:
        flat = concatenate([flat, np.zeros(1, np.uint32)], 0)
    half = (n + 1) // 2
    counters = slice_in_dim(flat, 0, half), slice_in_dim(flat, half, 2 * half)
    y0, y1 = _encipher(keypair, counters, (half,))
    both = concatenate([y0, y1], typeof(y0).ndim - 1)
    result = slice_in_dim(both, 0, n, axis=-1) if n % 2 else both
    return reshape(result, (*typeof(keypair).shape[:-1], *shape))


# --- keys ---


def _encipher(key_words: Any, counters: Words, shape: Shape) -> Words:
    """Each key applied to all counters (arrays of `shape` or scalars): (*keys, *shape) twice."""
    keys = typeof(key_words).shape[:-1]
    k0, k1 = _word(key_words, 0), _word(key_words, 1)
    if keys and shape:
        full_shape = (*keys, *shape)
        axes = tuple(range(len(keys)))
        k0, k1 = (broadcast_in_dim(k, full_shape, axes) for k in (k0, k1))
        counters = tuple(
            broadcast_in_dim(c, full_shape, tuple(range(len(keys), len(full_shape))))
            if typeof(c).shape
            else c
            for c in counters
        )
    y0, y1 = threefry2x32_p.bind(k0, k1, *counters)
    return y0, y1


def _word(words: Any, i: int) -> Any:
    return index_in_dim(words, i, -1, keepdims=False)


def _stacked(first: Any, second: Any) -> Any:
    """Two arrays of words side by side along a new last axis."""
    shape = typeof(first).shape
    columns = [broadcast_in_dim(w, (*shape, 1), tuple(range(len(shape)))) for w in (first, second)]
    return concatenate(columns, len(shape))


def _seed(seeds: Any) -> Any:
    aval = typeof(seeds)
    low = convert(seeds, _UINT32)
    if aval.dtype.itemsize == 8:
        high = convert(shift_right_logical(seeds, np.asarray(32, aval.dtype)[()]), _UINT32)
    else:
        high = full(aval.shape, np.uint32(0))
    return _stacked(high, low)


def _fold_in(words: Any, data: Any) -> Any:
    y0, y1 = threefry2x32_p.bind(_word(words, 0), _word(words, 1), np.uint32(0), data)
    return _stacked(y0, y1)


def _split(words: Any, shape: Shape) -> Any:
    if threefry_partitionable.value:
        return _stacked(*_encipher(words, index_words(shape), shape))
    flat = threefry_2x32(words, iota(_UINT32, 2 * math.prod(shape)))
    return reshape(flat, (*typeof(words).shape[:-1], *shape, 2))


# --- counters ---


def index_words(shape: Shape) -> Words:
    """The row-major index of every element of an array, as two words, the higher one first.

    Made of counts along each axis, not of one long count, so that a back end that divides the
    array among devices has each of them count its own part.
    """
    strides = list(itertools.accumulate(reversed(shape[1:]), operator.mul, initial=1))[::-1]
    axes = [a for a, n in enumerate(shape) if type(n) is not int or n > 1]
    if not axes:
        zeros = full(shape, np.uint32(0)) if shape else np.uint32(0)
        return np.uint32(0), zeros
    counts = [broadcasted_iota(_UINT32, shape, a) for a in axes]
    return linear_words(counts, [strides[a] for a in axes], wide=not _fits(math.prod(shape)))


def _fits(count: Any) -> bool:
    """Whether a count fits one word, as is taken for granted of symbolic ones."""
    return type(count) is not int or count <= 2**32


def linear_words(counts: list[Any], strides: list[int], wide: bool) -> Words:
    """The sum of counts times strides as two words; the higher one is 0 unless `wide`."""
    high: Any = np.uint32(0)
    low: Any = None
    for count, stride in zip(counts, strides, strict=True):
        if type(stride) is not int:  # a symbolic dimension: counts fit one word
            term = mul(count, convert(dim_as_value(stride), _UINT32))
            low = term if low is None else add(low, term)
            continue
        upper, lower = np.uint32(stride >> 32), np.uint32(stride & 0xFFFFFFFF)
        term = mul(count, lower) if stride != 1 else count
        total = term if low is None else add(low, term)
        if wide:
            # What overflows the lower word: in the product, and in the sum.
            high = add(high, add(mul(count, upper), mulhi(count, lower)))
            if low is not None:
                high = add(high, convert(lt(total, term), _UINT32))
        low = total
    return high, low


# --- bits ---


def _random_bits(words: Any, bit_width: int, shape: Shape) -> Any:
    if not threefry_partitionable.value:
        return _random_bits_in_one_stream(words, bit_width, shape)
    y0, y1 = _encipher(words, index_words(shape), shape)
    if bit_width == 64:
        return joined(y0, y1)
    return convert(bitwise_xor(y0, y1), np.dtype(f"uint{bit_width}"))


def joined(high: Any, low: Any) -> Any:
    """Pairs of words as unsigned integers of 64 bits."""
    uint64 = np.dtype(np.uint64)
    return bitwise_or(shift_left(convert(high, uint64), np.uint64(32)), convert(low, uint64))


def _random_bits_in_one_stream(words: Any, bit_width: int, shape: Shape) -> Any:
    keys = typeof(words).shape[:-1]
    size = math.prod(shape)
    count = -(-size * bit_width // 32)
    if count >= 2**32:
        raise ValueError(
            f"random_bits: an array of shape {shape} needs {count} counters, more than 32 bits "
            f"hold; enable the option threefry_partitionable"
        )
    bits = threefry_2x32(words, iota(_UINT32, count))
    if bit_width == 64:
        bits = joined(
            slice_in_dim(bits, 0, size, axis=-1), slice_in_dim(bits, size, None, axis=-1)
        )
    elif bit_width < 32:
        pieces = 32 // bit_width
        spread = broadcast_in_dim(bits, (*keys, count, pieces), tuple(range(len(keys) + 1)))
        offsets = mul(
            broadcasted_iota(_UINT32, (*keys, count, pieces), len(keys) + 1), np.uint32(bit_width)
        )
        parts = convert(shift_right_logical(spread, offsets), np.dtype(f"uint{bit_width}"))
        bits = slice_in_dim(reshape(parts, (*keys, count * pieces)), 0, size, axis=-1)
    return reshape(bits, (*keys, *shape))


threefry_prng_impl = register_prng_impl(
    PRNGImpl((2,), _seed, _split, _random_bits, _fold_in, name="threefry2x32", tag="fry")
)

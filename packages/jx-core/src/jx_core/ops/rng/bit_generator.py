"""Random bits from a state: `rng_bit_generator`, with the bits that XLA's generators give.

A state is 128 bits, four words of 32 or two of 64, the lower ones first: a key of 64 bits,
then a count of 64. Counting on from there, blocks of bits are what a cipher makes of the key
and the count. The ciphers are those of Salmon, Moraes, Dror and Shaw, "Parallel random
numbers: as easy as 1, 2, 3" (SC 2011): Philox-4x32 with 10 rounds, whose counter of 128 bits
has the state's count below and its key above, and Threefry-2x32 with 20.

What is written here in `lax` functions is what the bits are: in NumPy, and wherever the states
are more than one. XLA has an operation for a single one.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...primitive import Primitive
from ..axes import canonical_shape, check_sizes, refuse_sharding
from ..elementwise import (
    add,
    bitcast_convert_type,
    bitwise_or,
    bitwise_xor,
    convert,
    lt,
    mul,
    mulhi,
)
from ..indexing import index_in_dim, slice_in_dim
from ..shape import broadcast_in_dim, concatenate, expand_dims, full, reshape
from .threefry import Words, index_words, joined, threefry2x32_p

__all__ = ["RandomAlgorithm", "rng_bit_generator", "rng_bit_generator_p"]

Shape = tuple[int, ...]

_UINT32, _UINT64 = np.dtype(np.uint32), np.dtype(np.uint64)
_WIDTHS = (8, 16, 32, 64)


class RandomAlgorithm(enum.IntEnum):
    """The generators of `rng_bit_generator`.

    RNG_DEFAULT is the platform's own: Philox in NumPy, on CPUs and GPUs; a TPU has another.
    RNG_THREE_FRY is Threefry-2x32, RNG_PHILOX is Philox-4x32.

    >>> state = np.uint32([0, 1, 2, 3])
    >>> _, bits = rng_bit_generator(state, (2,), algorithm=RandomAlgorithm.RNG_PHILOX)
    >>> bits.shape, bits.dtype
    ((2,), dtype('uint32'))
    """

    RNG_DEFAULT = 0
    RNG_THREE_FRY = 1
    RNG_PHILOX = 2

    __str__ = enum.Enum.__str__


def _rng_bit_generator_type(
    key: ShapedArray, *, shape: Shape, dtype: Any, algorithm: RandomAlgorithm
) -> list[ShapedArray]:
    words = {_UINT32: 4, _UINT64: 2}.get(key.dtype)
    if words is None:
        raise TypeError(
            f"rng_bit_generator: the key must be uint32 or uint64, got {key.str_short()}"
        )
    if key.shape[-1:] != (words,):
        raise ShapeError(
            f"rng_bit_generator: a {key.dtype.name} key must have shape ({words},), got {key.shape}"
        )
    if dtype not in [np.dtype(f"uint{w}") for w in _WIDTHS]:
        raise TypeError(
            f"rng_bit_generator: unsupported dtype {dtype}; bits come as uint8, uint16, uint32 or "
            f"uint64"
        )
    check_sizes("rng_bit_generator", shape)
    return [key.strip_weak_type(), ShapedArray((*key.shape[:-1], *shape), dtype)]


def _rng_bit_generator(
    key: Any, *, shape: Shape, dtype: Any, algorithm: RandomAlgorithm
) -> list[Any]:
    batch = typeof(key).shape[:-1]
    wide = typeof(key).dtype == _UINT64
    words = reshape(bitcast_convert_type(key, _UINT32), (*batch, 4)) if wide else key
    states = [index_in_dim(words, i, -1, keepdims=False) for i in range(4)]
    generate = _threefry if algorithm == RandomAlgorithm.RNG_THREE_FRY else _philox
    drawn = np.dtype(_UINT64 if dtype == _UINT64 else _UINT32)
    bits, blocks = generate(states, shape, drawn)
    upper, lower = np.uint32(blocks >> 32), np.uint32(blocks & 0xFFFFFFFF)
    states[2:] = _sum(states[2:], [lower, upper])
    new = _stacked(states, len(batch))
    new = bitcast_convert_type(reshape(new, (*batch, 2, 2)), _UINT64) if wide else new
    return [new, convert(bits, dtype)]


# Params: shape, the result's; dtype, an unsigned integer dtype; algorithm, a RandomAlgorithm.
# The key may have axes in front, of keys that each give bits of `shape`.
rng_bit_generator_p = Primitive(
    "rng_bit_generator",
    abstract=_rng_bit_generator_type,
    decompose=_rng_bit_generator,
    multiple_results=True,
)


def rng_bit_generator(
    key: Any,
    shape: Sequence[int],
    dtype: Any = np.uint32,
    algorithm: RandomAlgorithm = RandomAlgorithm.RNG_DEFAULT,
    *,
    out_sharding: Any = None,
) -> tuple[Any, Any]:
    """Uniform random bits and the state to go on from.

    `jx.random` is the interface to use: its keys can be split. With a key of the generator
    `rbg` it draws its bits here. Under `vmap` every key of a batch gives its own bits.

    Args:
        key: the state, uint32 of shape (4,) or uint64 of shape (2,).
        shape: the shape of the bits.
        dtype: uint8, uint16, uint32 or, where 64-bit dtypes are enabled, uint64.
        algorithm: a `RandomAlgorithm`.
        out_sharding: None.

    Returns:
        The next state and the bits.

    Raises:
        TypeError: another dtype of the key or for the bits, or an unknown algorithm.
        ShapeError: a key of another shape, or a negative length.

    >>> state, bits = rng_bit_generator(np.uint32([1, 2, 3, 4]), (5,))
    >>> state.tolist(), bits.tolist()[:2]
    ([1, 2, 5, 4], [512747620, 1298009047])
    """
    if out_sharding is not None:
        refuse_sharding("rng_bit_generator", "out_sharding", out_sharding)
    if not isinstance(algorithm, RandomAlgorithm):
        try:
            algorithm = RandomAlgorithm(algorithm)
        except ValueError:
            raise TypeError(
                f"rng_bit_generator: algorithm must be a RandomAlgorithm, got {algorithm!r}"
            ) from None
    if typeof(key).ndim != 1:
        raise ShapeError(
            f"rng_bit_generator: the key must have one axis, got shape {typeof(key).shape}; "
            f"jx.vmap takes a batch of keys"
        )
    state, bits = rng_bit_generator_p.bind(
        key,
        shape=canonical_shape("rng_bit_generator", shape),
        dtype=dtypes.requested_dtype(dtype, "rng_bit_generator"),
        algorithm=algorithm,
    )
    return state, bits


# --- words ---


def _sum(numbers: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    """The sum of two numbers given by their words, the lower ones first, without the overflow."""
    total, carry = [], None
    for x, y in zip(numbers, others, strict=True):
        s = add(x, y)
        over = lt(s, y)
        if carry is not None:
            s = add(s, convert(carry, _UINT32))
            over = bitwise_or(over, lt(s, convert(carry, _UINT32)))
        total.append(s)
        carry = over
    return total


def _stacked(parts: Sequence[Any], axis: int) -> Any:
    return concatenate([expand_dims(p, (axis,)) for p in parts], axis)


def _over(words: Sequence[Any], counts: Words, shape: Shape) -> tuple[list[Any], list[Any]]:
    """Words of states and counts (arrays of `shape`) brought to the shape of states by counts.

    Returns:
        The words, and the count from its lower word up, filled to as many words.
    """
    batch = typeof(words[0]).shape
    both = (*batch, *shape)
    spread = [broadcast_in_dim(w, both, tuple(range(len(batch)))) for w in words]
    high, low = counts
    axes = tuple(range(len(batch), len(both)))
    known = [broadcast_in_dim(c, both, axes) if typeof(c).shape else c for c in (low, high)]
    return spread, [*known, *[np.uint32(0)] * (len(words) - 2)]


# --- generators ---
#
# Each gives bits of shape (*batch, *shape), as uint32 or uint64, and how many blocks they took.


def _philox(states: list[Any], shape: Shape, dtype: Any) -> tuple[Any, int]:
    batch = typeof(states[0]).shape
    size = math.prod(shape)
    words = size * (2 if dtype == _UINT64 else 1)
    blocks = -(-words // 4)
    if not blocks:
        return full((*batch, *shape), dtype.type(0)), 0
    start = [states[i] for i in (2, 3, 0, 1)]
    spread, counts = _over(start, index_words((blocks,)), (blocks,))
    outs = _philox4x32(spread[2:], _sum(spread, counts))
    flat = reshape(_stacked(outs, len(batch) + 1), (*batch, 4 * blocks))
    flat = slice_in_dim(flat, 0, words, axis=-1)
    if dtype == _UINT64:
        pairs = reshape(flat, (*batch, size, 2))
        low, high = (index_in_dim(pairs, i, -1, keepdims=False) for i in range(2))
        flat = joined(high, low)
    return reshape(flat, (*batch, *shape)), blocks


_MULTIPLIERS = (np.uint32(0xD2511F53), np.uint32(0xCD9E8D57))
_KEY_STEPS = (np.uint32(0x9E3779B9), np.uint32(0xBB67AE85))


def _philox4x32(key: Sequence[Any], counter: Sequence[Any]) -> tuple[Any, ...]:
    """Philox-4x32 with 10 rounds: four words from two of a key and four of a counter."""
    k0, k1 = key
    x0, x1, x2, x3 = counter
    for _ in range(10):
        high0, low0 = mulhi(x0, _MULTIPLIERS[0]), mul(x0, _MULTIPLIERS[0])
        high1, low1 = mulhi(x2, _MULTIPLIERS[1]), mul(x2, _MULTIPLIERS[1])
        x0, x1 = bitwise_xor(bitwise_xor(high1, x1), k0), low1
        x2, x3 = bitwise_xor(bitwise_xor(high0, x3), k1), low0
        k0, k1 = add(k0, _KEY_STEPS[0]), add(k1, _KEY_STEPS[1])
    return x0, x1, x2, x3


def _threefry(states: list[Any], shape: Shape, dtype: Any) -> tuple[Any, int]:
    batch = len(typeof(states[0]).shape)
    axis, half = (0, shape) if dtype == _UINT64 else _halved(shape)
    blocks = math.prod(half)
    if not blocks:
        return full((*typeof(states[0]).shape, *shape), dtype.type(0)), 0
    spread, counts = _over(states[2:], index_words(half), half)
    keys, _ = _over(states[:2], index_words(half), half)
    first, second = threefry2x32_p.bind(*keys, *_sum(spread, counts))
    if dtype == _UINT64:
        return joined(second, first), blocks
    both = _stacked((first, second), batch + axis + 1)
    doubled = [*typeof(first).shape]
    doubled[batch + axis] *= 2
    both = reshape(both, tuple(doubled))
    if shape:
        both = slice_in_dim(both, 0, shape[axis], axis=batch + axis)
        return both, blocks
    return index_in_dim(both, 0, batch, keepdims=False), blocks


def _halved(shape: Shape) -> tuple[int, Shape]:
    """The axis along which the two words of a block lie side by side, and the shape of blocks:
    the first axis of even length, or else the first of the longest ones."""
    if not shape:
        return 0, (1,)
    even = [d for d, n in enumerate(shape) if n % 2 == 0]
    axis = even[0] if even else shape.index(max(shape))
    return axis, (*shape[:axis], -(-shape[axis] // 2), *shape[axis + 1 :])

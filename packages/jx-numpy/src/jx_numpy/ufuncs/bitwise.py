"""The bits of integers: logic, shifts, counting and packing."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import compiled, lax, operators
from jx_core.errors import ShapeError

from .. import reductions
from ..functions import array_function
from ..operands import Array, ArrayLike, a_dtype, as_operand, one_axis, to_dtype, typeof
from .ufunc import ufunc

__all__ = [
    "bitwise_and", "bitwise_count", "bitwise_invert", "bitwise_left_shift", "bitwise_not",
    "bitwise_or", "bitwise_right_shift", "bitwise_xor", "invert", "left_shift", "packbits",
    "right_shift", "unpackbits",
]  # fmt: skip


def _bit_reduction(name: str, reduce: Any, combine: Any) -> Any:
    """The reduction of `ufunc.reduce` by a primitive that reduces bits."""

    def reduction(a: Any, axis: Any, dtype: Any, keepdims: bool, initial: Any, where: Any) -> Array:
        return reductions.reduce_by(
            f"{name}.reduce", reduce, combine, _BITS_IDENTITY[name], a, axis, keepdims, initial,
            where, dtype=None if dtype is None else a_dtype(f"{name}.reduce", dtype),
        )  # fmt: skip

    return reduction


_BITS_IDENTITY = {"bitwise_and": -1, "bitwise_or": 0, "bitwise_xor": 0}

bitwise_and = ufunc(
    operators.bitwise_and,
    "bitwise_and",
    identity=-1,
    reduction=_bit_reduction("bitwise_and", lax.reduce_and, lax.bitwise_and),
)
bitwise_or = ufunc(
    operators.bitwise_or,
    "bitwise_or",
    identity=0,
    reduction=_bit_reduction("bitwise_or", lax.reduce_or, lax.bitwise_or),
)
bitwise_xor = ufunc(
    operators.bitwise_xor,
    "bitwise_xor",
    identity=0,
    reduction=_bit_reduction("bitwise_xor", lax.reduce_xor, lax.bitwise_xor),
)
invert = bitwise_not = bitwise_invert = compiled(operators.invert)
left_shift = bitwise_left_shift = compiled(operators.left_shift)
right_shift = bitwise_right_shift = compiled(operators.right_shift)


@compiled
def bitwise_count(x: ArrayLike, /) -> Array:
    """The number of bits set in the absolute value of each element.

    Args:
        x: an array of integers or booleans.

    Returns:
        An array of uint8.

    Raises:
        TypeError: `x` is of another dtype.

    >>> jnp.bitwise_count(jnp.array([7, -8]))
    Array([3, 1], dtype=uint8)
    """
    x = as_operand("bitwise_count", x)
    if typeof(x).dtype == np.bool_:
        return to_dtype(x, np.dtype(np.uint8))
    counts = lax.population_count(operators.absolute(x))
    return lax.convert_element_type(counts, np.uint8)


def _check_order(name: str, bitorder: str) -> None:
    if bitorder not in ("big", "little"):
        raise ValueError(f"jnp.{name}: bitorder must be 'big' or 'little', got {bitorder!r}")


def _places(bitorder: str, shape: tuple[int, ...]) -> np.ndarray:
    """How far each of eight bits is shifted, along the last axis of `shape`."""
    shifts = np.arange(8, dtype=np.uint8)
    shifts = shifts[::-1] if bitorder == "big" else shifts
    return np.broadcast_to(shifts, shape)


@array_function("axis", "bitorder")
def packbits(a: ArrayLike, axis: int | None = None, bitorder: str = "big") -> Array:
    """Groups of eight truth values as the bits of bytes.

    Args:
        a: an array of integers or booleans, true where not zero.
        axis: the axis along which to pack; None packs the flattened array. The last group is
            filled up with zeros.
        bitorder: whether the first of eight is the highest (`big`) or lowest (`little`) bit.

    Returns:
        An array of uint8.

    Raises:
        TypeError: `a` is of floats.
        ValueError: `bitorder` is neither.

    >>> jnp.packbits(jnp.array([1, 0, 0, 0, 0, 0, 1, 1]))
    Array([131], dtype=uint8)
    """
    _check_order("packbits", bitorder)
    x = as_operand("packbits", a)
    if typeof(x).dtype.kind not in "bui":
        raise TypeError(f"jnp.packbits takes integers or booleans, got {typeof(x).dtype.name}")
    bits = to_dtype(operators.not_equal(x, 0), np.dtype(np.uint8))
    if axis is None:
        bits, axis = lax.reshape(bits, (typeof(bits).size,)), 0
    shape = typeof(bits).shape
    axis = one_axis("packbits", axis, len(shape))
    missing = -shape[axis] % 8
    edges = [(0, missing if i == axis else 0, 0) for i in range(len(shape))]
    bits = lax.pad(bits, np.uint8(0), edges)
    last = len(shape) - 1
    order = (*[i for i in range(len(shape)) if i != axis], axis)
    bits = lax.transpose(bits, order)
    groups = (*typeof(bits).shape[:-1], (shape[axis] + missing) // 8, 8)
    bits = lax.reshape(bits, groups)
    packed = lax.reduce_sum(lax.shift_left(bits, _places(bitorder, groups)), (len(groups) - 1,))
    return _move_last(packed, axis, last)


def _move_last(x: Array, axis: int, last: int) -> Array:
    """The array with its last axis moved to where `axis` says."""
    order = list(range(last))
    order.insert(axis, last)
    return lax.transpose(x, tuple(order))


@array_function("axis", "count", "bitorder")
def unpackbits(
    a: ArrayLike, axis: int | None = None, count: int | None = None, bitorder: str = "big"
) -> Array:
    """The bits of bytes as zeros and ones.

    Args:
        a: an array of uint8.
        axis: the axis along which to unpack; None unpacks the flattened array.
        count: how many bits to give; all if None, all but as many from the end if negative,
            zeros filling up what is missing.
        bitorder: whether the highest (`big`) or the lowest (`little`) bit comes first.

    Returns:
        An array of uint8.

    Raises:
        TypeError: `a` is not of uint8.
        ValueError: `bitorder` is neither.

    >>> jnp.unpackbits(jnp.array([131], dtype=jnp.uint8))
    Array([1, 0, 0, 0, 0, 0, 1, 1], dtype=uint8)
    """
    _check_order("unpackbits", bitorder)
    x = as_operand("unpackbits", a)
    if typeof(x).dtype != np.uint8:
        raise TypeError(f"jnp.unpackbits takes an array of uint8, got {typeof(x).dtype.name}")
    if axis is None:
        x, axis = lax.reshape(x, (typeof(x).size,)), 0
    shape = typeof(x).shape
    axis = one_axis("unpackbits", axis, len(shape))
    last = len(shape) - 1
    x = lax.transpose(x, (*[i for i in range(len(shape)) if i != axis], axis))
    x = lax.expand_dims(x, (last + 1,))
    wide = (*typeof(x).shape[:-1], 8)
    x = lax.broadcast_in_dim(x, wide, tuple(range(len(wide))))
    bits = lax.bitwise_and(lax.shift_right_logical(x, _places(bitorder, wide)), np.uint8(1))
    total = wide[-2] * 8
    bits = lax.reshape(bits, (*wide[:-2], total))
    if count is not None:
        wanted = count if count >= 0 else total + count
        if wanted < 0:
            raise ShapeError(f"jnp.unpackbits: count is {count}, of {total} bits")
        edges = [(0, 0, 0)] * last + [(0, wanted - total, 0)]
        bits = lax.pad(bits, np.uint8(0), edges)
    return _move_last(bits, axis, last)

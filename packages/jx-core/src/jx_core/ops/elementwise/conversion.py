"""Changing what elements are made of: dtypes, bit patterns, complex parts, precision.

Conversion of floats to integers truncates and saturates, with NaN going to 0, as XLA's
does; NumPy leaves those cases undefined.
"""

from __future__ import annotations

import warnings
from typing import Any

import ml_dtypes
import numpy as np

from ... import dtypes
from ...aval import ShapedArray, typeof
from ...errors import KeyTypeError, ShapeError
from ...primitive import Primitive
from ..kit import (
    Array,
    ArrayLike,
    any_or_key,
    check_kind,
    elementwise,
    floating,
    pair,
    real_dtype,
)

__all__ = [
    "bitcast_convert_type", "bitcast_convert_type_p", "complex", "complex_p", "conj", "conj_p",
    "convert_element_type", "convert_element_type_p", "copy_p", "dtype", "imag", "imag_p", "real",
    "real_p", "reduce_precision", "reduce_precision_p",
]  # fmt: skip


# Conversion of values.


def _convert_type(x: ShapedArray, *, new_dtype: Any, weak_type: bool) -> ShapedArray:
    if new_dtype != x.dtype and any(
        isinstance(d, dtypes.ExtendedDType) for d in (x.dtype, new_dtype)
    ):
        raise KeyTypeError(
            f"Cannot convert_element_type from {x.dtype.name} to {new_dtype.name}; "
            f"jx.random.key_data and jx.random.wrap_key_data go between keys and integers"
        )
    return ShapedArray(x.shape, new_dtype, weak_type)


def _convert(x: np.ndarray, *, new_dtype: Any, weak_type: bool) -> Any:
    return convert_ndarray(x, new_dtype)


def convert_ndarray(x: np.ndarray, new_dtype: Any) -> np.ndarray:
    """The elements of an ndarray as another dtype, as the primitive converts them."""
    if x.dtype == new_dtype or isinstance(new_dtype, dtypes.ExtendedDType):
        return x
    if new_dtype == np.bool_:
        return np.asarray(x != 0)
    if x.dtype.kind == "c" and new_dtype.kind != "c":
        x = x.real
    if dtypes.issubdtype(new_dtype, np.integer):
        if dtypes.issubdtype(x.dtype, np.floating):
            return _saturate(x.astype(np.float64), new_dtype)
        if x.dtype in dtypes.NARROW_INTS:
            x = x.astype(np.int8)  # ml_dtypes has no conversion of one of these to another
    elif x.dtype in dtypes.NARROW_INTS or x.dtype in dtypes.NARROW_FLOATS:
        x = x.astype(np.float32)  # ml_dtypes does not convert every pair directly
    return x.astype(new_dtype)


def _saturate(x: np.ndarray, dtype: Any) -> np.ndarray:
    """Doubles as integers of `dtype`, truncated, limited to its range, NaN as 0."""
    info = dtypes.iinfo(dtype)  # type: ignore[no-untyped-call]
    low, high = int(info.min), int(info.max)
    # Both bounds of what fits are exact as doubles: powers of two, or small numbers.
    fits = (x > low - 1.0) & (x < high + 1.0)
    whole = np.where(fits, np.trunc(x), 0).astype(np.uint64 if low == 0 else np.int64)
    limit = np.where(x > 0, np.array(high, whole.dtype), np.array(low, whole.dtype))
    return np.where(fits | np.isnan(x), whole, limit).astype(dtype)


# Params: new_dtype, a canonical dtype object; weak_type of the result.
convert_element_type_p = Primitive(
    "convert_element_type", abstract=_convert_type, reference=_convert
)


def convert(x: ArrayLike, dtype: Any, weak_type: bool = False) -> Array:
    """`x` with the given dtype, a canonical dtype object, and weak type. Never warns.

    Arrays and tracers that have both already are returned as they are.

    Raises:
        TypeError: `x` is not an array or number.
        KeyTypeError: conversion between typed keys and other dtypes.

    >>> convert(np.array([1, 2]), np.dtype("bfloat16"))
    Array([1, 2], dtype=bfloat16)
    """
    aval = getattr(x, "aval", None)
    if aval is not None and aval.dtype == dtype and aval.weak_type == weak_type:
        return x
    return convert_element_type_p.bind(x, new_dtype=dtype, weak_type=weak_type)


def convert_element_type(operand: ArrayLike, new_dtype: Any) -> Array:
    """The elements of an array as another dtype.

    Floats become integers by truncation, limited to the range of the dtype (NaN becomes
    0); integers wrap around; whatever is not 0 becomes True; complex numbers lose their
    imaginary part, with a ComplexWarning.

    Args:
        operand: an array or number.
        new_dtype: the dtype, or its name. 64-bit ones become 32-bit unless enabled.

    Raises:
        TypeError: `operand` is not an array or number, or `new_dtype` is no dtype.
        ValueError: `new_dtype` is None.
        KeyTypeError: one of the dtypes is that of typed keys.

    >>> convert_element_type(np.float32([-1.5, 3e9, np.nan]), np.int32)
    Array([        -1, 2147483647,          0], dtype=int32)
    """
    if new_dtype is None:
        raise ValueError("convert_element_type: dtype must be specified, got None")
    dtype = dtypes.requested_dtype(new_dtype, "convert_element_type")
    old = typeof(operand).dtype
    if dtypes.issubdtype(old, np.complexfloating) and not dtypes.issubdtype(
        dtype, np.complexfloating
    ):
        if dtype != np.bool_:
            warnings.warn(
                f"convert_element_type: converting {old.name} to {dtype.name} discards the "
                f"imaginary part; lax.real says so",
                np.exceptions.ComplexWarning,
                stacklevel=2,
            )
    return convert(operand, dtype)


def dtype(x: Any) -> Any:
    """The dtype of an array or number, or the one that a dtype's description names.

    Args:
        x: an array, a number, a dtype, its name or a scalar type.

    Returns:
        A dtype that arrays can have: 64-bit ones become 32-bit unless enabled.

    Raises:
        ValueError: `x` is None.
        TypeError: `x` has no dtype and is none.

    >>> dtype(1.0), dtype("int8"), dtype(np.zeros(2, np.uint8))
    (dtype('float32'), dtype('int8'), dtype('uint8'))
    """
    if x is None:
        raise ValueError("dtype: an array, number or dtype is needed, got None")
    if isinstance(x, (str, type, np.dtype, dtypes.ExtendedDType)):
        return dtypes.canonicalize_dtype(x, True)
    return dtypes.dtype_of(x)


# Bit patterns.


def _bitcast_type(x: ShapedArray, *, new_dtype: Any) -> ShapedArray:
    if x.dtype == new_dtype:
        return x.strip_weak_type()
    for dtype in (x.dtype, new_dtype):
        if isinstance(dtype, dtypes.ExtendedDType) or dtype.kind in "bc":
            raise TypeError(
                f"lax.bitcast_convert_type does not support bool, complex or key dtypes unless "
                f"operand and destination match, got operand dtype={x.dtype.name}, "
                f"new_dtype={new_dtype.name}"
            )
    old_bits, new_bits = dtypes.itemsize_bits(x.dtype), dtypes.itemsize_bits(new_dtype)
    if old_bits == new_bits:
        return ShapedArray(x.shape, new_dtype)
    if old_bits > new_bits:
        return ShapedArray((*x.shape, old_bits // new_bits), new_dtype)
    if x.shape[-1:] != (new_bits // old_bits,):
        raise ShapeError(
            f"bitcast_convert_type: to go from {x.dtype.name} ({old_bits} bits) to "
            f"{new_dtype.name} ({new_bits} bits) the last axis must have length "
            f"{new_bits // old_bits}, got an operand of shape {x.shape}"
        )
    return ShapedArray(x.shape[:-1], new_dtype)


def _bitcast(x: np.ndarray, *, new_dtype: Any) -> Any:
    if x.dtype == new_dtype:
        return x
    old_bits, new_bits = dtypes.itemsize_bits(x.dtype), dtypes.itemsize_bits(new_dtype)
    octets = np.ascontiguousarray(x)[..., None].view(np.uint8)
    bits = np.unpackbits(octets, axis=-1, bitorder="little")[..., :old_bits]
    shape = x.shape
    if old_bits > new_bits:
        shape = (*shape, old_bits // new_bits)
    elif old_bits < new_bits:
        shape = shape[:-1]
    packed = np.packbits(bits.reshape(*shape, new_bits), axis=-1, bitorder="little")
    if new_bits < 8 and dtypes.issubdtype(new_dtype, np.integer):
        return packed[..., 0].astype(new_dtype)  # fills the rest of the octet as it should be
    return packed.view(new_dtype)[..., 0]


# Params: new_dtype.
bitcast_convert_type_p = Primitive(
    "bitcast_convert_type", abstract=_bitcast_type, reference=_bitcast
)


def bitcast_convert_type(operand: ArrayLike, new_dtype: Any) -> Array:
    """The bits of an array read as another dtype.

    Args:
        operand: integers or floats. Elements wider than the new dtype's give a new last
            axis, the lowest bits first; narrower ones use up the last axis, which must
            have as many elements as make one of the new dtype.
        new_dtype: an integer or float dtype.

    Raises:
        TypeError: booleans, complex numbers or keys, unless nothing changes.
        ShapeError: the last axis has the wrong length.

    >>> bitcast_convert_type(np.float32([1.0]), np.int32)
    Array([1065353216], dtype=int32)
    >>> bitcast_convert_type(np.int32([1]), np.int8)
    Array([[1, 0, 0, 0]], dtype=int8)
    """
    dtype = dtypes.requested_dtype(new_dtype, "bitcast_convert_type")
    return bitcast_convert_type_p.bind(operand, new_dtype=dtype)


# Complex numbers and their parts.

_COMPLEX: dict[Any, Any] = {
    np.dtype("float32"): np.dtype("complex64"),
    np.dtype("float64"): np.dtype("complex128"),
}


def _complex_dtype(dtype: Any) -> Any:
    return _COMPLEX.get(dtype, dtype)


def _join(x: np.ndarray, y: np.ndarray) -> Any:
    result = np.empty(np.broadcast_shapes(x.shape, y.shape), _COMPLEX[x.dtype])
    result.real = x
    result.imag = y
    return result


def _conj_type(x: ShapedArray, *, input_dtype: Any) -> ShapedArray:
    check_kind("conj", x, ("float32", "float64", "complex"))
    return ShapedArray(x.shape, _complex_dtype(x.dtype), x.weak_type)


def _conj(x: np.ndarray, *, input_dtype: Any) -> Any:
    return np.conj(x).astype(_complex_dtype(x.dtype))


real_p = elementwise("real", ("complex",), lambda x: x.real.copy(), result=real_dtype)
imag_p = elementwise("imag", ("complex",), lambda x: x.imag.copy(), result=real_dtype)
complex_p = elementwise("complex", ("float32", "float64"), _join, result=_complex_dtype)
# Params: input_dtype, that of the operand. Real operands give complex results.
conj_p = Primitive("conj", abstract=_conj_type, reference=_conj)


def real(x: ArrayLike) -> Array:
    """The real parts of complex numbers. Raises TypeError for other dtypes.

    >>> real(np.complex64([1 + 2j]))
    Array([1.], dtype=float32)
    """
    return real_p.bind(x)


def imag(x: ArrayLike) -> Array:
    """The imaginary parts of complex numbers. Raises TypeError for other dtypes.

    >>> imag(np.complex64([1 + 2j]))
    Array([2.], dtype=float32)
    """
    return imag_p.bind(x)


def complex(x: ArrayLike, y: ArrayLike) -> Array:
    """The complex numbers with real parts `x` and imaginary parts `y`.

    Args:
        x, y: arrays both of float32 or both of float64, and of one shape; either may be
            a scalar.

    Raises:
        TypeError: the dtypes differ or are others.
        ShapeError: the shapes differ.

    >>> complex(np.float32([1, 2]), 3.0)
    Array([1.+3.j, 2.+3.j], dtype=complex64)
    """
    x, y = pair("complex", x, y)
    return complex_p.bind(x, y)


def conj(x: ArrayLike) -> Array:
    """The complex conjugate; float32 and float64 numbers become complex, too.

    Raises TypeError for other dtypes.

    >>> conj(np.complex64([1 + 2j]))
    Array([1.-2.j], dtype=complex64)
    """
    return conj_p.bind(x, input_dtype=typeof(x).dtype)


# Precision.


def _reduce_precision_type(
    x: ShapedArray, *, exponent_bits: int, mantissa_bits: int
) -> ShapedArray:
    check_kind("reduce_precision", x, floating)
    if exponent_bits < 1:
        raise ValueError(f"reduce_precision: exponent_bits must be positive; got {exponent_bits}")
    if mantissa_bits < 0:
        raise ValueError(
            f"reduce_precision: mantissa_bits must be non-negative; got {mantissa_bits}"
        )
    return x


def _reduce_precision(x: np.ndarray, *, exponent_bits: int, mantissa_bits: int) -> Any:
    if x.dtype in dtypes.NARROW_FLOATS:
        wide = x.astype(np.float32)
        reduced = _reduce_precision(
            wide, exponent_bits=exponent_bits, mantissa_bits=mantissa_bits
        )
        return reduced.astype(x.dtype)
    info = ml_dtypes.finfo(x.dtype)  # type: ignore[no-untyped-call]
    unsigned = np.dtype(f"u{x.dtype.itemsize}")
    bits = x.view(unsigned)
    dropped = info.nmant - mantissa_bits
    if dropped > 0:
        # Half a unit of the last place kept, less one bit unless that place is odd, carries
        # into it exactly when rounding to nearest, ties to even, goes up.
        odd = (bits >> unsigned.type(dropped)) & unsigned.type(1)
        bits = bits + unsigned.type(2 ** (dropped - 1) - 1) + odd
        bits = bits & ~unsigned.type(2**dropped - 1)
    result = bits.view(x.dtype)
    if exponent_bits < info.nexp:
        bias = 2 ** (exponent_bits - 1) - 1
        size = np.abs(result.astype(np.float64))
        sign = np.copysign(1.0, result.astype(np.float64))
        result = np.where(size >= 2.0 ** (bias + 1), sign * np.inf, result)
        result = np.where(size < 2.0 ** (1 - bias), sign * 0.0, result).astype(x.dtype)
    return np.where(np.isfinite(x), result, x)


# Params: exponent_bits, mantissa_bits.
reduce_precision_p = Primitive(
    "reduce_precision", abstract=_reduce_precision_type, reference=_reduce_precision
)


def reduce_precision(operand: ArrayLike, exponent_bits: int, mantissa_bits: int) -> Array:
    """Floats rounded to what a format of fewer bits can hold, in their own dtype.

    Numbers too large for that format become infinite, those below its normal range zero.

    Args:
        operand: floats.
        exponent_bits: the bits of the format's exponent, at least 1.
        mantissa_bits: the bits of its mantissa, leading one not counted; at least 0.

    Raises:
        TypeError: `operand` does not hold floats.
        ValueError: a number of bits is too small.

    >>> reduce_precision(np.float32([1.2345, 1e6]), exponent_bits=5, mantissa_bits=10)
    Array([1.234375,      inf], dtype=float32)
    """
    return reduce_precision_p.bind(
        operand, exponent_bits=int(exponent_bits), mantissa_bits=int(mantissa_bits)
    )


# Copying.

copy_p = elementwise("copy", any_or_key, lambda x: x.copy())

"""Discrete Fourier transforms over the last one, two or three axes.

With w = exp(-2 pi i / n), the transform of x has the elements sum over j of x[j] w^(j k), and
the inverse divides by n what the conjugate of w gives: the convention of NumPy, and of J. W.
Cooley and J. W. Tukey, "An algorithm for the machine calculation of complex Fourier series",
Math. Comp. 19 (1965). Several axes are transformed one after the other. The functions that
pad, choose axes and scale are `jx_numpy.fft`'s.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..aval import ShapedArray, typeof
from ..errors import ShapeError
from ..primitive import Primitive
from .axes import integers
from .elementwise import convert
from .kit import Array, ArrayLike, any_dtype, check_kind, real_dtype

__all__ = ["FftType", "fft", "fft_p"]

Shape = tuple[int, ...]


class FftType(enum.IntEnum):
    """Which transform `fft` computes.

    FFT and IFFT are the transform of complex numbers and its inverse. RFFT is the transform
    of real numbers, of which only the first half is given along the last axis, the rest being
    its mirrored conjugate; IRFFT is the inverse of that.

    >>> fft(np.float32([1, 2, 3]), FftType.RFFT, (3,)).shape
    (2,)
    """

    FFT = 0
    IFFT = 1
    RFFT = 2
    IRFFT = 3

    __str__ = enum.Enum.__str__


_TYPES = {name: t for t in FftType for name in (t.name, t.name.lower())}
_COMPLEX = {np.dtype("float32"): np.dtype("complex64"), np.dtype("float64"): np.dtype("complex128")}
_REFERENCES: dict[FftType, Any] = {
    FftType.FFT: np.fft.fftn,
    FftType.IFFT: np.fft.ifftn,
    FftType.RFFT: np.fft.rfftn,
    FftType.IRFFT: np.fft.irfftn,
}


def half_length(n: int) -> int:
    """How many elements of the transform of `n` real numbers determine it."""
    return n // 2 + 1 if n else 0


def _fft_type(x: ShapedArray, *, fft_type: FftType, fft_lengths: Shape) -> ShapedArray:
    name, rank = fft_type.name, len(fft_lengths)
    if not 1 <= rank <= 3:
        raise ShapeError(
            f"fft transforms one, two or three axes, got fft_lengths {fft_lengths}; jx.numpy.fft's "
            f"functions of several axes take any number"
        )
    if rank > x.ndim:
        raise ShapeError(
            f"{name} input shape {x.shape} must have at least as many axes as fft_lengths "
            f"{fft_lengths}"
        )
    kind = "floating" if fft_type == FftType.RFFT else "complex"
    check_kind(name, x, (kind,))
    if kind == "floating" and x.dtype not in _COMPLEX:
        raise TypeError(f"{name} input must be float32 or float64, got {x.dtype.name}")
    _check_lengths(x.shape, fft_type, fft_lengths)
    rows, last = (*x.shape[:-rank], *fft_lengths[:-1]), fft_lengths[-1]
    if fft_type == FftType.RFFT:
        return ShapedArray((*rows, half_length(last)), _COMPLEX[x.dtype])
    if fft_type == FftType.IRFFT:
        return ShapedArray((*rows, last), real_dtype(x.dtype))
    return ShapedArray(x.shape, x.dtype)


def _check_lengths(shape: Shape, fft_type: FftType, fft_lengths: Shape) -> None:
    """Raise a ShapeError unless the last axes are as long as the transform wants them."""
    rank = len(fft_lengths)
    if fft_type != FftType.IRFFT:
        if shape[-rank:] != fft_lengths:
            raise ShapeError(
                f"{fft_type.name} input shape {shape} must end with fft_lengths {fft_lengths}"
            )
        return
    last = fft_lengths[-1]
    # The inverse for no elements takes none, or the one that longer ones begin with.
    fits = shape[-1] in ((0, 1) if last == 0 else (half_length(last),))
    if shape[-rank:-1] != fft_lengths[:-1] or not fits or last < 0:
        wanted = (*fft_lengths[:-1], last // 2 + 1)
        raise ShapeError(
            f"IRFFT input shape {shape} must end with {wanted} for fft_lengths {fft_lengths}: the "
            f"last axis holds n // 2 + 1 elements of a transform of length n"
        )


def _fft(x: np.ndarray, *, fft_type: FftType, fft_lengths: Shape) -> np.ndarray:
    out = _fft_type(ShapedArray(x.shape, x.dtype), fft_type=fft_type, fft_lengths=fft_lengths)
    if not math.prod(fft_lengths) or not out.size:
        return np.zeros(out.shape, out.dtype)
    axes = range(x.ndim - len(fft_lengths), x.ndim)
    return np.asarray(_REFERENCES[fft_type](x, s=fft_lengths, axes=axes), out.dtype)


# Params: fft_type, an FftType; fft_lengths, the lengths of the last axes, of the real array
# where one side is real.
fft_p = Primitive("fft", abstract=_fft_type, reference=_fft)


def fft(x: ArrayLike, fft_type: FftType | str, fft_lengths: Sequence[int]) -> Array:
    """The discrete Fourier transform over the last axes of an array.

    Computed in the precision of `x`: in 32-bit floats unless it has 64-bit ones. Narrower
    floats, integers and booleans become floats first.

    Args:
        x: an array. For IRFFT the last of its axes has length n // 2 + 1, and the imaginary
            parts of the first element along it, and for even n of the last one, count for
            nothing.
        fft_type: an `FftType`, or its name in upper or lower case.
        fft_lengths: the lengths of the axes transformed, the last one to three of `x`; for
            IRFFT, those of the result. With none, the result is `x`.

    Returns:
        A complex array; for IRFFT, a real one. For RFFT its last axis has length n // 2 + 1,
        or 0 for n = 0. Its other axes are those of `x`.

    Raises:
        ValueError: an unknown type, or RFFT of complex numbers.
        TypeError: the type is neither, or `x` is not an array of numbers.
        ShapeError: `x` does not have these lengths, or more than three are given.

    >>> fft(np.float32([1, 2, 3, 4]), "rfft", (4,))
    Array([10.+0.j, -2.+2.j, -2.+0.j], dtype=complex64)
    >>> fft(np.complex64([10, -2 + 2j, -2]), FftType.IRFFT, (4,))
    Array([1., 2., 3., 4.], dtype=float32)
    """
    kind = _as_fft_type(fft_type)
    lengths = integers("fft", fft_lengths, "fft_lengths")
    aval = typeof(x)
    check_kind("fft", aval, any_dtype)
    is_complex = dtypes.issubdtype(aval.dtype, np.complexfloating)
    if kind == FftType.RFFT and is_complex:
        raise ValueError(
            f"only real valued inputs supported for rfft, got {aval.str_short()}; FFT takes "
            f"complex numbers"
        )
    wide = aval.dtype.itemsize == (16 if is_complex else 8)
    real = np.dtype(np.float64 if wide else np.float32)
    operand = convert(x, real if kind == FftType.RFFT else _COMPLEX[real])
    if not lengths:
        return operand
    return fft_p.bind(operand, fft_type=kind, fft_lengths=lengths)


def _as_fft_type(fft_type: Any) -> FftType:
    if isinstance(fft_type, FftType):
        return fft_type
    if not isinstance(fft_type, str):
        raise TypeError(f"Unknown FFT type value {fft_type!r}: expected an FftType or its name")
    if fft_type not in _TYPES:
        raise ValueError(f"Unknown FFT type {fft_type!r}: expected one of {sorted(_TYPES)}")
    return _TYPES[fft_type]

"""Differentiation of Fourier transforms, which are linear.

The transform of complex numbers and its inverse are symmetric matrices, their own transposes.
Those of real numbers are each other's, but for scale and conjugation: of the transform of n
real numbers half is left out, the conjugates of all elements but the first and, for even n,
the one at n / 2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jx_core import typeof
from jx_core.lax import (
    FftType,
    bitwise_or,
    broadcast_in_dim_p,
    conj,
    eq,
    fft_p,
    full,
    iota,
    mul,
    select,
)

from .kit import aval_of, define_unary_linear

Shape = tuple[int, ...]


def _scaled(x: Any, n: int, alone: float, of_pairs: float) -> Any:
    """The half `x` of a transform of length `n`, scaled: elements that stand for themselves by
    `alone`, those that stand for their conjugates too by `of_pairs`."""
    aval = typeof(x)
    places = iota(np.int32, aval.shape[-1])
    single = eq(places, 0)
    if n % 2 == 0:
        single = bitwise_or(single, eq(places, n // 2))
    scale = select(single, *(full(places.shape, s, aval.dtype) for s in (alone, of_pairs)))
    return mul(x, _along_last(scale, aval.shape))


def _along_last(x: Any, shape: Shape) -> Any:
    return broadcast_in_dim_p.bind(x, shape=shape, broadcast_dimensions=(len(shape) - 1,))


def _transposed(ct: Any, x: Any, *, fft_type: FftType, fft_lengths: Shape) -> Any:
    total, last = math.prod(fft_lengths), fft_lengths[-1]
    if fft_type in (FftType.FFT, FftType.IFFT):
        return fft_p.bind(ct, fft_type=fft_type, fft_lengths=fft_lengths)
    if not total:  # IRFFT may have had an element to take nothing from
        return full(aval_of(x).shape, 0, aval_of(x).dtype)
    if fft_type == FftType.RFFT:
        half = _scaled(conj(ct), last, total, total / 2)
        return fft_p.bind(half, fft_type=FftType.IRFFT, fft_lengths=fft_lengths)
    half = fft_p.bind(ct, fft_type=FftType.RFFT, fft_lengths=fft_lengths)
    return _scaled(conj(half), last, 1 / total, 2 / total)


define_unary_linear(fft_p, _transposed)

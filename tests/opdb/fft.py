"""Samples of Fourier transforms."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jx_core import lax
from jx_core.errors import ShapeError
from jx_core.lax import FftType

from .sample import ErrorSample, Sample, array

# The shapes of what is transformed, a batch of it, and over how many axes.
SHAPES = (
    ((1,), 1), ((2,), 1), ((5,), 1), ((3, 8), 1), ((2, 7), 1), ((3, 4), 2), ((2, 4, 5), 2),
    ((3, 2, 1), 2), ((2, 3, 4), 3), ((2, 3, 2, 3), 3),
)  # fmt: skip
EMPTY = (((0,), 1), ((0, 4), 1), ((2, 0), 1), ((3, 0, 4), 2), ((2, 4, 0), 2))


def samples() -> Iterator[Sample]:
    for real, double in (("float32", False), ("float64", True)):
        cplx = "complex128" if double else "complex64"
        atol = 1e-13 if double else 2e-5  # an element is as exact as the greatest of them
        for shape, rank in (*SHAPES, *EMPTY):
            lengths = shape[len(shape) - rank :]
            half = (*shape[:-1], shape[-1] // 2 + 1 if shape[-1] else 0)
            for kind, operand in (
                (FftType.FFT, array(shape, cplx)),
                (FftType.IFFT, array(shape, cplx)),
                (FftType.RFFT, array(shape, real)),
                (FftType.IRFFT, array(half, cplx)),
            ):
                params = {"fft_type": kind, "fft_lengths": lengths}
                moving = (0,) if operand.size else ()
                yield Sample(lax.fft_p, (operand,), params, moving=moving, atol=atol)
        params = {"fft_type": FftType.IRFFT, "fft_lengths": (0,)}
        yield Sample(lax.fft_p, (array((2, 1), cplx),), params, note="nothing of an element")


def error_samples() -> Iterator[ErrorSample]:
    x, z = np.zeros((2, 3), np.float32), np.zeros((2, 3), np.complex64)
    yield ErrorSample("fft_name", lambda: lax.fft(z, "Fft", (3,)), ValueError, "Unknown FFT type")
    yield ErrorSample("fft_number", lambda: lax.fft(z, 0, (3,)), TypeError, "an FftType or its")
    yield ErrorSample("rfft_complex", lambda: lax.fft(z, "rfft", (3,)), ValueError, "only real")
    yield ErrorSample(
        "fft_lengths", lambda: lax.fft(z, "fft", (4,)), ShapeError, r"\(2, 3\) must end with fft_le"
    )
    yield ErrorSample(
        "irfft_lengths", lambda: lax.fft(z, "irfft", (7,)), ShapeError, r"end with \(4,\) for fft_"
    )
    yield ErrorSample(
        "irfft_rows", lambda: lax.fft(z, "irfft", (3, 4)), ShapeError, r"end with \(3, 3\) for fft"
    )
    yield ErrorSample(
        "fft_axes", lambda: lax.fft(z, "fft", (2, 2, 3)), ShapeError, "at least as many axes"
    )
    yield ErrorSample(
        "fft_four", lambda: lax.fft(np.zeros((2,) * 4, np.complex64), "fft", (2,) * 4), ShapeError,
        "one, two or three axes",
    )  # fmt: skip
    yield ErrorSample(
        "fft_of_floats", lambda: lax.fft_p.bind(x, fft_type=FftType.FFT, fft_lengths=(3,)),
        TypeError, "kind complex",
    )  # fmt: skip
    yield ErrorSample("fft_text", lambda: lax.fft("abc", "fft", (3,)), TypeError, "array")

"""`jx.scipy.signal`: convolution and correlation, trends, spectra.

`convolutions` (and correlations, of any number of dimensions), `trends`, `windows` (by name),
`spectral` (short-time Fourier transforms and the estimates of spectra made from them).
"""

from .convolutions import convolve, convolve2d, correlate, correlate2d, fftconvolve
from .spectral import csd, istft, stft, welch
from .trends import detrend

__all__ = [
    "convolve", "convolve2d", "correlate", "correlate2d", "csd", "detrend", "fftconvolve",
    "istft", "stft", "welch",
]  # fmt: skip

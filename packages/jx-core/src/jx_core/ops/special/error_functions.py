"""The error function, its complement and its inverse.

Sources are cited as DLMF (NIST Digital Library of Mathematical Functions,
https://dlmf.nist.gov).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..kit import Array, ArrayLike, elementwise, floating, in_double

__all__ = ["erf", "erf_inv", "erf_inv_p", "erf_p", "erfc", "erfc_p"]


def _vectorized(function: Any) -> Any:
    """A function of Python floats for arrays of doubles."""
    ufunc = np.frompyfunc(function, 1, 1)
    return lambda x: np.asarray(ufunc(x)).astype(np.float64)


_erf = _vectorized(math.erf)
erfc_of_doubles = _vectorized(math.erfc)


def _erf_inv(y: np.ndarray) -> Any:
    """The solution x of erf(x) = y: a closed approximation, refined by Halley's method.

    The approximation is Winitzki's, off by 0.2 percent at most: S. Winitzki, "A handy
    approximation for the error function and its inverse" (2008). Each step of Halley's
    method cubes the relative error. Beyond 1/2 the equation is erfc(x) = 1 - y, whose
    right side is exact.
    """
    size = np.abs(y)
    a = 0.147
    log = -np.log1p(-size * size)
    middle = 2 / (np.pi * a) - log / 2
    x = np.sqrt((log / a) / (np.sqrt(middle * middle + log / a) + middle))
    for _ in range(3):
        excess = np.where(size <= 0.5, _erf(x) - size, (1 - size) - erfc_of_doubles(x))
        newton = excess * (np.sqrt(np.pi) / 2) * np.exp(x * x)
        x = x - newton / (1 + x * newton)
    x = np.where(size < 1e-8, size * (np.sqrt(np.pi) / 2), x)  # the leading term, DLMF 7.17.2
    x = np.where(size == 1, np.inf, x)
    return np.where(size <= 1, np.copysign(x, y), np.nan)


erf_p = elementwise("erf", floating, in_double(_erf), family="special")
erfc_p = elementwise("erfc", floating, in_double(erfc_of_doubles), family="special")
erf_inv_p = elementwise("erf_inv", floating, in_double(_erf_inv), family="special")


def erf(x: ArrayLike) -> Array:
    """The error function, `2 / sqrt(pi)` times the integral of `exp(-t**2)` from 0 to `x`.

    Args:
        x: floats, of any shape.

    Returns:
        An array of the dtype and shape of `x`.

    Raises:
        TypeError: `x` holds no floats.

    See DLMF 7.2.1.

    >>> erf(np.float32([0, 1]))
    Array([0.       , 0.8427008], dtype=float32)
    """
    return erf_p.bind(x)


def erfc(x: ArrayLike) -> Array:
    """The complementary error function `1 - erf(x)`, precise also where that is small.

    Operand and errors as for `erf`. See DLMF 7.2.2.

    >>> erfc(np.float32([0, 5]))
    Array([1.0000000e+00, 1.5374598e-12], dtype=float32)
    """
    return erfc_p.bind(x)


def erf_inv(x: ArrayLike) -> Array:
    """The number whose error function is `x`: infinite at -1 and 1, NaN beyond.

    Operand and errors as for `erf`. See DLMF 7.17.

    >>> erf_inv(np.float32([0, 0.5]))
    Array([0.        , 0.47693628], dtype=float32)
    """
    return erf_inv_p.bind(x)

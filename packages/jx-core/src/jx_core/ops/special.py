"""Special functions of real numbers: the error function and the gamma function's kin.

The reference meanings are computed in double precision, good to a few units in its last
place (near the zeros of `lgamma` and `digamma` at negative arguments, relative to the
size of the terms), and rounded once. Sources are cited as DLMF (NIST Digital Library of
Mathematical Functions, https://dlmf.nist.gov) and AS (Abramowitz and Stegun, Handbook of
Mathematical Functions).
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .kit import Array, ArrayLike, elementwise, floating, in_double

__all__ = [
    "digamma", "digamma_p", "erf", "erf_inv", "erf_inv_p", "erf_p", "erfc", "erfc_p", "lgamma",
    "lgamma_p",
]  # fmt: skip


def _vectorized(function: Any) -> Any:
    """A function of Python floats for arrays of doubles."""
    ufunc = np.frompyfunc(function, 1, 1)
    return lambda x: np.asarray(ufunc(x)).astype(np.float64)


_erf = _vectorized(math.erf)
_erfc = _vectorized(math.erfc)


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
        excess = np.where(size <= 0.5, _erf(x) - size, (1 - size) - _erfc(x))
        newton = excess * (np.sqrt(np.pi) / 2) * np.exp(x * x)
        x = x - newton / (1 + x * newton)
    x = np.where(size < 1e-8, size * (np.sqrt(np.pi) / 2), x)  # the leading term, DLMF 7.17.2
    x = np.where(size == 1, np.inf, x)
    return np.where(size <= 1, np.copysign(x, y), np.nan)


_TERMS = 56  # of the series around 1 and 2; the rest is below 2**-60


@functools.cache
def _lgamma_coefficients() -> list[float]:
    """(-1)^n (zeta(n) - 1) / n for n = 2, 3, ...: zeta by Euler and Maclaurin (DLMF 25.2.9)."""
    N = 64
    coefficients = []
    for n in range(2, _TERMS + 2):
        tail = N ** (1 - n) / (n - 1) + 0.5 * N**-n + n * N ** (-n - 1) / 12
        tail -= n * (n + 1) * (n + 2) * N ** (-n - 3) / 720
        tail += n * (n + 1) * (n + 2) * (n + 3) * (n + 4) * N ** (-n - 5) / 30240
        zeta_less_1 = math.fsum([*(float(k) ** -n for k in range(2, N)), tail])
        coefficients.append((-1) ** n * zeta_less_1 / n)
    return coefficients


def _lgamma(x: np.ndarray) -> Any:
    """log|gamma(x)|: C's, but near its roots 1 and 2 the series DLMF 5.7.3, precise there."""
    away = _vectorized(_lgamma_scalar)(x)
    near_1 = np.abs(x - 1) <= 0.5
    near_2 = (x > 1.5) & (x < 3)
    z = np.where(near_1, x - 1, np.where(near_2, x - 2, 0))
    series = np.zeros_like(z)
    for coefficient in reversed(_lgamma_coefficients()):
        series = (series + coefficient) * z
    series = (series + (1 - np.euler_gamma)) * z
    # log gamma(1 + z) = log gamma(2 + z) - log(1 + z)
    return np.where(near_1, series - np.log1p(z), np.where(near_2, series, away))


def _lgamma_scalar(x: float) -> float:
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):  # at the poles 0, -1, -2, ..., or a result too large
        return math.inf


# The positive root of digamma, as the sum of two doubles (OEIS A030169).
_ROOT = 1.4616321449683622
_ROOT_REST = 9.549995429965697e-17
# B_2n / 2n, the coefficients of the asymptotic series of digamma (DLMF 5.11.2).
_DIGAMMA_SERIES = (
    1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160,
)  # fmt: skip
_DIGAMMA_SHIFT = 10  # from here on the series is exact


def _digamma(x: np.ndarray) -> Any:
    """The derivative of log gamma; NaN at the poles 0, -1, -2, ... and at -inf.

    Negative arguments are reflected (DLMF 5.5.4); large ones go by the asymptotic series.
    """
    pole = (x <= 0) & (x == np.floor(x))
    x = np.where(pole, np.nan, x)
    reflected = x < 0
    positive = np.where(reflected, 1 - x, x)
    result = _digamma_positive(positive)
    # The angle is reduced before the multiplication by pi, which would round it.
    angle = np.pi * (x - np.round(x))
    return np.where(reflected, result - np.pi / np.tan(angle), result)


def _digamma_positive(x: np.ndarray) -> np.ndarray:
    low = x < _DIGAMMA_SHIFT
    tall = np.where(low, _DIGAMMA_SHIFT, x)
    inverse = 1 / (tall * tall)
    series = np.zeros_like(x)
    for coefficient in reversed(_DIGAMMA_SERIES):
        series = (series + coefficient) * inverse
    above = np.log(tall) - 0.5 / tall - series
    return np.where(low, _digamma_around_root(np.where(low, x, 1.0)), above)


def _digamma_around_root(x: np.ndarray) -> np.ndarray:
    """digamma at small positive arguments, to full relative precision around its root r.

    digamma(x) - digamma(r) = (x - r) sum over k of 1 / ((x + k)(r + k)), from DLMF 5.7.6; all
    terms are positive. Those from k = n on make the divided difference of digamma between
    x + n and r + n, taken term by term from the asymptotic series.
    """
    r = _ROOT
    difference = (x - r) - _ROOT_REST
    total = np.zeros_like(x)
    for k in range(_DIGAMMA_SHIFT):
        total = total + 1 / ((x + k) * (r + k))
    u, v = x + _DIGAMMA_SHIFT, r + _DIGAMMA_SHIFT
    near = np.abs(difference) < 1e-300
    safe = np.where(near, 1, difference)
    total = total + np.where(near, 1 / v, np.log1p(difference / v) / safe) + 0.5 / (u * v)
    for n, coefficient in enumerate(_DIGAMMA_SERIES, 1):
        m = 2 * n
        # (u^-m - v^-m) / (u - v)
        quotient = -sum(u ** -(j + 1) * v ** -(m - j) for j in range(m))
        total = total - coefficient * quotient
    return difference * total


erf_p = elementwise("erf", floating, in_double(_erf), family="special")
erfc_p = elementwise("erfc", floating, in_double(_erfc), family="special")
erf_inv_p = elementwise("erf_inv", floating, in_double(_erf_inv), family="special")
lgamma_p = elementwise("lgamma", floating, in_double(_lgamma), family="special")
digamma_p = elementwise("digamma", floating, in_double(_digamma), family="special")


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


def lgamma(x: ArrayLike) -> Array:
    """The logarithm of the absolute value of the gamma function; inf at its poles.

    Operand and errors as for `erf`. See DLMF 5.2.1.

    >>> lgamma(np.float32([1, 5]))
    Array([0.       , 3.1780539], dtype=float32)
    """
    return lgamma_p.bind(x)


def digamma(x: ArrayLike) -> Array:
    """The derivative of the logarithm of the gamma function; NaN at its poles.

    Operand and errors as for `erf`. See DLMF 5.2.2.

    >>> digamma(np.float32([1, 2]))
    Array([-0.5772157 ,  0.42278433], dtype=float32)
    """
    return digamma_p.bind(x)

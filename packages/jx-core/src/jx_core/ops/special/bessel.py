"""The modified Bessel functions of orders 0 and 1, scaled by exp(-|x|).

Sources are cited as DLMF (NIST Digital Library of Mathematical Functions,
https://dlmf.nist.gov).
"""

from __future__ import annotations

import functools
import math

from ..kit import Array, ArrayLike
from .maths import Maths, Real, polynomial, special

__all__ = ["bessel_i0e", "bessel_i0e_p", "bessel_i1e", "bessel_i1e_p"]

_LARGE = 25.0  # from here on the asymptotic series is exact
_ASYMPTOTIC_TERMS = 26


@functools.cache
def _power_series(order: int) -> list[float]:
    """Of I_order(x) / (x / 2)^order in powers of x^2 / 4 (DLMF 10.25.2): all are positive."""
    return [1 / (math.factorial(k) * math.factorial(k + order)) for k in range(50)]


@functools.cache
def _asymptotic(order: int) -> list[float]:
    """Of sqrt(2 pi x) exp(-x) I_order(x) in powers of 1 / x (DLMF 10.40.1)."""
    coefficients = [1.0]
    for k in range(1, _ASYMPTOTIC_TERMS):
        coefficients.append(coefficients[-1] * ((2 * k - 1) ** 2 - 4 * order**2) / (8 * k))
    return coefficients


def _scaled(m: Maths, order: int, x: Real) -> Real:
    size = m.abs(x)
    low = size < _LARGE
    short = m.where(low, size, 1.0)
    near = m.exp(-short) * polynomial(_power_series(order), 0.25 * short * short)
    if order == 1:
        near = near * (0.5 * short)
    tall = m.where(low, _LARGE, size)
    far = polynomial(_asymptotic(order), 1 / tall) / m.sqrt(tall) * (1 / math.sqrt(2 * math.pi))
    result = m.where(low, near, m.where(size == math.inf, 0.0, far))
    if order == 0:
        return result
    return m.where(size == 0, x, m.where(x < 0, -result, result))


def _i0e(m: Maths, x: Real) -> Real:
    return _scaled(m, 0, x)


def _i1e(m: Maths, x: Real) -> Real:
    return _scaled(m, 1, x)


bessel_i0e_p = special("bessel_i0e", _i0e)
bessel_i1e_p = special("bessel_i1e", _i1e)


def bessel_i0e(x: ArrayLike) -> Array:
    """The modified Bessel function of order 0, times `exp(-abs(x))`.

    Operand and errors as for `erf`. See DLMF 10.25.2 and 10.40.1.

    >>> bessel_i0e(np.float32([0, 2]))
    Array([1.        , 0.30850834], dtype=float32)
    """
    return bessel_i0e_p.bind(x)


def bessel_i1e(x: ArrayLike) -> Array:
    """The modified Bessel function of order 1, times `exp(-abs(x))`.

    Operand and errors as for `erf`. See DLMF 10.25.2 and 10.40.1.

    >>> bessel_i1e(np.float32([0, 2]))
    Array([0.        , 0.21526928], dtype=float32)
    """
    return bessel_i1e_p.bind(x)

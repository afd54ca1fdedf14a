"""The Hurwitz zeta function and the derivatives of digamma.

Sources are cited as DLMF (NIST Digital Library of Mathematical Functions,
https://dlmf.nist.gov).
"""

from __future__ import annotations

import math

from ..kit import Array, ArrayLike, match
from .gamma import LARGE, _digamma, gamma1p, stirling
from .maths import Maths, Real, special

__all__ = ["polygamma", "polygamma_p", "zeta", "zeta_grad_x_p", "zeta_p"]

_SHIFT = 12  # terms that are summed one by one
# B_2j / (2j)!, the coefficients of the Euler-Maclaurin formula (DLMF 2.10.1).
_EULER_MACLAURIN = (
    1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000,
    1 / 74724249600, -3617 / 10670622842880000, 43867 / 5109094217170944000,
    -174611 / 802857662698291200000,
)  # fmt: skip


def _rest(x: Real, a: Real) -> Real:
    """a^x times the sum of (a + k)^-x over k = 0, 1, ..., by DLMF 25.11.5."""
    series, factor = 0.5, x / a
    for j, coefficient in enumerate(_EULER_MACLAURIN):
        series = series + coefficient * factor
        factor = factor * ((x + (2 * j + 1)) / a) * ((x + (2 * j + 2)) / a)
    return a / (x - 1) + series


def _sum(m: Maths, x: Real, q: Real) -> Real:
    """q^x zeta(x, q) - 1 for x > 1 and q > 0: the sum of (1 + k / q)^-x by DLMF 25.11.5.

    Taking q out keeps every term between 0 and 1, whatever overflows, and powers of the
    quotients by log1p do not magnify their rounding.
    """
    a = q + _SHIFT
    last = m.exp(-x * m.log1p(_SHIFT / q))
    # The factors overflow only where the terms they are of are nothing.
    total = m.where(last < 1e-40, 0.0, last * _rest(x, a))
    for k in range(_SHIFT - 1, 0, -1):
        total = total + m.exp(-x * m.log1p(k / q))
    return total


def _zeta_positive(m: Maths, x: Real, q: Real) -> Real:
    """By DLMF 25.11.5. Powers of the terms themselves have fewer operations that round."""
    first = m.pow(q, -x)
    fine = (first > 1e-290) & (first < math.inf)
    total = 0.0
    for k in range(_SHIFT - 1, 0, -1):
        total = total + _power_of_sum(m, q, k, x)
    last = _power_of_sum(m, q, _SHIFT, x)
    # The factors overflow only where the terms they are of are nothing.
    tail = m.where(last < 1e-40 * first, 0.0, last * _rest(x, q + _SHIFT))
    near = first + (total + tail)

    def factored(x: Real, q: Real, near: Real) -> Real:
        half = m.pow(q, -0.5 * x)  # in halves where q^-x is outside of the range
        return m.where(fine, near, half * (1 + _sum(m, x, q)) * half)

    return m.when(~fine, factored, near, x, q, near)


def _power_of_sum(m: Maths, q: Real, k: int, x: Real) -> Real:
    """(q + k)^-x, of the sum as it is, not as rounded: x magnifies that.

    What rounding loses is found as in T. J. Dekker, "A floating-point technique for extending
    the available precision" (1971); k is selected, or compilers would cancel it.
    """
    shift = m.where(q == q, float(k), math.nan)
    total = q + shift
    low, high = m.where(q < k, q, shift), m.where(q < k, shift, q)
    lost = low - (total - high)
    return m.pow(total, -x) * (1 - x * (lost / total))


def _zeta(m: Maths, x: Real, q: Real) -> Real:
    """zeta(x, q): inf at x = 1, NaN below; at q <= 0 only for whole x, with poles."""
    fine = (x > 1) & (q > 0)
    result = _zeta_positive(m, m.where(fine, x, 2.0), m.where(fine, q, 1.0))
    result = m.where(fine, result, math.nan)
    # As x grows only the first term stays.
    first = m.where(q < 1, math.inf, m.where(q == 1, 1.0, 0.0))
    result = m.where((x == math.inf) & (q > 0), first, result)
    result = m.where((q == math.inf) & (x > 1), 0.0, result)
    result = m.where((x == 1) & (q == q), math.inf, result)
    below = (q <= 0) & (x > 1) & (x == m.floor(x))

    def with_below(x: Real, q: Real, result: Real) -> Real:
        return m.where(below, _zeta_below(m, x, q), result)

    return m.when(below, with_below, result, m.where(below, x, 2.0),
                  m.where(below, q, -0.5), result)  # fmt: skip


def _zeta_below(m: Maths, x: Real, q: Real) -> Real:
    """zeta(x, q) for whole x and q <= 0: the terms left of 0 are a difference of zetas.

    At the poles it is inf for even x, and NaN for odd x, where the sides differ in sign.
    """
    rest = q - m.floor(q)
    pole = rest == 0
    rest = m.where(pole, 0.5, rest)
    left = _zeta_positive(m, x, 1 - rest) - _zeta_positive(m, x, 1 - q)
    even = m.floor(0.5 * x) * 2 == x
    result = m.where(even, left, -left) + _zeta_positive(m, x, rest)
    return m.where(pole, m.where(even, math.inf, math.nan), result)


def _zeta_grad_x(m: Maths, x: Real, q: Real) -> Real:
    """The derivative by x for q > 0; that of the terms of `_sum` at constant q.

    It is -log(q) zeta(x, q) + q^-x s, where s is the derivative of `_sum`.
    """
    fine = (x > 1) & (q > 0) & (q < math.inf) & (x < math.inf)
    x_safe, q_safe = m.where(fine, x, 2.0), m.where(fine, q, 1.0)
    a = q_safe + _SHIFT
    log = m.log1p(_SHIFT / q_safe)
    last = m.exp(-x_safe * log)
    series, slope, factor, factor_slope = 0.5, 0.0, x_safe / a, 1 / a
    for j, coefficient in enumerate(_EULER_MACLAURIN):
        series, slope = series + coefficient * factor, slope + coefficient * factor_slope
        for i in (2 * j + 1, 2 * j + 2):
            factor_slope = factor_slope * ((x_safe + i) / a) + factor / a
            factor = factor * ((x_safe + i) / a)
    pole = a / (x_safe - 1)
    rest = last * (slope - pole / (x_safe - 1) - log * (pole + series))
    rest = m.where(last < 1e-40, 0.0, rest)
    for k in range(_SHIFT - 1, 0, -1):
        log = m.log1p(k / q_safe)
        rest = rest - log * m.exp(-x_safe * log)
    half = m.pow(q_safe, -0.5 * x_safe)
    value = half * (rest - m.log(q_safe) * (1 + _sum(m, x_safe, q_safe))) * half
    value = m.where(fine, value, math.nan)
    flat = ((q == math.inf) & (x > 1)) | ((x == math.inf) & (q >= 1))
    return m.where(flat, 0.0, m.where((x == 1) & (q > 0), -math.inf, value))


def _polygamma(m: Maths, n: Real, x: Real) -> Real:
    """(-1)^(n + 1) n! zeta(n + 1, x), digamma for n = 0 (DLMF 25.11.12)."""
    whole = (n == m.floor(n)) & (n >= 1) & (n < math.inf)
    n_safe = m.where(whole, n, 1.0)
    positive = x > 0
    finite = m.where(positive & (x < math.inf), x, 1.0)
    result = _times_factorial(m, n_safe, finite) * (1 + _sum(m, n_safe + 1, finite))
    second = m.pow(finite, -0.5 * (n_safe + 1))
    # Of huge orders and arguments the factors go their own ways.
    result = m.where(n_safe <= 170, result * second, result)
    result = m.where(x == math.inf, 0.0, m.where(positive, result, math.nan))
    below = whole & (x <= 0)

    def with_below(n: Real, x: Real, result: Real) -> Real:
        value = _times_factorial(m, n, 0 * n + 1.0) * _zeta_below(m, n + 1, x)
        return m.where(below, value, result)

    result = m.when(below, with_below, result, n_safe, m.where(below, x, -0.5), result)
    odd = m.floor(0.5 * n_safe) * 2 != n_safe
    result = m.where(whole, m.where(odd, result, -result), math.nan)

    def with_digamma(x: Real, result: Real) -> Real:
        return m.where(n == 0, _digamma(m, x), result)

    return m.when(n == 0, with_digamma, result, m.where(n == 0, x, 1.0), result)


def _times_factorial(m: Maths, n: Real, x: Real) -> Real:
    """n! x^(-(n + 1) / 2) for n up to 170, n! x^-(n + 1) beyond, by DLMF 5.11.3 from 10 on."""
    tall = m.where(n >= LARGE, n, LARGE)
    root = math.sqrt(2 * math.pi) * m.sqrt(tall) * m.exp(stirling(tall))
    half = m.pow(tall, 0.5 * tall)
    scale = m.pow(x, -0.5 * (n + 1))
    middle = (half * scale) * (half * m.exp(-tall)) * root
    huge = m.pow(tall / (math.e * x), 0.5 * tall)
    result = m.where(n <= 170, middle, huge * root * huge / x)
    return m.where(n < LARGE, gamma1p(m, m.where(n < LARGE, n, 1.0)) * scale, result)


zeta_p = special("zeta", _zeta)
zeta_grad_x_p = special("zeta_grad_x", _zeta_grad_x)  # for derivatives
polygamma_p = special("polygamma", _polygamma)


def zeta(x: ArrayLike, q: ArrayLike) -> Array:
    """The Hurwitz zeta function, the sum of `(q + k) ** -x` over k = 0, 1, ...

    Args:
        x: floats above 1; the result is inf at 1 and NaN below.
        q: floats of the dtype of `x`, and of its shape or zero-dimensional (or `x` is). There
            are poles at 0, -1, -2, ...; below 0 the result is a number for whole `x` only.

    Returns:
        An array of that dtype and shape.

    Raises:
        TypeError: the operands hold no floats, or floats of two dtypes.
        ShapeError: the shapes don't go together.

    See DLMF 25.11.1; computed by Euler and Maclaurin's formula, DLMF 25.11.5.

    >>> zeta(np.float32([2, 4]), np.float32(1))
    Array([1.644934 , 1.0823232], dtype=float32)
    """
    return zeta_p.bind(*match("zeta", x, q))


def polygamma(m: ArrayLike, x: ArrayLike) -> Array:
    """The `m`-th derivative of digamma.

    Args:
        m: floats; whole ones from 0 on, for others the result is NaN.
        x: floats of the dtype of `m`, and of its shape or zero-dimensional (or `m` is).

    Returns:
        An array of that dtype and shape.

    Raises:
        TypeError: the operands hold no floats, or floats of two dtypes.
        ShapeError: the shapes don't go together.

    See DLMF 5.15.

    >>> polygamma(np.float32(1), np.float32([1, 2]))
    Array([1.644934  , 0.64493406], dtype=float32)
    """
    return polygamma_p.bind(*match("polygamma", m, x))

"""The regularized incomplete beta function.

By the continued fraction of A. R. DiDonato and A. H. Morris, "Algorithm 708: significant digit
computation of the incomplete beta function ratios", ACM TOMS 18 (1992), equation (9), evaluated
from its end; all of its terms are positive on the side of the mean where it is used. Sources
are cited as DLMF (NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov).
"""

from __future__ import annotations

import math

from ..kit import Array, ArrayLike, match
from .gamma import (
    LARGE,
    digamma_increment,
    digamma_positive,
    gamma1p,
    lgamma1p,
    lgamma_increment,
    stirling,
)
from .incomplete_gamma import log1p_deficit
from .maths import Maths, Real, special

__all__ = [
    "betainc", "betainc_grad_a_p", "betainc_grad_b_p", "betainc_grad_x_p",
    "regularized_incomplete_beta_p",
]  # fmt: skip


def _prefactor(m: Maths, a: Real, b: Real, x: Real, excess: Real) -> Real:
    """x^a (1 - x)^b / B(a, b), where excess is a - (a + b) x."""
    y = 1 - x
    both_low = (a < LARGE) & (b < LARGE)
    c, d = m.where(both_low, a, 1.0), m.where(both_low, b, 1.0)
    low = m.pow(x, c) * m.exp(d * m.log1p(-x)) * (c * d / (c + d))
    low = low * gamma1p(m, c + d, int(2 * LARGE)) / (gamma1p(m, c) * gamma1p(m, d))
    # One is small: gamma(small + big) / gamma(big) by Stirling's series.
    a_small = a < b
    one_low = (a < LARGE) != (b < LARGE)
    small = m.where(one_low, m.where(a_small, a, b), 1.0)
    big = m.where(one_low, m.where(a_small, b, a), LARGE)
    of_big = m.where(a_small, m.log1p(-x), m.log(x))
    both = small + big
    exponent = (big - 0.5) * m.log1p(small / big) - small + stirling(both) - stirling(big)
    mixed = m.pow(both * m.where(a_small, x, y), small) * m.exp(big * of_big + exponent)
    mixed = mixed * small / gamma1p(m, small)
    # Both are large: relative to the mean, where the exponents are small.
    tall, wide = m.where(a >= LARGE, a, LARGE), m.where(b >= LARGE, b, LARGE)
    exponent = tall * log1p_deficit(m, -excess / tall) + wide * log1p_deficit(m, excess / wide)
    exponent = exponent + stirling(tall) + stirling(wide) - stirling(tall + wide)
    large = m.exp(-exponent) * m.sqrt(tall * (wide / (tall + wide)) / (2 * math.pi))
    return m.where(both_low, low, m.where(one_low, mixed, large))


def _below_mean(m: Maths, a: Real, b: Real, x: Real, y: Real, excess: Real) -> Real:
    """I_x(a, b) B(a, b) / (x^a y^b), for x up to the mean a / (a + b).

    On the mean the fraction needs about the root of the smaller of a and b in terms; with
    b < 1 and y near 0 it would need many more, but `_power_series` is used there.
    """
    least = m.where(a < b, a, b)
    most = m.where(b < 1, 60.0, 24.0) + m.sqrt(m.where(least < 1e8, least, 1e8))

    def step(k: Real, tail: Real) -> tuple[Real]:
        return (_numerator(a, b, x, k) / (_denominator(a, b, x, y, excess, k) + tail),)

    (tail,) = m.downto(m.effort * m.largest(most), step, 0 * x)
    return 1 / (a * (excess + 1) / (a + 1) + tail)


def _power_series(m: Maths, a: Real, b: Real, x: Real) -> tuple[Real, Real]:
    """I_x(a, b) and 1 - I_x(a, b) for a < 1, x < 0.3 and b x <= 1 (DLMF 8.17.7 and 8.17.8).

    I is exp(e) (1 + a s) with the sum s of (1 - b)_n x^n / (n! (a + n)) over n = 1, 2, ...
    """
    total = 0 * x
    for n in range(34, 0, -1):
        total = (1 / (a + n) + total) * ((n - b) * x / n)
    exponent = a * m.log(x) + _log_ratio(m, b, a) - lgamma1p(m, a)
    power = m.exp(exponent)
    return power * (1 + a * total), -m.expm1(exponent) - power * a * total


def _log_ratio(m: Maths, b: Real, a: Real) -> Real:
    """log gamma(b + a) - log gamma(b) for 0 < a < 1, precise also where it is small."""
    short = a < 0.5
    up = _log_growth(m, m.where(short, b, b + a), m.where(short, a, 1 - a))
    return m.where(short, up, m.log(b) - up)


def _log_growth(m: Maths, b: Real, a: Real) -> Real:
    """log gamma(b + a) - log gamma(b) for 0 < a <= 1/2."""
    large = b >= LARGE
    tall = m.where(large, b, LARGE)
    far = (tall - 0.5) * m.log1p(a / tall) + a * (m.log(tall + a) - 1)
    far = far + (stirling(tall + a) - stirling(tall))
    # The recurrence to y in [1.25, 2.25): excess is the product of the (y + a) / y, less 1.
    y, excess = m.where(large, 2.0, b), 0 * b
    for _ in range(2):
        low = y < 1.25
        step = -a / (y + a)
        excess = m.where(low, excess + step + excess * step, excess)
        y = m.where(low, y + 1, y)
    for _ in range(int(LARGE) - 2):
        high = y >= 2.25
        y = m.where(high, y - 1, y)
        step = a / y
        excess = m.where(high, excess + step + excess * step, excess)
    return m.where(large, far, m.log1p(excess) + lgamma_increment(y - 2, a))


def _numerator(a: Real, b: Real, x: Real, n: Real) -> Real:
    odd = a + (2 * n - 1)
    return ((a + (n - 1)) / odd) * ((a + b + (n - 1)) / odd) * (n * (b - n) * x * x)


def _denominator(a: Real, b: Real, x: Real, y: Real, excess: Real, n: Real) -> Real:
    first = n + n * (b - n) * x / (a + (2 * n - 1))
    return first + (a + n) * (excess + 1 + n * (1 + y)) / (a + (2 * n + 1))


def _betainc(m: Maths, a: Real, b: Real, x: Real) -> Real:
    fine = (a > 0) & (b > 0) & (a < math.inf) & (b < math.inf) & (x > 0) & (x < 1)
    a_safe, b_safe = m.where(fine, a, 1.0), m.where(fine, b, 1.0)
    x_safe = m.where(fine, x, 0.5)
    y_safe = 1 - x_safe
    both = a_safe + b_safe
    excess = m.where(x_safe < 0.5, a_safe - both * x_safe, both * y_safe - b_safe)
    above = excess < 0
    p, q = m.where(above, b_safe, a_safe), m.where(above, a_safe, b_safe)
    u, v = m.where(above, y_safe, x_safe), m.where(above, x_safe, y_safe)
    short = (q < 1) & (v < 0.3) & (p * v <= 1)
    below = _prefactor(m, a_safe, b_safe, x_safe, excess) * _below_mean(
        m, m.where(short, 1.0, p), m.where(short, 1.0, q), m.where(short, 0.5, u),
        m.where(short, 0.5, v), m.where(short, 0.0, m.abs(excess)),
    )  # fmt: skip
    value = m.where(above, 1 - below, below)

    def with_series(value: Real) -> Real:
        inner, outer = _power_series(
            m, m.where(short, q, 0.5), m.where(short, p, 0.5), m.where(short, v, 0.25)
        )
        return m.where(short, m.where(above, inner, outer), value)

    value = m.when(short, with_series, value, value)
    # The limits: the mass is at 0 for a = 0 or b = inf, at 1 for b = 0 or a = inf.
    at_0 = ((a == 0) | (b == math.inf)) & (b > 0) & (a < math.inf)
    at_1 = ((b == 0) | (a == math.inf)) & (a > 0) & (b < math.inf)
    known = (a >= 0) & (b >= 0)
    limit = m.where(known & at_0, 1.0, m.where(known & at_1, 0.0, math.nan))
    limit = m.where(known & (x == 0), 0.0, m.where(known & (x == 1), 1.0, limit))
    return m.where(fine, value, m.where((x >= 0) & (x <= 1), limit, math.nan))


def _betainc_grad_x(m: Maths, a: Real, b: Real, x: Real) -> Real:
    """The derivative by x, the beta density x^(a - 1) (1 - x)^(b - 1) / B(a, b)."""
    fine = (a > 0) & (b > 0) & (a < math.inf) & (b < math.inf) & (x > 0) & (x < 1)
    p, q, u = m.where(fine, a, 1.0), m.where(fine, b, 1.0), m.where(fine, x, 0.5)
    excess = m.where(u < 0.5, p - (p + q) * u, (p + q) * (1 - u) - q)
    value = _prefactor(m, p, q, u, excess) / u / (1 - u)
    # At the ends it is the other parameter where this one is 1.
    near, other = m.where(x == 0, a, b), m.where(x == 0, b, a)
    limit = m.where(near < 1, math.inf, m.where(near == 1, other, 0.0))
    known = (a > 0) & (b > 0) & (a < math.inf) & (b < math.inf) & ((x == 0) | (x == 1))
    return m.where(fine, value, m.where(known, limit, math.nan))


def _fraction_slopes(
    m: Maths, a: Real, b: Real, x: Real, y: Real, excess: Real
) -> tuple[Real, Real, Real]:
    """`_below_mean` and its derivatives by a and by b at constant x: those of each step."""
    least = m.where(a < b, a, b)
    most = m.where(b < 1, 60.0, 24.0) + m.sqrt(m.where(least < 1e8, least, 1e8))

    def step(n: Real, tail: Real, by_a: Real, by_b: Real) -> tuple[Real, Real, Real]:
        odd, next_odd = a + (2 * n - 1), a + (2 * n + 1)
        left, right, ends = (a + (n - 1)) / odd, (a + b + (n - 1)) / odd, n * (b - n) * x * x
        above = left * right * ends
        above_a = (left + right - 2 * left * right) / odd * ends
        above_b = left * (ends / odd + right * n * x * x)
        level = excess + 1 + n * (1 + y)
        below = n + n * (b - n) * x / odd + (a + n) * level / next_odd + tail
        below_a = (level * (n + 1) / next_odd + (a + n) * y) / next_odd + by_a
        below_a = below_a - n * (b - n) * x / odd / odd
        below_b = n * x / odd - (a + n) * x / next_odd + by_b
        ratio = above / below
        return ratio, (above_a - ratio * below_a) / below, (above_b - ratio * below_b) / below

    tail, by_a, by_b = m.downto(m.effort * m.largest(most), step, 0 * x, 0 * x, 0 * x)
    value = 1 / (a * (excess + 1) / (a + 1) + tail)
    by_a = by_a + ((excess + 1) / (a + 1) + a * y) / (a + 1)
    by_b = by_b - a * x / (a + 1)
    return value, -value * value * by_a, -value * value * by_b


def _power_series_slopes(m: Maths, a: Real, b: Real, x: Real) -> tuple[Real, Real]:
    """The derivatives of `_power_series` by a and by b."""
    total, by_a, by_b = 0 * x, 0 * x, 0 * x
    for n in range(34, 0, -1):
        inverse, factor = 1 / (a + n), (n - b) * x / n
        by_a = (by_a - inverse * inverse) * factor
        by_b = by_b * factor - (inverse + total) * (x / n)
        total = (inverse + total) * factor
    power = m.exp(a * m.log(x) + _log_ratio(m, b, a) - lgamma1p(m, a))
    in_a = m.log(x) + digamma_positive(m, a + b) - digamma_positive(m, 1 + a)
    in_b = digamma_increment(m, b, a)
    series = 1 + a * total
    return power * (in_a * series + total + a * by_a), power * (in_b * series + a * by_b)


def _slope(m: Maths, a: Real, b: Real, x: Real, y: Real, D: Real) -> Real:
    """The derivative of I_x(a, b) by a, where y = 1 - x, given the `_prefactor`."""
    both = a + b
    excess = m.where(x < 0.5, a - both * x, both * y - b)
    above = excess < 0
    p, q = m.where(above, b, a), m.where(above, a, b)
    u, v = m.where(above, y, x), m.where(above, x, y)
    short = (q < 1) & (v < 0.3) & (p * v <= 1)
    safe_p, safe_q = m.where(short, 1.0, p), m.where(short, 1.0, q)
    F, by_p, by_q = _fraction_slopes(
        m, safe_p, safe_q, m.where(short, 0.5, u), m.where(short, 0.5, v),
        m.where(short, 0.0, m.abs(excess)),
    )  # fmt: skip
    # Of the logarithm of x^a y^b, and of the fraction.
    log = m.where(x < 0.5, m.log(x), m.log1p(-y))
    in_a = log + digamma_increment(m, a, b)
    value = D * (F * in_a + m.where(above, by_q, by_p))
    value = m.where(above, -value, value)

    def with_series(value: Real) -> Real:
        near, far = _power_series_slopes(
            m, m.where(short, q, 0.5), m.where(short, p, 0.5), m.where(short, v, 0.25)
        )
        return m.where(short, m.where(above, near, -far), value)

    return m.when(short, with_series, value, value)


def _slope_on_domain(m: Maths, a: Real, b: Real, x: Real, by_b: bool) -> Real:
    """The derivative by a, or by b; 0 at the ends, where I_x(a, b) does not depend on them."""
    positive = (a > 0) & (b > 0) & (a < math.inf) & (b < math.inf)
    fine = positive & (x > 0) & (x < 1)
    p, q, u = m.where(fine, a, 1.0), m.where(fine, b, 1.0), m.where(fine, x, 0.5)
    excess = m.where(u < 0.5, p - (p + q) * u, (p + q) * (1 - u) - q)
    D = _prefactor(m, p, q, u, excess)
    value = -_slope(m, q, p, 1 - u, u, D) if by_b else _slope(m, p, q, u, 1 - u, D)
    at_ends = positive & ((x == 0) | (x == 1))
    return m.where(fine, value, m.where(at_ends, 0.0, math.nan))


def _betainc_grad_a(m: Maths, a: Real, b: Real, x: Real) -> Real:
    return _slope_on_domain(m, a, b, x, by_b=False)


def _betainc_grad_b(m: Maths, a: Real, b: Real, x: Real) -> Real:
    return _slope_on_domain(m, a, b, x, by_b=True)


# For derivatives.
betainc_grad_a_p = special("betainc_grad_a", _betainc_grad_a)
betainc_grad_b_p = special("betainc_grad_b", _betainc_grad_b)
betainc_grad_x_p = special("betainc_grad_x", _betainc_grad_x)
regularized_incomplete_beta_p = special("regularized_incomplete_beta", _betainc)


def betainc(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Array:
    """The regularized incomplete beta function I_x(a, b).

    That is the integral of `t ** (a - 1) * (1 - t) ** (b - 1)` from 0 to `x`, over the one to 1.

    Args:
        a: floats from 0 on.
        b: floats from 0 on.
        x: floats from 0 to 1. Outside of these domains the result is NaN. All three have one
            dtype, and one shape or are zero-dimensional.

    Returns:
        An array of that dtype and shape.

    Raises:
        TypeError: the operands hold no floats, or floats of two dtypes.
        ShapeError: the shapes don't go together.

    See DLMF 8.17.2.

    >>> betainc(np.float32(2), np.float32(3), np.float32([0.5, 1]))
    Array([0.6875, 1.    ], dtype=float32)
    """
    return regularized_incomplete_beta_p.bind(*match("betainc", a, b, x))

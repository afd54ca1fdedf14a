"""The regularized incomplete beta function.

By the continued fraction of A. R. DiDonato and A. H. Morris, "Algorithm 708: significant digit
computation of the incomplete beta function ratios", ACM TOMS 18 (1992), equation (9), evaluated
from its end; all of its terms are positive on the side of the mean where it is used. Sources
are cited as DLMF (NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov).
"""

from __future__ import annotations

import math

from ..kit import Array, ArrayLike, match
from .gamma import LARGE, gamma1p, stirling
from .incomplete_gamma import log1p_deficit
from .maths import Maths, Real, special

__all__ = ["betainc", "regularized_incomplete_beta_p"]


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
    """I_x(a, b) B(a, b) / (x^a y^b), for x up to the mean a / (a + b)."""
    spread = m.where(a > b, a, b)
    count = 30 + 6 * m.sqrt(m.largest(m.where(spread < 1e7, spread, 1e7)))

    def step(k: Real, tail: Real) -> tuple[Real]:
        n = k - 1
        return (_numerator(a, b, x, k) / (_denominator(a, b, x, y, excess, n + 1) + tail),)

    (tail,) = m.downto(count, step, 0 * x)
    return 1 / (_denominator(a, b, x, y, excess, 0.0) + tail)


def _numerator(a: Real, b: Real, x: Real, n: Real) -> Real:
    odd = a + (2 * n - 1)
    return ((a + (n - 1)) / odd) * ((a + b + (n - 1)) / odd) * (n * (b - n) * x * x)


def _denominator(a: Real, b: Real, x: Real, y: Real, excess: Real, n: Real) -> Real:
    first = n + n * (b - n) * x / (a + (2 * n - 1)) if not isinstance(n, float) or n else 0.0
    return first + (a + n) * (excess + 1 + n * (1 + y)) / (a + (2 * n + 1))


def _betainc(m: Maths, a: Real, b: Real, x: Real) -> Real:
    fine = (a > 0) & (b > 0) & (a < math.inf) & (b < math.inf) & (x > 0) & (x < 1)
    a_safe, b_safe = m.where(fine, a, 1.0), m.where(fine, b, 1.0)
    x_safe = m.where(fine, x, 0.5)
    y_safe = 1 - x_safe
    both = a_safe + b_safe
    excess = m.where(x_safe < 0.5, a_safe - both * x_safe, both * y_safe - b_safe)
    above = excess < 0
    value = _prefactor(m, a_safe, b_safe, x_safe, excess) * _below_mean(
        m, m.where(above, b_safe, a_safe), m.where(above, a_safe, b_safe),
        m.where(above, y_safe, x_safe), m.where(above, x_safe, y_safe), m.abs(excess),
    )  # fmt: skip
    value = m.where(above, 1 - value, value)
    # The limits: the mass is at 0 for a = 0 or b = inf, at 1 for b = 0 or a = inf.
    at_0 = ((a == 0) | (b == math.inf)) & (b > 0) & (a < math.inf)
    at_1 = ((b == 0) | (a == math.inf)) & (a > 0) & (b < math.inf)
    known = (a >= 0) & (b >= 0)
    limit = m.where(known & at_0, 1.0, m.where(known & at_1, 0.0, math.nan))
    limit = m.where(known & (x == 0), 0.0, m.where(known & (x == 1), 1.0, limit))
    return m.where(fine, value, m.where((x >= 0) & (x <= 1), limit, math.nan))


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

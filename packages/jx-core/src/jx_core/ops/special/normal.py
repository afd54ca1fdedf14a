"""The normal distribution: its distribution function, that one's logarithm and its inverse.

Below -4.5 by the continued fraction of Mills's ratio, DLMF 7.9.1: with phi the density and Phi
the distribution function, phi(x) / Phi(x) = t + 1 / (t + 2 / (t + 3 / ...)), where t = -x.
Sources are cited as DLMF (NIST Digital Library of Mathematical Functions,
https://dlmf.nist.gov).
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction

from .gamma import LOG_SQRT_2PI
from .maths import Maths, Real, polynomial, special

# For jx.scipy.special: there are no lax functions of these.
__all__ = [
    "log_normal_cdf_p", "normal_cdf_p", "normal_density_p", "normal_hazard_p",
    "normal_hazard_slope_p", "normal_quantile_p", "normal_quantile_slope_p",
]  # fmt: skip

_TAIL = 4.5  # from here on the continued fraction,
_TERMS = 36  # which takes so many terms there: digits grow with the root of their number


def _excess(m: Maths, t: Real) -> Real:
    """phi / Phi - t at -t, for t of at least `_TAIL`."""
    tail = 0.0 * t
    for k in range(math.ceil(_TERMS * m.effort**2), 0, -1):
        tail = k / (t + tail)
    return tail


def _density(m: Maths, x: Real) -> Real:
    """phi(x), with the square in two parts, as its rounding would be magnified."""
    size = m.abs(x)
    size = m.where(size > 64, 64.0, size)
    high = m.floor(size * 65536.0) / 65536.0
    low = size - high
    return m.exp(-0.5 * high * high) * m.exp(-0.5 * low * (size + high)) / math.sqrt(2 * math.pi)


def _cdf(m: Maths, x: Real) -> Real:
    far = x < -_TAIL
    t = m.where(far, m.where(x < -64, 64.0, -x), _TAIL)
    tail = _density(m, t) / (t + _excess(m, t))
    return m.where(far, tail, 0.5 * m.erfc(m.where(far, 0.0, x) * -math.sqrt(0.5)))


def _log_cdf(m: Maths, x: Real) -> Real:
    far, above = x < -_TAIL, x > 1
    t = m.where(far & (x > -math.inf), -x, _TAIL)
    tail = -0.5 * t * t - LOG_SQRT_2PI - m.log(t + _excess(m, t))
    tail = m.where(x == -math.inf, -math.inf, tail)
    # By the smaller of the probabilities, where log1p is of a small number.
    share = _cdf(m, m.where(far, 0.0, -m.abs(x)))
    lower = m.where(x > 0, 1 - share, share)
    near = m.where(above, m.log1p(-share), m.log(m.where(above, 0.5, lower)))
    return m.where(far, tail, near)


def _hazard_parts(m: Maths, x: Real) -> tuple[Real, Real]:
    """phi(x) / Phi(x), and that plus x, neither of which cancels."""
    far = x < -_TAIL
    t = m.where(far & (x > -math.inf), -x, _TAIL)
    excess = _excess(m, t)
    near = m.where(far | (x == math.inf), 0.0, x)
    hazard = _density(m, near) / (0.5 * m.erfc(near * -math.sqrt(0.5)))
    return m.where(far, t + excess, hazard), m.where(far, excess, hazard + near)


def _hazard(m: Maths, x: Real) -> Real:
    """phi / Phi, the derivative of log Phi."""
    value, _ = _hazard_parts(m, x)
    return m.where(x == -math.inf, math.inf, m.where(x == math.inf, 0.0, value))


def _hazard_slope(m: Maths, x: Real) -> Real:
    """The derivative of phi / Phi: h' = -h (x + h)."""
    hazard, excess = _hazard_parts(m, x)
    value = m.where(hazard == 0, 0.0, -hazard * excess)
    return m.where(x == -math.inf, -1.0, m.where(x == math.inf, 0.0, value))


_QUANTILE_TERMS = 30  # of the series of the inverse error function, for arguments up to 1/2


@functools.cache
def _quantile_coefficients() -> list[float]:
    """Of Phi^-1(1/2 + w / 2) / w in powers of w^2: DLMF 7.17.2 for the inverse of erf.

    erf^-1(w) is the sum of c_k / (2k + 1) (sqrt(pi) w / 2)^(2k + 1), where c_0 = 1 and c_k is
    the sum of c_j c_(k - 1 - j) / ((j + 1) (2j + 1)).
    """
    c = [Fraction(1)]
    for k in range(1, _QUANTILE_TERMS):
        total = sum((c[j] * c[k - 1 - j] / ((j + 1) * (2 * j + 1)) for j in range(k)), Fraction(0))
        c.append(total.limit_denominator(10**30))
    scale = math.sqrt(math.pi) / 2
    return [
        math.sqrt(2) * float(c_k) / (2 * k + 1) * scale ** (2 * k + 1) for k, c_k in enumerate(c)
    ]


def _quantile(m: Maths, p: Real) -> Real:
    """The x with Phi(x) = p: a series around 1/2, Halley's method on log Phi in the tails.

    It starts from the approximation 26.2.23 of M. Abramowitz and I. Stegun, "Handbook of
    mathematical functions" (1964), which is within 4.5e-4; each step cubes the error.
    """
    inside = (p > 0) & (p < 1)
    middle = (p >= 0.25) & (p <= 0.75)
    w = 2 * (m.where(middle, p, 0.5) - 0.5)
    near = w * polynomial(m.enough(_quantile_coefficients(), 0.25), w * w)
    upper = p > 0.5
    least = m.where(inside & ~middle, m.where(upper, 1 - p, p), 0.125)
    goal = m.log(least)
    t = m.sqrt(-2 * goal)
    x = polynomial((2.515517, 0.802853, 0.010328), t)
    x = x / polynomial((1.0, 1.432788, 0.189269, 0.001308), t) - t
    for _ in range(2):
        hazard, excess = _hazard_parts(m, x)
        newton = (_log_cdf(m, x) - goal) / hazard
        x = x - newton / (1 + 0.5 * newton * excess)
    value = m.where(middle, near, m.where(upper, -x, x))
    ends = m.where(p == 0, -math.inf, m.where(p == 1, math.inf, math.nan))
    return m.where(inside, value, ends)


def _quantile_slope(m: Maths, p: Real) -> Real:
    """The derivative of the quantile, 1 / phi; inf at the ends."""
    inside = (p > 0) & (p < 1)
    value = 1 / _density(m, _quantile(m, m.where(inside, p, 0.5)))
    return m.where(inside, value, m.where((p == 0) | (p == 1), math.inf, math.nan))


normal_density_p = special("normal_density", _density)
normal_cdf_p = special("normal_cdf", _cdf)
log_normal_cdf_p = special("log_normal_cdf", _log_cdf)
normal_hazard_p = special("normal_hazard", _hazard)
normal_hazard_slope_p = special("normal_hazard_slope", _hazard_slope)
normal_quantile_p = special("normal_quantile", _quantile)
normal_quantile_slope_p = special("normal_quantile_slope", _quantile_slope)

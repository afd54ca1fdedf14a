"""The regularized incomplete gamma functions and their derivatives by the order.

The plane is parted as in A. Gil, J. Segura and N. M. Temme, "Efficient and accurate algorithms
for the computation and inversion of the incomplete gamma function ratios", SIAM J. Sci.
Comput. 34 (2012): a power series, a continued fraction, and Temme's expansion around x = a
at large orders. Sources are cited as DLMF (NIST Digital Library of Mathematical Functions,
https://dlmf.nist.gov).

With D = x^a exp(-x) / gamma(1 + a), the derivative of P by a is D G, and that of P by x is
D a / x; so -G x / a is how a gamma-distributed x moves with its shape a.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..kit import Array, ArrayLike, match
from .gamma import LARGE, digamma_positive, gamma1p, lgamma1p, stirling
from .maths import Maths, Real, Truth, polynomial, special
from .temme import expansion

__all__ = [
    "igamma", "igamma_grad_a", "igamma_grad_a_p", "igamma_grad_x_p", "igamma_p", "igammac",
    "igammac_p", "random_gamma_grad", "random_gamma_grad_p",
]  # fmt: skip

_UNIFORM_FROM = 20.0  # Temme's expansion is exact from this order on,
_UNIFORM_WIDTH = 0.4  # where x differs from a by this much of a
_FRACTION_FROM = 1.1  # the continued fraction wants x at least so large
_LOG1P_SERIES = tuple(1 / (2 * k + 3) for k in range(16))


def log1p_deficit(m: Maths, mu: Real) -> Real:
    """mu - log(1 + mu), precise where it is small: by log(1 + mu) = 2 artanh(mu / (2 + mu))."""
    near = m.abs(mu) < 0.5
    small = m.where(near, mu, 0.0)
    t = small / (2 + small)
    by_series = t * (small - 2 * t * t * polynomial(_LOG1P_SERIES, t * t))
    return m.where(near, by_series, mu - m.log1p(m.where(near, 1.0, mu)))


def _prefactor(m: Maths, a: Real, x: Real) -> Real:
    """D = x^a exp(-x) / gamma(1 + a)."""
    large = a >= LARGE
    low = m.where(large, 1.0, a)
    # From 10,000 on D is less than any number; the power would overflow and give NaN.
    moderate = m.where(x < 1e4, x, 1e4)
    half = m.exp(-0.5 * moderate)  # in halves, as the product may be normal where this is not
    small = m.pow(moderate, low) * half * half / gamma1p(m, low)
    tall = m.where(large, a, LARGE)
    mu = (x - tall) / tall
    near = m.abs(mu) < 0.5
    exponent = m.where(
        near, tall * log1p_deficit(m, m.where(near, mu, 0.0)), (x - tall) - tall * m.log(x / tall)
    )
    high = m.exp(-exponent - stirling(tall)) / m.sqrt(2 * math.pi * tall)
    return m.where(large, high, small)


class _Regions(NamedTuple):
    """Which way each point goes, and operands that are fit for every way."""

    fine: Truth
    uniform: Truth
    fraction: Truth
    series: Truth
    a: Real
    x: Real


def _regions(m: Maths, a: Real, x: Real) -> _Regions:
    fine = (a > 0) & (a < math.inf) & (x > 0) & (x < math.inf)
    a, x = m.where(fine, a, 1.0), m.where(fine, x, 1.0)
    uniform = (a >= _UNIFORM_FROM) & (m.abs(x - a) <= _UNIFORM_WIDTH * a)
    fraction = (x > a) & (x >= _FRACTION_FROM)
    series = fine & ~(uniform | fraction)
    return _Regions(fine, uniform, fraction & ~uniform, series, a, x)


def _series(m: Maths, at: _Regions) -> tuple[Real, Real]:
    """P / D, and its derivative by a (DLMF 8.7.1); all terms are positive.

    The sum is 1 + r_1 (1 + r_2 (1 + ...)) with r_k = x / (a + k).
    """
    a, x = m.where(at.series, at.a, 1.0), m.where(at.series, at.x, 0.5)
    count = m.largest(m.where(x < 20, 18 + 7.5 * m.sqrt(x), 84.0))

    def step(k: Real, total: Real, slope: Real) -> tuple[Real, Real]:
        below = 1 / (a + k)
        ratio = x * below
        return 1 + ratio * total, ratio * (slope - total * below)

    total, slope = m.downto(m.effort * count, step, 1 + 0 * x, 0 * x)
    return total, slope


def _fraction(m: Maths, at: _Regions) -> tuple[Real, Real]:
    """Q / (D a), and its derivative by a: the continued fraction DLMF 8.9.2, from its end."""
    a, x = m.where(at.fraction, at.a, 1.0), m.where(at.fraction, at.x, 40.0)
    count = m.largest(24 + 80 / x)

    def step(k: Real, tail: Real, slope: Real) -> tuple[Real, Real]:
        below = 1 / (x + (2 * k + 1) - a + tail)
        tail_new = k * (a - k) * below
        return tail_new, k * below - tail_new * below * (slope - 1)

    tail, slope = m.downto(m.effort * count, step, 0 * x, 0 * x)
    value = 1 / (x + 1 - a + tail)
    return value, -value * value * (slope - 1)


def _uniform(m: Maths, at: _Regions, upper: bool) -> Real:
    """P or Q by Temme's expansion."""
    a, eta, scale = _eta(m, at)
    value, _, _ = expansion(a, eta)
    y = eta * m.sqrt(0.5 * a)
    rest = scale * value
    return 0.5 * m.erfc(y) + rest if upper else 0.5 * m.erfc(-y) - rest


def _eta(m: Maths, at: _Regions) -> tuple[Real, Real, Real]:
    """a, eta, and exp(-a eta^2 / 2) / sqrt(2 pi a)."""
    a, x = m.where(at.uniform, at.a, 30.0), m.where(at.uniform, at.x, 30.0)
    mu = (x - a) / a
    deficit = log1p_deficit(m, mu)
    eta = m.sqrt(2 * deficit)
    scale = m.exp(-a * deficit) / m.sqrt(2 * math.pi * a)
    return a, m.where(mu < 0, -eta, eta), scale


def _uniform_slope(m: Maths, at: _Regions) -> Real:
    """G by Temme's expansion: at constant x the derivative of eta by a is -mu / (a eta)."""
    a, eta, _ = _eta(m, at)
    mu = m.where(at.uniform, (at.x - at.a) / at.a, 0.0)
    value, by_a, by_eta = expansion(a, eta)
    flat = m.abs(eta) < 1e-12
    quotient = m.where(flat, 1.0, mu / m.where(flat, 1.0, eta))
    rest = (m.log1p(mu) - 0.5 / a) * value + by_a - by_eta * quotient / a
    return (0.5 * eta - quotient - rest) * m.exp(stirling(a))


def _ratio(m: Maths, a: Real, x: Real, upper: bool) -> Real:
    """P, or Q if `upper`, each precise where it is small, for every a and x."""
    at = _regions(m, a, x)
    D = _prefactor(m, at.a, at.x)
    small = at.series & (at.a < 1) & (at.x < _FRACTION_FROM)

    def by_series(result: Real) -> Real:
        P = D * _series(m, at)[0]
        if not upper:
            return m.where(at.series, P, result)
        Q = _complement(m, m.where(small, at.a, 0.5), m.where(small, at.x, 0.5))
        return m.where(at.series, m.where(small, Q, 1 - P), result)

    def by_fraction(result: Real) -> Real:
        Q = D * at.a * _fraction(m, at)[0]
        return m.where(at.fraction, Q if upper else 1 - Q, result)

    def by_expansion(result: Real) -> Real:
        return m.where(at.uniform, _uniform(m, at, upper), result)

    # The limits: all of the mass is at 0 for a = 0, and at inf for a = inf.
    right = (x == math.inf) | ((a == 0) & (x > 0))
    left = ((x == 0) & (a > 0)) | ((a == math.inf) & (x < math.inf))
    at_right, at_left = (0.0, 1.0) if upper else (1.0, 0.0)
    limit = m.where(right, at_right, m.where(left, at_left, math.nan))
    result = m.where((a >= 0) & (x >= 0), limit, math.nan)
    result = m.when(at.series, by_series, result, result)
    result = m.when(at.fraction, by_fraction, result, result)
    return m.when(at.uniform, by_expansion, result, result)


def _complement(m: Maths, a: Real, x: Real) -> Real:
    """Q for a < 1 and x < 1.1, where P may be next to 1: A. R. DiDonato and A. H. Morris,
    "Computation of the incomplete gamma function ratios", ACM TOMS 12 (1986).

    Q is 1 - x^a / gamma(1 + a) less a x^a / gamma(1 + a) times the sum of
    (-x)^n / (n! (a + n)) over n = 1, 2, ...
    """
    exponent = a * m.log(x) - lgamma1p(m, a)
    total = 0.0 * x
    for n in range(22, 0, -1):
        total = (1 / (a + n) + total) * (-x / n)
    return -m.expm1(exponent) - a * m.exp(exponent) * total


def _slope(m: Maths, a: Real, x: Real) -> tuple[Real, Real, _Regions]:
    """G for every a and x, and D."""
    at = _regions(m, a, x)
    D = _prefactor(m, at.a, at.x)
    log = m.log(at.x)
    zero = 0 * at.x

    def by_series(zero: Real) -> Real:
        total, slope = _series(m, at)
        return total * (log - digamma_positive(m, 1 + at.a)) + slope

    def by_fraction(zero: Real) -> Real:
        value, slope = _fraction(m, at)
        return -at.a * (value * (log - digamma_positive(m, at.a)) + slope)

    def by_expansion(zero: Real) -> Real:
        return _uniform_slope(m, at)

    G = m.where(at.series, m.when(at.series, by_series, zero, zero), zero)
    G = m.where(at.fraction, m.when(at.fraction, by_fraction, zero, zero), G)
    G = m.where(at.uniform, m.when(at.uniform, by_expansion, zero, zero), G)
    return G, D, at


def _igamma(m: Maths, a: Real, x: Real) -> Real:
    return _ratio(m, a, x, upper=False)


def _igammac(m: Maths, a: Real, x: Real) -> Real:
    return _ratio(m, a, x, upper=True)


def _igamma_grad_a(m: Maths, a: Real, x: Real) -> Real:
    """The derivative of P by a: 0 where P is constant."""
    G, D, at = _slope(m, a, x)
    constant = (a > 0) & ((x == 0) | (x == math.inf)) & (a < math.inf)
    constant = constant | ((a == math.inf) & (x >= 0) & (x < math.inf))
    return m.where(at.fine, D * G, m.where(constant, 0.0, math.nan))


def _igamma_grad_x(m: Maths, a: Real, x: Real) -> Real:
    """The derivative of P by x, the gamma density x^(a - 1) exp(-x) / gamma(a)."""
    at = _regions(m, a, x)
    at_0 = m.where(a < 1, math.inf, m.where(a == 1, 1.0, 0.0))
    known = (a > 0) & (x >= 0) & ~((a == math.inf) & (x == math.inf))
    limit = m.where(known, m.where((x == 0) & (a < math.inf), at_0, 0.0), math.nan)
    return m.where(at.fine, _prefactor(m, at.a, at.x) * at.a / at.x, limit)


def _random_gamma_grad(m: Maths, a: Real, x: Real) -> Real:
    """-(dP/da) / (dP/dx)."""
    G, _, at = _slope(m, a, x)
    return m.where(at.fine, -G * at.x / at.a, m.where((a > 0) & (x == 0), 0.0, math.nan))


igamma_p = special("igamma", _igamma)
igammac_p = special("igammac", _igammac)
igamma_grad_a_p = special("igamma_grad_a", _igamma_grad_a)
igamma_grad_x_p = special("igamma_grad_x", _igamma_grad_x)  # for derivatives: no lax function
random_gamma_grad_p = special("random_gamma_grad", _random_gamma_grad)


def igamma(a: ArrayLike, x: ArrayLike) -> Array:
    """The regularized lower incomplete gamma function P(a, x).

    That is the integral of `t ** (a - 1) * exp(-t)` from 0 to `x`, over `gamma(a)`.

    Args:
        a: floats from 0 on; the result is NaN for others.
        x: floats from 0 on, of the dtype of `a`, and of its shape or zero-dimensional (or `a`
            is).

    Returns:
        An array of that dtype and shape.

    Raises:
        TypeError: the operands hold no floats, or floats of two dtypes.
        ShapeError: the shapes don't go together.

    See DLMF 8.2.4.

    >>> igamma(np.float32([1, 100]), np.float32([1, 100]))
    Array([0.63212055, 0.5132988 ], dtype=float32)
    """
    return igamma_p.bind(*match("igamma", a, x))


def igammac(a: ArrayLike, x: ArrayLike) -> Array:
    """The regularized upper incomplete gamma function `1 - igamma(a, x)`, precise if small.

    Operands and errors as for `igamma`. See DLMF 8.2.4.

    >>> igammac(np.float32(1), np.float32([1, 50]))
    Array([3.6787945e-01, 1.9287499e-22], dtype=float32)
    """
    return igammac_p.bind(*match("igammac", a, x))


def igamma_grad_a(a: ArrayLike, x: ArrayLike) -> Array:
    """The derivative of `igamma(a, x)` by `a`.

    Operands and errors as for `igamma`.

    >>> igamma_grad_a(np.float32(1), np.float32([0, 1]))
    Array([ 0.       , -0.4317297], dtype=float32)
    """
    return igamma_grad_a_p.bind(*match("igamma_grad_a", a, x))


def random_gamma_grad(a: ArrayLike, x: ArrayLike) -> Array:
    """How a sample `x` of the gamma distribution of shape `a` moves as `a` grows.

    The derivative of `x` by `a` at constant `igamma(a, x)`: M. Figurnov, S. Mohamed and
    A. Mnih, "Implicit reparameterization gradients" (2018). Operands and errors as for `igamma`.

    >>> random_gamma_grad(np.float32(2), np.float32([1, 2]))
    Array([0.7507787, 1.0862086], dtype=float32)
    """
    return random_gamma_grad_p.bind(*match("random_gamma_grad", a, x))

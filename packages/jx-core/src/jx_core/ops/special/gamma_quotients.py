"""The gamma function itself and its quotients: beta, binomial coefficients, rising factorials.

Arguments below 0 are brought above by reflection (DLMF 5.5.3), quotients of large values are
taken before they overflow by Stirling's series (DLMF 5.11.1). Sources are cited as DLMF (NIST
Digital Library of Mathematical Functions, https://dlmf.nist.gov).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .gamma import LARGE, LOG_SQRT_2PI, gamma1p, lgamma_of, sine_of_pi, stirling
from .maths import Maths, Real, Truth, special

# For jx.scipy.special: there are no lax functions of these.
__all__ = ["beta_p", "binomial_p", "gamma_p", "log_beta_p", "rising_factorial_p"]


def _odd(m: Maths, x: Real) -> Truth:
    """Whether the whole number x is odd."""
    return 2 * m.floor(0.5 * x) != x


def _is_pole(m: Maths, x: Real) -> Truth:
    return (x <= 0) & (x == m.floor(x))


def _factors(m: Maths, x: Real) -> tuple[Real, Real]:
    """Two factors of gamma(x) for x > 0, finite up to x = 250 or so."""
    large = x >= LARGE
    low = m.where(large, 1.0, x)
    tall = m.where(large, x, LARGE)
    half = m.pow(tall, 0.5 * tall - 0.25)
    rest = half * m.exp(-tall) * m.exp(stirling(tall)) * math.sqrt(2 * math.pi)
    return m.where(large, rest, gamma1p(m, low) / low), m.where(large, half, 1.0)


def _gamma(m: Maths, x: Real) -> Real:
    """gamma(x), NaN at the poles below 0 and at -inf."""
    zero = x == 0
    finite = m.where(zero | (x == math.inf), 1.0, x)
    first, second = _factors(m, m.abs(finite))
    value = first * second

    def reflected(value: Real) -> Real:
        sine, _ = sine_of_pi(m, finite)
        size = math.pi / (m.abs(finite) * sine) / first / second
        size = m.where(x == m.floor(x), math.nan, size)
        return m.where(x < 0, m.where(_odd(m, m.floor(finite)), -size, size), value)

    value = m.when(x < 0, reflected, value, value)
    return m.where(zero, 1 / x, m.where(x == math.inf, math.inf, value))


def _log_beta_positive(m: Maths, a: Real, b: Real) -> tuple[Real, Real]:
    """log B(a, b) for a, b > 0, and B itself where both are below `LARGE` (else 1).

    As in A. R. DiDonato and A. H. Morris, "Algorithm 708", ACM TOMS 18 (1992).
    """
    small, big = m.where(a < b, a, b), m.where(a < b, b, a)
    p, q = m.where(big < LARGE, small, 1.0), m.where(big < LARGE, big, 1.0)
    low = (1 / p + 1 / q) * (gamma1p(m, p) * gamma1p(m, q) / gamma1p(m, p + q, int(2 * LARGE)))
    # One is large.
    one = (small < LARGE) & (big >= LARGE)
    p, q = m.where(one, small, 1.0), m.where(big < LARGE, LARGE, big)
    both = p + q
    growth = (q - 0.5) * m.log1p(p / q) + p * (m.log(both) - 1) + stirling(both) - stirling(q)
    mixed = lgamma_of(m, p) - growth
    # Both are large: no term is of another sign than the greatest.
    tall = m.where(small < LARGE, LARGE, small)
    wide = m.where(small < LARGE, LARGE, q)
    ends = stirling(tall) + stirling(wide) - stirling(tall + wide) + LOG_SQRT_2PI
    far = ends - 0.5 * m.log(wide) - (tall - 0.5) * m.log1p(wide / tall)
    far = far - wide * m.log1p(tall / wide)
    log = m.where(one, mixed, m.where(small < LARGE, m.log(low), far))
    return log, low


class _Reflected(NamedTuple):
    """Arguments that are positive where those of B(a, b) may not be, and which way they came.

    For a <= 0 < b they are (1 - a - b, b) if those are positive (`down`), else (1 - a, a + b)
    (`up`); for both below they are (1 - a, 1 - b).
    """

    small: Real
    big: Real
    down: Truth
    up: Truth
    p: Real
    q: Real


def _reflected(m: Maths, a: Real, b: Real) -> _Reflected:
    small, big = m.where(a < b, a, b), m.where(a < b, b, a)
    both = small + big
    one = (small <= 0) & (big > 0)
    down = one & (1 - both > 0)
    up = one & ~down
    p = m.where(down, 1 - both, m.where(small <= 0, 1 - small, small))
    q = m.where(up, both, m.where(big <= 0, 1 - big, big))
    return _Reflected(small, big, down, up, p, q)


def _log_beta_below(m: Maths, at: _Reflected, inner: Real) -> Real:
    """log|B(a, b)| where an argument is not positive, from `inner` of p and q (DLMF 5.5.3)."""
    small, big, down = at.small, at.big, at.down
    both = small + big
    sine_small, _ = sine_of_pi(m, small)
    sine_big, _ = sine_of_pi(m, big)
    sine_both, _ = sine_of_pi(m, both)
    quotient = m.where(_is_pole(m, small) & _is_pole(m, both), 1.0, sine_both / sine_small)
    by_down = inner + m.log(quotient)
    by_up = m.log(math.pi / sine_small / m.where(at.up, big, 1.0)) - inner
    neither = m.log(math.pi * sine_both / (sine_small * sine_big) / (1 - both)) - inner
    value = m.where(down, by_down, m.where(at.up, by_up, neither))
    pole = _is_pole(m, small) & ~(down & _is_pole(m, both) & (big == m.floor(big)))
    return m.where(pole | _is_pole(m, big), math.inf, value)


def _beta_domain(m: Maths, a: Real, b: Real) -> tuple[Truth, Real, Real]:
    fine = (m.abs(a) < math.inf) & (m.abs(b) < math.inf)
    return fine, m.where(fine, a, 1.0), m.where(fine, b, 1.0)


def _log_beta(m: Maths, a: Real, b: Real) -> Real:
    """log|B(a, b)|; -inf where one is inf and the other positive."""
    fine, p, q = _beta_domain(m, a, b)
    at = _reflected(m, p, q)
    inner, _ = _log_beta_positive(m, at.p, at.q)
    negative = at.small <= 0

    def below(log: Real) -> Real:
        return m.where(negative, _log_beta_below(m, at, inner), log)

    log = m.when(negative, below, inner, inner)
    return m.where(fine, log, m.where((a > 0) & (b > 0), -math.inf, math.nan))


def _beta(m: Maths, a: Real, b: Real) -> Real:
    """B(a, b): exp of its logarithm where that is not known better."""
    fine, p, q = _beta_domain(m, a, b)
    at = _reflected(m, p, q)
    inner, low = _log_beta_positive(m, at.p, at.q)
    negative = at.small <= 0
    value = m.where((p < LARGE) & (q < LARGE), low, m.exp(inner))

    def below(value: Real) -> Real:
        size = m.exp(_log_beta_below(m, at, inner))
        flips = [(x < 0) & _odd(m, m.floor(x)) for x in (p, q, p + q)]
        sign = m.where(flips[0] ^ flips[1] ^ flips[2], -1.0, 1.0)
        # At poles the sign is that of a quotient of poles, B(a, b) = (-1)^b B(1 - a - b, b).
        whole = _is_pole(m, at.small) & (size < math.inf)
        sign = m.where(whole, m.where(_odd(m, m.floor(at.big)), -1.0, 1.0), sign)
        return m.where(negative, m.where(size == math.inf, math.inf, sign * size), value)

    value = m.when(negative, below, value, value)
    return m.where(fine, value, m.where((a > 0) & (b > 0), 0.0, math.nan))


_PRODUCT = 30  # so many factors are multiplied one by one


def _binomial(m: Maths, n: Real, k: Real) -> Real:
    """n! / (k! (n - k)!) for 0 <= k <= n, a whole number for whole n and k up to 2**53."""
    fine = (k >= 0) & (k <= n) & (n < math.inf)
    limit = m.where((n == math.inf) & (k < math.inf), m.where(k == 0, 1.0, math.inf), math.nan)
    limit = m.where(k >= 0, limit, math.nan)
    n, k = m.where(fine, n, 2.0), m.where(fine, k, 1.0)
    least = m.where(2 * k <= n, k, n - k)
    log, _ = _log_beta_positive(m, n - k + 1, k + 1)
    value = m.exp(-log) / (n + 1)
    product = (least == m.floor(least)) & (least <= _PRODUCT)
    count = m.where(product, least, 0.0)
    most = m.largest(count)
    base = n - count

    def step(j: Real, total: Real) -> tuple[Real]:
        i = most - j + 1
        return (m.where(i <= count, total * (base + i) / i, total),)

    (total,) = m.downto(most, step, 0 * n + 1.0)
    return m.where(fine, m.where(product, total, value), limit)


def _rising_factorial(m: Maths, z: Real, n: Real) -> Real:
    """gamma(z + n) / gamma(z): its limit where both are infinite, NaN where only the first is.

    Of two arguments below 0 both are reflected, (z)_n = (1 - z - n)_n sin(pi z) / sin(pi z + pi n).
    Of one such it is a quotient, or a product, of the values at its absolute value.
    """
    fine = (m.abs(z) < math.inf) & (m.abs(n) < math.inf)
    p, step = m.where(fine, z, 1.0), m.where(fine, n, 1.0)
    top = p + step
    under, over = p <= 0, top <= 0
    turned = under & over
    start = m.where(turned, 1 - top, m.where(p == 0, 1.0, m.abs(p)))
    end = m.where(turned, 1 - p, m.where(top == 0, 1.0, m.abs(top)))
    far = ~(under ^ over) & (start >= LARGE) & (end >= LARGE)
    tall, wide = m.where(far, start, LARGE), m.where(far, end, LARGE)
    part = m.where(far, step, 0.0)
    exponent = (tall - 0.5) * m.log1p(part / tall) + part * (m.log(wide) - 1)
    growth = m.exp(exponent + (stirling(wide) - stirling(tall)))
    first, second = _factors(m, m.where(far, 1.0, end))
    third, fourth = _factors(m, m.where(far, 1.0, start))
    value = m.where(far, growth, (first / third) * (second / fourth))

    def below(value: Real) -> Real:
        sine_p, _ = sine_of_pi(m, p)
        sine_top, _ = sine_of_pi(m, top)
        pole, top_pole = _is_pole(m, p), _is_pole(m, top)
        odd = _odd(m, m.floor(p)) ^ _odd(m, m.floor(top))
        both = value * m.where(pole & top_pole, 1.0, sine_p / sine_top)
        both = m.where(odd, -both, both)
        # gamma(-x) gamma(x) = -pi / (x sin(pi x)), of the one that is negative.
        down = math.pi / (end * sine_top) / first / third / second / fourth
        up = start * sine_p / math.pi * (first * third) * (second * fourth)
        mixed = m.where(over, m.where(_odd(m, m.floor(top)), -down, down),
                        m.where(_odd(m, m.floor(p)), -up, up))  # fmt: skip
        result = m.where(turned, both, m.where(pole, 0.0, mixed))
        result = m.where(top_pole & ~pole, math.nan, result)
        return m.where(under | over, result, value)

    value = m.when(under | over, below, value, value)
    value = m.where(fine, value, m.where((z > 0) & (n == math.inf), math.inf, math.nan))
    return m.where((n == 0) & (z == z), 1.0, value)


gamma_p = special("gamma", _gamma)
log_beta_p = special("log_beta", _log_beta)
beta_p = special("beta", _beta)
binomial_p = special("binomial", _binomial)
rising_factorial_p = special("rising_factorial", _rising_factorial)

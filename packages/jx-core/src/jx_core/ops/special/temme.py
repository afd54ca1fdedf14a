"""Temme's uniform expansion of the incomplete gamma functions at large orders.

N. M. Temme, "The asymptotic expansion of the incomplete gamma functions", SIAM J. Math.
Anal. 10 (1979); DLMF 8.12. With lambda = x / a = 1 + mu and eta^2 / 2 = mu - log(lambda),

    Q(a, x) = erfc(eta sqrt(a / 2)) / 2 + exp(-a eta^2 / 2) / sqrt(2 pi a) T(a, eta),

where T is a series in powers of 1 / a, the coefficients of which are power series in eta.
"""

from __future__ import annotations

import functools
from fractions import Fraction

from .gamma import STIRLING
from .maths import Real, polynomial

_ORDERS = 11  # powers of 1 / a: the rest is below 2**-53 from a = 20 on
_TERMS = 22  # powers of eta in the first coefficient, where |eta| < 1/2; fewer in the next


def expansion(a: Real, eta: Real) -> tuple[Real, Real, Real]:
    """T(a, eta) and its derivatives by a and by eta."""
    value, by_a, by_eta = 0.0, 0.0, 0.0
    inverse = 1 / a
    for k in reversed(range(_ORDERS)):
        row = _coefficients()[k]
        slopes = [n * c for n, c in enumerate(row)][1:]
        # by_a holds the derivative by 1 / a until the end
        by_a = by_a * inverse + value
        value = value * inverse + polynomial(row, eta)
        by_eta = by_eta * inverse + polynomial(slopes, eta)
    return value, -by_a * inverse * inverse, by_eta


@functools.cache
def _coefficients() -> list[list[float]]:
    """The power series c_k(eta), by DLMF 8.12.9 and 8.12.10 in exact arithmetic.

    c_0 = 1 / mu - 1 / eta and c_k = c_(k-1)'(eta) / eta + (-1)^k g_k / mu, where g_k are the
    coefficients of gamma's asymptotic series (DLMF 5.11.3); the poles at 0 cancel.
    """
    count = _TERMS + 2 * _ORDERS + 2
    first = _reciprocal(_mu_by_eta(count + 1))[1:]
    g = _gamma_series(_ORDERS)
    rows = [first]
    for k in range(1, _ORDERS):
        last = rows[-1]
        sign = (-1) ** k * g[k]
        rows.append([(n + 2) * last[n + 2] + sign * first[n] for n in range(len(last) - 2)])
    return [_needed([float(c) for c in row[:_TERMS]], k) for k, row in enumerate(rows)]


def _needed(row: list[float], k: int) -> list[float]:
    """The coefficients without those too small to matter, where |eta| < 1/2 and a >= 20."""
    sizes = [abs(c) * 0.5**n / 20.0**k for n, c in enumerate(row)]
    return row[: max(n for n, size in enumerate(sizes) if n < 2 or size > 2.0**-58) + 1]


def _mu_by_eta(count: int) -> list[Fraction]:
    """mu / eta as a power series in eta, from eta d(eta) = mu / (1 + mu) d(mu).

    With mu = sum of alpha_n eta^n that is mu mu' = eta (1 + mu), solved power by power.
    """
    alpha = [Fraction(0), Fraction(1)]
    for n in range(2, count + 1):
        inner = sum((j * alpha[j] * alpha[n - j + 1] for j in range(2, n)), Fraction(0))
        alpha.append((alpha[n - 1] - inner) / (n + 1))
    return alpha[1:]


def _reciprocal(series: list[Fraction]) -> list[Fraction]:
    """1 / series, for a series that begins with 1."""
    result = [Fraction(1)]
    for n in range(1, len(series)):
        result.append(-sum((series[j] * result[n - j] for j in range(1, n + 1)), Fraction(0)))
    return result


def _gamma_series(count: int) -> list[Fraction]:
    """g_k of gamma(a) ~ sqrt(2 pi / a) (a / e)^a sum of g_k a^-k: exp of Stirling's series."""
    stirling = {2 * k + 1: Fraction(c).limit_denominator(10**6) for k, c in enumerate(STIRLING)}
    g = [Fraction(1)]
    for n in range(1, count):
        terms = (j * stirling.get(j, Fraction(0)) * g[n - j] for j in range(1, n + 1))
        g.append(sum(terms, Fraction(0)) / n)
    return g

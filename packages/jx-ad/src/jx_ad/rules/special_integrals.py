"""Second derivatives of incomplete functions by their parameters, as integrals.

P(a, x) and I_x(a, b) are integrals of densities up to x, and a derivative by a parameter is that
of the density. Below the mean the integral up to x is taken, and above it minus that from x on,
for those of derivatives are 0 over the whole. What is computed is the quotient of such an
integral and the density at x, in which all that is large cancels.

The integrals are over half a line with an exponential decay, by the double exponential rule of
H. Takahasi and M. Mori, "Double exponential formulas for numerical integration" (1974): with
s = exp(u - exp(-u)) the trapezoidal rule in u. Everything is made of primitives that have
derivatives, so there are third ones and more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from jx_core import dtypes, lax, typeof

from .kit import is_number

__all__ = ["beta_curvature", "gamma_curvature", "zeta_curvature"]

# From where s is 1e-17 of its scale to where it is 3000 times it.
_PLACES = np.linspace(-3.6, 8.0, 100)
_S = np.exp(_PLACES - np.exp(-_PLACES))
_WEIGHTS = _S * (1 + np.exp(-_PLACES)) * (_PLACES[1] - _PLACES[0])


def gamma_curvature(a: Any, x: Any) -> Any:
    """The second derivative of P(a, x) by a, over the first by x; 0 for x = 0."""
    return _in_enough_digits(_gamma_curvature, a, x)


def beta_curvature(a: Any, b: Any, x: Any, by: str) -> Any:
    """A second derivative of I_x(a, b) over the first by x; 0 at the ends of its range.

    Args:
        a, b, x: as for the primitive.
        by: which parameters it is by: `"aa"`, `"ab"` or `"bb"`.
    """
    return _in_enough_digits(lambda a, b, x: _beta_curvature(a, b, x, by), a, b, x)


def zeta_curvature(x: Any, q: Any) -> Any:
    """The second derivative of the Hurwitz zeta function by x, for x > 1 and q > 0."""
    return _in_enough_digits(_zeta_curvature, x, q)


def _in_enough_digits(formula: Callable[..., Any], *operands: Any) -> Any:
    """The formula of arrays of one shape, in float32 where the dtype is a narrower one."""
    aval = max((typeof(x) for x in operands), key=lambda aval: aval.ndim)
    # A number takes the dtype of the others, which is no narrower.
    dtype = next((typeof(x).dtype for x in operands if not is_number(x)), aval.dtype)
    wide = np.dtype(np.float32) if dtype.itemsize < 4 else dtype

    def filled(x: Any) -> Any:
        x = lax.convert_element_type(x, wide)
        return x if typeof(x).shape == aval.shape else lax.broadcast_in_dim(x, aval.shape, ())

    return lax.convert_element_type(formula(*map(filled, operands)), dtype)


def _each(x: Any, count: int) -> Any:
    """The elements, each repeated along a further axis."""
    shape = typeof(x).shape
    return lax.broadcast_in_dim(x, (*shape, count), tuple(range(len(shape))))


def _along(values: np.ndarray, like: Any) -> Any:
    """Numbers along a further axis, the same for all elements."""
    shape = typeof(like).shape
    numbers = np.asarray(values, typeof(like).dtype)
    return lax.broadcast_in_dim(numbers, (*shape, len(values)), (len(shape),))


def _integral(scale: Any, integrand: Callable[..., Any], *parameters: Any) -> Any:
    """Of `integrand(s, *parameters)` over s from 0 on, if it decays over about `scale`."""
    scale = lax.stop_gradient(scale)
    s = lax.mul(_along(_S, scale), _each(scale, len(_S)))
    values = integrand(s, *[_each(p, len(_S)) for p in parameters])
    total = lax.reduce_sum(values * _along(_WEIGHTS, scale), (len(typeof(scale).shape),))
    return total * scale


def _decay(slope: Any, curvature: Any) -> Any:
    """Where slope s + curvature s^2 / 2 is 1."""
    return 2.0 / (slope + lax.sqrt(slope * slope + 2.0 * curvature))


def _within(fine: Any, *operands: Any) -> list[Any]:
    """The operands, with 1/2 where they are out of their domain."""
    return [lax.select(fine, x, lax.full_like(x, 0.5)) for x in operands]


def _trigamma(x: Any) -> Any:
    return lax.polygamma(lax.full_like(x, 1.0), x)


def _gamma_curvature(a: Any, x: Any) -> Any:
    zero = lax.full_like(x, 0.0)
    fine = (a > 0.0) & (x > 0.0) & lax.is_finite(a) & lax.is_finite(x)
    a, x = _within(fine, a, x)
    above = x > a
    low_a, low_x = _within(lax.bitwise_not(above), a, x)
    scale = _decay(low_a - low_x, low_x)
    scale = lax.select(scale > 1.0, lax.max(scale, 1.0 / low_a), scale)
    mean, spread = lax.digamma(a), _trigamma(a)

    def lower(s: Any, a: Any, x: Any, mean: Any, spread: Any) -> Any:  # at x exp(-s)
        deviation = lax.log(x) - s - mean
        return lax.exp(-a * s - x * lax.expm1(-s)) * (deviation * deviation - spread)

    def upper(s: Any, a: Any, x: Any, mean: Any, spread: Any) -> Any:  # at x + s
        growth = lax.log1p(s / x)
        deviation = lax.log(x) + growth - mean
        return lax.exp((a - 1.0) * growth - s) * (deviation * deviation - spread)

    below = low_x * _integral(scale, lower, low_a, low_x, mean, spread)
    high_a, high_x = _within(above, a, x)
    scale = _decay(lax.max(high_x - high_a, 0.0 * high_x) / high_x, high_a / high_x / high_x)
    beyond = -_integral(scale, upper, high_a, high_x, mean, spread)
    return lax.select(fine, lax.select(above, beyond, below), zero)


def _beta_curvature(a: Any, b: Any, x: Any, by: str) -> Any:
    zero = lax.full_like(x, 0.0)
    fine = (a > 0.0) & (b > 0.0) & (x > 0.0) & (x < 1.0) & lax.is_finite(a) & lax.is_finite(b)
    a, b, x = _within(fine, a, b, x)
    y = 1.0 - x
    above = x > a / (a + b)
    p, q = lax.select(above, b, a), lax.select(above, a, b)
    u, v = lax.select(above, y, x), lax.select(above, x, y)
    slope = lax.max((p * v - (q - 1.0) * u) / v, 0.0 * p)
    scale = _decay(slope, lax.max(q - 1.0, 0.0 * q) * u / v / v)
    scale = lax.select((scale > 1.0) | (scale != scale), 1.0 / p, scale)
    in_a, in_b = lax.digamma_increment_p.bind(a, b), lax.digamma_increment_p.bind(b, a)
    common = _trigamma(a + b)
    own = {"aa": common - _trigamma(a), "ab": common, "bb": common - _trigamma(b)}[by]

    def integrand(s: Any, p: Any, q: Any, u: Any, v: Any, *means: Any) -> Any:  # at u exp(-s)
        in_a, in_b, own, swapped = means
        growth = lax.log1p(-u * lax.expm1(-s) / v)
        near, far = lax.log(u) - s, lax.log(v) + growth
        by_a = in_a + near + swapped * (far - near)
        by_b = in_b + far + swapped * (near - far)
        first, second = ({"a": by_a, "b": by_b}[name] for name in by)
        return lax.exp(-p * s + (q - 1.0) * growth) * (first * second + own)

    swapped = lax.convert_element_type(above, typeof(x).dtype)
    value = u * _integral(scale, integrand, p, q, u, v, in_a, in_b, own, swapped)
    return lax.select(fine, lax.select(above, -value, value), zero)


# B_2k / (2k)!, of Euler and Maclaurin's summation.
_BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510,
              43867 / 798, -174611 / 330]  # fmt: skip
_TERMS = 12


def _zeta_curvature(x: Any, q: Any) -> Any:
    """By Euler and Maclaurin's summation (DLMF 25.11.5 in its derivative) after some terms.

    With L = log(q + n), (q + n)^-x has the second derivative L^2 (q + n)^-x, and the quotient of
    rising factorials goes by the product's rule: the triples below are of a factor, its
    derivative and its second one.
    """
    most = float(dtypes.finfo(typeof(x).dtype).max)
    x = lax.clamp(-most, x, most)
    terms = _along(np.arange(_TERMS), q) + _each(q, _TERMS)
    logs = lax.log(terms)
    first = lax.reduce_sum(logs * logs * lax.exp(-_each(x, _TERMS) * logs), (typeof(q).ndim,))
    far = q + float(_TERMS)
    log, below = lax.log(far), x - 1.0
    zero, one = lax.full_like(x, 0.0), lax.full_like(x, 1.0)
    inverse = far / below
    tail = (
        inverse + 0.5,
        -inverse / below,
        2.0 * inverse / below / below,
    )
    rising = (x, one, zero)
    for k, number in enumerate(_BERNOULLI, 1):
        factor = number / math.factorial(2 * k) * far ** (1 - 2 * k)
        tail = tuple(t + factor * r for t, r in zip(tail, rising, strict=True))
        for j in (2 * k - 1, 2 * k):
            value, by, twice = rising
            grown = x + float(j)
            rising = value * grown, by * grown + value, twice * grown + 2.0 * by
    value, by, twice = tail
    rest, size = twice - 2.0 * log * by + log * log * value, lax.exp(-x * log)
    return first + lax.select(size == 0.0, zero, size * rest)

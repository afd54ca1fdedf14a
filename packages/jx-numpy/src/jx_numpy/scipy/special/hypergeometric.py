"""The hypergeometric functions 1F1 and 2F1 of real parameters and arguments.

Sources are cited as DLMF (NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from jx_ad import SymbolicZero, custom_jvp, jvp
from jx_core import compiled, lax

from ...operands import Array, ArrayLike, typeof
from ._doubles import in_doubles, real_operands

__all__ = ["hyp1f1", "hyp2f1"]


def _is_whole(m: Any, x: Any) -> Any:
    return (m.floor(x) == x) & (x == x)


def _stops(m: Any, x: Any) -> Any:
    """Whether a series with x above the line ends: it is 0, -1, -2, ..."""
    return (x <= 0.0) & _is_whole(m, x)


def _sign_of_gamma(m: Any, x: Any) -> Any:
    floor = m.floor(x)
    odd = floor - 2.0 * m.floor(0.5 * floor)
    return m.where((x < 0.0) & (odd == 1.0), -1.0, 1.0)


def _gamma_ratio(m: Any, above: tuple[Any, ...], below: tuple[Any, ...]) -> Any:
    """The product of gammas over another; 0 where one below is at a pole."""
    exponent, sign, pole = 0.0, 1.0, None
    for x in above:
        exponent, sign = exponent + lax.lgamma(x), sign * _sign_of_gamma(m, x)
    for x in below:
        at_pole = _stops(m, x)
        x = m.where(at_pole, 1.0, x)
        exponent, sign = exponent - lax.lgamma(x), sign * _sign_of_gamma(m, x)
        pole = at_pole if pole is None else pole | at_pole
    return m.where(pole, 0.0, sign * m.exp(exponent))


# 1F1.

_FAR = 60.0


def _m(m: Any, a: Any, b: Any, x: Any) -> Any:
    """M(a, b, x), by Kummer's transformation (DLMF 13.2.39) for negative x.

    Not where `a` is 0, -1, ...: there the sum is finite, and the other one longer.
    """
    at_pole = _stops(m, b)
    bad = (a != a) | (b != b) | (x != x)
    endless = m.abs(x) == math.inf
    ends = _stops(m, a)
    # M(a, b, x) with both at poles is a polynomial where `a` comes first.
    allowed = ~at_pole | (ends & (a >= b))
    regular = allowed & ~bad & ~endless
    a_given, b_given, x_given = a, b, x
    a, b, x = m.where(regular, a, 1.0), m.where(regular, b, 1.0), m.where(regular, x, 0.0)
    ends = ends & regular
    turned = (x < 0.0) & ~ends
    upper, size = m.where(turned, b - a, a), m.where(turned, -x, x)
    stops = ends | _stops(m, upper)
    far = (size > _far(m, upper, b)) & ~stops
    series = _m_series(m, upper, b, m.where(far, 0.0, size), stops)
    length = m.where(far, size, 1e3)
    tail = _m_tail(m, m.where(far, upper, 1.0), m.where(far, b, 1.0), length)
    # exp(x) x^(a - b), without overflow on the way, which costs some digits.
    power, growth = m.where(far, upper - b, 0.0), m.where(turned | ~far, 0.0, size)
    vast = growth > 700.0
    apart = m.pow(length, m.where(vast, 0.0, power)) * m.exp(m.where(vast, 0.0, growth))
    together = m.exp(m.where(vast, power, 0.0) * m.log(length) + m.where(vast, growth, 0.0))
    ratio = _gamma_ratio(m, (m.where(far, b, 1.0),), (m.where(far, upper, 1.0),))
    asymptotic = ratio * tail * m.where(vast, together, apart)
    value = m.where(far, asymptotic, series * m.exp(m.where(turned & ~far, -size, 0.0)))
    limit = m.where(x_given > 0.0, m.where((a_given > 0.0) & (b_given > 0.0), math.inf, math.nan),
                    m.where(a_given > 0.0, 0.0, math.nan))  # fmt: skip
    return m.where(bad | ~allowed, m.where(bad, math.nan, math.inf), m.where(endless, limit, value))


def _far(m: Any, a: Any, b: Any) -> Any:
    """From where the asymptotic series is precise enough."""
    return _FAR + 2.0 * (1.0 + m.abs(1.0 - a)) * (1.0 + m.abs(b - a)) ** 0.5


def _m_series(m: Any, a: Any, b: Any, x: Any, stops: Any) -> Any:
    """By DLMF 13.2.2, from the far end."""
    size = m.abs(x)
    spread = m.abs(a) + m.abs(b)
    needed = size + 10.0 * m.sqrt(size + m.abs(a)) + m.where(size > 0.0, spread, 0.0) + 20.0
    terms = m.largest(m.where(stops, 0.0 - m.where(stops, a, 0.0), needed))

    def step(k: Any, total: Any) -> tuple[Any]:
        below = (b + (k - 1.0)) * k
        ratio = (a + (k - 1.0)) / m.where(below == 0.0, 1.0, below) * x
        ended = stops & (k > -a)
        return (1.0 + m.where(ended, 0.0, ratio * total),)

    (total,) = m.downto(terms, step, 1.0 + 0.0 * x)
    return total


def _m_tail(m: Any, a: Any, b: Any, x: Any) -> Any:
    """The sum in DLMF 13.7.1, up to where its terms are least or negligible."""
    total, term, going = 1.0 + 0.0 * x, 1.0 + 0.0 * x, x == x
    for k in range(40):
        following = term * ((1.0 - a + k) * (b - a + k) / ((k + 1.0) * x))
        going = going & (m.abs(following) <= m.abs(term) * 0.9)
        term = m.where(going, following, 0.0)
        total = total + term
    return total


# 2F1.


def _f(m: Any, a: Any, b: Any, c: Any, x: Any) -> Any:
    """F(a, b; c; x): a polynomial, or by steps from 0 towards 1."""
    bad = (a != a) | (b != b) | (c != c) | (x != x) | (x == -math.inf)
    swap = _stops(m, b) & (~_stops(m, a) | (b > a))
    a, b = m.where(swap, b, a), m.where(swap, a, b)
    ends = _stops(m, a)
    at_pole = _stops(m, c) & ~(ends & (a >= c))
    regular = ~bad & ~at_pole
    a, b = m.where(regular, a, 1.0), m.where(regular, b, 1.0)
    c, x = m.where(regular, c, 1.0), m.where(regular, x, 0.0)
    ends = ends & regular
    polynomial = _f_polynomial(m, m.where(ends, a, 0.0), b, m.where(ends, c, 1.0), x)
    beyond = x > 1.0
    inside = ~ends & ~beyond & (x != 1.0)
    continued = _f_below_1(
        m, m.where(inside, a, 1.0), m.where(inside, b, 1.0), m.where(inside, c, 2.0),
        m.where(inside, x, 0.0),
    )  # fmt: skip
    at_1 = (x == 1.0) & ~ends & (c - a - b > 0.0)
    p, q, r = (m.where(at_1, v, w) for v, w in ((a, 0.25), (b, 0.25), (c, 1.0)))
    # Gauss's sum, DLMF 15.4.20.
    sum_at_1 = _gamma_ratio(m, (r, r - p - q), (r - p, r - q))
    value = m.where(inside, continued, m.where(at_1, sum_at_1, math.inf))
    value = m.where(ends, polynomial, value)
    return m.where(bad, math.nan, m.where(at_pole, math.inf, value))


def _f_polynomial(m: Any, a: Any, b: Any, c: Any, x: Any) -> Any:
    def step(k: Any, total: Any) -> tuple[Any]:
        below = (c + (k - 1.0)) * k
        ratio = (a + (k - 1.0)) * (b + (k - 1.0)) / m.where(below == 0.0, 1.0, below) * x
        return (1.0 + m.where(k > -a, 0.0, ratio * total),)

    (total,) = m.downto(m.largest(-a), step, 1.0 + 0.0 * x)
    return total


_STEP_TERMS = 64.0


def _f_below_1(m: Any, a: Any, b: Any, c: Any, x: Any) -> Any:
    """For x < 1, negative x by Pfaff's transformation (DLMF 15.8.1).

    The power series does up to 1/2. From there Taylor's series of the solution of the
    hypergeometric equation (DLMF 15.10.1) go half of the way to 1 each. Unlike the connection
    formulas they need no exceptions where c - a - b is a whole number.
    """
    negative = x < 0.0
    first = a < b
    less, more = m.where(first, a, b), m.where(first, b, a)
    # Transformed, the function is bounded near 1: Euler's transformation (DLMF 15.8.1) too is
    # for that.
    euler = ~negative & (c - a - b < 0.0)
    lead = m.where(euler, c - more, less)
    second = m.where(negative, c - more, m.where(euler, c - less, more))
    positive = m.where(negative, 1.0, x)
    away = m.where(negative, -x, 0.0)
    distance = m.where(negative, 1.0 / (1.0 + away), 1.0 - positive)
    z = m.where(negative, away / (1.0 + away), positive)
    start = m.where(z > 0.5, 0.5, z)
    value, slope = _f_series(m, lead, second, c, start)
    value = _f_onward(m, lead, second, c, value, slope, distance)
    base = m.where(negative, 1.0 + away, m.where(euler, distance, 1.0))
    return value * m.pow(base, m.where(negative, -less, m.where(euler, c - a - b, 0.0)))


def _f_series(m: Any, a: Any, b: Any, c: Any, z: Any) -> tuple[Any, Any]:
    """F and its derivative for 0 <= z <= 1/2, from the far end of DLMF 15.2.1."""
    spread = m.largest(m.abs(a)) + m.largest(m.abs(b)) + m.largest(m.abs(c))

    def step(k: Any, total: Any, slope: Any) -> tuple[Any, Any]:
        ratio = (a + (k - 1.0)) * (b + (k - 1.0)) / ((c + (k - 1.0)) * k)
        return 1.0 + ratio * z * total, ratio * (total + z * slope)

    total, slope = m.downto(60.0 * m.effort + 2.0 * spread, step, 1.0 + 0.0 * z, 0.0 * z)
    return total, slope


def _f_onward(m: Any, a: Any, b: Any, c: Any, value: Any, slope: Any, target: Any) -> Any:
    """F where 1 - z is `target`, from F and its derivative at 1/2; `value` where z <= 1/2."""
    needs = target < 0.5
    steps = m.largest(m.where(needs, -1.0 - m.log(m.where(needs, target, 0.5)) / math.log(2), 0.0))

    def forward(_: Any, w: Any, value: Any, slope: Any) -> tuple[Any, Any, Any]:
        following = m.where(0.5 * w > target, 0.5 * w, m.where(target < w, target, w))
        h = w - following
        p = (2.0 * w - 1.0) * h
        q = (c - (a + b + 1.0) * (1.0 - w)) * h
        inverse = 1.0 / (w * (1.0 - w))

        def term(left: Any, last: Any, now: Any, total: Any, change: Any) -> tuple[Any, ...]:
            # u_k h^k and u_(k + 1) h^(k + 1) give the next of Taylor's terms.
            k = _STEP_TERMS - left
            new = ((a + k) * (b + k) * (h * h) * last - (p * k + q) * (k + 1.0) * now) * (
                inverse / ((k + 2.0) * (k + 1.0))
            )
            return now, new, total + new, change + (k + 2.0) * new

        move = slope * h
        _, _, total, change = m.downto(
            _STEP_TERMS + 0.0 * steps, term, value, move, value + move, move
        )
        moved = h > 0.0
        return following, total, m.where(moved, change / m.where(moved, h, 1.0), slope)

    _, value, _ = m.downto(m.floor(steps + 1.0), forward, 0.5 + 0.0 * target, value, slope)
    return value


# Derivatives.


@partial(custom_jvp, nondiff_argnums=(0, 1))
def _derivative(function: Callable[..., Any], orders: tuple[int, ...], *x: Array) -> Array:
    """The derivative of those orders by each of the arguments of `function`.

    It is computed by differentiating the loops forwards, which reverse mode cannot.
    """

    return in_doubles(_differentiated, *x, options=(function, orders))  # type: ignore[no-any-return]


def _differentiated(m: Any, function: Callable[..., Any], orders: tuple[int, ...], *x: Any) -> Any:
    differentiated: Callable[..., Any] = partial(function, m)
    for i, order in enumerate(orders):
        for _ in range(order):
            differentiated = _by(differentiated, i)
    return differentiated(*x)


def _by(function: Callable[..., Any], i: int) -> Callable[..., Any]:
    def derivative(*x: Any) -> Any:
        def along(y: Any) -> Any:
            return function(*x[:i], y, *x[i + 1 :])

        return jvp(along, (x[i],), (lax.full_like(x[i], 1),))[1]

    return derivative


def _rule(function: Any, orders: tuple[int, ...], primals: Any, tangents: Any) -> Any:
    value = _derivative(function, orders, *primals)
    total = lax.full_like(value, 0)
    for i, t in enumerate(tangents):
        if isinstance(t, SymbolicZero):
            continue
        if i == len(orders) - 1 and not any(orders):
            slope = _by_argument(function, orders, primals)
        else:
            raised = tuple([order + (i == j) for j, order in enumerate(orders)])
            slope = _derivative(function, raised, *primals)
        total = total + slope * t
    return value, total


_derivative.defjvp(_rule, symbolic_zeros=True)


def _by_argument(function: Any, orders: tuple[int, ...], primals: Any) -> Array:
    """The derivative by the last argument, DLMF 13.3.15 and 15.5.1."""
    *parameters, x = primals
    *above, below = parameters
    factor = math.prod(above[1:], start=above[0]) / below
    return factor * _derivative(function, orders, *[p + 1 for p in parameters], x)


@compiled
def hyp1f1(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Array:
    """Kummer's confluent hypergeometric function 1F1(a; b; x), the sum of (a)_k x^k / (b)_k k!.

    Args:
        a, b: real parameters.
        x: real numbers. All broadcast together, and may be differentiated.

    Returns:
        An array of floats; infinite where the series has a division by 0.

    Raises:
        ValueError: one is complex.

    See DLMF 13.2.2.

    >>> jx.scipy.special.hyp1f1(1.0, 2.0, jnp.array([-1.0, 1.0]))
    Array([0.63212055, 1.7182819 ], dtype=float32)
    """
    operands = real_operands("hyp1f1", a, b, x)
    return _derivative(_m, (0, 0, 0), *operands) if typeof(operands[0]).size else operands[0]


@compiled
def hyp2f1(a: ArrayLike, b: ArrayLike, c: ArrayLike, x: ArrayLike) -> Array:
    """Gauss's hypergeometric function 2F1(a, b; c; x), the sum of (a)_k (b)_k x^k / (c)_k k!.

    Args:
        a, b, c: real parameters.
        x: real numbers. All broadcast together, and may be differentiated.

    Returns:
        An array of floats; infinite where the series diverges or has a division by 0, as for
        `x` > 1 unless `a` or `b` is a whole number that is not positive.

    Raises:
        ValueError: one is complex.

    See DLMF 15.2.1.

    >>> jx.scipy.special.hyp2f1(1.0, 1.0, 2.0, jnp.array([-1.0, 0.5]))
    Array([0.6931472, 1.3862944], dtype=float32)
    """
    operands = real_operands("hyp2f1", a, b, c, x)
    return _derivative(_f, (0, 0, 0, 0), *operands) if typeof(operands[0]).size else operands[0]

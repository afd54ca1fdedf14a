"""The exponential integrals: E1, Ei, and E_n.

Sources are cited as DLMF (NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov).
"""

from __future__ import annotations

import math
from typing import Any

from jx_ad import custom_jvp
from jx_core import compiled, dtypes, lax
from jx_core.ops.special.maths import minus_double_double

from ...operands import Array, ArrayLike, typeof
from ._doubles import in_doubles, real_operands
from ._expansions import chebyshev
from ._tables import EXP1, EXPI

__all__ = ["exp1", "expi", "expn"]

_EULER = 0.5772156649015329
# The root of Ei, and what rounding it leaves.
_ROOT, _ROOT_REST = 0.3725074107813666, 1.3140183414386028e-17


def _e1_of_positive(m: Any, x: Any) -> Any:
    """E1(x) for x >= 0: the logarithm and an entire function below 1, DLMF 6.6.2."""
    near = x < 1.0
    value = chebyshev(m, EXP1, x)
    below = (x * value - _EULER) - m.log(m.where(near, x, 1.0))
    beyond = m.where(near | (x > 1e3), 1.0, x)
    return m.where(near, below, m.where(x > 1e3, 0.0, m.exp(-beyond) * (value / beyond)))


def _e1(m: Any, x: Any) -> Any:
    return m.where(x >= 0.0, _e1_of_positive(m, m.where(x >= 0.0, x, 1.0)), math.nan)


def _ei(m: Any, x: Any) -> Any:
    negative = x < 0.0
    size = m.abs(x)
    right = m.where(negative | (x != x), 1.0, x)
    value = chebyshev(m, EXPI, right)
    near, far = right < 6.0, right > 750.0
    short = m.where(near, right, 1.0)
    difference = minus_double_double(m, short, _ROOT, _ROOT_REST)
    close = m.abs(difference) < 0.28 * _ROOT  # XLA's log1p is rough below -0.29
    ratio = m.where(close, difference / _ROOT, 0.0)
    log = m.where(close, m.log1p(ratio), m.log(short / _ROOT))
    long = m.where(near | far, 8.0, right)
    # exp(x) overflows before Ei does.
    shift = m.where(long > 700.0, 64.0, 0.0)
    beyond = m.exp(long - shift) * (value / long) * m.where(long > 700.0, math.exp(64.0), 1.0)
    positive = m.where(near, log + difference * value, m.where(far, math.inf, beyond))
    left = -_e1_of_positive(m, m.where(negative, size, 1.0))
    return m.where(x != x, x, m.where(negative, left, positive))


def _en(m: Any, n: Any, x: Any) -> Any:
    """E_n(x): for n >= 2 by the power series below 1, a continued fraction beyond."""
    allowed = (n >= 0.0) & (m.floor(n) == n) & (x >= 0.0)
    x = m.where(allowed & (x < 1e3), x, m.where(allowed, 1e3, 1.0))
    order = m.where(allowed & (n >= 2.0), n, 2.0)
    positive = m.where(x > 0.0, x, 1.0)
    zeroth = m.exp(-x) / positive
    higher = m.where(x < 1.0, _en_series(m, order, x), _en_fraction(m, order, positive))
    first = _e1_of_positive(m, x)
    value = m.where(n == 0.0, m.where(x > 0.0, zeroth, math.inf), m.where(n == 1.0, first, higher))
    value = m.where(x >= 1e3, 0.0, value)
    return m.where(allowed, value, math.nan)


def _en_fraction(m: Any, n: Any, x: Any) -> Any:
    """By the even part of the continued fraction DLMF 8.19.17, from its far end."""
    x = m.where(x < 1.0, 1.0, x)
    terms = m.largest(90.0 * m.effort / x) + 8.0

    def step(k: Any, tail: Any) -> tuple[Any]:
        return (x + n + 2.0 * k - (k + 1.0) * (n + k) / tail,)

    (tail,) = m.downto(terms, step, x + n + 2.0 * terms + 2.0)
    return m.exp(-x) / (x + n - n / tail)


_SERIES_TERMS = 20


def _en_series(m: Any, n: Any, x: Any) -> Any:
    """By DLMF 8.19.8, with the term that has a logarithm where n - 1 is small enough to matter."""
    x = m.where(x < 1.0, x, 0.5)
    total, term = 0.0 * x, 0.0 * x + 1.0
    psi, harmonic = 0.0 * x, -_EULER
    for k in range(_SERIES_TERMS):
        if k > 0:
            term = term * (-x / k)
            harmonic += 1.0 / k
        special = n == k + 1.0
        total = total - m.where(special, 0.0, term / m.where(special, 1.0, k + 1.0 - n))
        psi = m.where(special, term * (harmonic - m.log(m.where(x > 0.0, x, 1.0))), psi)
    return total + psi


@custom_jvp
def _exp1(x: Array) -> Array:
    return in_doubles(_e1, x)


@_exp1.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return _exp1(x), -(lax.exp(-x) / x) * t


@custom_jvp
def _expi(x: Array) -> Array:
    return in_doubles(_ei, x)


@_expi.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    most = float(dtypes.finfo(typeof(x).dtype).max)
    return _expi(x), (lax.exp(x) / lax.min(x, lax.full_like(x, most))) * t


@custom_jvp
def _expn(n: Array, x: Array) -> Array:
    return in_doubles(_en, n, x)


@_expn.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (n, x), (_, t) = primals, tangents
    # Each of the two has singularities where it is not chosen: they are kept away from there.
    few, one = n < 2, lax.full_like(x, 1)
    own, other = lax.select(few, x, one), lax.select(few, one, x)
    zeroth = lax.exp(-own) / own
    low = lax.select(n == 1, zeroth, zeroth * (1 + 1 / own))
    high = _expn(lax.max(n - 1, lax.full_like(n, 1)), other)
    return _expn(n, x), -lax.select(few, low, high) * t


@compiled
def exp1(x: ArrayLike) -> Array:
    """The exponential integral E1, the integral of exp(-t) / t from `x` to infinity.

    Args:
        x: real numbers of any shape; integers become floats.

    Returns:
        An array of floats of the shape of `x`; NaN where it is negative.

    Raises:
        ValueError: `x` is complex.

    See DLMF 6.2.1.

    >>> jx.scipy.special.exp1(jnp.array([0.5, 1.0]))
    Array([0.5597736 , 0.21938394], dtype=float32)
    """
    return _exp1(*real_operands("exp1", x))


@compiled
def expi(x: ArrayLike) -> Array:
    """The exponential integral Ei, the integral of exp(t) / t from -infinity to `x`.

    Through the pole at 0 it is the principal value.

    Args:
        x: real numbers of any shape; integers become floats.

    Returns:
        An array of floats of the shape of `x`.

    Raises:
        ValueError: `x` is complex.

    See DLMF 6.2.5.

    >>> jx.scipy.special.expi(jnp.array([-1.0, 1.0]))
    Array([-0.21938394,  1.8951178 ], dtype=float32)
    """
    return _expi(*real_operands("expi", x))


@compiled
def expn(n: ArrayLike, x: ArrayLike) -> Array:
    """The generalized exponential integral, of exp(-x t) / t^n from 1 to infinity.

    Args:
        n: the orders, whole numbers from 0 on. Not differentiable.
        x: real numbers from 0 on; broadcasts with `n`.

    Returns:
        An array of floats; NaN where `n` or `x` is not as above.

    Raises:
        ValueError: `n` or `x` is complex.

    See DLMF 8.19.2.

    >>> jx.scipy.special.expn(jnp.array([1, 2]), 1.0)
    Array([0.21938394, 0.14849551], dtype=float32)
    """
    n, x = real_operands("expn", n, x)
    if not typeof(x).size:
        return x
    return _expn(n, x)

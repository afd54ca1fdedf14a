"""Spence's function, the dilogarithm of real arguments.

Sources are cited as DLMF (NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov).
"""

from __future__ import annotations

import math
from typing import Any

from jx_ad import custom_jvp
from jx_core import compiled

from ...operands import Array, ArrayLike
from ._doubles import in_doubles, real_operands
from ._expansions import clenshaw
from ._tables import DILOGARITHM

__all__ = ["spence"]

_SIXTH = math.pi * math.pi / 6


def _li2(m: Any, u: Any) -> Any:
    """The dilogarithm of -1 <= u <= 1/2."""
    # The series is in powers of u itself, which may be negative.
    slope, intercept = DILOGARITHM[0].line()
    return u * clenshaw(m, DILOGARITHM[0].coefficients, u * slope + intercept)


def _spence_of(m: Any, x: Any) -> Any:
    """Li2(1 - x): by DLMF 25.12.6 below 1/2, and 25.12.4 beyond 2."""
    low, high = x < 0.5, x > 2.0
    middle = ~low & ~high & (x == x)
    positive = m.where((x > 0.0) & (x < math.inf), x, 1.0)
    u = m.where(middle, 1.0 - x, m.where(low, positive, 1.0 / positive))
    direct = _li2(m, m.where((u >= -1.0) & (u <= 0.5), u, 0.0))
    log = m.log(positive)
    small = m.where(low, positive, m.where(high, 1.0 / positive, 0.25))
    rest = m.log1p(-small)
    below = _SIXTH - log * rest - direct
    beyond = direct - _SIXTH - 0.5 * log * log - log * rest
    value = m.where(low, m.where(x == 0.0, _SIXTH, below), m.where(high, beyond, direct))
    return m.where((x >= 0.0) & (x < math.inf), value, math.nan)


def _slope(m: Any, x: Any) -> Any:
    """The derivative, log(x) / (1 - x), by its series (DLMF 4.6.1) about 1."""
    near = m.abs(x - 1.0) < 1e-3
    u = m.where(near, 1.0 - x, 0.0)
    series = -(1 + u * (1 / 2 + u * (1 / 3 + u * (1 / 4 + u * (1 / 5 + u / 6)))))
    other = m.where(near, 2.0, x)
    return m.where(near, series, m.log(other) / (1.0 - other))


def _curvature(m: Any, x: Any) -> Any:
    near = m.abs(x - 1.0) < 0.02
    u = m.where(near, 1.0 - x, 0.0)
    series = 0.0 * u
    for k in range(9, 0, -1):
        series = series * u + k / (k + 1)
    other = m.where(near, 2.0, x)
    apart = 1.0 - other
    return m.where(near, series, (1.0 / other + m.log(other) / apart) / apart)


@custom_jvp
def _derivative(x: Array) -> Array:
    return in_doubles(_slope, x)


@_derivative.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return _derivative(x), in_doubles(_curvature, x) * t


@custom_jvp
def _spence(x: Array) -> Array:
    return in_doubles(_spence_of, x)


@_spence.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return _spence(x), _derivative(x) * t


@compiled
def spence(x: ArrayLike) -> Array:
    """Spence's function, the integral of log(t) / (1 - t) from 1 to `x`.

    It is the dilogarithm of 1 - `x`.

    Args:
        x: real numbers of any shape; integers become floats.

    Returns:
        An array of floats of the shape of `x`; NaN where it is negative.

    Raises:
        TypeError: `x` is complex.

    See DLMF 25.12.2.

    >>> jx.scipy.special.spence(jnp.array([0.0, 1.0, 2.0]))
    Array([ 1.644934,  0.      , -0.822467], dtype=float32)
    """
    return _spence(*real_operands("spence", x, error=TypeError))

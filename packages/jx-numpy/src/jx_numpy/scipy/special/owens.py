"""Owen's T function."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jx_ad import custom_jvp
from jx_core import compiled, lax

from ...operands import Array, ArrayLike
from ._doubles import in_doubles, real_operands
from ._exact import exact_product

__all__ = ["owens_t"]

_HALF_ROOT = math.sqrt(0.5)
# The same in two parts: 26 bits, and the rest to double precision.
_HALF_ROOT_LEAD = 47453133 / 2.0**26
_HALF_ROOT_REST = (0.5 - _HALF_ROOT_LEAD**2) / (_HALF_ROOT + _HALF_ROOT_LEAD)
# From here on the function is 0 in double precision.
_NOTHING = 40.0
# Gauss and Legendre's points of [0, 1], and their weights.
_NODES, _WEIGHTS = (v.tolist() for v in np.polynomial.legendre.leggauss(24))
# Of the exponent (h a)^2 / 2 in the integral; beyond its root the integrand is below 1e-17.
_FARTHEST = 8.9


def _height(m: Any, x: Any, rest: Any) -> Any:
    """exp(-(x + rest)^2 / 2): x^2 is not rounded on the way, and `rest` is below its last digit."""
    lead = m.floor(16.0 * x) * 0.0625
    close = (x - lead) * (x + lead) + 2.0 * x * rest
    return m.exp(-0.5 * lead * lead) * m.exp(-0.5 * close)


def _tail(m: Any, x: Any, rest: Any) -> Any:
    """P(X > x + rest) of a normal variable: as an erfc, whose argument is not rounded."""
    scaled = x * _HALF_ROOT
    lead = lax.reduce_precision(x, 11, 25)
    lost = ((lead * _HALF_ROOT_LEAD - scaled) + (x - lead) * _HALF_ROOT_LEAD) + (
        x * _HALF_ROOT_REST + rest * _HALF_ROOT
    )
    return 0.5 * m.erfc(scaled) - lost * (m.exp(-scaled * scaled) / math.sqrt(math.pi))


def _integral(m: Any, h: Any, rest: Any, a: Any) -> Any:
    """T(h + rest, a) for h >= 0 and 0 <= a <= 1.

    By Gauss's rule over where the integrand is not 0.
    """
    product = h * a
    end = m.where(product > _FARTHEST, _FARTHEST / m.where(product > _FARTHEST, product, 1.0), 1.0)
    over, across = end * a, end * product
    decay, square = -0.5 * across * across, over * over
    total = 0.0 * h
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        u = (0.5 * (1 + node)) ** 2
        total = total + 0.5 * weight * m.exp(decay * u) / (1.0 + square * u)
    return _height(m, h, rest) * over * total / (2 * math.pi)


def _t(m: Any, h: Any, a: Any) -> Any:
    """T(h, a) by its symmetries, and T(h a, 1 / a) where a > 1.

    See D. B. Owen, "Tables for computing bivariate normal probabilities", Ann. Math. Statist. 27
    (1956), equations 2.4 to 2.7.
    """
    size, slope = m.abs(h), m.abs(a)
    steep = slope > 1.0
    finite = m.where(size < _NOTHING, size, _NOTHING)
    product, rest = exact_product(finite, m.where(slope < 1e30, slope, 1e30))
    rest = m.where(product < _NOTHING, rest, 0.0)
    product = m.where(product < _NOTHING, product, _NOTHING)
    inner = _integral(
        m,
        m.where(steep, product, finite),
        m.where(steep, rest, 0.0),
        m.where(steep, 1.0 / m.where(steep, slope, 1.0), slope),
    )
    q, r = _tail(m, finite, 0.0), _tail(m, product, rest)
    value = m.where(steep, 0.5 * q + (r * (0.5 - q) - inner), inner)
    value = m.where(size < math.inf, value, 0.0)
    value = m.where(a < 0.0, -value, m.where(a == 0.0, a, value))
    return m.where((h != h) | (a != a), math.nan, value)


@custom_jvp
def _owens_t(h: Array, a: Array) -> Array:
    return in_doubles(_t, h, a)


@_owens_t.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (h, a), (h_change, a_change) = primals, tangents
    height = lax.exp(-0.5 * h * h)
    by_h = -(height / (2 * math.sqrt(2 * math.pi))) * lax.erf((a * h) * _HALF_ROOT)
    by_a = lax.exp(-0.5 * (h * h + (a * h) * (a * h))) / (2 * math.pi * (1 + a * a))
    return _owens_t(h, a), by_h * h_change + by_a * a_change


@compiled
def owens_t(h: ArrayLike, a: ArrayLike) -> Array:
    """Owen's T function: of two independent normal variables, P(X > `h` and 0 < Y < `a` X).

    It is the integral of exp(-h^2 (1 + x^2) / 2) / (1 + x^2) / (2 pi) from 0 to `a`.

    Args:
        h: real numbers.
        a: real numbers; broadcasts with `h`.

    Returns:
        An array of floats.

    Raises:
        ValueError: `h` or `a` is complex.

    >>> jx.scipy.special.owens_t(jnp.array([0.0, 1.0]), 1.0)
    Array([0.125     , 0.06674188], dtype=float32)
    """
    return _owens_t(*real_operands("owens_t", h, a))

"""Logarithms of incomplete gamma and beta functions, also where these underflow.

From half on they are computed from the complement; where they are so small that digits are
lost, from a series or continued fraction of what remains beside a known power.
"""

from __future__ import annotations

import math
from typing import Any

from jx_core import dtypes, lax

from ...functions import plain
from ...operands import Array, typeof
from ..special import xlog1py, xlogy
from ._kit import spread, where

__all__ = ["log_betainc", "log_igamma", "log_igammac"]

_xlogy, _xlog1py = plain(xlogy), plain(xlog1py)
_MARGIN = 2.0**24  # how far above the smallest normal number digits may be lost
_TERMS = 200  # of the series, the slowest of which are those of great parameters


def _log(value: Array, complement: Array, deep: Array, log_deep: Array) -> Array:
    """The logarithm of `value`, given its complement to 1 and the logarithm where it is deep."""
    most = value > 0.5
    near = lax.log(where(deep | most, 0.5, value))
    return where(deep, log_deep, where(most, lax.log1p(-where(most, complement, 0.5)), near))


def _is_deep(value: Array) -> Array:
    return value < _MARGIN * float(dtypes.finfo(typeof(value).dtype).tiny)


def _backwards(step: Any, start: Array) -> Array:
    """`step(n, value)` for n from `_TERMS` to 1, beginning with `start`."""
    dtype = typeof(start).dtype

    def body(i: Any, value: Array) -> Array:
        return step(lax.convert_element_type(_TERMS - i, dtype), value)

    return lax.fori_loop(0, _TERMS, body, start)


def log_igamma(a: Array, x: Array) -> Array:
    """log(P(a, x)) for positive `a` and `x`.

    Far below the mean by DLMF 8.7.1: P = x^a exp(-x) / Gamma(a + 1) sum x^n / (a + 1)_n.
    """
    a, x = spread(a, x)
    value = lax.igamma(a, x)
    deep = _is_deep(value)
    low, shape = where(deep, x, 0.25), where(deep, a, 1.0)
    total = _backwards(lambda n, s: 1 + s * low / (shape + n), lax.full_like(low, 1))
    tail = shape * lax.log(low) - low - lax.lgamma(shape + 1) + lax.log(total)
    return _log(value, lax.igammac(a, x), deep, tail)


def log_igammac(a: Array, x: Array) -> Array:
    """log(Q(a, x)) for positive `a` and `x`.

    Far above the mean by the even part of the continued fraction DLMF 8.9.2:
    Q = x^a exp(-x) / Gamma(a) / (x + 1 - a + 1 (a - 1) / (x + 3 - a + 2 (a - 2) / ...)).
    """
    a, x = spread(a, x)
    endless = x == math.inf
    finite = where(endless, 1.0, x)
    value = lax.igammac(a, finite)
    deep = _is_deep(value)
    high, shape = where(deep, finite, 9.0), where(deep, a, 1.0)
    base = high + 1 - shape
    tail = _backwards(lambda n, t: n * (shape - n) / (base + 2 * n + t), lax.full_like(high, 0))
    log_tail = _xlogy(shape, high) - high - lax.lgamma(shape) - lax.log(base + tail)
    log_value = _log(value, lax.igamma(a, finite), deep, log_tail)
    return where(endless, -math.inf, log_value)


def log_betainc(a: Array, b: Array, x: Array, y: Array) -> Array:
    """log(I_x(a, b)) for positive `a` and `b`, and 0 < x < 1, where y is 1 - x.

    Far below the mean by DLMF 8.17.8:
    I = x^a (1 - x)^b / (a B(a, b)) sum x^n (a + b)_n / (a + 1)_n.
    """
    most = x > a / (a + b)
    # The probability on the side of the mean where it is the smaller one.
    value = lax.betainc(where(most, b, a), where(most, a, b), where(most, y, x))
    deep = _is_deep(value) & ~most
    low, p, q = where(deep, x, 0.25), where(deep, a, 1.0), where(deep, b, 1.0)
    total = _backwards(lambda n, s: 1 + s * low * (p + q + n - 1) / (p + n), lax.full_like(low, 1))
    tail = p * lax.log(low) + _xlog1py(q, -low) - lax.log(p) - lax.log_beta_p.bind(p, q)
    near = lax.log(where(deep | most, 0.5, value))
    above = lax.log1p(-where(most, value, 0.5))
    return where(deep, tail + lax.log(total), where(most, above, near))

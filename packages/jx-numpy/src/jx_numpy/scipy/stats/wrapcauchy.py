"""The Cauchy distribution wrapped around the circle."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...operands import Array, ArrayLike
from ._kit import Family, density, exp_of, log_density, only, where

__all__ = ["logpdf", "pdf"]

_family = Family(
    "the wrapped Cauchy distribution",
    'K. V. Mardia and P. E. Jupp, "Directional statistics" (2000), section 3.5.7',
    x="angles, in radians, from 0 to 2 pi.",
    c="the concentration, above 0 and below 1.",
)

_TURN = 2 * math.pi


def _log_density(x: Array, c: Array) -> Array:
    c = only((c > 0) & (c < 1), c)
    outside = (x < 0) | (x > _TURN)
    # 1 + c^2 - 2 c cos(x), without cancellation.
    distance = lax.square(1 - c) + 4 * c * lax.square(lax.sin(0.5 * where(outside, 0.0, x)))
    value = lax.log1p(-lax.square(c)) - math.log(_TURN) - lax.log(distance)
    return where(outside, -math.inf, value)


@compiled
@_family
def logpdf(x: ArrayLike, c: ArrayLike) -> Array:
    """log((1 - c^2) / (2 pi (1 + c^2 - 2 c cos(x)))).

    >>> jx.scipy.stats.wrapcauchy.logpdf(jnp.array([-1.0, 0.0, 1.0]), 0.5)
    Array([      -inf, -0.7392647, -1.782643 ], dtype=float32)
    """
    return log_density("wrapcauchy.logpdf", _log_density, x, c)


@compiled
@_family
def pdf(x: ArrayLike, c: ArrayLike) -> Array:
    """(1 - c^2) / (2 pi (1 + c^2 - 2 c cos(x))).

    >>> jx.scipy.stats.wrapcauchy.pdf(jnp.array([-1.0, 0.0, 1.0]), 0.5)
    Array([0.        , 0.47746485, 0.16819303], dtype=float32)
    """
    return density("wrapcauchy.pdf", exp_of(_log_density), x, c)

"""The von Mises distribution, on the circle."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...operands import Array, ArrayLike
from ._kit import Family, density, exp_of, log_density, only

__all__ = ["logpdf", "pdf"]

_family = Family(
    "the von Mises distribution",
    'K. V. Mardia and P. E. Jupp, "Directional statistics" (2000), section 3.5.4',
    x="angles, in radians.",
    kappa="the concentration, from 0 on.",
)


def _log_density(x: Array, kappa: Array) -> Array:
    kappa = only(kappa >= 0, kappa)
    # cos(x) - 1 without cancellation, which a great concentration would magnify.
    drop = -2 * lax.square(lax.sin(0.5 * x))
    return kappa * drop - math.log(2 * math.pi) - lax.log(lax.bessel_i0e(kappa))


@compiled
@_family
def logpdf(x: ArrayLike, kappa: ArrayLike) -> Array:
    """kappa cos(x) - log(2 pi I_0(kappa)).

    >>> jx.scipy.stats.vonmises.logpdf(jnp.array([0.0, 1.0]), 2.0)
    Array([-0.6618706, -1.581266 ], dtype=float32)
    """
    return log_density("vonmises.logpdf", _log_density, x, kappa)


@compiled
@_family
def pdf(x: ArrayLike, kappa: ArrayLike) -> Array:
    """exp(kappa cos(x)) / (2 pi I_0(kappa)).

    >>> jx.scipy.stats.vonmises.pdf(jnp.array([0.0, 1.0]), 2.0)
    Array([0.5158854, 0.2057145], dtype=float32)
    """
    return density("vonmises.pdf", exp_of(_log_density), x, kappa)

"""The generalized normal distribution, of which beta = 1 is Laplace and 2 a normal one."""

from __future__ import annotations

import math
from typing import Any

from jx_ad import custom_jvp, jvp
from jx_core import compiled, lax

from ...operands import Array, ArrayLike
from ._kit import Family, density, log_density, positive, probability, spread, where

__all__ = ["cdf", "logpdf", "pdf"]

_family = Family(
    "the generalized normal distribution",
    'S. Nadarajah, "A generalized normal distribution", Journal of Applied Statistics 32 (2005)',
    beta="the exponent, positive.",
)


def _power(z: Array, beta: Array) -> Array:
    """|z|^beta, with derivatives 0 at 0: there they are, or the power has a kink or cusp.

    By way of z^2, so that for beta = 2 the second one is right there too.
    """
    square, kink = lax.square(z), (z == 0) & (beta != 2)
    beyond = ((square == 0) | (square == math.inf)) & (z != 0)
    inner = lax.pow(lax.square(where(beyond | kink, 1.0, z)), 0.5 * beta)
    outer = lax.pow(lax.abs(where(beyond, z, 1.0)), beta)
    return where(kink, 0.0, where(beyond, outer, inner))


def _log_density(z: Array, beta: Array) -> Array:
    z, beta = spread(z, positive(beta))
    return lax.log(0.5 * beta) - lax.lgamma(1 / beta) - _power(z, beta)


def _is_far(z: Array, beta: Array) -> Array:
    """Where the power overflows, so that the density and its derivatives are 0."""
    return lax.pow(lax.abs(z), beta) == math.inf


def _density(z: Array, beta: Array) -> Array:
    z, beta = spread(z, positive(beta))
    far = _is_far(z, beta)
    return where(far, 0.0, lax.exp(_log_density(where(far, 0.5, z), beta)))


@custom_jvp
def _cdf(z: Array, beta: Array) -> Array:
    tail = 0.5 * lax.igammac(1 / beta, _power(z, beta))
    return where(z > 0, 1 - tail, tail)


@_cdf.defjvp
def _(primals: Any, tangents: Any) -> Any:
    # By z it is the density, also at 0, where |z|^beta has no derivative.
    z, beta = primals
    at_0 = z == 0

    still = at_0 | _is_far(z, beta)

    def of_beta(beta: Array) -> Array:
        safe = where(still, 1.0, z)
        tail = 0.5 * lax.igammac(1 / beta, lax.pow(lax.abs(safe), beta))
        return where(still, 0.0, where(z > 0, -tail, tail))

    _, by_beta = jvp(of_beta, (beta,), (tangents[1],))
    return _cdf(z, beta), _density(z, beta) * tangents[0] + by_beta


def _probability(z: Array, beta: Array) -> Array:
    return _cdf(*spread(z, positive(beta)))


@compiled
@_family
def logpdf(x: ArrayLike, beta: ArrayLike) -> Array:
    """log(beta / (2 Gamma(1 / beta))) - |x|^beta.

    >>> jx.scipy.stats.gennorm.logpdf(jnp.array([0.0, 1.0, 2.0]), 2.0)
    Array([-0.5723649, -1.5723649, -4.572365 ], dtype=float32)
    """
    return log_density("gennorm.logpdf", _log_density, x, beta)


@compiled
@_family
def pdf(x: ArrayLike, beta: ArrayLike) -> Array:
    """beta / (2 Gamma(1 / beta)) exp(-|x|^beta).

    >>> jx.scipy.stats.gennorm.pdf(jnp.array([0.0, 1.0, 2.0]), 2.0)
    Array([0.5641896 , 0.20755376, 0.01033349], dtype=float32)
    """
    return density("gennorm.pdf", _density, x, beta)


@compiled
@_family
def cdf(x: ArrayLike, beta: ArrayLike) -> Array:
    """Q(1 / beta, |x|^beta) / 2 below 0, and 1 minus that above.

    >>> jx.scipy.stats.gennorm.cdf(jnp.array([-4.0, 0.0, 2.0]), 2.0)
    Array([7.708629e-09, 5.000000e-01, 9.976611e-01], dtype=float32)
    """
    return probability("gennorm.cdf", _probability, x, beta)

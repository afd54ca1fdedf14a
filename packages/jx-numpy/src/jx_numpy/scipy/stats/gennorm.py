"""The generalized normal distribution, of which beta = 1 is Laplace and 2 a normal one."""

from __future__ import annotations

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
    """|z|^beta, with the derivative 0 at 0 where the second one is not finite."""
    square = lax.square(z)
    kink = (square == 0) & (beta < 2)
    return where(kink, 0.0, lax.pow(where(kink, 1.0, square), 0.5 * beta))


def _log_density(z: Array, beta: Array) -> Array:
    z, beta = spread(z, positive(beta))
    return lax.log(0.5 * beta) - lax.lgamma(1 / beta) - _power(z, beta)


@custom_jvp
def _cdf(z: Array, beta: Array) -> Array:
    tail = 0.5 * lax.igammac(1 / beta, _power(z, beta))
    return where(z > 0, 1 - tail, tail)


@_cdf.defjvp
def _(primals: Any, tangents: Any) -> Any:
    # By z it is the density, also at 0, where |z|^beta has no derivative.
    z, beta = primals
    at_0 = z == 0

    def of_beta(beta: Array) -> Array:
        safe = where(at_0, 1.0, z)
        tail = 0.5 * lax.igammac(1 / beta, lax.pow(lax.abs(safe), beta))
        return where(at_0, 0.0, where(z > 0, -tail, tail))

    _, by_beta = jvp(of_beta, (beta,), (tangents[1],))
    return _cdf(z, beta), lax.exp(_log_density(z, beta)) * tangents[0] + by_beta


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
    return density("gennorm.pdf", _log_density, x, beta)


@compiled
@_family
def cdf(x: ArrayLike, beta: ArrayLike) -> Array:
    """Q(1 / beta, |x|^beta) / 2 below 0, and 1 minus that above.

    >>> jx.scipy.stats.gennorm.cdf(jnp.array([-4.0, 0.0, 2.0]), 2.0)
    Array([7.708629e-09, 5.000000e-01, 9.976611e-01], dtype=float32)
    """
    return probability("gennorm.cdf", _probability, x, beta)

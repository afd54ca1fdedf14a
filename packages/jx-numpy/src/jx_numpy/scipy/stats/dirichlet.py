"""The Dirichlet distribution, on the probability simplex."""

from __future__ import annotations

import math

from jx_core import compiled, lax
from jx_core.errors import ShapeError

from ...functions import plain
from ...operands import Array, ArrayLike, broadcast_to, promote_dtypes_inexact, typeof
from ..special import xlogy
from ._kit import positive, reals, rounded, where

__all__ = ["logpdf", "pdf"]

_xlogy = plain(xlogy)
_TOLERANCE = 1e-6  # of the sum of the shares


def _log_density(name: str, x: ArrayLike, alpha: ArrayLike) -> tuple[Array, object]:
    """The logarithm of the density in at least float32, and the dtype of the result."""
    x, alpha = promote_dtypes_inexact(name, x, alpha)
    (x,), dtype = reals(name, x)
    (alpha,), _ = reals(name, alpha)
    shape, count = typeof(x).shape, typeof(alpha).size
    if typeof(alpha).ndim != 1:
        raise ValueError(
            f"jx.scipy.stats.{name}: alpha must be a vector, got shape {typeof(alpha).shape}"
        )
    if not shape or shape[0] not in (count, count - 1):
        raise ShapeError(
            f"jx.scipy.stats.{name}: the first axis of x must have as many elements as alpha, "
            f"{count}, or one less; got shape {shape}"
        )
    if shape[0] != count:
        x = lax.concatenate([x, 1 - lax.reduce_sum(x, (0,))[None]], 0)
    alpha = positive(alpha)
    column = lax.expand_dims(alpha, tuple(range(1, len(shape))))
    outside = lax.abs(lax.reduce_sum(x, (0,)) - 1) > _TOLERANCE
    outside = outside | lax.reduce_or(x < 0, (0,))
    # Somewhere on the simplex, for what is outside.
    inner = where(broadcast_to(outside, typeof(x).shape), 1 / count, x)
    log_beta = lax.reduce_sum(lax.lgamma(alpha), (0,)) - lax.lgamma(lax.reduce_sum(alpha, (0,)))
    value = lax.reduce_sum(_xlogy(column - 1, inner), (0,)) - log_beta
    return where(outside, -math.inf, value), dtype


@compiled
def logpdf(x: ArrayLike, alpha: ArrayLike) -> Array:
    """The logarithm of the probability density of the Dirichlet distribution.

    That is the sum of (alpha_i - 1) log(x_i), less that of log(Gamma(alpha_i)), plus
    log(Gamma(sum of alpha_i)).

    Args:
        x: where: shares that sum to 1 (within 1e-6) along the first axis, of shape (k, ...).
            The last of them may be left out. The density is 0 elsewhere.
        alpha: the concentrations, positive, of shape (k,).

    Returns:
        An array of floats, of the shape of `x` without its first axis.

    Raises:
        ShapeError: `x` has neither k nor k - 1 shares.
        TypeError: an argument is no array.
        ValueError: `alpha` is no vector, or an argument is complex.

    See S. Kotz, N. Balakrishnan and N. L. Johnson, "Continuous multivariate distributions",
    vol. 1 (2000), chapter 49.

    >>> jx.scipy.stats.dirichlet.logpdf(jnp.array([0.2, 0.8]), jnp.array([2.0, 3.0]))
    Array(0.42918158, dtype=float32)
    """
    return rounded(*_log_density("dirichlet.logpdf", x, alpha))


@compiled
def pdf(x: ArrayLike, alpha: ArrayLike) -> Array:
    """The probability density of the Dirichlet distribution.

    That is the product of x_i^(alpha_i - 1) / Gamma(alpha_i), times Gamma(sum of alpha_i).

    Args:
        x, alpha: as for `logpdf`.

    Returns:
        An array of floats, of the shape of `x` without its first axis.

    Raises:
        ShapeError: `x` has neither k nor k - 1 shares.
        TypeError: an argument is no array.
        ValueError: `alpha` is no vector, or an argument is complex.

    >>> jx.scipy.stats.dirichlet.pdf(jnp.array([0.5, 0.5]), jnp.array([1.0, 1.0]))
    Array(1., dtype=float32)
    """
    value, dtype = _log_density("dirichlet.pdf", x, alpha)
    return rounded(lax.exp(value), dtype)

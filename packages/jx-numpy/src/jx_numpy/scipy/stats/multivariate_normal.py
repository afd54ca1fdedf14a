"""The multivariate normal distribution."""

from __future__ import annotations

import math
from typing import Any

from jx_core import compiled, dtypes, lax
from jx_core.errors import ShapeError

from ...functions import array_function, plain
from ...linalg import cholesky, eigh
from ...linalg.kit import diagonal_of, transposed
from ...operands import (
    Array,
    ArrayLike,
    broadcast_shapes,
    broadcast_to,
    promote_dtypes_inexact,
    typeof,
)
from ._kit import reals, rounded, where

__all__ = ["logpdf", "pdf"]

_cholesky, _eigh = plain(cholesky), plain(eigh)
_LOG_2PI = math.log(2 * math.pi)


def _operands(name: str, *operands: ArrayLike) -> tuple[list[Array], Any]:
    """The operands in one float dtype, each of its own shape, and the result's dtype."""
    wide = [reals(name, x) for x in promote_dtypes_inexact(name, *operands)]
    return [arrays[0] for arrays, _ in wide], wide[0][1]


def _log_density(name: str, x: Array, mean: Array, cov: Array, singular: bool) -> Array:
    y = x - mean
    if not typeof(mean).ndim:
        return -0.5 * (lax.square(y) / cov + lax.log(cov) + _LOG_2PI)
    n = typeof(mean).shape[-1]
    shape = typeof(cov).shape
    if not shape:
        return -0.5 * (_squares(y) / cov + n * (lax.log(cov) + _LOG_2PI))
    if shape[-2:] != (n, n):
        raise ShapeError(
            f"jx.scipy.stats.{name}: cov must be a number or end in axes of lengths {(n, n)}, as "
            f"mean has shape {typeof(mean).shape}; got shape {shape}"
        )
    return _of_singular(y, cov) if singular else log_density_of(y, cov)


def _squares(y: Array) -> Array:
    """|y|^2, along the last axis."""
    return lax.reduce_sum(lax.square(y), (typeof(y).ndim - 1,))


def log_density_of(y: Array, cov: Array) -> Array:
    """The logarithm of the density at deviations `y` of shape (..., n) from the mean."""
    factor = _cholesky(cov)
    log_det = 2 * lax.reduce_sum(lax.log(diagonal_of(factor)), (typeof(factor).ndim - 2,))
    n = typeof(y).shape[-1]
    return -0.5 * (_squares(_solved(factor, y)) + log_det + n * _LOG_2PI)


def _solved(factor: Array, y: Array) -> Array:
    """L^-1 y, for all vectors of `y` at once where there is one L."""
    *leading, n = typeof(y).shape
    if typeof(factor).ndim == 2:
        rows = lax.reshape(y, (math.prod(leading), n))
        columns = lax.linalg.triangular_solve(factor, transposed(rows), left_side=True, lower=True)
        return lax.reshape(transposed(columns), (*leading, n))
    batch = broadcast_shapes("logpdf", tuple(leading), typeof(factor).shape[:-2])
    factor = broadcast_to(factor, (*batch, n, n))
    column = lax.expand_dims(broadcast_to(y, (*batch, n)), (len(batch) + 1,))
    column = lax.linalg.triangular_solve(factor, column, left_side=True, lower=True)
    return lax.squeeze(column, (len(batch) + 1,))


def _of_singular(y: Array, cov: Array) -> Array:
    """The logarithm of the density on the support of a covariance that may be singular."""
    values, vectors = _eigh(cov)
    dtype = typeof(cov).dtype
    last = typeof(values).ndim - 1
    largest = lax.expand_dims(lax.reduce_max(lax.abs(values), (last,)), (last,))
    least = largest * (float(dtypes.finfo(dtype).eps) * (1e3 if dtype.itemsize == 4 else 1e6))
    null = values <= least
    along = lax.reduce_sum(vectors * y[..., None], (max(typeof(y).ndim - 1, last),))
    beside = _squares(where(null, along, 0.0)) > lax.square(lax.squeeze(least, (last,)))
    spread = where(null, 1.0, values)
    energy = _squares(where(null, 0.0, along / lax.sqrt(spread)))
    log_det = lax.reduce_sum(lax.log(spread), (last,))
    rank = lax.reduce_sum(where(null, lax.full_like(values, 0), 1.0), (last,))
    return where(beside, -math.inf, -0.5 * (energy + log_det + rank * _LOG_2PI))


@array_function("allow_singular")
def logpdf(
    x: ArrayLike, mean: ArrayLike, cov: ArrayLike, allow_singular: bool | None = None
) -> Array:
    """The logarithm of the probability density of the multivariate normal distribution.

    That is -((x - mean)^T cov^-1 (x - mean) + log(det(cov)) + n log(2 pi)) / 2.

    Args:
        x: where: vectors of shape (..., n).
        mean: of shape (..., n), or a number: then `x` and `cov` hold numbers and variances.
        cov: symmetric, of shape (..., n, n), or a number that multiplies the identity.
        allow_singular: whether `cov` may be singular. Then the density is that on its support,
            with respect to the volume there, and 0 beside it. Otherwise the result is NaN where
            `cov` is not positive definite.

    Returns:
        An array of floats, of the common shape of the leading axes.

    Raises:
        ShapeError: the shapes don't fit.
        TypeError: an argument is no array.
        ValueError: an argument is complex.

    See S. Kotz, N. Balakrishnan and N. L. Johnson, "Continuous multivariate distributions",
    vol. 1 (2000), chapter 45.

    >>> jx.scipy.stats.multivariate_normal.logpdf(jnp.zeros(2), jnp.zeros(2), jnp.eye(2))
    Array(-1.837877, dtype=float32)
    """
    name = "multivariate_normal.logpdf"
    (x, mean, cov), dtype = _operands(name, x, mean, cov)
    return rounded(_log_density(name, x, mean, cov, bool(allow_singular)), dtype)


@compiled
def pdf(x: ArrayLike, mean: ArrayLike, cov: ArrayLike) -> Array:
    """The probability density of the multivariate normal distribution.

    That is exp(-(x - mean)^T cov^-1 (x - mean) / 2) / sqrt((2 pi)^n det(cov)).

    Args:
        x, mean, cov: as for `logpdf`.

    Returns:
        An array of floats, of the common shape of the leading axes.

    Raises:
        ShapeError: the shapes don't fit.
        TypeError: an argument is no array.
        ValueError: an argument is complex.

    >>> jx.scipy.stats.multivariate_normal.pdf(jnp.zeros(2), jnp.zeros(2), jnp.eye(2))
    Array(0.15915495, dtype=float32)
    """
    name = "multivariate_normal.pdf"
    (x, mean, cov), dtype = _operands(name, x, mean, cov)
    return rounded(lax.exp(_log_density(name, x, mean, cov, False)), dtype)

"""Student's t distribution."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...operands import Array, ArrayLike
from ._kit import (
    CONTINUOUS_2,
    Family,
    density,
    exp_of,
    log1p_of_square,
    log_density,
    positive,
    spread,
    where,
)

__all__ = ["logpdf", "pdf"]

_family = Family(
    "Student's t distribution",
    CONTINUOUS_2.format(28),
    df="the degrees of freedom, positive; infinitely many make it normal.",
)


def _log_density(z: Array, df: Array) -> Array:
    z, df = spread(z, df)
    normal = df == math.inf
    df = positive(where(normal, 1.0, df))
    end = lax.abs(z) == math.inf
    growth = log1p_of_square(where(normal | end, 1.0, z) / lax.sqrt(df))
    power = 0.5 * (df + 1) * where(end, math.inf, growth)
    log_beta = lax.log_beta_p.bind(lax.full_like(df, 0.5), 0.5 * df)
    limit = -0.5 * lax.square(where(normal, z, 0.0)) - 0.5 * math.log(2 * math.pi)
    return where(normal, limit, -power - 0.5 * lax.log(df) - log_beta)


@compiled
@_family
def logpdf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """-(df + 1) / 2 log(1 + z^2 / df) - log(scale sqrt(df) B(1 / 2, df / 2)), where z = (x - loc)
    / scale.

    >>> jx.scipy.stats.t.logpdf(jnp.array([0.0, 1.0, 1e20]), 3.0)
    Array([  -1.0008888,   -1.5762529, -183.01047  ], dtype=float32)
    """
    return log_density("t.logpdf", _log_density, x, df, loc=loc, scale=scale)


@compiled
@_family
def pdf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """(1 + z^2 / df)^(-(df + 1) / 2) / (scale sqrt(df) B(1 / 2, df / 2)), where z = (x - loc) /
    scale.

    >>> jx.scipy.stats.t.pdf(jnp.array([0.0, 1.0, 10.0]), 3.0)
    Array([3.6755261e-01, 2.0674835e-01, 3.1180799e-04], dtype=float32)
    """
    return density("t.pdf", exp_of(_log_density), x, df, loc=loc, scale=scale)

"""The geometric distribution: of the trials up to the first success."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...functions import plain
from ...operands import Array, ArrayLike
from ..special import xlog1py
from ._kit import DISCRETE, Family, mass, only, probability, where

__all__ = ["logpmf", "pmf"]

_family = Family(
    "the geometric distribution",
    DISCRETE.format(5),
    p="the probability of success of each trial; the result is NaN where it is none.",
)

_xlog1py = plain(xlog1py)


def _log_mass(j: Array, p: Array) -> Array:
    j = only((p >= 0) & (p <= 1), j)
    outside = (j <= 0) | (j == math.inf)
    return where(outside, -math.inf, _xlog1py(where(outside, 1.0, j) - 1, -p) + lax.log(p))


def _mass(j: Array, p: Array) -> Array:
    outside = (j <= 0) | (j == math.inf)
    return where(outside, 0.0, p * lax.pow(1 - p, where(outside, 1.0, j) - 1))


@compiled
@_family
def logpmf(k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0) -> Array:
    """log(p (1 - p)^(j - 1)) for j >= 1, where j = k - loc.

    >>> jx.scipy.stats.geom.logpmf(jnp.array([0, 1, 2]), 0.5)
    Array([      -inf, -0.6931472, -1.3862944], dtype=float32, weak_type=True)
    """
    return probability("geom.logpmf", _log_mass, k, p, loc=loc)


@compiled
@_family
def pmf(k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0) -> Array:
    """p (1 - p)^(j - 1) for j >= 1, where j = k - loc.

    >>> jx.scipy.stats.geom.pmf(jnp.array([0, 1, 2]), 0.5)
    Array([0.  , 0.5 , 0.25], dtype=float32, weak_type=True)
    """
    return mass("geom.pmf", _log_mass, k, p, loc=loc, powers=_mass)

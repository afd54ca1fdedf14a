"""The distribution function of the normal distribution, its logarithm and its inverse."""

from __future__ import annotations

from jx_core import compiled, lax

from ...functions import array_function
from ...operands import Array, ArrayLike, inexact, strong

__all__ = ["log_ndtr", "ndtr", "ndtri"]


@compiled
def ndtr(x: ArrayLike) -> Array:
    """The probability that a standard normal variable is below x.

    Args:
        x: a real array or number; integers and booleans become floats.

    Returns:
        An array of the shape of `x`, precise also where it is small.

    Raises:
        TypeError: `x` is complex, or no array.

    See DLMF 7.2.2 and 7.18.

    >>> jx.scipy.special.ndtr(jnp.array([0.0, 1.0]))
    Array([0.5      , 0.8413448], dtype=float32)
    """
    return strong(lax.normal_cdf_p.bind(inexact("ndtr", x)))


@compiled
def ndtri(p: ArrayLike) -> Array:
    """The number that a standard normal variable is below with probability p.

    Args:
        p: a real array or number; integers and booleans become floats. The result is -inf at
            0, inf at 1, and NaN beyond.

    Returns:
        An array of the shape of `p`.

    Raises:
        TypeError: `p` is complex, or no array.

    >>> jx.scipy.special.ndtri(jnp.array([0.0, 0.5, 0.975]))
    Array([     -inf, 0.       , 1.9599644], dtype=float32)
    """
    return strong(lax.normal_quantile_p.bind(inexact("ndtri", p)))


@array_function("series_order")
def log_ndtr(x: ArrayLike, series_order: int = 3) -> Array:
    """The logarithm of `ndtr`.

    Args:
        x: a real array or number; integers and booleans become floats.
        series_order: of no effect: the result is precise at every order. An integer from 0
            to 30.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: `x` is complex or no array, or `series_order` no integer.
        ValueError: `series_order` is out of its range.

    >>> jx.scipy.special.log_ndtr(jnp.array([-1.0, -40.0]))
    Array([  -1.8410217, -804.60846  ], dtype=float32)
    """
    if not isinstance(series_order, int):
        raise TypeError(f"log_ndtr: series_order must be an integer, got {series_order!r}")
    if not 0 <= series_order <= 30:
        raise ValueError(f"log_ndtr: series_order must be in [0, 30], got {series_order}")
    return strong(lax.log_normal_cdf_p.bind(inexact("log_ndtr", x)))

"""The logistic function and its inverse."""

from __future__ import annotations

from typing import Any

from jx_ad import custom_jvp
from jx_core import compiled, lax
from jx_core.operators import multiply, subtract

from ...operands import Array, ArrayLike, inexact, is_complex, typeof
from ._logarithms import log_of_quotient_near_1

__all__ = ["expit", "logit"]


@compiled
def expit(x: ArrayLike) -> Array:
    """The logistic function, 1 / (1 + exp(-x)).

    Args:
        x: an array or number; integers and booleans become floats.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: `x` is no array.

    >>> jx.scipy.special.expit(jnp.array([0.0, 100.0]))
    Array([0.5, 1. ], dtype=float32)
    """
    return lax.logistic(inexact("expit", x))


@custom_jvp
def _logit(x: Array) -> Array:
    odds = lax.log(lax.div(x, subtract(1, x)))
    if is_complex(typeof(x).dtype):
        return odds
    # Around 1/2 the odds are around 1, whose logarithm is not what rounding leaves of it.
    near = lax.bitwise_and(lax.gt(x, 0.34), lax.lt(x, 0.66))
    centred = multiply(2, subtract(lax.select(near, x, 0.5), 0.5))
    return lax.select(near, log_of_quotient_near_1(centred), odds)


@_logit.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return _logit(x), lax.div(t, lax.mul(x, subtract(1, x)))


@compiled
def logit(x: ArrayLike) -> Array:
    """The inverse of the logistic function, log(x / (1 - x)).

    Args:
        x: an array or number; integers and booleans become floats. The result is -inf at 0,
            inf at 1, and NaN for real numbers beyond.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: `x` is no array.

    >>> jx.scipy.special.logit(jnp.array([0.0, 0.5, 1.0]))
    Array([-inf,   0.,  inf], dtype=float32)
    """
    return _logit(inexact("logit", x))

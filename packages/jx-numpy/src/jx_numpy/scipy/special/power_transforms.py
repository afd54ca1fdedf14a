"""The power transforms of Box and Cox."""

from __future__ import annotations

from collections.abc import Callable

from jx_core import compiled, lax

from ...operands import Array, ArrayLike, broadcast_all
from ._operands import reals

__all__ = ["boxcox", "boxcox1p"]


def _quotient(z: Array) -> Array:
    """(exp(z) - 1) / z, which is 1 at 0, with its derivatives there."""
    near = lax.lt(lax.abs(z), 0.125)
    small = lax.select(near, z, 0.0)
    # The sum of z^k / (k + 1)!; the next term is below 2**-60.
    series = lax.full_like(z, 1.0)
    for k in range(12, 1, -1):
        series = lax.add(lax.mul(lax.mul(small, series), 1.0 / k), 1.0)
    safe = lax.select(near, 1.0, z)
    return lax.select(near, series, lax.div(lax.expm1(safe), safe))


def _transformed(name: str, log: Callable[[Array], Array], x: ArrayLike, lmbda: ArrayLike) -> Array:
    """(exp(lmbda log(x)) - 1) / lmbda as log(x) times a function without a pole."""
    x, lmbda = broadcast_all(name, *reals(name, x, lmbda))
    size = log(x)
    power = lax.mul(lmbda, size)
    near = lax.lt(lax.abs(power), 1.0)
    close = lax.mul(size, _quotient(lax.select(near, power, 0.0)))
    constant = lax.eq(lmbda, 0.0)
    near = lax.bitwise_or(near, constant)
    apart = lax.div(lax.expm1(power), lax.select(constant, 1.0, lmbda))
    return lax.select(near, close, apart)


@compiled
def boxcox(x: ArrayLike, lmbda: ArrayLike) -> Array:
    """The power transform (x^lmbda - 1) / lmbda, log(x) at lmbda = 0.

    Args:
        x: a real array or number; the result is NaN where it is negative.
        lmbda: a real array or number. The derivative by it is right at 0 as well.

    Returns:
        An array of the common shape.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is no array.
        ValueError: an operand is complex.

    See Box and Cox, "An analysis of transformations" (1964).

    >>> jx.scipy.special.boxcox(jnp.array([1.0, 3.0]), 2.0)
    Array([0., 4.], dtype=float32)
    """
    return _transformed("boxcox", lax.log, x, lmbda)


@compiled
def boxcox1p(x: ArrayLike, lmbda: ArrayLike) -> Array:
    """The power transform of 1 + x, ((1 + x)^lmbda - 1) / lmbda, precise also for small `x`.

    Args:
        x: a real array or number; the result is NaN where it is below -1.
        lmbda: a real array or number. The derivative by it is right at 0 as well.

    Returns:
        An array of the common shape.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is no array.
        ValueError: an operand is complex.

    See Box and Cox, "An analysis of transformations" (1964).

    >>> jx.scipy.special.boxcox1p(jnp.array([0.0, 2.0]), 2.0)
    Array([0., 4.], dtype=float32)
    """
    return _transformed("boxcox1p", lax.log1p, x, lmbda)

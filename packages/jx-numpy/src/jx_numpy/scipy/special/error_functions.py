"""The error function, its complement and its inverse."""

from __future__ import annotations

from jx_core import compiled, lax

from ...operands import Array, ArrayLike, inexact

__all__ = ["erf", "erfc", "erfinv"]


@compiled
def erf(x: ArrayLike) -> Array:
    """The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    Args:
        x: a real array or number; integers and booleans become floats.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: `x` is complex, or no array.

    See DLMF 7.2.1.

    >>> jx.scipy.special.erf(jnp.array([0.0, 1.0]))
    Array([0.       , 0.8427008], dtype=float32)
    """
    return lax.erf(inexact("erf", x))


@compiled
def erfc(x: ArrayLike) -> Array:
    """The complement 1 - erf(x) of the error function, precise also where that is small.

    Args:
        x: a real array or number; integers and booleans become floats.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: `x` is complex, or no array.

    See DLMF 7.2.2.

    >>> jx.scipy.special.erfc(jnp.array([0.0, 5.0]))
    Array([1.0000000e+00, 1.5374598e-12], dtype=float32)
    """
    return lax.erfc(inexact("erfc", x))


@compiled
def erfinv(x: ArrayLike) -> Array:
    """The number whose error function is x: infinite at -1 and 1, NaN beyond.

    Args:
        x: a real array or number; integers and booleans become floats.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: `x` is complex, or no array.

    See DLMF 7.17.

    >>> jx.scipy.special.erfinv(jnp.array([0.0, 0.5]))
    Array([0.        , 0.47693628], dtype=float32)
    """
    return lax.erf_inv(inexact("erfinv", x))

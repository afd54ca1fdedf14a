"""Modified Bessel functions of the first kind, of orders 0 and 1."""

from __future__ import annotations

from jx_core import compiled, lax

from ...operands import Array, ArrayLike, inexact

__all__ = ["i0", "i0e", "i1", "i1e"]


@compiled
def i0(x: ArrayLike) -> Array:
    """The modified Bessel function of the first kind of order 0.

    Args:
        x: a real array or number; integers and booleans become floats.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: `x` is complex, or no array.

    See DLMF 10.25.2.

    >>> jx.scipy.special.i0(jnp.array([0.0, 1.0]))
    Array([1.       , 1.2660658], dtype=float32)
    """
    return lax.bessel_i0_p.bind(inexact("i0", x))


@compiled
def i0e(x: ArrayLike) -> Array:
    """`i0`, scaled: exp(-|x|) I_0(x), which does not overflow.

    Args:
        x: a real array or number; integers and booleans become floats.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: `x` is complex, or no array.

    See DLMF 10.25.2 and 10.40.1.

    >>> jx.scipy.special.i0e(jnp.array([0.0, 2.0]))
    Array([1.        , 0.30850834], dtype=float32)
    """
    return lax.bessel_i0e(inexact("i0e", x))


@compiled
def i1(x: ArrayLike) -> Array:
    """The modified Bessel function of the first kind of order 1.

    Args:
        x: a real array or number; integers and booleans become floats.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: `x` is complex, or no array.

    See DLMF 10.25.2.

    >>> jx.scipy.special.i1(jnp.array([0.0, 1.0]))
    Array([0.       , 0.5651591], dtype=float32)
    """
    return lax.bessel_i1_p.bind(inexact("i1", x))


@compiled
def i1e(x: ArrayLike) -> Array:
    """`i1`, scaled: exp(-|x|) I_1(x), which does not overflow.

    Args:
        x: a real array or number; integers and booleans become floats.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: `x` is complex, or no array.

    See DLMF 10.25.2 and 10.40.1.

    >>> jx.scipy.special.i1e(jnp.array([0.0, 2.0]))
    Array([0.        , 0.21526928], dtype=float32)
    """
    return lax.bessel_i1e(inexact("i1e", x))

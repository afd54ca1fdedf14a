"""Window functions for signals, and the Bessel function that one of them is made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import compiled, lax, operators
from jx_core.dtypes import python_scalar_dtype

from .functions import array_function
from .operands import Array, ArrayLike, an_integer, inexact, is_complex, typeof

__all__ = ["bartlett", "blackman", "hamming", "hanning", "i0", "kaiser"]


def _points(name: str, M: Any) -> tuple[int, Array]:
    """The number of points, and their numbers as floats."""
    n = an_integer(name, M, "M")
    return n, lax.iota(python_scalar_dtype(float), max(n, 0))


def _cosines(name: str, M: Any, *coefficients: float) -> Array:
    """A sum of cosines of whole numbers of periods over the window."""
    n, k = _points(name, M)
    if n <= 1:
        return lax.full((max(n, 0),), 1.0, typeof(k).dtype)
    result: Any = coefficients[0]
    for harmonic, c in enumerate(coefficients[1:], 1):
        wave = lax.cos(operators.multiply(k, 2 * np.pi * harmonic / (n - 1)))
        result = operators.add(result, operators.multiply(wave, c))
    return result


@array_function("M")
def bartlett(M: int) -> Array:
    """The triangular window of `M` points, 0 at both ends.

    >>> jnp.bartlett(5)
    Array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    n, k = _points("bartlett", M)
    if n <= 1:
        return lax.full((max(n, 0),), 1.0, typeof(k).dtype)
    middle = (n - 1) / 2
    return operators.subtract(1.0, operators.divide(lax.abs(operators.subtract(k, middle)), middle))


@array_function("M")
def blackman(M: int) -> Array:
    """The Blackman window of `M` points.

    >>> jnp.blackman(3).round(3)
    Array([-0.,  1., -0.], dtype=float32)
    """
    return _cosines("blackman", M, 0.42, -0.5, 0.08)


@array_function("M")
def hamming(M: int) -> Array:
    """The Hamming window of `M` points.

    >>> jnp.hamming(3).round(2)
    Array([0.08, 1.  , 0.08], dtype=float32)
    """
    return _cosines("hamming", M, 0.54, -0.46)


@array_function("M")
def hanning(M: int) -> Array:
    """The Hann window of `M` points.

    >>> jnp.hanning(3)
    Array([0., 1., 0.], dtype=float32)
    """
    return _cosines("hanning", M, 0.5, -0.5)


@compiled
def i0(x: ArrayLike) -> Array:
    """The modified Bessel function of the first kind of order 0.

    Args:
        x: a real array or number; integers and booleans become floats.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: `x` is no array.
        ValueError: `x` is complex.

    See DLMF 10.25.2.

    >>> jnp.i0(jnp.array([0.0, 1.0]))
    Array([1.       , 1.2660658], dtype=float32)
    """
    x = inexact("i0", x)
    dtype = typeof(x).dtype
    if is_complex(dtype):
        raise ValueError(f"Unsupported input type to jnp.i0: {dtype.name}; it takes real numbers")
    return lax.bessel_i0_p.bind(x)


@array_function("M")
def kaiser(M: int, beta: ArrayLike) -> Array:
    """The Kaiser window of `M` points.

    That is I_0(beta sqrt(1 - r^2)) / I_0(beta), where r goes from -1 to 1.

    Args:
        M: the number of points.
        beta: a number that says how narrow the window is: 0 gives 1 everywhere, 5 is like a
            Hamming window, 6 like a Hann window. It can be traced.

    Returns:
        An array of shape `(M,)`, of the default float dtype or that of `beta`.

    Raises:
        TypeError: `M` is no integer that is known now.

    See Kaiser and Schafer, "On the use of the I_0-sinh window for spectrum analysis" (1980).

    >>> jnp.kaiser(3, 2.0).round(3)
    Array([0.439, 1.   , 0.439], dtype=float32)
    """
    n, k = _points("kaiser", M)
    if n <= 1:
        return lax.full((max(n, 0),), 1.0, typeof(k).dtype)
    # (1 - r)(1 + r), so that it is 0 at the ends, with a root that can be differentiated.
    middle = (n - 1) / 2
    below = operators.divide(k, middle)
    square = operators.multiply(below, operators.subtract(2.0, below))
    root = lax.sqrt(square)
    scaled = operators.multiply(beta, root)
    # Scaled by exponentials, as I_0 itself overflows.
    beta = inexact("kaiser", beta)
    end, inner = lax.abs(beta), lax.abs(scaled)
    ratio = operators.divide(lax.bessel_i0e(scaled), lax.bessel_i0e(beta))
    return operators.multiply(ratio, lax.exp(operators.subtract(inner, end)))

"""Window functions for signals, and the Bessel function that one of them needs."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import compiled, lax, operators
from jx_core.dtypes import python_scalar_dtype

from .functions import array_function, plain
from .operands import (
    Array,
    ArrayLike,
    an_integer,
    inexact,
    is_complex,
    to_dtype,
    typeof,
)

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
    return operators.subtract(
        1.0, operators.divide(lax.abs(operators.subtract(k, middle)), middle)
    )


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

    >>> jnp.hamming(3)
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


@array_function("M")
def kaiser(M: int, beta: ArrayLike) -> Array:
    """The Kaiser window of `M` points.

    Args:
        M: how many points.
        beta: the shape: 0 for a rectangle, greater for narrower windows.

    >>> jnp.kaiser(3, 0.0)
    Array([1., 1., 1.], dtype=float32)
    """
    n, k = _points("kaiser", M)
    if n <= 1:
        return lax.full((max(n, 0),), 1.0, typeof(k).dtype)
    beta = to_dtype(inexact("kaiser", beta), typeof(k).dtype)
    x = operators.subtract(operators.multiply(k, 2.0 / (n - 1)), 1.0)
    inside = lax.max(operators.subtract(1.0, lax.square(x)), lax.full_like(x, 0))
    return operators.divide(
        plain(i0)(operators.multiply(beta, lax.sqrt(inside))), plain(i0)(beta)
    )


@compiled
def i0(x: ArrayLike) -> Array:
    """The modified Bessel function of the first kind and order 0.

    Args:
        x: a real array or number; integers become floats.

    Raises:
        ValueError: `x` is complex.

    >>> jnp.i0(jnp.array([0.0]))
    Array([1.], dtype=float32)
    """
    x = inexact("i0", x)
    if is_complex(typeof(x).dtype):
        raise ValueError(f"jnp.i0 takes real numbers, got dtype {typeof(x).dtype.name}")
    magnitude = lax.abs(x)
    return lax.mul(lax.exp(magnitude), lax.bessel_i0e(magnitude))

"""Window functions for signals."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import lax, operators
from jx_core.dtypes import python_scalar_dtype

from .functions import array_function
from .operands import Array, an_integer, typeof

__all__ = ["bartlett", "blackman", "hamming", "hanning"]


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

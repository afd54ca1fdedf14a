"""The zeta function of Hurwitz, and the numbers of Bernoulli."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from jx_core import compiled, lax
from jx_core.dtypes import python_scalar_dtype
from jx_core.ops.elementwise import convert

from ...functions import array_function
from ...operands import Array, ArrayLike, an_integer, promote_inexact

__all__ = ["bernoulli", "zeta"]

_LAST = 258  # the last Bernoulli number that a float64 can hold


def _bernoulli_numbers(n: int) -> list[float]:
    """B_0, ..., B_n of even and odd orders by way of the tangent numbers, in integers.

    R. P. Brent and D. Harvey, "Fast computation of Bernoulli, tangent and secant numbers"
    (2011), https://arxiv.org/abs/1108.0286, algorithm TangentNumbers and equation (14).
    """
    half = n // 2
    tangent = [0, *(math.factorial(k - 1) for k in range(1, half + 1))]
    for k in range(2, half + 1):
        for j in range(k, half + 1):
            tangent[j] = (j - k) * tangent[j - 1] + (j - k + 2) * tangent[j]
    numbers = [0.0] * (n + 1)
    numbers[0] = 1.0
    if n >= 1:
        numbers[1] = -0.5
    for k in range(1, half + 1):
        four = 4**k
        numbers[2 * k] = float((-1) ** (k - 1) * Fraction(2 * k * tangent[k], four * (four - 1)))
    return numbers


@array_function("n")
def bernoulli(n: int) -> Array:
    """The Bernoulli numbers B_0 to B_n, with B_1 = -1/2.

    They are computed in integers and rounded once; those beyond the range of the dtype are
    infinite.

    Args:
        n: the order of the last one, an integer from 0 on.

    Returns:
        An array of `n + 1` floats.

    Raises:
        TypeError: `n` is no integer that is known now.
        ValueError: `n` is negative.

    See DLMF 24.2.

    >>> jx.scipy.special.bernoulli(4)
    Array([ 1.        , -0.5       ,  0.16666667,  0.        , -0.03333334], dtype=float32)
    """
    n = an_integer("bernoulli", n, "n")
    if n < 0:
        raise ValueError(f"bernoulli: n must be a non-negative integer, got {n}")
    numbers = np.zeros(n + 1)
    numbers[: _LAST + 1] = _bernoulli_numbers(min(n, _LAST))
    beyond = np.arange(_LAST + 2, n + 1, 2)
    numbers[beyond] = np.where(beyond % 4 == 0, -math.inf, math.inf)
    with np.errstate(over="ignore"):
        return convert(numbers.astype(python_scalar_dtype(float)), python_scalar_dtype(float))


@compiled
def zeta(x: ArrayLike, q: ArrayLike | None = None) -> Array:
    """The Hurwitz zeta function, the sum of (q + k)^-x over k = 0, 1, ...

    Args:
        x: real numbers above 1; the result is inf at 1 and NaN below.
        q: real numbers, positive ones or, for whole `x`, any; there are poles at 0, -1, ...
            If None, 1: the zeta function of Riemann.

    Returns:
        An array of the common shape.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is complex, or no array.

    See DLMF 25.11.1.

    >>> jx.scipy.special.zeta(jnp.array([2.0, 4.0]), 1.0)
    Array([1.644934 , 1.0823232], dtype=float32)
    """
    x, q = promote_inexact("zeta", x, 1.0 if q is None else q)
    return lax.zeta(x, q)

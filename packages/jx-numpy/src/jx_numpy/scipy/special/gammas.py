"""The gamma function, its logarithm and that one's derivatives, and the incomplete ones."""

from __future__ import annotations

import math

import numpy as np

from jx_core import compiled, lax
from jx_core.dtypes import issubdtype
from jx_core.operators import multiply, subtract

from ...functions import array_function
from ...operands import (
    Array,
    ArrayLike,
    an_integer,
    broadcast_all,
    inexact,
    is_complex,
    promote_inexact,
    strong,
    type_of,
    typeof,
)
from ._operands import reals
from .complex_gamma import complex_gamma, complex_loggamma

__all__ = [
    "digamma", "factorial", "gamma", "gammainc", "gammaincc", "gammaln", "gammasgn", "loggamma",
    "multigammaln", "poch", "polygamma",
]  # fmt: skip


@compiled
def gammaln(x: ArrayLike) -> Array:
    """The logarithm of the absolute value of the gamma function; inf at its poles.

    Args:
        x: a real array or number; integers and booleans become floats.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: `x` is complex (see `loggamma`), or no array.

    See DLMF 5.2.1.

    >>> jx.scipy.special.gammaln(jnp.array([1.0, 5.0]))
    Array([0.       , 3.1780539], dtype=float32)
    """
    return lax.lgamma(inexact("gammaln", x))


def _gammasgn(x: Array) -> Array:
    floor = lax.floor(x)
    odd = lax.ne(multiply(2, lax.floor(multiply(0.5, floor))), floor)
    sign = lax.select(
        lax.bitwise_and(lax.lt(x, 0.0), odd), lax.full_like(x, -1), lax.full_like(x, 1)
    )
    sign = lax.select(lax.eq(x, 0.0), lax.sign(lax.div(lax.full_like(x, 1), x)), sign)
    pole = lax.bitwise_and(lax.lt(x, 0.0), lax.eq(x, floor))
    return lax.select(lax.bitwise_or(pole, lax.ne(x, x)), math.nan, sign)


@compiled
def gammasgn(x: ArrayLike) -> Array:
    """The sign of the gamma function: that of `x` at 0, NaN at its other poles.

    Args:
        x: a real array or number; integers and booleans become floats.

    Returns:
        An array of the shape of `x`, of 1 and -1.

    Raises:
        TypeError: `x` is no array.
        ValueError: `x` is complex.

    >>> jx.scipy.special.gammasgn(jnp.array([2.0, -0.5, -1.0]))
    Array([ 1., -1., nan], dtype=float32)
    """
    return strong(_gammasgn(*reals("gammasgn", x)))


@compiled
def gamma(x: ArrayLike) -> Array:
    """The gamma function.

    Args:
        x: an array or number; integers and booleans become floats. At the poles the result is
            NaN, but for 0 and -0, where it is inf and -inf.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: `x` is no array.

    See DLMF 5.2.1.

    >>> jx.scipy.special.gamma(jnp.array([5.0, 0.5]))
    Array([24.       ,  1.7724539], dtype=float32)
    """
    x = inexact("gamma", x)
    if is_complex(typeof(x).dtype):
        return strong(complex_gamma(x))
    return strong(lax.gamma_p.bind(x))


@compiled
def loggamma(x: ArrayLike) -> Array:
    """The principal branch of the logarithm of the gamma function.

    It is the analytic continuation from the positive real numbers, with a cut along the
    negative ones.

    Args:
        x: an array or number; integers and booleans become floats. For negative real numbers
            the result is NaN; write them as complex ones.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: `x` is no array.

    See DLMF 5.4.2 and Hare, "Computing the principal branch of log-Gamma" (1997).

    >>> jx.scipy.special.loggamma(jnp.array([1.0, 5.0, -0.5]))
    Array([0.       , 3.1780539,       nan], dtype=float32)
    """
    x = inexact("loggamma", x)
    if is_complex(typeof(x).dtype):
        return complex_loggamma(x)
    inside = lax.ge(x, 0.0)
    return lax.select(inside, lax.lgamma(lax.select(inside, x, 1.0)), math.nan)


@array_function("exact")
def factorial(n: ArrayLike, exact: bool = False) -> Array:
    """The factorial n!, which is gamma(n + 1); 0 for negative `n`.

    Args:
        n: a real array or number; integers and booleans become floats.
        exact: only False: integers of 64 bits hold factorials up to that of 20.

    Returns:
        An array of the shape of `n`.

    Raises:
        NotImplementedError: `exact` is true.
        TypeError: `n` is no array.
        ValueError: `n` is complex.

    See DLMF 5.4.1.

    >>> jx.scipy.special.factorial(jnp.array([0, 5, -1]))
    Array([  1., 120.,   0.], dtype=float32)
    """
    if exact:
        raise NotImplementedError(
            "factorial with exact=True has no array type to hold its integers; use "
            "math.factorial for Python integers"
        )
    (n,) = reals("factorial", n)
    below = lax.lt(n, 0.0)
    # Not as gamma of the sum n + 1, which would be rounded.
    value = lax.rising_factorial_p.bind(lax.full_like(n, 1), lax.select(below, 0.0, n))
    return lax.select(below, 0.0, value)


@compiled
def digamma(x: ArrayLike) -> Array:
    """The derivative of the logarithm of the gamma function; NaN at its poles 0, -1, ...

    Args:
        x: a real array or number; integers and booleans become floats.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: `x` is complex, or no array.

    See DLMF 5.2.2.

    >>> jx.scipy.special.digamma(jnp.array([1.0, 2.0]))
    Array([-0.5772157 ,  0.42278433], dtype=float32)
    """
    return lax.digamma(inexact("digamma", x))


@compiled
def polygamma(n: ArrayLike, x: ArrayLike) -> Array:
    """The `n`-th derivative of `digamma`.

    Args:
        n: an array of integers from 0 on, or one.
        x: a real array or number; integers and booleans become floats.

    Returns:
        An array of the common shape.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is no array.
        ValueError: `n` is not of an integer dtype, or `x` is complex.

    See DLMF 5.15.

    >>> jx.scipy.special.polygamma(1, jnp.array([1.0, 2.0]))
    Array([1.644934  , 0.64493406], dtype=float32)
    """
    dtype = type_of("polygamma", n).dtype
    if not issubdtype(dtype, np.integer):
        raise ValueError(f"polygamma: n must hold integers, got dtype {dtype.name}")
    n, x = reals("polygamma", n, x)
    return lax.polygamma(n, x)


@compiled
def gammainc(a: ArrayLike, x: ArrayLike) -> Array:
    """The regularized lower incomplete gamma function P(a, x).

    That is the integral of t^(a - 1) exp(-t) from 0 to `x`, over gamma(a). It can be
    differentiated by both.

    Args:
        a: a real array or number; the result is NaN where it is negative.
        x: likewise.

    Returns:
        An array of the common shape.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is complex, or no array.

    See DLMF 8.2.4.

    >>> jx.scipy.special.gammainc(1.0, jnp.array([0.0, 1.0]))
    Array([0.        , 0.63212055], dtype=float32)
    """
    return lax.igamma(*promote_inexact("gammainc", a, x))


@compiled
def gammaincc(a: ArrayLike, x: ArrayLike) -> Array:
    """The regularized upper incomplete gamma function Q(a, x), precise also where it is small.

    That is the integral of t^(a - 1) exp(-t) from `x` on, over gamma(a). It can be
    differentiated by both.

    Args:
        a: a real array or number; the result is NaN where it is negative.
        x: likewise.

    Returns:
        An array of the common shape.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is complex, or no array.

    See DLMF 8.2.4.

    >>> jx.scipy.special.gammaincc(1.0, jnp.array([1.0, 50.0]))
    Array([3.6787945e-01, 1.9287499e-22], dtype=float32)
    """
    return lax.igammac(*promote_inexact("gammaincc", a, x))


@array_function("d")
def multigammaln(a: ArrayLike, d: int) -> Array:
    """The logarithm of the multivariate gamma function of dimension `d`.

    That is d (d - 1) log(pi) / 4 plus the sum of gammaln(a - i / 2) over i = 0, ..., d - 1.

    Args:
        a: a real array or number, above (d - 1) / 2; integers and booleans become floats.
        d: the dimension, an integer.

    Returns:
        An array of the shape of `a`.

    Raises:
        TypeError: `a` is complex or no array, or `d` no integer that is known now.

    See Anderson, "An introduction to multivariate statistical analysis" (2003), section 7.2.

    >>> jx.scipy.special.multigammaln(jnp.array([2.0, 3.0]), 2)
    Array([0.45158267, 1.550195  ], dtype=float32)
    """
    d = an_integer("multigammaln", d, "d")
    a = inexact("multigammaln", a)
    total = lax.full_like(a, 0.25 * d * (d - 1) * math.log(math.pi))
    for i in range(d):
        total = lax.add(total, lax.lgamma(subtract(a, 0.5 * i)))
    return strong(total)


@compiled
def poch(z: ArrayLike, m: ArrayLike) -> Array:
    """The Pochhammer symbol, or rising factorial: gamma(z + m) / gamma(z).

    Args:
        z, m: real arrays or numbers; integers and booleans become floats. Where `z` and
            `z + m` are both 0 or negative and whole, the result is the limit; where only
            `z + m` is, NaN.

    Returns:
        An array of the common shape.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is no array.
        ValueError: an operand is complex.

    See DLMF 5.2.5.

    >>> jx.scipy.special.poch(jnp.array([1.0, 2.0]), 3.0)
    Array([ 6., 24.], dtype=float32)
    """
    rising = lax.rising_factorial_p.bind(*broadcast_all("poch", *reals("poch", z, m)))
    return strong(rising)

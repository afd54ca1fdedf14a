"""Polynomials, as vectors of coefficients from the highest power down."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import lax, operators
from jx_core.errors import concrete_or_error
from jx_core.symbolic import maximum

from .creation import asarray
from .functions import array_function, plain
from .linalg.decompositions import eigvals
from .manipulation import trim_zeros
from .operands import (
    Array,
    ArrayLike,
    an_integer,
    as_operand,
    promote_dtypes,
    promote_dtypes_inexact,
    to_dtype,
    typeof,
)
from .signal import convolve

__all__ = [
    "poly", "polyadd", "polyder", "polydiv", "polyint", "polymul", "polysub", "polyval",
]  # fmt: skip


def _vectors(name: str, *polynomials: Any) -> list[Array]:
    vectors = [lax.broadcast_to_rank(as_operand(name, p, i), 1) for i, p in enumerate(polynomials)]
    for i, p in enumerate(vectors):
        if typeof(p).ndim != 1:
            raise ValueError(
                f"jnp.{name}: a polynomial is a vector of coefficients, got shape "
                f"{typeof(p).shape} at position {i}"
            )
    return vectors


@array_function("unroll")
def polyval(p: ArrayLike, x: ArrayLike, *, unroll: int = 16) -> Array:
    """The values of a polynomial at points, by Horner's rule.

    Args:
        p: the coefficients, from the highest power down; further axes hold several
            polynomials, which broadcast with `x`.
        x: the points.
        unroll: how many steps of the loop to write out in the program.

    >>> jnp.polyval(jnp.array([2, 0, 1]), jnp.array([1, 3]))
    Array([ 3, 19], dtype=int32)
    """
    p, x = promote_dtypes("polyval", as_operand("polyval", p), as_operand("polyval", x, 1))
    shape = lax.broadcast_shapes(typeof(p).shape[1:], typeof(x).shape)
    dtype = typeof(x).dtype
    value = lax.full(shape, 0, dtype)
    n = typeof(p).shape[0]
    if type(n) is int and n <= unroll:
        for i in range(n):
            c = lax.index_in_dim(p, i, keepdims=False)
            value = operators.add(operators.multiply(value, x), c)
        return value

    def step(value: Any, c: Any) -> tuple[Any, None]:
        return operators.add(operators.multiply(value, x), c), None

    return lax.scan(step, value, p, unroll=unroll)[0]


def _sum(name: str, combine: Any, a1: Any, a2: Any) -> Array:
    a, b = promote_dtypes(name, *_vectors(name, a1, a2))
    n = maximum(typeof(a).size, typeof(b).size)
    zero = np.zeros((), typeof(a).dtype)[()]
    a, b = (lax.pad(p, zero, [(n - typeof(p).size, 0, 0)]) for p in (a, b))
    return combine(a, b)


@array_function()
def polyadd(a1: ArrayLike, a2: ArrayLike) -> Array:
    """The sum of two polynomials.

    Raises:
        ValueError: an argument is no vector of coefficients.

    >>> jnp.polyadd(jnp.array([1, 2]), jnp.array([3]))
    Array([1, 5], dtype=int32)
    """
    return _sum("polyadd", lax.add, a1, a2)


@array_function()
def polysub(a1: ArrayLike, a2: ArrayLike) -> Array:
    """The difference of two polynomials.

    Raises:
        ValueError: an argument is no vector of coefficients.

    >>> jnp.polysub(jnp.array([1, 2]), jnp.array([3]))
    Array([ 1, -1], dtype=int32)
    """
    return _sum("polysub", lax.sub, a1, a2)


def _trimmed(p: Any) -> Any:
    known = concrete_or_error(p, "a polynomial whose leading zeros are to be trimmed")
    trimmed = trim_zeros(known, "f")
    return trimmed if trimmed.size else asarray(np.zeros(1, trimmed.dtype))


def polymul(a1: ArrayLike, a2: ArrayLike, *, trim_leading_zeros: bool = False) -> Array:
    """The product of two polynomials.

    Args:
        a1, a2: the polynomials.
        trim_leading_zeros: whether to leave out leading zeros of the factors, which must
            then be known.

    Raises:
        ValueError: an argument is no vector of coefficients.

    >>> jnp.polymul(jnp.array([1, 1]), jnp.array([1, -1]))
    Array([ 1.,  0., -1.], dtype=float32)
    """
    a, b = promote_dtypes("polymul", *_vectors("polymul", a1, a2))
    if trim_leading_zeros:
        a, b = _trimmed(asarray(a)), _trimmed(asarray(b))
    return convolve(a, b, mode="full")


def polydiv(u: ArrayLike, v: ArrayLike, *, trim_leading_zeros: bool = False) -> tuple[Array, Array]:
    """The quotient and the remainder of two polynomials.

    Args:
        u: the dividend.
        v: the divisor, whose first coefficient is not zero.
        trim_leading_zeros: whether to leave out leading zeros of the remainder, which must
            then be known.

    Raises:
        ValueError: an argument is no vector of coefficients.

    >>> jnp.polydiv(jnp.array([1.0, 0.0, -1.0]), jnp.array([1.0, 1.0]))
    (Array([ 1., -1.], dtype=float32), Array([0., 0., 0.], dtype=float32))
    """
    quotient, remainder = _polydiv(u, v)
    return quotient, _trimmed(remainder) if trim_leading_zeros else remainder


@array_function()
def _polydiv(u: Any, v: Any) -> tuple[Array, Array]:
    u, v = promote_dtypes_inexact("polydiv", *_vectors("polydiv", u, v))
    n, m = typeof(u).size, typeof(v).size
    if n < m:
        return lax.full((1,), 0, typeof(u).dtype), u
    leading = lax.index_in_dim(v, 0, keepdims=False)
    digits = []
    for k in range(n - m + 1):
        digit = lax.div(lax.index_in_dim(u, k, keepdims=False), leading)
        digits.append(digit)
        zero = np.zeros((), typeof(u).dtype)[()]
        u = lax.sub(u, lax.pad(operators.multiply(v, digit), zero, [(k, n - m - k, 0)]))
    return lax.stack(digits, 0), u


@array_function("m")
def polyder(p: ArrayLike, m: int = 1) -> Array:
    """The derivative of a polynomial.

    Args:
        p: the polynomial.
        m: which derivative.

    Raises:
        ValueError: `m` is negative, or `p` no vector of coefficients.

    >>> jnp.polyder(jnp.array([1, 2, 3]))
    Array([2, 2], dtype=int32)
    """
    (p,) = _vectors("polyder", p)
    m = an_integer("polyder", m, "m")
    if m < 0:
        raise ValueError(f"jnp.polyder: m must be non-negative, got {m}")
    for _ in range(m):
        n = typeof(p).size
        powers = np.arange(n - 1, 0, -1)
        p = lax.slice_in_dim(p, 0, max(n - 1, 0))
        p = operators.multiply(p, to_dtype(powers.astype(np.int32), typeof(p).dtype))
    return p


@array_function("m")
def polyint(p: ArrayLike, m: int = 1, k: ArrayLike | None = None) -> Array:
    """The integral of a polynomial.

    Args:
        p: the polynomial.
        m: how often to integrate.
        k: the constants of integration, one for each time; 0 if None.

    Raises:
        ValueError: `m` is negative, `k` does not fit it, or `p` is no vector.

    >>> jnp.polyint(jnp.array([2.0, 2.0]))
    Array([1., 2., 0.], dtype=float32)
    """
    m = an_integer("polyint", m, "m")
    if m < 0:
        raise ValueError(f"jnp.polyint: m must be non-negative, got {m}")
    (p,) = promote_dtypes_inexact("polyint", *_vectors("polyint", p))
    dtype = typeof(p).dtype
    k = lax.full((m,), 0, dtype) if k is None else to_dtype(as_operand("polyint", k), dtype)
    k = lax.reshape(k, (typeof(k).size,))
    if typeof(k).size == 1 and m > 1:
        k = lax.broadcast_in_dim(k, (m,), (0,))
    if typeof(k).size != m:
        raise ValueError(f"jnp.polyint: k must have an entry for each of {m} times")
    for i in range(m):
        powers = np.arange(typeof(p).size, 0, -1).astype(np.int32)
        p = lax.div(p, to_dtype(powers, dtype))
        p = lax.concatenate([p, lax.slice_in_dim(k, i, i + 1)], 0)
    return p


@array_function()
def poly(seq_of_zeros: ArrayLike) -> Array:
    """The polynomial with given zeros and leading coefficient 1.

    Args:
        seq_of_zeros: the zeros, a vector; or a square matrix, whose eigenvalues are the zeros:
            then the coefficients are complex.

    Raises:
        ValueError: it is no vector and no square matrix.

    >>> jnp.poly(jnp.array([1.0, -1.0]))
    Array([ 1.,  0., -1.], dtype=float32)
    """
    seq_of_zeros = as_operand("poly", seq_of_zeros)
    shape = typeof(seq_of_zeros).shape
    if len(shape) == 2 and shape[0] == shape[1] > 0:
        seq_of_zeros = plain(eigvals)(seq_of_zeros)
    (zeros,) = promote_dtypes_inexact("poly", *_vectors("poly", seq_of_zeros))
    result = lax.full((1,), 1, typeof(zeros).dtype)
    for i in range(typeof(zeros).size):
        zero = np.zeros((), typeof(zeros).dtype)[()]
        scaled = operators.multiply(result, lax.index_in_dim(zeros, i, keepdims=False))
        result = lax.sub(lax.pad(result, zero, [(0, 1, 0)]), lax.pad(scaled, zero, [(1, 0, 0)]))
    return result

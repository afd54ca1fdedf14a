"""Polynomials, as vectors of coefficients from the highest power down."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import dtypes, lax, operators
from jx_core.errors import concrete_or_error
from jx_core.symbolic import maximum

from .creation import asarray
from .functions import array_function, plain
from .indexing import take
from .linalg import lstsq
from .linalg.decompositions import eigvals
from .linalg.kit import eye, times_columns
from .linalg.solving import inverse
from .manipulation import trim_zeros
from .operands import (
    Array,
    ArrayLike,
    an_integer,
    as_operand,
    broadcast_all,
    promote_dtypes,
    promote_dtypes_inexact,
    to_dtype,
    typeof,
)
from .signal import convolve

__all__ = [
    "poly", "polyadd", "polyder", "polydiv", "polyfit", "polyint", "polymul", "polysub",
    "polyval", "roots",
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
    a, b = promote_dtypes(name, as_operand(name, a1, 0), as_operand(name, a2, 1))
    ndim = max(1, typeof(a).ndim, typeof(b).ndim)
    a, b = (lax.expand_dims(p, range(typeof(p).ndim, ndim)) for p in (a, b))
    n = maximum(typeof(a).shape[0], typeof(b).shape[0])
    zero = np.zeros((), typeof(a).dtype)[()]
    rest = [(0, 0, 0)] * (ndim - 1)
    a, b = (lax.pad(p, zero, [(n - typeof(p).shape[0], 0, 0), *rest]) for p in (a, b))
    return combine(*broadcast_all(name, a, b))


@array_function()
def polyadd(a1: ArrayLike, a2: ArrayLike) -> Array:
    """The sum of two polynomials.

    Args:
        a1, a2: their coefficients, the highest power's first. Further axes broadcast: each
            place along them has a polynomial of its own.

    Raises:
        ShapeError: the further axes don't broadcast.

    >>> jnp.polyadd(jnp.array([1, 2]), jnp.array([3]))
    Array([1, 5], dtype=int32)
    """
    return _sum("polyadd", lax.add, a1, a2)


@array_function()
def polysub(a1: ArrayLike, a2: ArrayLike) -> Array:
    """The difference of two polynomials. Arguments and errors as for `polyadd`.

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
    if trim_leading_zeros:
        remainder = trim_zeros(concrete_or_error(remainder, "a remainder to be trimmed"), "f")
    return quotient, remainder


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
        p: the polynomial; integers and booleans become floats.
        m: which derivative.

    Raises:
        ValueError: `m` is negative, or `p` no vector of coefficients.

    >>> jnp.polyder(jnp.array([1, 2, 3]))
    Array([2., 2.], dtype=float32)
    """
    (p,) = promote_dtypes_inexact("polyder", *_vectors("polyder", p))
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


def roots(p: ArrayLike, *, strip_zeros: bool = True) -> Array:
    """The zeros of a polynomial: the eigenvalues of its companion matrix.

    Args:
        p: the coefficients, a vector.
        strip_zeros: leave out leading zeros of `p`, which must then be known. Otherwise there
            are n zeros for n + 1 coefficients, and NaN for each that leading zeros take away;
            this is for compiled functions.

    Returns:
        A complex vector, in no order (NaN at the end).

    Raises:
        ValueError: `p` is no vector.

    >>> jnp.roots(jnp.array([1.0, -3.0, 2.0])).round(3)
    Array([2.+0.j, 1.+0.j], dtype=complex64)
    """
    (p,) = promote_dtypes_inexact("roots", *_vectors("roots", p))
    if not strip_zeros:
        return _all_roots(p)
    known = np.asarray(
        concrete_or_error(
            p, "roots, whose leading zeros are to be left out; strip_zeros=False keeps them"
        )
    )
    given = np.flatnonzero(known)
    first = int(given[0]) if given.size else typeof(p).size
    return _roots(lax.slice_in_dim(p, first, typeof(p).size))


def _complex_of(dtype: Any) -> Any:
    return np.dtype(np.result_type(dtype, np.complex64))


@array_function()
def _roots(p: Any) -> Any:
    """The zeros of a polynomial whose leading coefficient is not zero."""
    n = typeof(p).size
    if n < 2:
        return lax.full((0,), 0, _complex_of(typeof(p).dtype))
    leading = lax.index_in_dim(p, 0, keepdims=False)
    rest = lax.neg(operators.divide(lax.slice_in_dim(p, 1, n), leading))
    below = lax.slice_in_dim(eye(n - 1, typeof(p).dtype), 0, n - 2)
    companion = lax.concatenate([lax.expand_dims(rest, (0,)), below], 0)
    (values,) = lax.linalg.eig(
        companion, compute_left_eigenvectors=False, compute_right_eigenvectors=False
    )
    return values


@array_function()
def _all_roots(p: Any) -> Any:
    """The zeros of a polynomial, and NaN for each leading zero."""
    n = typeof(p).size
    if n < 2:
        return _roots(p)
    places = lax.iota(np.int32, n)
    given = lax.ne(p, lax.full_like(p, 0))
    first = lax.reduce_min(lax.select(given, places, lax.full_like(places, n)), (0,))
    # Coefficients go to the front, and so the lost zeros become zeros at 0, which go last.
    nothing = lax.eq(first, np.int32(n))
    p = lax.select(lax.broadcast(nothing, (n,)), lax.full_like(p, 1), p)
    twice = lax.concatenate([p, lax.full_like(p, 0)], 0)
    start = lax.select(nothing, lax.full_like(first, 0), first)
    found = _roots(lax.dynamic_slice_in_dim(twice, start, n))
    size = lax.abs(found)
    lost = lax.sub(lax.full_like(places, n - 1), lax.broadcast(first, (n,)))
    _, order = lax.sort((lax.neg(size), lax.iota(np.int32, n - 1)), 0, num_keys=1)
    found = plain(take)(found, order)
    kept = lax.lt(lax.iota(np.int32, n - 1), lax.slice_in_dim(lost, 0, n - 1))
    return lax.select(kept, found, lax.full_like(found, complex(np.nan, np.nan)))


@array_function("deg", "rcond", "full", "cov")
def polyfit(
    x: ArrayLike,
    y: ArrayLike,
    deg: int,
    rcond: float | None = None,
    full: bool = False,
    w: ArrayLike | None = None,
    cov: bool | str = False,
) -> Any:
    """The polynomial that fits points best, by least squares.

    Args:
        x: where the points are, a vector of length m.
        y: their values, of shape (m,), or (m, k) for k polynomials.
        deg: the degree.
        rcond: the size, relative to the greatest, below which singular values of the system
            count as zero; m epsilons if None.
        full: return what `jx.numpy.linalg.lstsq` says of the system as well.
        w: weights of the points' distances, of shape (m,).
        cov: return the covariance of the coefficients as well, scaled so that the points have
            reduced chi-square 1; unscaled if it is `"unscaled"`.

    Returns:
        The coefficients, from the highest power down, of shape (deg + 1,) or (deg + 1, k); for
        `full`, `(coefficients, residuals, rank, singular values, rcond)`; for `cov` otherwise,
        `(coefficients, covariance)`, that of shape (deg + 1, deg + 1), or
        (deg + 1, deg + 1, k) where `y` has two axes (k = 1 if unscaled).

    Raises:
        TypeError: the shapes are no such.
        ValueError: `deg` is negative, or there are too few points to scale the covariance.

    >>> jnp.polyfit(jnp.array([0.0, 1.0, 2.0]), jnp.array([1.0, 3.0, 5.0]), 1).round(3)
    Array([2., 1.], dtype=float32)
    """
    deg = int(deg)
    if deg < 0:
        raise ValueError(f"jnp.polyfit: deg must be non-negative, got {deg}")
    operands = promote_dtypes_inexact("polyfit", x, y, *([] if w is None else [w]))
    _check_points(*operands)
    x, y, *weights = operands
    m, order = typeof(x).size, deg + 1
    epsilon = float(dtypes.finfo(typeof(x).dtype).eps)
    rcond = m * epsilon if rcond is None else float(rcond)
    powers = [lax.full_like(x, 1)]
    for _ in range(deg):
        powers.append(lax.mul(powers[-1], x))
    lhs = lax.stack(powers[::-1], 1)
    if weights:
        lhs = lax.mul(lhs, lax.broadcast_in_dim(weights[0], (m, order), (0,)))
        y = lax.mul(y, lax.broadcast_in_dim(weights[0], typeof(y).shape, (0,)))
    size = lax.abs(lhs)
    norm = lax.sqrt(lax.reduce_sum(lax.mul(size, size), (0,)))
    scale = lax.convert_element_type(lax.div(lax.full_like(norm, 1), norm), typeof(lhs).dtype)
    lhs = times_columns(lhs, scale)
    c, residuals, rank, s = plain(lstsq)(lhs, y, rcond)
    c = lax.mul(c, lax.broadcast_in_dim(scale, typeof(c).shape, (0,)))
    if full:
        return c, residuals, rank, s, asarray(rcond)
    if not cov:
        return c
    return c, _covariance(lhs, scale, residuals, cov, typeof(y).ndim)


def _check_points(x: Any, y: Any, w: Any = None) -> None:
    """Raise unless points and weights have the shapes that `polyfit` takes."""
    shapes = [typeof(v).shape for v in (x, y)]
    m = shapes[0][0] if len(shapes[0]) == 1 else 0
    if not m or len(shapes[1]) not in (1, 2) or shapes[1][0] != m:
        raise TypeError(
            f"jnp.polyfit: x must be a vector, not empty, and y of shape (m,) or (m, k) for x of "
            f"shape (m,); got {shapes[0]} and {shapes[1]}"
        )
    if w is not None and typeof(w).shape != (m,):
        raise TypeError(
            f"jnp.polyfit: w must be of the shape of x, {shapes[0]}, got {typeof(w).shape}"
        )


def _covariance(lhs: Any, scale: Any, residuals: Any, cov: Any, ndim: int) -> Any:
    m, order = typeof(lhs).shape
    adjoint = lax.transpose(lax.conj(lhs) if typeof(lhs).dtype.kind == "c" else lhs, (1, 0))
    inner = inverse("polyfit", lax.dot(adjoint, lhs))
    rows = lax.broadcast_in_dim(scale, (order, order), (0,))
    inner = lax.mul(times_columns(inner, scale), rows)
    if cov == "unscaled":
        return inner if ndim == 1 else lax.expand_dims(inner, (2,))
    if m <= order:
        raise ValueError(
            f"jnp.polyfit: there must be more than deg + 1 = {order} points to scale the "
            f"covariance, got {m}; cov='unscaled' does not scale it"
        )
    factor = lax.convert_element_type(
        operators.divide(residuals, float(m - order)), typeof(inner).dtype
    )
    if ndim == 1:
        return operators.multiply(inner, lax.index_in_dim(factor, 0, keepdims=False))
    return operators.multiply(lax.expand_dims(inner, (2,)), factor)

"""The exponential of matrices, and its derivative.

Scaling and squaring of a rational approximation: N. J. Higham, "The scaling and squaring method
for the matrix exponential revisited", SIAM Journal on Matrix Analysis and Applications 26 (2005).
Its derivative is that of the approximation, step by step: A. H. Al-Mohy and N. J. Higham,
"Computing the Frechet derivative of the matrix exponential", SIAM Journal on Matrix Analysis and
Applications 30 (2009). That is what differentiating the program gives.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jx_ad import jvp
from jx_core import lax, typeof
from jx_core.errors import ShapeError

from ...contraction.products import _matmul
from ...functions import array_function, plain
from ...indexing import take
from ...linalg.kit import eye, matrices, real_dtype
from ...linalg.solving import solved
from ...operands import Array, ArrayLike, promote_dtypes_inexact

__all__ = ["expm", "expm_frechet"]

# Of each precision: the degree of the approximation, the norms up to which it holds (Higham 2005,
# section 2), and those up to which its derivative does too (Al-Mohy and Higham 2009, table 6.1,
# for double precision; for single precision a smaller bound, on the safe side).
_DOUBLE = (13, 5.371920351148152, 4.74)
_SINGLE = (7, 3.925724783138660, 3.0)


def _coefficients(m: int) -> list[float]:
    """Those of the numerator of degree m, for integers: all over that of the highest power."""
    f = math.factorial
    c = [f(2 * m - k) * f(m) // (f(m - k) * f(k)) for k in range(m + 1)]
    return [float(x // c[m]) for x in c]


@array_function("upper_triangular", "max_squarings")
def expm(A: ArrayLike, *, upper_triangular: bool = False, max_squarings: int = 16) -> Array:
    """The exponential of square matrices, `1 + A + A @ A / 2 + ...`.

    Args:
        A: an array of shape (..., n, n), of dtype float32, float64, complex64 or complex128, or
            of integers.
        upper_triangular: the matrices are upper triangular, which saves a factorization.
        max_squarings: how many squarings there are at most. Each doubles the norm up to which
            the exponential can be taken; the result is NaN where it is greater than 5.37 (in
            single precision 3.92) times `2**max_squarings`.

    Returns:
        An array of shape (..., n, n).

    Raises:
        TypeError: another dtype.
        ValueError: the matrices are not square.

    See N. J. Higham (2005) and A. H. Al-Mohy and N. J. Higham (2009).

    >>> jx.scipy.linalg.expm(jnp.zeros((2, 2)))
    Array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    a = matrices("expm", A, square=True)
    dtype = typeof(a).dtype
    if dtype.name not in ("float32", "float64", "complex64", "complex128"):
        raise TypeError(
            f"expm takes float32, float64, complex64 or complex128 matrices, got {dtype.name}; "
            f"convert them with astype"
        )
    if not typeof(a).size:
        return a
    degree, bound, safe_bound = _SINGLE if real_dtype(dtype) == np.float32 else _DOUBLE
    norm = lax.stop_gradient(_norm(a))
    wanted, needed = _squarings(norm, safe_bound), _squarings(norm, bound)
    count = lax.min(wanted, lax.full_like(wanted, max_squarings))
    # From a table, as powers of 2 are to be exact.
    powers = np.ldexp(1.0, -np.arange(max_squarings + 1)).astype(dtype)
    x = lax.mul(a, _over(plain(take)(powers, count, axis=0, mode="clip"), a))
    even, odd = _numerator(x, degree)
    p, q = lax.add(even, odd), lax.sub(even, odd)
    if upper_triangular:
        r = lax.linalg.triangular_solve(q, p, left_side=True)
    else:
        r = solved(q, p)
    r = _squared(r, count, max_squarings)
    # A norm that is NaN or infinite gets no count that is small enough.
    fits = lax.le(needed, lax.full_like(needed, max_squarings))
    return lax.select(_over(fits, r), r, lax.full_like(r, np.nan))


def _over(x: Any, like: Any) -> Any:
    """A value for each matrix, at all its places."""
    return lax.broadcast_in_dim(x, typeof(like).shape, tuple(range(typeof(like).ndim - 2)))


def _norm(a: Any) -> Any:
    """The greatest sum of the sizes in a column."""
    ndim = typeof(a).ndim
    return lax.reduce_max(lax.reduce_sum(lax.abs(a), (ndim - 2,)), (ndim - 2,))


def _squarings(norm: Any, bound: float) -> Any:
    """How often to halve matrices so that their norm is below a bound; many if it is not finite."""
    many = lax.full_like(norm, 10_000)
    finite = lax.lt(norm, lax.full_like(norm, np.inf))
    ratio = lax.div(norm, lax.full_like(norm, bound))
    one = lax.full_like(norm, 1)
    halvings = lax.mul(lax.log(lax.max(lax.select(finite, ratio, one), one)), 1 / math.log(2))
    steps = lax.ceil(halvings)
    return lax.convert_element_type(lax.select(finite, steps, many), np.int32)


def _numerator(x: Any, m: int) -> tuple[Any, Any]:
    """The even and the odd part of the approximation's numerator."""
    b = _coefficients(m)
    unit = eye(typeof(x).shape[-1], typeof(x).dtype, typeof(x).shape[:-2])

    def combined(powers: list[Any], factors: list[float]) -> Any:
        total = lax.mul(powers[0], factors[0])
        for power, factor in zip(powers[1:], factors[1:], strict=True):
            total = lax.add(total, lax.mul(power, factor))
        return total

    x2 = _matmul(x, x)
    x4 = _matmul(x2, x2)
    x6 = _matmul(x2, x4)
    low = [unit, x2, x4, x6]
    even, odd = combined(low, b[0:8:2]), combined(low, b[1:8:2])
    if m == 13:
        high = [x2, x4, x6]
        even = lax.add(even, _matmul(x6, combined(high, b[8::2])))
        odd = lax.add(odd, _matmul(x6, combined(high, b[9::2])))
    return even, _matmul(x, odd)


def _squared(r: Any, count: Any, most: int) -> Any:
    """Matrices squared so many times each."""

    def step(r: Any, i: Any) -> tuple[Any, None]:
        here = lax.lt(lax.broadcast(i, typeof(count).shape), count)

        def squared(r: Any) -> Any:
            return lax.select(_over(here, r), _matmul(r, r), r)

        axes = tuple(range(typeof(here).ndim))
        return lax.cond(lax.reduce_or(here, axes), squared, lambda r: r, r), None

    return lax.scan(step, r, np.arange(most, dtype=np.int32))[0]


@array_function("method", "compute_expm")
def expm_frechet(
    A: ArrayLike, E: ArrayLike, *, method: str | None = None, compute_expm: bool = True
) -> Any:
    """The exponential of square matrices, and its derivative in a direction.

    Args:
        A: an array of shape (..., n, n).
        E: the directions, of the same shape.
        method: no effect.
        compute_expm: return the exponential too.

    Returns:
        `(expm(A), derivative)`, or the derivative alone, each of the shape of `A`.

    Raises:
        ValueError: the matrices are not square, or the shapes differ.

    See A. H. Al-Mohy and N. J. Higham (2009).

    >>> _, derivative = jx.scipy.linalg.expm_frechet(jnp.zeros((2, 2)), jnp.ones((2, 2)))
    >>> derivative
    Array([[1., 1.],
           [1., 1.]], dtype=float32)
    """
    a = matrices("expm_frechet", A, square=True)
    e = matrices("expm_frechet", E, square=True)
    a, e = promote_dtypes_inexact("expm_frechet", a, e)
    if typeof(a).shape != typeof(e).shape:
        raise ShapeError(
            f"expm_frechet: A and E must have one shape, got {typeof(a).shape} and "
            f"{typeof(e).shape}"
        )
    value, derivative = jvp(expm, (a,), (e,))
    return (value, derivative) if compute_expm else derivative

"""Matrices that are known by a name and a size: Hilbert, Pascal, Hadamard, Helmert, Fourier.

Their elements are as exact as the dtype allows: integers are found as integers before they are
rounded.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jx_core import dtypes, lax
from jx_core.dtypes import python_scalar_dtype

from ...creation import asarray
from ...functions import array_function, plain
from ...indexing import take
from ...operands import Array, a_dtype, an_integer

__all__ = ["dft", "hadamard", "helmert", "hilbert", "invhilbert", "invpascal", "pascal"]


def _size(name: str, n: Any, least: int = 0) -> int:
    n = an_integer(name, n, "n")
    if n < least:
        kind = "positive" if least else "non-negative"
        raise ValueError(f"{name}: n must be a {kind} integer, got {n}")
    return int(n)


def _places(n: int) -> tuple[Any, Any]:
    return tuple(lax.broadcasted_iota(np.int32, (n, n), axis) for axis in (0, 1))


def _rounded(rows: list[list[int]], n: int) -> Array:
    """A matrix of integers in the default float dtype; infinite where they are too great."""
    matrix = np.zeros((n, n))
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            try:
                matrix[i, j] = value
            except OverflowError:
                matrix[i, j] = math.inf if value > 0 else -math.inf
    with np.errstate(over="ignore"):
        return asarray(matrix.astype(python_scalar_dtype(float)))


@array_function("n")
def hilbert(n: int) -> Array:
    """The Hilbert matrix, whose element i, j (from 0) is 1 / (i + j + 1).

    Args:
        n: how many rows it has.

    Returns:
        An array of shape (n, n) of the default float dtype.

    Raises:
        ValueError: `n` is negative.

    >>> jx.scipy.linalg.hilbert(2)
    Array([[1.        , 0.5       ],
           [0.5       , 0.33333334]], dtype=float32)
    """
    i, j = _places(_size("hilbert", n))
    total = lax.convert_element_type(lax.add(i, j), python_scalar_dtype(float))
    return lax.div(lax.full_like(total, 1), lax.add(total, lax.full_like(total, 1)))


def invhilbert(n: int) -> Array:
    """The inverse of the Hilbert matrix, whose elements are integers.

    Element i, j is a product of binomial coefficients; M.-D. Choi, "Tricks or treats with the
    Hilbert matrix", American Mathematical Monthly 90 (1983).

    Args:
        n: how many rows it has.

    Returns:
        An array of shape (n, n) of the default float dtype: the integers, rounded once.

    Raises:
        ValueError: `n` is negative.

    >>> jx.scipy.linalg.invhilbert(2)
    Array([[ 4., -6.],
           [-6., 12.]], dtype=float32)
    """
    n = _size("invhilbert", n)
    # The matrix is (i + j + 1) * (-1)^(i+j) * C(n+i, n-j-1) * C(n+j, n-i-1) * C(i+j, i)^2, which
    # is w[i] * w[j] / (i + j + 1) for whole numbers w.
    w = [(-1) ** i * (n + i) * math.comb(n + i - 1, i) * math.comb(n - 1, i) for i in range(n)]
    return _rounded([[w[i] * w[j] // (i + j + 1) for j in range(n)] for i in range(n)], n)


_KINDS = ("symmetric", "lower", "upper")


def _kind(name: str, kind: str | None) -> str:
    kind = "symmetric" if kind is None else kind
    if kind not in _KINDS:
        raise ValueError(
            f"{name}: kind must be 'symmetric', 'lower', 'upper' or None, got {kind!r}"
        )
    return kind


def _of_kind(lower: list[list[int]], kind: str) -> list[list[int]]:
    return lower if kind == "lower" else [list(row) for row in zip(*lower)]


def pascal(n: int, kind: str | None = None) -> Array:
    """The Pascal matrix, of binomial coefficients.

    Args:
        n: how many rows it has.
        kind: `"symmetric"` (or None) for elements C(i + j, i), `"lower"` for C(i, j), `"upper"`
            for its transpose; the first is the product of the others.

    Returns:
        An array of shape (n, n) of the default float dtype: the integers, rounded once.

    Raises:
        ValueError: an unknown kind, or `n` is negative.

    >>> jx.scipy.linalg.pascal(3)
    Array([[1., 1., 1.],
           [1., 2., 3.],
           [1., 3., 6.]], dtype=float32)
    """
    n, kind = _size("pascal", n), _kind("pascal", kind)
    if kind == "symmetric":
        return _rounded([[math.comb(i + j, i) for j in range(n)] for i in range(n)], n)
    lower = [[math.comb(i, j) for j in range(n)] for i in range(n)]
    return _rounded(_of_kind(lower, kind), n)


def invpascal(n: int, kind: str | None = None) -> Array:
    """The inverse of the Pascal matrix, whose elements are integers; see `pascal`.

    Args:
        n: how many rows it has.
        kind: which Pascal matrix.

    Returns:
        An array of shape (n, n) of the default float dtype: the integers, rounded once.

    Raises:
        ValueError: an unknown kind, or `n` is negative.

    >>> jx.scipy.linalg.invpascal(3, "lower")
    Array([[ 1.,  0.,  0.],
           [-1.,  1.,  0.],
           [ 1., -2.,  1.]], dtype=float32)
    """
    n, kind = _size("invpascal", n), _kind("invpascal", kind)
    lower = [[(-1) ** (i + j) * math.comb(i, j) for j in range(n)] for i in range(n)]
    if kind == "symmetric":
        # The inverse of a product of a lower and an upper factor.
        columns = [list(row) for row in zip(*lower)]
        rows = [[sum(x * y for x, y in zip(a, b)) for b in columns] for a in columns]
        return _rounded(rows, n)
    return _rounded(_of_kind(lower, kind), n)


@array_function("n", "full")
def helmert(n: int, full: bool = False) -> Array:
    """The Helmert matrix, whose rows are orthonormal contrasts.

    Row k - 1, for k = 1, ..., n - 1, is (1, ..., 1, -k, 0, ..., 0) / sqrt(k (k + 1)) with k ones.

    Args:
        n: how many columns it has, at least 1.
        full: put a row of 1 / sqrt(n) before the others.

    Returns:
        An array of shape (n - 1, n), or (n, n) if `full`, of the default float dtype.

    Raises:
        ValueError: `n` is not positive.

    >>> jx.scipy.linalg.helmert(2)
    Array([[ 0.70710677, -0.70710677]], dtype=float32)
    """
    n = _size("helmert", n, 1)
    k, j = _places(n)
    k_float = lax.convert_element_type(k, python_scalar_dtype(float))
    one, zero = lax.full_like(k_float, 1), lax.full_like(k_float, 0)
    value = lax.select(lax.lt(j, k), one, lax.select(lax.eq(j, k), lax.neg(k_float), zero))
    size = lax.sqrt(lax.mul(k_float, lax.add(k_float, one)))
    first = lax.eq(k, 0)
    matrix = lax.select(
        first,
        lax.full_like(one, 1 / math.sqrt(n)),
        lax.div(value, lax.select(first, one, size)),
    )
    return matrix if full else lax.slice_in_dim(matrix, 1, n, axis=0)


@array_function("n", "dtype")
def hadamard(n: int, dtype: Any = int) -> Array:
    """The Hadamard matrix by Sylvester's construction: of +1 and -1, with orthogonal rows.

    Element i, j is -1 to the number of ones that i and j share in binary.

    Args:
        n: how many rows it has, a power of 2.
        dtype: its dtype.

    Returns:
        An array of shape (n, n).

    Raises:
        ValueError: `n` is no power of 2.

    >>> jx.scipy.linalg.hadamard(4)
    Array([[ 1,  1,  1,  1],
           [ 1, -1,  1, -1],
           [ 1,  1, -1, -1],
           [ 1, -1, -1,  1]], dtype=int32)
    """
    n = an_integer("hadamard", n, "n")
    if n < 1 or n & (n - 1):
        raise ValueError(f"hadamard: n must be a positive power of 2, got {n}")
    dtype = a_dtype("hadamard", dtype)
    i, j = _places(n)
    odd = lax.bitwise_and(lax.population_count(lax.bitwise_and(i, j)), np.int32(1))
    sign = lax.sub(lax.full_like(odd, 1), lax.add(odd, odd))
    return lax.convert_element_type(sign, dtype)


@array_function("n", "scale", "dtype")
def dft(n: int, scale: str | None = None, *, dtype: Any = None) -> Array:
    """The matrix of the discrete Fourier transform: `dft(n) @ x` is `fft(x)`.

    Args:
        n: how many rows it has.
        scale: `"sqrtn"` for the matrix over sqrt(n), which is unitary, `"n"` for that over n.
        dtype: a complex dtype; the default one if None.

    Returns:
        An array of shape (n, n), whose element j, k is `exp(-2i pi j k / n)`.

    Raises:
        ValueError: an unknown scale, a dtype that is not complex, or `n` is negative.

    >>> jx.scipy.linalg.dft(2)
    Array([[ 1.+0.j,  1.+0.j],
           [ 1.+0.j, -1.+0.j]], dtype=complex64)
    """
    n = _size("dft", n)
    if scale not in (None, "sqrtn", "n"):
        raise ValueError(f"dft: scale must be None, 'sqrtn' or 'n', got {scale!r}")
    dtype = python_scalar_dtype(complex) if dtype is None else a_dtype("dft", dtype)
    if not dtypes.issubdtype(dtype, np.complexfloating):
        raise ValueError(f"dft: dtype must be a complex one, got {np.dtype(dtype).name}")
    if n == 0:
        return lax.full((0, 0), 0, dtype)
    factor = 1.0 if scale is None else 1 / n if scale == "n" else 1 / math.sqrt(n)
    j, k = _places(n)
    return plain(take)(
        asarray((factor * _roots_of_unity(n)).astype(dtype)),
        lax.rem(lax.mul(j, k), np.int32(n)),
        axis=0,
        mode="clip",
    )


def _roots_of_unity(n: int) -> np.ndarray:
    """`exp(-2i pi k / n)`, exact at quarters of the circle."""
    k = np.arange(n)
    # Angles are taken from the nearest quarter, which loses nothing: all are whole parts of n.
    quarter = (4 * k + n // 2) // n if n > 1 else np.zeros(1, int)
    angle = -2 * np.pi * (4 * k - n * quarter) / (4 * n)
    return np.exp(1j * angle) * np.array([1, -1j, -1, 1j])[quarter % 4]

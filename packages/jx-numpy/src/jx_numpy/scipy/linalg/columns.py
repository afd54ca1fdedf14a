"""Equations in triangular matrices that are solved column by column.

Sylvester's equation, the square root and Parlett's recurrence have this in common: the columns
before one give it as the solution of a triangular system. Matrices may be stacked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jx_core import lax, typeof
from jx_core.ops.linalg.masks import triangle

from ...contraction.products import _matmul
from ...linalg.kit import diagonal_of, eye, times_columns


def column(x: Any, k: Any) -> Any:
    """Column k of matrices, of shape (..., n, 1)."""
    return lax.dynamic_slice_in_dim(x, k, 1, axis=typeof(x).ndim - 1)


def _times_eye(values: Any, like: Any) -> Any:
    """Diagonal matrices, like others, each of one value, given in an array of shape (..., 1, 1)."""
    return lax.mul(
        lax.broadcast_in_dim(values, typeof(like).shape, tuple(range(typeof(like).ndim))),
        eye(typeof(like).shape[-1], typeof(like).dtype, typeof(like).shape[:-2]),
    )


def _element(x: Any, k: Any) -> Any:
    """Element k, k of matrices, of shape (..., 1, 1)."""
    return lax.dynamic_slice_in_dim(column(x, k), k, 1, axis=typeof(x).ndim - 2)


def _filled(start: Any, found: Callable[[Any, Any], Any]) -> Any:
    """Matrices whose column k becomes `found(k, the matrices with the columns before it)`."""

    def step(k: Any, x: Any) -> Any:
        return lax.dynamic_update_slice_in_dim(x, found(k, x), k, axis=typeof(x).ndim - 1)

    return lax.fori_loop(0, typeof(start).shape[-1], step, start)


def sylvester_of_triangular(r: Any, s: Any, f: Any) -> Any:
    """The solution y of `r y + y s = f`, for upper triangular r and s.

    R. H. Bartels and G. W. Stewart, "Solution of the matrix equation AX + XB = C", Communications
    of the ACM 15 (1972).
    """

    def found(k: Any, y: Any) -> Any:
        known = lax.sub(column(f, k), _matmul(y, column(s, k)))
        matrix = lax.add(r, _times_eye(_element(s, k), r))
        return lax.linalg.triangular_solve(matrix, known, left_side=True)

    return _filled(lax.full_like(f, 0), found)


def _above(x: Any, k: Any) -> Any:
    """A column with zeros from element k on."""
    rows = lax.broadcasted_iota(np.int32, typeof(x).shape, typeof(x).ndim - 2)
    first = lax.lt(rows, lax.convert_element_type(k, np.int32))
    return lax.select(first, x, lax.full_like(x, 0))


def root_of_triangular(t: Any) -> Any:
    """The principal square root of upper triangular complex matrices.

    A. Bjorck and S. Hammarling, "A Schur method for the square root of a matrix", Linear Algebra
    and its Applications 52/53 (1983).
    """
    diagonal = lax.sqrt(diagonal_of(t))
    roots = times_columns(eye(typeof(t).shape[-1], typeof(t).dtype, typeof(t).shape[:-2]), diagonal)
    # Where two eigenvalues are zero an element is zero over zero, and zero is a solution.
    tiny = np.finfo(typeof(t).dtype).tiny

    def found(k: Any, u: Any) -> Any:
        own = column(roots, k)
        sums = lax.add(_with_diagonal(u, roots), _times_eye(_element(roots, k), u))
        matrix = _nonzero_diagonal(sums, tiny)
        above = lax.linalg.triangular_solve(matrix, _above(column(t, k), k), left_side=True)
        return lax.add(_above(above, k), own)

    return _filled(lax.full_like(t, 0), found)


def _with_diagonal(x: Any, diagonal: Any) -> Any:
    """Matrices with the diagonals of others, which are zero elsewhere."""
    return lax.add(triangle(x, lower=False, offset=1), diagonal)


def _nonzero_diagonal(x: Any, value: float) -> Any:
    """Matrices with a number where their diagonals are zero."""
    unit = eye(typeof(x).shape[-1], np.bool_, typeof(x).shape[:-2])
    return lax.select(lax.bitwise_and(unit, lax.eq(x, 0)), lax.full_like(x, value), x)


def function_of_triangular(t: Any, values: Any) -> Any:
    """The function of upper triangular matrices whose values at the diagonal are given.

    By Parlett's recurrence; G. Golub and C. Van Loan, Matrix Computations, algorithm 9.1.1.
    """
    unit = eye(typeof(t).shape[-1], typeof(t).dtype, typeof(t).shape[:-2])
    diagonal = times_columns(unit, values)

    def found(k: Any, f: Any) -> Any:
        # From t f = f t: (t - t_kk) x = f t_k - t_k f_kk above element k.
        own, t_k = column(diagonal, k), _above(column(t, k), k)
        known = lax.sub(_matmul(f, t_k), lax.mul(t_k, _element(diagonal, k)))
        matrix = _nonzero_diagonal(lax.sub(t, _times_eye(_element(t, k), t)), 1.0)
        above = lax.linalg.triangular_solve(matrix, _above(known, k), left_side=True)
        return lax.add(_above(above, k), own)

    return _filled(lax.full_like(t, 0), found)

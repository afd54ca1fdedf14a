"""Differentiation of Cholesky decompositions.

I. Murray, "Differentiation of the Cholesky decomposition" (2016). Updates are differentiated
through their decomposition into rotations.
"""

from __future__ import annotations

from typing import Any

from jx_core.lax import add, complex, eq, full_like, linalg, mul, real, sub
from jx_core.ops.linalg.masks import adjoint_of, places, product, triangle, where_in_matrix

from ...tables import defjvp
from ..kit import is_complex


def hermitian(t: Any) -> Any:
    """The tangent of the Hermitian matrix that is read off the lower triangle."""
    below = triangle(t, lower=True, offset=-1)
    rows, columns = places(t)
    on = where_in_matrix(eq(rows, columns), t)
    if is_complex(t):
        on = complex(real(on), full_like(real(on), 0))
    return add(add(below, adjoint_of(below)), on)


def halved(x: Any) -> Any:
    """The lower triangle with half of the diagonal."""
    low = triangle(x, lower=True)
    rows, columns = places(x)
    return sub(low, mul(where_in_matrix(eq(rows, columns), x), 0.5))


def _cholesky(t: Any, out: Any, x: Any) -> Any:
    inner = linalg.triangular_solve(
        out, hermitian(t), lower=True, transpose_a=True, conjugate_a=True
    )
    inner = linalg.triangular_solve(out, inner, left_side=True, lower=True)
    return product(out, halved(inner))


defjvp(linalg.cholesky_p)(_cholesky)

"""The product of a matrix with its own transpose."""

from __future__ import annotations

from typing import Any

from ...aval import ShapedArray
from ...errors import ShapeError
from ...primitive import Primitive
from ..elementwise import add, mul
from ..kit import Array, ArrayLike
from .masks import product, swapped, triangle
from .spectral import matrix_shape

__all__ = ["symmetric_product", "symmetric_product_p"]


def _type(a: ShapedArray, c: ShapedArray, *, alpha: float, beta: float) -> ShapedArray:
    batch, m, _ = matrix_shape("symmetric_product: argument a_matrix", a)
    if c.shape != (*batch, m, m):
        raise ShapeError(
            f"symmetric_product: with a_matrix of shape {a.shape}, c_matrix must have shape "
            f"{(*batch, m, m)}; got {c.shape}"
        )
    if a.dtype != c.dtype:
        raise TypeError(
            f"symmetric_product: a_matrix and c_matrix must have the same dtype, got "
            f"{a.dtype.name} and {c.dtype.name}"
        )
    return c


def _product(a: Any, c: Any, *, alpha: float, beta: float) -> Any:
    return add(mul(product(a, swapped(a)), alpha), mul(c, beta))


# Params: alpha, beta, Python floats.
symmetric_product_p = Primitive("symmetric_product", abstract=_type, decompose=_product)


def symmetric_product(
    a_matrix: ArrayLike,
    c_matrix: ArrayLike,
    *,
    alpha: float = 1.0,
    beta: float = 0.0,
    symmetrize_output: bool = False,
) -> Array:
    """alpha A A^T + beta C, with symmetric C.

    Args:
        a_matrix: matrices A, [..., m, n], of dtype float32, float64, complex64 or complex128.
        c_matrix: symmetric matrices C, [..., m, m].
        alpha, beta: numbers.
        symmetrize_output: put the transpose of the lower triangle in place of the upper one, so
            that the result is symmetric also where C is not.

    Returns:
        Matrices [..., m, m] of the same dtype.

    Raises:
        ShapeError: the shapes don't fit.
        TypeError: the dtypes differ, or are others.

    >>> symmetric_product(np.float32([[1, 2]]), np.float32([[10]]), beta=0.5)
    Array([[10.]], dtype=float32)
    """
    out = symmetric_product_p.bind(a_matrix, c_matrix, alpha=float(alpha), beta=float(beta))
    if symmetrize_output:
        return add(triangle(out, lower=True), swapped(triangle(out, lower=True, offset=-1)))
    return out

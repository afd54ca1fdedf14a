"""Differentiation of matrix decompositions and solvers."""

from . import (  # noqa: F401
    cholesky,
    eig,
    eigh,
    lu,
    qr,
    reductions,
    svd,
    triangular,
    tridiagonal_solve,
)

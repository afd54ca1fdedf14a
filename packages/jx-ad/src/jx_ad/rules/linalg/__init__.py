"""Differentiation of matrix decompositions and solvers."""

from . import (  # noqa: F401
    cholesky,
    eig,
    eigh,
    lu,
    polar,
    qr,
    schur,
    svd,
    triangular,
    tridiagonal_solve,
)

"""Differentiation of matrix decompositions and solvers."""

from . import (  # noqa: F401
    cholesky,
    eig,
    eigh,
    lu,
    polar,
    qr,
    reflections,
    schur,
    svd,
    triangular,
    tridiagonal_solve,
)

"""Lowering of matrix decompositions and solvers: native libraries where the platform has them."""

from . import (  # noqa: F401
    cholesky,
    eig,
    eigh,
    lu,
    qr,
    reductions,
    schur,
    svd,
    triangular,
    tridiagonal_solve,
)

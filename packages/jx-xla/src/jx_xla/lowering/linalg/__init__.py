"""Lowering of matrix decompositions and solvers: native libraries where the platform has them."""

from . import cholesky, lu, qr, triangular, tridiagonal_solve  # noqa: F401

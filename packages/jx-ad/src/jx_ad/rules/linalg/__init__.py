"""Differentiation of matrix decompositions and solvers."""

from . import cholesky, lu, qr, reflections, triangular, tridiagonal_solve  # noqa: F401

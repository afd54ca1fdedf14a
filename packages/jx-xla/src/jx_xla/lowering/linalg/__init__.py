"""Lowering of matrix decompositions and solvers: native libraries where the platform has them."""

from . import eig, eigh, reductions, schur, svd  # noqa: F401

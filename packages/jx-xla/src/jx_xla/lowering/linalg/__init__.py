"""Lowering of matrix decompositions and solvers: native libraries where the platform has them."""

"""Differentiation of matrix decompositions and solvers."""

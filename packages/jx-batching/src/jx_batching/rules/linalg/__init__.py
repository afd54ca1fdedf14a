"""Batching of matrix decompositions and solvers."""

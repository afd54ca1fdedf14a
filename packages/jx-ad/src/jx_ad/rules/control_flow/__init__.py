"""Differentiation of staged calls, conditionals and loops."""

from . import cond, custom_root, jit, linear_solve, scan, while_loop  # noqa: F401

"""Differentiation of staged calls, conditionals and loops."""

from . import cond, jit, scan, while_loop  # noqa: F401

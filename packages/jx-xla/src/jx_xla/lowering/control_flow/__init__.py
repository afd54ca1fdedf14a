"""Lowering of staged calls, conditionals and loops."""

from . import cond, jit, loops  # noqa: F401

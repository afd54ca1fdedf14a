"""Lowering of staged calls, conditionals and loops."""

from . import checkpoint, cond, jit, loops  # noqa: F401

"""Lowering of staged calls, conditionals and loops."""

from . import checkpoint, cond, exported, jit, loops  # noqa: F401

"""Lowering of staged calls, conditionals and loops."""

from . import checkpoint, cond, exported, jit, scan, while_loop  # noqa: F401

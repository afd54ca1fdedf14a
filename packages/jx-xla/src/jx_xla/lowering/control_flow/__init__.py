"""Lowering of staged calls, conditionals and loops."""

from . import checkpoint, cond, jit, scan, while_loop  # noqa: F401

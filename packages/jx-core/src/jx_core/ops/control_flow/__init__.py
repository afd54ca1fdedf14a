"""Control flow: staged calls, conditionals and loops, whose params hold programs."""

from .cond import *  # noqa: F403
from .jit import jit_p
from .loops import *  # noqa: F403

__all__ = ["cond", "cond_p", "fori_loop", "jit_p", "map", "scan", "scan_p", "switch", "while_loop", "while_p"]

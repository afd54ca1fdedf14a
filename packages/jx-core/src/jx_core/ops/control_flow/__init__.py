"""Control flow: staged calls, conditionals and loops, whose params hold programs."""

from .cond import cond, cond_p, switch
from .jit import jit_p
from .loops import fori_loop, map, scan, scan_p, while_loop, while_p

__all__ = [
    "cond", "cond_p", "fori_loop", "jit_p", "map", "scan", "scan_p", "switch", "while_loop",
    "while_p",
]  # fmt: skip

"""Calls from programs to Python on the host, and what keeps them in order.

Not here: how a compiled program comes to call Python (`jx_xla/runtime/callbacks.py`), and what
`jx.debug` makes of such calls (`jx_core/debug`).
"""

from .debugging import debug_callback_p, inspect_sharding_p
from .io import io_callback, io_callback_p
from .pure import pure_callback, pure_callback_p

__all__ = [
    "debug_callback_p", "inspect_sharding_p", "io_callback", "io_callback_p", "pure_callback",
    "pure_callback_p",
]  # fmt: skip

"""`jx.debug`: looking into programs while they run.

`print`, `log` and `callback` see values, `breakpoint` stops at them, `inspect_array_sharding` and
the `visualize_` functions see how they lie on devices. `jx.effects_barrier()` waits for what
they still have to say.
"""

from ..effects import DebugEffect, OrderedDebugEffect
from .breakpoints import breakpoint
from .callbacks import callback, log, print
from .shardings import inspect_array_sharding, visualize_array_sharding, visualize_sharding

__all__ = [
    "DebugEffect", "OrderedDebugEffect", "breakpoint", "callback", "inspect_array_sharding", "log",
    "print", "visualize_array_sharding", "visualize_sharding",
]  # fmt: skip

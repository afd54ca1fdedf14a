"""`jx.stages`: the classes of ahead-of-time use, in order: traced, lowered, compiled."""

from jx_core.jit import Traced

from .aot import Compiled, Lowered

__all__ = ["Compiled", "Lowered", "Traced"]

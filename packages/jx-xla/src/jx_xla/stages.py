"""`jx.stages`: the classes of ahead-of-time use, in order: traced, lowered, compiled."""

from jx_core.jit import Traced
from jx_core.stages import ArgInfo, CompilerOptions, Wrapped

from .aot import Compiled, Lowered
from .serialize_executable import load

__all__ = ["ArgInfo", "Compiled", "CompilerOptions", "Lowered", "Traced", "Wrapped", "load"]

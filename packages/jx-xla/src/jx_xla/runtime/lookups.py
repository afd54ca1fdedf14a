"""The Python names that jaxlib's C++ looks up by importing `jax` itself.

A few C++ functions ask for ``jax.core.ShapedArray`` and its like by module
name. jx answers with its own objects: inside ``with answered():`` stand-in
modules of those names are importable, and at no other time, so that nobody
else takes them for JAX. C++ keeps the first answer for good where it can
(`ShapedArray`, ``check_pspec``); where it asks each time (the sharding of one
shard) it falls back to the same class by itself, only more slowly.

Not here: the objects. `arrays` and the sharding modules `provide` them.
"""

from __future__ import annotations

import sys
import threading
from types import ModuleType, TracebackType
from typing import Any

__all__ = ["answered", "provide"]


def _stand_in(name: str) -> ModuleType:
    module = ModuleType(name, f"Stand-in that jx shows to jaxlib where it looks for `{name}`.")

    def missing(attribute: str) -> Any:
        raise AttributeError(f"{name}.{attribute}: this is jx's stand-in for {name}, not jax")

    module.__getattr__ = missing  # type: ignore[method-assign]
    return module


_modules = {
    name: _stand_in(name)
    for name in ("jax", "jax.core", "jax._src.sharding_impls", "jax._src.named_sharding")
}
_lock = threading.Lock()
_depth = 0


def provide(module: str, name: str, value: Any) -> None:
    """Answer jaxlib's question for ``module.name`` with ``value``."""
    setattr(_modules[module], name, value)


class _Answered:
    """See `answered`."""

    __slots__ = ()

    def __enter__(self) -> None:
        global _depth
        with _lock:
            _depth += 1
            if _depth == 1:
                sys.modules.update(_modules)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        global _depth
        with _lock:
            _depth -= 1
            if _depth == 0:
                for name in _modules:
                    sys.modules.pop(name, None)


_answered = _Answered()


def answered() -> _Answered:
    """A context in which jaxlib finds the names it looks up. Any thread may be in it."""
    return _answered

"""The namespace `jx.experimental`: names that may still change.

As with `jx` itself, nothing is defined here. Its modules are lines `experimental.NAME` of
`_lazy.MODULES`; its functions are named below. Either loads when first used.
"""

from __future__ import annotations

import importlib
from typing import Any

from ._lazy import MODULES

_PREFIX = "experimental."

# jx.experimental.NAME -> the module that defines it.
NAMES = {"io_callback": "jx_core.ops.callbacks"}


def __getattr__(name: str) -> Any:
    if _PREFIX + name in MODULES:
        return importlib.import_module(f"jx.experimental.{name}")
    if name in NAMES:
        value = globals()[name] = getattr(importlib.import_module(NAMES[name]), name)
        return value
    raise AttributeError(f"module 'jx.experimental' has no attribute {name!r}")


def __dir__() -> list[str]:
    modules = [name.removeprefix(_PREFIX) for name in MODULES if name.startswith(_PREFIX)]
    return sorted([*NAMES, *modules])

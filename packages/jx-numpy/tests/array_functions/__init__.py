"""The op database of array functions: calls of each, with all parameters, and their oracles.

`FILES` lists the files of calls beside this one. `calls()` gives them all, by the function's
public name.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil

from .call import Call, batches, mismatch, of, row

__all__ = ["FILES", "Call", "batches", "calls", "mismatch", "of", "row"]

FILES = sorted({m.name for m in pkgutil.iter_modules(__path__)} - {"call", "data"})


@functools.lru_cache
def calls() -> dict[str, list[Call]]:
    """All calls, by the public name of what is called."""
    found: dict[str, list[Call]] = {}
    for file in FILES:
        for call in importlib.import_module(f"{__name__}.{file}").CALLS:
            found.setdefault(call.title, []).append(call)
    return found

"""The per-thread state of jx: which trace is current, and what surrounds it.

One small object, so that the hot path is one thread-local attribute read. It
holds values only; the modules that own their meaning set them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class ThreadState(threading.local):
    """Fields with their values in a fresh thread (class attributes are the defaults)."""

    trace: Any = None  # the current Trace; trace.py sets the class default to EVAL
    source: Any = None  # a Source that overrides the capture of the user's line
    scope: str = ""  # the name stack, joined with "/"
    backend: Any = None  # a back end chosen by `backend.use`, over the process default
    axis_env: tuple[Any, ...] = ()  # named axes in scope, innermost last: (name, size) pairs


state = ThreadState()

# Called with True when a thread begins evaluating eagerly again and False when it starts
# tracing. A compiled dispatcher keeps its own copy of this bit.
eager_listeners: list[Callable[[bool], None]] = []


def swap_trace(new: Any) -> Any:
    """Make `new` the current trace of this thread and return the one it replaces."""
    old = state.trace
    if old is not new:
        state.trace = new
        if old.is_eval is not new.is_eval:
            for listener in eager_listeners:
                listener(new.is_eval)
    return old

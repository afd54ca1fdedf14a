"""jaxlib's guards: what it does about transfers, about arrays in reference cycles, about threads.

They are fields of an object for the process and of one for each thread, read in C++ where a
transfer happens, so that calls which run no Python are guarded too. Not here: the options that
set them (`jx_xla.guards`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jx_core.config import UNSET

from .library import xla

_guards = xla.guard_lib

TRANSFER_LEVELS = {
    "allow": _guards.TransferGuardLevel.ALLOW,
    "log": _guards.TransferGuardLevel.LOG,
    "disallow": _guards.TransferGuardLevel.DISALLOW,
    "log_explicit": _guards.TransferGuardLevel.LOG_EXPLICIT,
    "disallow_explicit": _guards.TransferGuardLevel.DISALLOW_EXPLICIT,
}
COLLECTION_LEVELS = {
    "allow": _guards.GarbageCollectionGuardLevel.ALLOW,
    "log": _guards.GarbageCollectionGuardLevel.LOG,
    "fatal": _guards.GarbageCollectionGuardLevel.FATAL,
}


def follow(option: Any, field: str, levels: dict[str, Any]) -> None:
    """Keep a field of jaxlib's guards equal to an option, None being jaxlib's own default."""

    def change(scope: str, value: Any) -> None:
        state = _guards.global_state() if scope == "global" else _guards.thread_local_state()
        setattr(state, field, None if value is None or value is UNSET else levels[value])

    option.on_change(change)
    if option.global_value is not None:
        change("global", option.global_value)


def guard_threads(on: bool) -> None:
    """Have jaxlib raise an error where another thread than this one runs programs, or not."""
    _guards.update_thread_guard_global_state(on)


@contextmanager
def explicit_put() -> Iterator[None]:
    """Transfers to a device inside are what the user asked for by name."""
    state = _guards.thread_local_state()
    before = state.explicit_device_put
    state.explicit_device_put = True
    try:
        yield
    finally:
        state.explicit_device_put = before


@contextmanager
def explicit_get() -> Iterator[None]:
    """Transfers to the host inside are what the user asked for by name."""
    state = _guards.thread_local_state()
    before = state.explicit_device_get
    state.explicit_device_get = True
    try:
        yield
    finally:
        state.explicit_device_get = before

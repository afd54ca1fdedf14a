"""jaxlib's profiler: sessions, events on the host's timeline, reading what was recorded.

What jx offers of it is `jx_xla.profiler`; here is the part that touches jaxlib.
"""

from __future__ import annotations

from typing import Any

from jaxlib import _profiler
from jaxlib._profile_data import ProfileData, ProfileEvent, ProfilePlane

from . import clients
from .library import xla

__all__ = [
    "ProfileData",
    "ProfileEvent",
    "ProfileOptions",
    "ProfilePlane",
    "Session",
    "TraceMe",
    "heap_profile",
    "record_allocation_sites",
    "register_subprocess",
    "start_server",
]

ProfileOptions = _profiler.ProfileOptions
TraceMe = _profiler.TraceMe
start_server = _profiler.start_server


def register_subprocess(pid: int, port: int) -> Any:
    """Have the profiles of this process hold those of another one too."""
    return _profiler.register_subprocess(pid, port)


class Session:
    """One recording, from now until `stop`."""

    def __init__(self, options: Any) -> None:
        clients.devices()  # a device that starts later would not be in the recording
        self._session = _profiler.ProfilerSession(options)

    def stop(self, folder: str) -> None:
        """End the recording and write it below `folder`, in TensorBoard's layout."""
        self._session.stop_and_export(folder)


def heap_profile(platform: str | None) -> bytes:
    """What lies in a platform's memory, in pprof's format, compressed."""
    return clients.devices(platform)[0].client.heap_profile()  # type: ignore[no-any-return]


def record_allocation_sites(on: bool) -> None:
    """Whether new arrays remember the Python stack that made them."""
    xla.set_tracebacks_enabled(on)

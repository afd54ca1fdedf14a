"""`jx.profiler`: recording what a program does over time, and what lies in device memory.

A recording holds the host's timeline (Python calls, dispatch, compilations) and the devices'.
TensorBoard's profile plugin reads the folder it is written to; so does Perfetto
(https://ui.perfetto.dev), given the file that `create_perfetto_trace` adds. The names in it are
the user's: a compiled function runs as `jit_NAME`, its operations carry the source line and the
`named_scope`s they were written in.

Memory profiles are in pprof's format (https://github.com/google/pprof).
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jx_core.config.registry import define_bool

from .runtime import clients, profiling
from .runtime.profiling import ProfileData, ProfileEvent, ProfileOptions, ProfilePlane

__all__ = [
    "ProfileData", "ProfileEvent", "ProfileOptions", "ProfilePlane", "StepTraceAnnotation",
    "TraceAnnotation", "annotate_function", "device_memory_profile", "register_subprocess",
    "save_device_memory_profile", "start_server", "start_trace", "stop_server", "stop_trace",
    "trace",
]  # fmt: skip

array_tracebacks = define_bool(
    "array_tracebacks",
    False,
    "record the Python stack that makes each array, for memory profiles; costs a call 5 to 15%",
)


def _follow(scope: str, value: Any) -> None:
    profiling.record_allocation_sites(array_tracebacks.global_value)


array_tracebacks.on_change(_follow)
if array_tracebacks.global_value:  # from the environment
    profiling.record_allocation_sites(True)


class TraceAnnotation(profiling.TraceMe):
    """A context manager: what runs inside is one event of the timeline.

    Args:
        name: the event's name.
        kwargs: metadata that goes with it.

    >>> import jx, jx.numpy as jnp
    >>> with jx.profiler.TraceAnnotation("solve"):
    ...     x = jnp.ones(3).sum()
    """


class StepTraceAnnotation(TraceAnnotation):
    """A `TraceAnnotation` for one step of a training loop, which profilers analyse by step.

    Args:
        name: the event's name.
        kwargs: metadata; `step_num` numbers the step.

    >>> import jx
    >>> for step in range(2):
    ...     with jx.profiler.StepTraceAnnotation("train", step_num=step):
    ...         pass
    """

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name, _r=1, **kwargs)


def annotate_function(
    func: Callable[..., Any], name: str | None = None, **decorator_kwargs: Any
) -> Callable[..., Any]:
    """Decorator: each call of `func` is one event of the timeline.

    Args:
        func: the function.
        name: the event's name, the function's qualified one by default.
        decorator_kwargs: metadata, as for `TraceAnnotation`.

    >>> import jx
    >>> @jx.profiler.annotate_function
    ... def solve(x):
    ...     return x + 1
    >>> solve(1)
    2
    """
    label = name or getattr(func, "__qualname__", None) or type(func).__name__

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with TraceAnnotation(label, **decorator_kwargs):
            return func(*args, **kwargs)

    return wrapper


class _Recording:
    """The recording that is running, of which a process has one at most."""

    def __init__(self, folder: Path, perfetto: bool, link: bool, session: Any) -> None:
        self.folder = folder
        self.perfetto = perfetto
        self.link = link
        self.session = session


_lock = threading.Lock()
_recording: _Recording | None = None


def start_trace(
    log_dir: os.PathLike[str] | str,
    create_perfetto_link: bool = False,
    create_perfetto_trace: bool = False,
    profiler_options: ProfileOptions | None = None,
) -> None:
    """Begin to record, until `stop_trace`.

    Args:
        log_dir: where to write the recording: below it a folder `plugins/profile/TIME`, as
            TensorBoard wants it.
        create_perfetto_link: at the end, print a link that opens the recording in Perfetto, and
            wait until the browser has fetched it.
        create_perfetto_trace: also write `perfetto_trace.json.gz`, which Perfetto opens.
        profiler_options: how much to record: `host_tracer_level`, `python_tracer_level`, ...

    Raises:
        RuntimeError: a recording is running already.

    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     start_trace(folder)
    ...     x = jnp.ones(3).sum().block_until_ready()
    ...     stop_trace()
    ...     [file.suffixes for file in Path(folder).rglob("*.pb")]
    [['.xplane', '.pb']]
    """
    global _recording
    options = ProfileOptions() if profiler_options is None else profiler_options
    with _lock:
        if _recording is not None:
            raise RuntimeError(
                f"start_trace: a profile is being recorded already, to {_recording.folder}: only "
                f"one can be at a time. Call jx.profiler.stop_trace() first"
            )
        session = profiling.Session(options)
        _recording = _Recording(
            Path(log_dir), create_perfetto_link or create_perfetto_trace, create_perfetto_link,
            session,
        )  # fmt: skip


def stop_trace() -> None:
    """End the recording and write it to where `start_trace` was told.

    Raises:
        RuntimeError: none is running.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     start_trace(folder)
    ...     stop_trace()
    >>> stop_trace()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    RuntimeError: stop_trace: no profile is being recorded: ...
    """
    global _recording
    with _lock:
        if _recording is None:
            raise RuntimeError(
                "stop_trace: no profile is being recorded: call jx.profiler.start_trace first"
            )
        recording, _recording = _recording, None
        recording.session.stop(str(recording.folder))
    if recording.perfetto:
        from . import perfetto

        made = perfetto.convert(recording.folder)
        if recording.link:
            perfetto.serve(made)


@contextmanager
def trace(
    log_dir: os.PathLike[str] | str,
    create_perfetto_link: bool = False,
    create_perfetto_trace: bool = False,
    profiler_options: ProfileOptions | None = None,
) -> Iterator[None]:
    """A context manager that records what runs inside; parameters are those of `start_trace`.

    Wait for results inside (`block_until_ready`), or their computation may come after the end.

    Raises:
        RuntimeError: a recording is running already.

    >>> import tempfile, jx, jx.numpy as jnp
    >>> with tempfile.TemporaryDirectory() as folder, jx.profiler.trace(folder):
    ...     x = jnp.ones(3).sum().block_until_ready()
    """
    start_trace(log_dir, create_perfetto_link, create_perfetto_trace, profiler_options)
    try:
        yield
    finally:
        stop_trace()


_server: Any = None


def start_server(port: int, requires_backend: bool = True) -> Any:
    """Let TensorBoard record this process from outside, through a port.

    Args:
        port: the port to listen on.
        requires_backend: start the devices first, so that recordings hold them.

    Returns:
        The server, which runs until `stop_server`.

    Raises:
        ValueError: one is running already.

    >>> import socket
    >>> with socket.socket() as free:
    ...     free.bind(("localhost", 0))
    ...     port = free.getsockname()[1]
    >>> server = start_server(port)
    >>> stop_server()
    """
    global _server
    if _server is not None:
        raise ValueError(
            "start_server: a profiler server is running already: one is enough for a process. "
            "Call jx.profiler.stop_server() first to change its port"
        )
    if requires_backend:
        clients.devices()
    _server = profiling.start_server(port)
    return _server


def stop_server() -> None:
    """Stop the server that `start_server` started.

    Raises:
        ValueError: there is none.

    >>> stop_server()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: stop_server: no profiler server is running: ...
    """
    global _server
    if _server is None:
        raise ValueError("stop_server: no profiler server is running: call start_server first")
    _server = None


def register_subprocess(pid: int, port: int) -> Callable[[], None]:
    """Record another process, whose profiler server listens on `port`, with this one.

    Args:
        pid: the other process.
        port: its server's port.

    Returns:
        A function that ends it, when called or when dropped.

    Raises:
        RuntimeError: the other process can't be reached, or is registered already.

    >>> import os
    >>> try:
    ...     register_subprocess(os.getpid(), 9012)
    ... except RuntimeError as error:
    ...     print(error)  # doctest: +ELLIPSIS
    INVALID_ARGUMENT: Cannot register ... current process...
    """
    return profiling.register_subprocess(pid, port)  # type: ignore[no-any-return]


def device_memory_profile(backend: str | None = None) -> bytes:
    """What lies in device memory now: arrays and executables, in pprof's format.

    With the option `array_tracebacks` on, each array made since then also has the Python stack
    that made it.

    Args:
        backend: the platform, such as "cpu" or "gpu"; the default one if None.

    >>> import jx
    >>> isinstance(jx.profiler.device_memory_profile(), bytes)
    True
    """
    return profiling.heap_profile(backend)


def save_device_memory_profile(
    filename: os.PathLike[str] | str, backend: str | None = None
) -> None:
    """Write `device_memory_profile(backend)` to a file, for `pprof FILENAME`.

    Args:
        filename: the file.
        backend: the platform; the default one if None.

    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "memory.prof"
    ...     save_device_memory_profile(file)
    ...     file.stat().st_size > 0
    True
    """
    Path(filename).write_bytes(device_memory_profile(backend))

"""The persistent compilation cache: executables on disk, found again by later processes.

It is on where the option `compilation_cache_dir` (``JX_COMPILATION_CACHE_DIR``) names a folder.
A process that needs a program it finds there loads it, which takes a small part of the time of
compiling it.

What an entry is found by (`cache_key`) is everything that the executable depends on: the
module's text, without source locations unless `compilation_cache_include_metadata_in_key`; XLA's
options, with ``XLA_FLAGS`` read into them; the devices' platform, its version and their kind; for
several devices their order, too; on the CPU also the host's instruction set and cores; jaxlib's
version; and the format of the entries. Programs that call Python are not kept, since the function
called is another process's.

Trouble with the folder is never an error of the program: it warns once, and goes on compiling.
An entry that is damaged is compiled anew and replaced. Entries are native code: let nobody write
to the folder whom you would not let run programs as you.

Hits and misses are logged to the logger ``jx_xla.compilation_cache``, at level DEBUG; with the
option `explain_cache_misses` misses at level WARNING.

Not here: the files (`cache_files`).
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jx_core.config import (
    define_bool,
    define_float,
    define_int,
    define_object,
    explain_cache_misses,
)

from . import cache_files
from .cache_files import CacheFiles, CorruptEntry, Entry
from .runtime import executables

__all__ = ["is_initialized", "reset_cache", "set_cache_dir"]

# JAX spells it jax.experimental.compilation_cache.compilation_cache.
compilation_cache = sys.modules[__name__]

_log = logging.getLogger(__name__)


def _accept_folder(value: Any) -> str | None:
    if value is None or value == "":
        return None
    text = os.fspath(value)
    if not isinstance(text, str) or "://" in text:
        raise ValueError(value)
    return text


enable_compilation_cache = define_bool(
    "enable_compilation_cache",
    True,
    "use the persistent compilation cache where compilation_cache_dir names a folder",
)
compilation_cache_dir = define_object(
    "compilation_cache_dir",
    None,
    "folder of the persistent compilation cache; None for none",
    expected="a folder of a file system (no URL) or None",
    accept=_accept_folder,
)
compilation_cache_max_size = define_int(
    "compilation_cache_max_size",
    4 * 2**30,
    "the most bytes of the persistent compilation cache, the least recently used going first; "
    "-1 for no bound",
    expected="a number of bytes, or -1",
    accepts=lambda value: value >= -1,
)
persistent_cache_min_compile_time_secs = define_float(
    "persistent_cache_min_compile_time_secs",
    0.0,
    "programs that compile faster than this are not kept in the persistent compilation cache",
)
persistent_cache_min_entry_size_bytes = define_int(
    "persistent_cache_min_entry_size_bytes",
    0,
    "executables smaller than this are not kept in the persistent compilation cache",
)
compilation_cache_include_metadata_in_key = define_bool(
    "compilation_cache_include_metadata_in_key",
    False,
    "whether a program whose source lines moved is another one to the persistent compilation "
    "cache, so that profiles never show old lines",
)
raise_persistent_cache_errors = define_bool(
    "raise_persistent_cache_errors",
    False,
    "raise errors of the persistent compilation cache's folder instead of warning of them",
)


def set_cache_dir(path: Any) -> None:
    """Keep compiled programs in a folder, and look for them there: the option
    `compilation_cache_dir`, set for the process.

    Args:
        path: a folder, which is made when first written to; None for none.

    >>> set_cache_dir(None)
    """
    compilation_cache_dir.set(path)


def is_initialized() -> bool:
    """Whether the cache is on: it has a folder and has not been switched off.

    >>> is_initialized()
    False
    """
    return _files() is not None


def reset_cache() -> None:
    """Forget what this process knows of the cache's folder, warnings given included. The
    entries stay.

    >>> reset_cache()
    """
    with _lock:
        _open.clear()
        _warned.clear()


_lock = threading.Lock()
_open: dict[tuple[str, int], CacheFiles] = {}
_warned: set[Any] = set()


def _files() -> CacheFiles | None:
    """The entries of the folder in force, None where there is none."""
    folder = compilation_cache_dir.value
    if folder is None or not enable_compilation_cache.value:
        return None
    place = folder, compilation_cache_max_size.value
    found = _open.get(place)
    if found is None:
        with _lock:
            made = CacheFiles(Path(folder).expanduser().absolute(), place[1])
            found = _open.setdefault(place, made)
    return found


class Loaded(NamedTuple):
    """A program on its devices, and how it came there.

    Attributes:
        program: jaxlib's executable.
        seconds: how long loading or compiling it took.
        saved: for one out of the cache, how long compiling it had taken; else None.
    """

    program: Any
    seconds: float
    saved: float | None


def compile_or_load(
    name: str,
    program: str,
    devices: Sequence[Any],
    *,
    host_callbacks: Sequence[Any] = (),
    **options: Any,
) -> Loaded:
    """Compile a module for its devices, or load it from the persistent cache.

    Args:
        name: what messages and the entry's file call it.
        program: the module's text.
        devices: where it runs.
        host_callbacks: Python functions that it calls; with any, it is not kept.
        options: as `executables.compile_options` takes them.

    Raises:
        JaxRuntimeError: XLA can't compile it. Nothing is kept.
    """
    began = time.perf_counter()
    files = _files()
    if files is None or host_callbacks or _calls_python(program):
        made = executables.compile_program(
            program, devices, host_callbacks=host_callbacks, **options
        )
        return Loaded(made, time.perf_counter() - began, None)
    key = f"{_file_name(name)}-{cache_key(program, devices, **options)}"
    found = _load(files, key, name, devices, options)
    if found is not None:
        made, saved = found
        seconds = time.perf_counter() - began
        _log.debug("hit: %s loaded in %.3f s; compiling took %.3f s: %s", name, seconds, saved, key)
        return Loaded(made, seconds, saved)
    level = logging.WARNING if explain_cache_misses.value else logging.DEBUG
    _log.log(level, "miss: %s is not in %s as %s", name, files.folder, key)
    began = time.perf_counter()
    made = executables.compile_program(program, devices, **options)
    seconds = time.perf_counter() - began
    _keep(files, key, name, made, devices, seconds)
    return Loaded(made, seconds, None)


def _load(
    files: CacheFiles, key: str, name: str, devices: Sequence[Any], options: dict[str, Any]
) -> tuple[Any, float] | None:
    """The executable of an entry, and how long compiling took; None to compile it anew."""
    try:
        entry = files.read(key)
    except CorruptEntry as error:
        _warn(key, f"the entry {files.path(key)} is damaged: {error}. {name} is compiled anew")
        return None
    except OSError as error:
        _trouble(files, "read", error)
        return None
    if entry is None:
        return None
    try:
        made = executables.deserialize_program(
            entry.data, devices, executables.compile_options(devices, **options)
        )
    except Exception as error:  # whatever jaxlib raises for bytes it does not take
        _warn(key, f"the entry {files.path(key)} can't be loaded: {error}. {name} is compiled anew")
        return None
    return made, entry.seconds


def _keep(
    files: CacheFiles, key: str, name: str, made: Any, devices: Sequence[Any], seconds: float
) -> None:
    if seconds < persistent_cache_min_compile_time_secs.value:
        _log.debug("%s is not kept: it compiled in %.3f s", name, seconds)
        return
    if _is_others(devices):
        return
    try:
        data = executables.serialize_program(made)
    except executables.JaxRuntimeError as error:
        _log.debug("%s is not kept: %s", name, error)
        return
    if len(data) < persistent_cache_min_entry_size_bytes.value:
        _log.debug("%s is not kept: it has %d bytes", name, len(data))
        return
    try:
        if not files.write(key, Entry(data, seconds)):
            _log.debug("%s is not kept: it is larger than the cache may be", name)
    except OSError as error:
        _trouble(files, "written to", error)


def _is_others(devices: Sequence[Any]) -> bool:
    """Whether a program on the devices of several processes is for the first of them to keep."""
    owners = {device.process_index for device in devices}
    return len(owners) > 1 and devices[0].client.process_index() != min(owners)


def _trouble(files: CacheFiles, what: str, error: OSError) -> None:
    if raise_persistent_cache_errors.value:
        raise error
    _warn(
        (str(files.folder), what),
        f"the folder {files.folder} can't be {what}: {error}. Programs are compiled and run all "
        f"the same, and this is not said again",
    )


def _warn(about: Any, text: str) -> None:
    if about not in _warned:
        _warned.add(about)
        warnings.warn(f"persistent compilation cache: {text}", RuntimeWarning, stacklevel=2)


# Custom calls through which a program reaches the Python of the process that compiled it.
_PYTHON_CALL = re.compile(r'call_target_name = "[^"]*(?:python|callback|Inspect)[^"]*"', re.I)


def _calls_python(program: str) -> bool:
    return "custom_call" in program and _PYTHON_CALL.search(program) is not None


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]", "_", name)[:80]


def cache_key(program: str, devices: Sequence[Any], **options: Any) -> str:
    """What an executable is found by, as hexadecimal digits.

    Args:
        program: the module's text.
        devices: where it runs.
        options: as `executables.compile_options` takes them.

    >>> from jx_xla import devices
    >>> text = "func.func public @main() { func.return }"
    >>> cache_key(text, devices()[:1]) == cache_key(text, devices()[:1])
    True
    """
    import hashlib

    device = devices[0]
    if not compilation_cache_include_metadata_in_key.value:
        program = without_locations(program)
    # A program for one device runs on any of its kind.
    movable = len(devices) == 1 and device.platform in ("cpu", "gpu")
    parts = (
        str(cache_files.FORMAT),
        executables.jaxlib_version,
        device.platform,
        device.client.platform_version,
        *(d.device_kind for d in devices),
        *(str(d.process_index) for d in devices if not movable),
        *(host_facts() if device.platform == "cpu" else ()),
        _flags("XLA_FLAGS"),
        _flags("LIBTPU_INIT_ARGS"),
        executables.options_fingerprint(devices, movable=movable, **options),
        program,
    )
    digest = hashlib.blake2b(digest_size=24)
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode()
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


_LOCATION = re.compile(r" loc\(#loc\d+\)")


def without_locations(program: str) -> str:
    """A module's text without where its operations come from.

    >>> without_locations('#loc0 = loc("f"("a.py":1:0))\\nmodule @m { %0 = x loc(#loc0)\\n}')
    'module @m { %0 = x\\n}'
    """
    start = 0
    while program.startswith("#loc", start):
        end = program.find("\n", start)
        if end < 0:
            break
        start = end + 1
    return _LOCATION.sub("", program[start:])


def _flags(variable: str) -> str:
    """Flags for XLA in the environment, but for those that say what to dump where."""
    words = os.environ.get(variable, "").split()
    return " ".join(w for w in words if not w.lstrip("-").startswith("xla_dump"))


_host: list[tuple[str, ...]] = []


def host_facts() -> tuple[str, ...]:
    """What XLA's code for the host's CPU depends on: its architecture, model and instruction
    set, and how many cores this process may use."""
    if not _host:
        _host.append((_machine(), *_processor()))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (*_host[0], str(cores), os.environ.get("NPROC", ""))


def _machine() -> str:
    if hasattr(os, "uname"):
        return os.uname().machine
    return os.environ.get("PROCESSOR_IDENTIFIER", "")


_PROCESSOR_FACTS = (
    "vendor_id", "cpu family", "model", "model name", "flags",
    "CPU implementer", "CPU architecture", "CPU variant", "CPU part", "Features",
)  # fmt: skip


def _processor() -> tuple[str, ...]:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            first = file.read().split("\n\n")[0]
    except OSError:
        import platform

        return (platform.processor(),)
    pairs = [line.partition(":") for line in first.splitlines()]
    facts = {name.strip(): value.strip() for name, _, value in pairs}
    return tuple(facts[name] for name in _PROCESSOR_FACTS if name in facts)

"""Platforms, clients and devices: which there are in this process.

A client is jaxlib's handle to one platform; it is made when the first device
is asked for, never at import. Which platforms start, and in which order, is the
option `platforms` (``JX_PLATFORMS``); without it every installed plugin is
tried, then the CPU. A plugin that fails is an error where it was asked for,
and a warning otherwise.

Not here: loading plugins (`plugins`), and the cooperation of several processes,
which whoever starts it tells `configure_distributed`.
"""

from __future__ import annotations

import functools
import os
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from jx_core.aval import ShapedArray
from jx_core.config import num_cpu_devices, platforms
from jx_core.errors import BackendError
from jx_core.jaxpr.notation import define_notation

from . import flags, lookups, plugins
from .library import xla
from .shardings import single_device

__all__ = [
    "Client",
    "Device",
    "backends",
    "backends_are_initialized",
    "clear",
    "client",
    "configure_distributed",
    "default_backend",
    "default_client",
    "default_device",
    "device_count",
    "devices",
    "inline_device",
    "local_device_count",
    "local_devices",
    "on_start",
    "process_count",
    "process_index",
    "process_indices",
]

Client = xla.Client
Device = xla.Device

_KINDS_OF_GPU = ("cuda", "rocm")
_lock = threading.RLock()
_clients: dict[str, Any] = {}
_failures: dict[str, str] = {}
_default_device: Any = None
_start_hooks: list[Callable[[Any], None]] = []


@dataclass(frozen=True)
class Distributed:
    """How this process takes part in a computation of several.

    Attributes:
        client: a connected distributed runtime client.
        process_index: this process's number.
        process_count: the number of processes.
        collectives: makes the CPU client's collectives from ``client``.
    """

    client: Any = None
    process_index: int = 0
    process_count: int = 1
    collectives: Callable[[Any], Any] | None = None


_distributed = Distributed()


def configure_distributed(settings: Distributed) -> None:
    """Say how this process takes part in a computation of several.

    Raises:
        RuntimeError: clients have been made already.
    """
    global _distributed
    with _lock:
        _refuse_if_started("joining a computation of several processes")
        _distributed = settings


def distributed() -> Distributed:
    """How this process takes part in a computation of several."""
    return _distributed


def _refuse_if_started(what: str) -> None:
    if _clients:
        raise RuntimeError(
            f"{what} must come before the first array is made or device asked for; "
            f"platforms {list(_clients)} have been started already"
        )


def _veto_late_change(name: str) -> Callable[[str, Any], None]:
    def check(scope: str, value: Any) -> None:
        _refuse_if_started(f"setting the option {name!r}")

    return check


num_cpu_devices.on_change(_veto_late_change("num_cpu_devices"))


def _make_cpu_client() -> Any:
    from jaxlib import cpu_feature_guard, xla_client

    cpu_feature_guard.check_cpu_features()
    wanted = num_cpu_devices.value
    shared = _distributed.client
    collectives = None
    if shared is not None:
        make = _distributed.collectives
        collectives = (
            xla.make_gloo_tcp_collectives(distributed_client=shared)
            if make is None
            else make(shared)
        )
    return xla_client.make_cpu_client(
        distributed_client=shared,
        node_id=_distributed.process_index,
        num_nodes=_distributed.process_count,
        collectives=collectives,
        num_devices=None if wanted < 0 else wanted,
    )


@functools.cache
def inline_device() -> Any:
    """A CPU device that computes on the calling thread, whatever all others are busy with.

    It belongs to a client of its own, which `devices` does not list. What Python computes when
    a program calls it goes there: on the program's own device it would wait for the program.
    """
    from jaxlib import xla_client

    return xla_client.make_cpu_client(asynchronous=False, num_devices=1).devices()[0]


def _start(platform: str) -> Any:
    """A new client.

    Raises:
        BackendError: it can't be had; the message says why.
    """
    if platform == "cpu":
        return _make_cpu_client()
    found = next((f for f in plugins.installed() if f.plugin.platform == platform), None)
    if found is None:
        known = [p.platform for p in plugins.KNOWN]
        if platform not in known:
            raise BackendError(
                f"unknown platform {platform!r}: jx knows cpu, gpu, {', '.join(known)}"
            )
        raise BackendError(
            f"no plugin for platform {platform!r} is installed: looked for the packages "
            f"{', '.join(next(p.homes for p in plugins.KNOWN if p.platform == platform))}"
        )
    several = {}
    if _distributed.client is not None:
        several = {
            "node_id": _distributed.process_index,
            "num_nodes": _distributed.process_count,
        }
    try:
        started = found.start(_distributed.client, several)
        if not started.devices():
            raise RuntimeError("it offers no devices")
    except Exception as error:
        raise BackendError(
            f"the plugin for platform {platform!r} in {found.library.parent} could not be "
            f"started: {str(error).rstrip('. ')}"
        ) from error
    return started


def _expand(name: str) -> list[str]:
    """The platforms that a name stands for: "gpu" is any kind of GPU."""
    if name != "gpu":
        return [name]
    here = {found.plugin.platform for found in plugins.installed()}
    return [kind for kind in _KINDS_OF_GPU if kind in here] or list(_KINDS_OF_GPU[:1])


def _start_wanted(names: str) -> dict[str, Any]:
    started: dict[str, Any] = {}
    for name in names.split(","):
        for platform in _expand(name.strip().lower()):
            if platform in started:
                continue
            try:
                started[platform] = _start(platform)
            except BackendError as error:
                raise BackendError(
                    f"JX_PLATFORMS (the option 'platforms') asks for {names!r}, and {error}. "
                    f"Set it to 'cpu', or leave it unset to use what there is."
                ) from error
    return started


def _start_available() -> dict[str, Any]:
    started: dict[str, Any] = {}
    for found in plugins.installed():
        platform = found.plugin.platform
        if not found.plugin.hardware_is_there():
            _failures[platform] = "this machine shows no device for it"
            continue
        try:
            started[platform] = _start(platform)
        except BackendError as error:
            _failures[platform] = str(error)
            warnings.warn(
                f"jx goes on without {platform}, since {error}. Mend or uninstall the package "
                f"{found.package}, or set JX_PLATFORMS=cpu to leave it alone.",
                RuntimeWarning,
                stacklevel=2,
            )
    started["cpu"] = _start("cpu")
    return started


lookups.provide("jax.core", "ShapedArray", ShapedArray)


def _introduce(client: Any) -> None:
    """Let jaxlib look up the class of abstract values, whose first answer it keeps."""
    device = client.local_devices()[0]
    with lookups.answered():
        xla.batched_device_put(
            ShapedArray((), np.dtype(np.float32)),
            single_device(device),
            [np.zeros((), np.float32)],
            [device],
            enable_x64=flags.enable_x64.value,
        )._fully_replicated_shard()


@functools.cache
def _warn_at_fork() -> None:
    def warn() -> None:
        warnings.warn(
            "os.fork() was called: XLA runs threads, which a forked process lacks, so it will "
            "likely hang when it uses jx. Start processes with the 'spawn' method instead.",
            RuntimeWarning,
            stacklevel=2,
        )

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=warn)


def backends() -> dict[str, Any]:
    """The clients by platform, the default first; starts them at the first call.

    Raises:
        BackendError: a platform that was asked for can't be had.
    """
    if _clients:
        return _clients
    with _lock:
        if not _clients:
            wanted = platforms.value
            started = _start_wanted(wanted) if wanted else _start_available()
            _warn_at_fork()
            _introduce(next(iter(started.values())))
            for hook in _start_hooks:
                for made in started.values():
                    hook(made)
            _clients.update(started)
    return _clients


def backends_are_initialized() -> bool:
    """Whether clients have been made."""
    return bool(_clients)


def on_start(hook: Callable[[Any], None]) -> None:
    """Have ``hook(client)`` called for every client, those made already included."""
    with _lock:
        _start_hooks.append(hook)
        for made in _clients.values():
            hook(made)


def default_client() -> Any:
    """The client of the default platform."""
    return next(iter(backends().values()))


def default_backend() -> str:
    """The name of the default platform: "cpu", "gpu" or "tpu".

    >>> default_backend() == devices()[0].platform
    True
    """
    return default_client().platform  # type: ignore[no-any-return]


def client(platform: str | Any | None = None) -> Any:
    """The client of a platform ("cpu", "gpu", "cuda", "rocm", "tpu"), or the default one.

    Raises:
        BackendError: the platform can't be had; the message lists those there are.
    """
    if platform is None:
        return default_client()
    if isinstance(platform, Client):
        return platform
    there = backends()
    for name in _KINDS_OF_GPU if platform == "gpu" else (platform,):
        if name in there:
            return there[name]
    why = "".join(f" {_failures[name]}." for name in _failures if platform in (name, "gpu"))
    raise BackendError(
        f"platform {platform!r} was asked for, and this process has {', '.join(there)}.{why}"
    )


def devices(backend: str | None = None) -> list[Any]:
    """All devices of a platform, those of other processes included.

    Raises:
        BackendError: the platform can't be had.

    >>> found = devices()
    >>> found[0].process_index, {device.platform for device in found} == {default_backend()}
    (0, True)
    """
    return client(backend).devices()


def local_devices(
    process_index: int | None = None,
    backend: str | None = None,
    host_id: int | None = None,
) -> list[Any]:
    """The devices of one process, by default of this one.

    Raises:
        ValueError: there is no process of that number.
        BackendError: the platform can't be had.

    >>> {device.process_index for device in local_devices()} == {process_index()}
    True
    """
    made = client(backend)
    number = process_index if process_index is not None else host_id
    if number is None:
        return made.local_devices()
    found = [device for device in made.devices() if device.process_index == number]
    if not found:
        raise ValueError(
            f"process {number} has no devices: the processes are "
            f"{sorted({device.process_index for device in made.devices()})}"
        )
    return found


def default_device() -> Any:
    """The first device of the default platform that belongs to this process."""
    global _default_device
    if _default_device is None:
        _default_device = default_client().local_devices()[0]
    return _default_device


def device_count(backend: str | None = None) -> int:
    """The number of devices of all processes.

    >>> device_count() == len(devices())
    True
    """
    return client(backend).device_count()


def local_device_count(backend: str | None = None) -> int:
    """The number of devices of this process.

    >>> local_device_count() == len(local_devices())
    True
    """
    return client(backend).local_device_count()


def process_index(backend: str | None = None) -> int:
    """The number of this process.

    >>> process_index() in range(process_count())
    True
    """
    return client(backend).process_index()


def process_count(backend: str | None = None) -> int:
    """The number of processes.

    >>> process_count()  # a program that starts no others
    1
    """
    return max(device.process_index for device in devices(backend)) + 1


def process_indices(backend: str | None = None) -> list[int]:
    """The numbers of all processes.

    >>> process_indices()  # a program that starts no others
    [0]
    """
    return list(range(process_count(backend)))


def live_arrays(platform: str | None = None) -> list[Any]:
    """The arrays of a platform that have not been freed.

    >>> x = jnp.arange(3)
    >>> any(y is x for y in live_arrays())
    True
    """
    return client(platform).live_arrays()


def clear() -> None:
    """Forget all clients; the next use makes new ones. Arrays there are stay usable."""
    global _default_device
    with _lock:
        _clients.clear()
        _failures.clear()
        _default_device = None


# How programs that name a device are printed.
define_notation(
    Device,
    lambda d: {"platform": d.platform, "id": d.id},
    lambda platform, id: next(d for d in devices(platform) if d.id == id),
)

"""Compiled programs as bytes: `jx.experimental.serialize_executable`, `Compiled.serialize`,
`jx.stages.load`.

The bytes hold native code for one version of jaxlib and one kind of device, with what jx knows of
the arguments and results; a header says which, and is compared before anything else is read.
They can be loaded in any process on such a machine, onto other devices of the kind too. Like
every pickle, load them only from where you would also run programs from.

Programs for other versions and machines are the business of `jx.export`, which keeps StableHLO.
"""

from __future__ import annotations

import io
import json
import pickle
import re
import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from jx_core.stages import CallTypes

from ._version import __version__
from .compilation_cache import host_facts
from .runtime import clients, custom_calls, executables
from .runtime.array_values import host_value
from .runtime.arrays import Array
from .runtime.clients import Device
from .runtime.executables import Executable
from .runtime.placement import shard_argument
from .runtime.shardings import Sharding

if TYPE_CHECKING:
    from .aot import Compiled

__all__ = ["deserialize_and_load", "serialize"]

FORMAT = 1
_MAGIC = b"jxexecut"
# Magic, format, digest of what follows it, length of the header.
_HEAD = struct.Struct("<8sI16sI")
_DIGESTED = 8 + 4 + 16


def serialize(compiled: Compiled) -> tuple[bytes, Any, Any]:
    """A compiled program as bytes, and the trees of its arguments and results.

    Args:
        compiled: what `jit(f).lower(...).compile()` gives.

    Returns:
        The bytes, the tree of ((args), {kwargs}) and the tree of results. The bytes hold
        neither, so that node types which can't be pickled do no harm.

    Raises:
        ValueError: the program calls Python functions of this process, or its platform has no
            such form.

    >>> from jx_core import jit, lax
    >>> payload, in_tree, out_tree = serialize(jit(lax.neg).lower(1.0).compile())
    >>> deserialize_and_load(payload, in_tree, out_tree)(2.0)
    Array(-2., dtype=float32, weak_type=True)
    """
    return _dump(compiled, with_trees=False), compiled.in_tree, compiled.out_tree


def deserialize_and_load(
    serialized: bytes,
    in_tree: Any,
    out_tree: Any,
    backend: Any = None,
    execution_devices: Sequence[Any] | None = None,
) -> Compiled:
    """The compiled program that `serialize` made bytes of, ready to be called.

    Args:
        serialized: the bytes.
        in_tree, out_tree: the trees of arguments and results.
        backend: the platform or client to run on; by default that of the devices, or the one
            it was compiled for.
        execution_devices: the devices to run on; by default those of the same numbers, or the
            first ones there are.

    Raises:
        ValueError: the bytes are damaged, or for another version, platform or kind of device.
    """
    return _load(serialized, backend, execution_devices, (in_tree, out_tree))


def dump(compiled: Compiled) -> bytes:
    """A compiled program as bytes, the trees of its arguments and results included."""
    return _dump(compiled, with_trees=True)


def load(
    serialized: bytes, *, backend: Any = None, execution_devices: Sequence[Any] | None = None
) -> Compiled:
    """The compiled program that `Compiled.serialize` made bytes of, ready to be called.

    Args:
        serialized: the bytes.
        backend, execution_devices: see `deserialize_and_load`.

    Raises:
        ValueError: the bytes are damaged, or for another version, platform or kind of device.

    >>> from jx_core import jit, lax
    >>> data = jit(lax.sin).lower(1.0).compile().serialize()
    >>> load(data)(0.0)
    Array(0., dtype=float32, weak_type=True)
    """
    return _load(serialized, backend, execution_devices, None)


def _facts(device: Device) -> dict[str, Any]:
    """What an executable is for, as its header has it."""
    return {
        "jaxlib": executables.jaxlib_version,
        "platform": device.platform,
        "platform version": device.client.platform_version,
        "device kind": device.device_kind,
        "host": list(host_facts()[:-2]) if device.platform == "cpu" else [],
    }


# Targets of custom calls, in XLA's own text.
_TARGET = re.compile(r'custom_call_target="([^"]*)"')
_PYTHON = re.compile("python|callback", re.I)


def _dump(compiled: Compiled, with_trees: bool) -> bytes:
    executable, types = compiled._executable, compiled.types
    targets = sorted(set(_TARGET.findall(executable.hlo_text())))
    if compiled._effects or any(map(_PYTHON.search, targets)):
        raise ValueError(
            f"{types.name} can't be serialized: it calls Python functions, which only this "
            f"process has"
        )
    try:
        program = executables.serialize_program(executable.loaded)
    except executables.JaxRuntimeError as error:
        platform = executable.devices[0].platform
        raise ValueError(f"{types.name} can't be serialized on {platform}: {error}") from None
    header = {
        **_facts(executable.devices[0]),
        "jx": __version__,
        "name": types.name,
        "devices": [d.id for d in executable.devices],
        "targets": targets,
    }
    if not with_trees:
        types = replace(types, in_tree=None, out_tree=None)
    body = {
        "types": types,
        "program": program,
        "in_shardings": executable.in_shardings,
        "out_shardings": executable.out_shardings,
        "out_avals": executable.out_avals,
        "out_committed": executable.out_committed,
        "kept": executable.kept,
        "consts": [(host_value(c), c.aval, c._sharding) for c in executable.consts],
    }
    file = io.BytesIO()
    try:
        _Pickler(file, executable.devices).dump(body)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{types.name} can't be serialized: {error}. serialize() of "
            f"jx.experimental.serialize_executable gives the trees apart, if they are the cause"
        ) from error
    head = json.dumps(header).encode()
    rest = struct.pack("<I", len(head)) + head + file.getvalue()
    return struct.pack("<8sI16s", _MAGIC, FORMAT, _digest(rest)) + rest


def _digest(body: bytes) -> bytes:
    import hashlib

    return hashlib.blake2b(body, digest_size=16).digest()


def _load(
    data: bytes, backend: Any, execution_devices: Sequence[Any] | None, trees: Any
) -> Compiled:
    from .aot import Compiled

    header, pickled = _opened(data)
    devices = _devices(header, backend, execution_devices)
    _check(header, devices)
    custom_calls.register_called(header["targets"], devices[0].platform)
    body = _Unpickler(io.BytesIO(pickled), devices).load()
    try:
        loaded = executables.deserialize_program(body["program"], devices)
    except executables.JaxRuntimeError as error:
        raise ValueError(f"{header['name']} can't be loaded: {error}") from error
    types: CallTypes = body["types"]
    if trees is not None:
        types = replace(types, in_tree=trees[0], out_tree=trees[1])
    elif types.in_tree is None:
        raise ValueError(
            f"load: the bytes of {header['name']} have no trees, since serialize() gave them "
            f"apart: use deserialize_and_load(serialized, in_tree, out_tree)"
        )
    executable = Executable(
        loaded,
        devices,
        body["in_shardings"],
        body["out_avals"],
        body["out_shardings"],
        body["out_committed"],
        kept=body["kept"],
        consts=[_constant(*facts) for facts in body["consts"]],
        name=types.name,
    )
    return Compiled(types, executable)


def _constant(value: np.ndarray, aval: Any, sharding: Sharding) -> Array:
    return shard_argument(np.asarray(value, aval.dtype), sharding)  # type: ignore[no-any-return]


def _opened(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The header and the pickle of serialized bytes that are whole."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"a serialized executable is bytes, got {type(data)}")
    data = bytes(data)
    if data[:8] != _MAGIC or len(data) < _HEAD.size:
        raise ValueError("these bytes are no serialized executable of jx")
    _, version, digest, length = _HEAD.unpack_from(data)
    if version != FORMAT:
        raise ValueError(
            f"this executable was serialized in format {version}, and this version of jx reads "
            f"format {FORMAT}: compile and serialize it anew"
        )
    if _digest(data[_DIGESTED:]) != digest:
        raise ValueError("this serialized executable is damaged: its checksum is wrong")
    end = _HEAD.size + length
    return json.loads(data[_HEAD.size : end]), data[end:]


def _devices(header: dict[str, Any], backend: Any, wanted: Sequence[Any] | None) -> list[Any]:
    """The devices to run on."""
    count = len(header["devices"])
    if wanted is not None:
        if len(wanted) != count:
            raise ValueError(
                f"{header['name']} was compiled for {count} devices, and execution_devices has "
                f"{len(wanted)}"
            )
        return list(wanted)
    platform = header["platform"] if backend is None else backend
    there = clients.client(platform).devices()
    by_id = {device.id: device for device in there}
    if all(i in by_id for i in header["devices"]):
        return [by_id[i] for i in header["devices"]]
    if len(there) < count:
        raise ValueError(
            f"{header['name']} was compiled for {count} devices, and there are {len(there)} of "
            f"platform {platform}"
        )
    return list(there[:count])


def _check(header: dict[str, Any], devices: Sequence[Any]) -> None:
    """Raise a ValueError that names what an executable was compiled for and is not here."""
    here = _facts(devices[0])
    wrong = [name for name in here if name != "host" and header[name] != here[name]]
    if wrong:
        told = ", ".join(f"{name} {header[name]!r} (here {here[name]!r})" for name in wrong)
    elif header["host"] != here["host"]:
        told = "a CPU of another model or instruction set"
    else:
        return
    raise ValueError(
        f"{header['name']} was compiled for {told}: compile it here, or use jx.export, which "
        f"keeps programs for any machine"
    )


class _Pickler(pickle.Pickler):
    """Writes devices as their places in the program's order."""

    def __init__(self, file: io.BytesIO, devices: Sequence[Any]) -> None:
        super().__init__(file, protocol=4)
        self._places = {device: i for i, device in enumerate(devices)}

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, Device):
            if obj not in self._places:
                raise pickle.PicklingError(f"it refers to {obj}, on which it does not run")
            return self._places[obj]
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, devices: Sequence[Any]) -> None:
        super().__init__(file)
        self._devices = devices

    def persistent_load(self, pid: Any) -> Any:
        return self._devices[pid]

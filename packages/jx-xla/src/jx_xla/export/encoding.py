"""Exported functions as bytes and back.

The format (version 1; all numbers little-endian)::

    bytes 0-7    magic: 89 4A 58 45 0D 0A 1A 0A ("\\x89JXE\\r\\n\\x1a\\n")
    bytes 8-9    version of the format
    bytes 10-17  length of what follows the checksum
    bytes 18-49  SHA-256 of what follows
    bytes 50-53  length of the description
    then         the description, JSON in UTF-8
    then         the modules: StableHLO portable artifacts, the function's, then its derivative's,
                 then that one's derivative's, as the description gives their lengths

The magic shows a transfer that changed line ends, as PNG's does. Reading runs no code that the
bytes name: classes are looked up among those that have been registered. The checksum is against
accidents; it is no signature.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from jx_core import ShapedArray, dtypes
from jx_core.effects import Effect
from jx_core.jaxpr.notation import read_value

from ..runtime import mlir
from ..runtime.hlo_shardings import OpSharding, from_proto
from .checks import DisabledSafetyCheck
from .exported import (
    Exported,
    maximum_supported_calling_convention_version,
    minimum_supported_calling_convention_version,
)
from .exporting import PLATFORMS
from .shapes import Scopes, constraints_of
from .trees import read_tree, write_tree

MAGIC = b"\x89JXE\r\n\x1a\n"
VERSION = 1
_HEAD = struct.Struct("<8sHQ32s")
_LENGTH = struct.Struct("<I")


def serialize(exported: Exported, vjp_order: int) -> bytearray:
    """The bytes of an exported function, with its derivatives up to an order."""
    if not isinstance(vjp_order, int) or isinstance(vjp_order, bool) or vjp_order < 0:
        raise ValueError(
            f"serialize: vjp_order must be an integer of at least 0, got {vjp_order!r}"
        )
    functions = [exported]
    for _ in range(vjp_order):
        functions.append(functions[-1].vjp())
    described = {
        "writer": f"StableHLO {mlir.stablehlo_version()}",
        "functions": [_describe(f) for f in functions],
    }
    text = json.dumps(described, separators=(",", ":")).encode()
    rest = b"".join(
        [_LENGTH.pack(len(text)), text, *[f.mlir_module_serialized for f in functions]]
    )
    head = _HEAD.pack(MAGIC, VERSION, len(rest), hashlib.sha256(rest).digest())
    return bytearray(head + rest)


def deserialize(blob: bytes | bytearray | memoryview) -> Exported:
    """The exported function that `Exported.serialize` made bytes of.

    It does not need the Python code of the function. Reading runs nothing that the bytes
    bring along; calling it runs the program, so call what you trust.

    Args:
        blob: the bytes.

    Raises:
        ValueError: they are none of an exported function, damaged, cut off, or of a format or a
            StableHLO that is newer than this process knows.
        TypeError: `blob` is not bytes.

    >>> blob = jx.export.export(jx.jit(jnp.sin))(1.0).serialize()
    >>> loaded = deserialize(blob)
    >>> loaded.fun_name, float(loaded.call(0.0))
    ('sin', 0.0)
    """
    if not isinstance(blob, (bytes, bytearray, memoryview)):
        raise TypeError(f"deserialize: expected bytes, got {type(blob).__name__}")
    rest = _checked(bytes(blob))
    try:
        (length,) = _LENGTH.unpack_from(rest)
        described = json.loads(rest[_LENGTH.size : _LENGTH.size + length])
        modules = rest[_LENGTH.size + length :]
        return _functions(described, modules)
    except (
        KeyError, TypeError, IndexError, AttributeError, struct.error, UnicodeDecodeError,
        json.JSONDecodeError,
    ) as error:  # fmt: skip
        raise ValueError(
            f"deserialize: the description of the exported function is not as this version of jx "
            f"writes it: {type(error).__name__}: {error}"
        ) from error


def _checked(blob: bytes) -> bytes:
    if not blob.startswith(MAGIC):
        raise ValueError(
            f"deserialize: this is no exported function of jx: it begins with {blob[:8]!r}, and "
            f"{MAGIC!r} was expected"
        )
    if len(blob) < _HEAD.size:
        raise ValueError(f"deserialize: the bytes are cut off: {len(blob)} are not even the head")
    _, version, length, digest = _HEAD.unpack_from(blob)
    if not 1 <= version <= VERSION:
        raise ValueError(
            f"deserialize: the bytes are of version {version} of the format, and this jx reads "
            f"versions 1 to {VERSION}: load them with a newer jx, or export with this one"
        )
    rest = blob[_HEAD.size :]
    if len(rest) != length:
        how = "cut off" if len(rest) < length else "followed by others"
        raise ValueError(
            f"deserialize: the bytes are {how}: {_HEAD.size + length} were written, and there are "
            f"{len(blob)}"
        )
    if hashlib.sha256(rest).digest() != digest:
        raise ValueError(
            "deserialize: the bytes are damaged: their checksum is not the one that was written "
            "with them"
        )
    return rest


# --- describing ---


def _describe(exported: Exported) -> dict[str, Any]:
    avals = (*exported.in_avals, *exported.out_avals)
    return {
        "name": exported.fun_name,
        "in_tree": write_tree(exported.in_tree),
        "in_avals": [_describe_aval(a) for a in exported.in_avals],
        "out_tree": write_tree(exported.out_tree),
        "out_avals": [_describe_aval(a) for a in exported.out_avals],
        "constraints": constraints_of(avals),
        "in_shardings": [_describe_split(s) for s in exported.in_shardings_hlo],
        "out_shardings": [_describe_split(s) for s in exported.out_shardings_hlo],
        "devices": exported.nr_devices,
        "platforms": list(exported.platforms),
        "ordered_effects": [type(e).__name__ for e in exported.ordered_effects],
        "unordered_effects": [type(e).__name__ for e in exported.unordered_effects],
        "disabled_checks": [[c.kind, c.target] for c in exported.disabled_safety_checks],
        "calling_convention": exported.calling_convention_version,
        "kept": list(exported.module_kept_var_idx),
        "global_constants": exported.uses_global_constants,
        "module_bytes": len(exported.mlir_module_serialized),
    }


def _describe_aval(aval: ShapedArray) -> list[Any]:
    shape = [d if type(d) is int else str(d) for d in aval.shape]
    return [str(aval.dtype.name), shape, aval.weak_type]


def _describe_split(split: Any) -> str | None:
    if split is None:
        return None
    return base64.b64encode(split.to_proto().SerializeToString()).decode()


# --- reading ---


def _functions(described: dict[str, Any], modules: bytes) -> Exported:
    parts = []
    for facts in described["functions"]:
        size = facts["module_bytes"]
        parts.append((facts, modules[:size]))
        if type(size) is not int or size < 0 or len(parts[-1][1]) != size:
            raise ValueError("deserialize: a module is shorter than its description says")
        modules = modules[size:]
    if modules or not parts:
        raise ValueError("deserialize: there are modules that the description does not mention")
    found: Exported | None = None
    for facts, module in reversed(parts):
        found = _read(facts, module, described.get("writer", "StableHLO"), _giver(found))
    assert found is not None
    return found


def _giver(vjp: Exported | None) -> Callable[[Exported], Exported] | None:
    return None if vjp is None else lambda _: vjp


def _read(
    facts: dict[str, Any],
    module: bytes,
    writer: str,
    get_vjp: Callable[[Exported], Exported] | None,
) -> Exported:
    name, version = _text(facts["name"]), facts["calling_convention"]
    lowest = minimum_supported_calling_convention_version
    highest = maximum_supported_calling_convention_version
    if not lowest <= version <= highest:
        raise ValueError(
            f"deserialize: {name} was exported with calling convention {version}, and this jx "
            f"supports {lowest} to {highest}"
        )
    _check_module(module, name, writer)
    scopes = Scopes(facts["constraints"])
    in_tree, out_tree = read_tree(facts["in_tree"]), read_tree(facts["out_tree"])
    ins = tuple(_read_aval(a, scopes) for a in facts["in_avals"])
    outs = tuple(_read_aval(a, scopes) for a in facts["out_avals"])
    exported = Exported(
        fun_name=name,
        in_tree=in_tree,
        in_avals=ins,
        out_tree=out_tree,
        out_avals=outs,
        in_shardings_hlo=tuple(map(_read_split, facts["in_shardings"])),
        out_shardings_hlo=tuple(map(_read_split, facts["out_shardings"])),
        nr_devices=int(facts["devices"]),
        platforms=tuple(map(_text, facts["platforms"])),
        ordered_effects=tuple(map(_read_effect, facts["ordered_effects"])),
        unordered_effects=tuple(map(_read_effect, facts["unordered_effects"])),
        disabled_safety_checks=tuple(DisabledSafetyCheck(*c) for c in facts["disabled_checks"]),
        mlir_module_serialized=module,
        calling_convention_version=version,
        module_kept_var_idx=tuple(map(int, facts["kept"])),
        uses_global_constants=bool(facts["global_constants"]),
        _get_vjp=get_vjp,
    )
    _check_consistent(exported)
    return exported


def _check_module(module: bytes, name: str, writer: str) -> None:
    try:
        mlir.from_portable_artifact(module)
    except ValueError as error:
        raise ValueError(
            f"deserialize: this jaxlib, which has StableHLO {mlir.stablehlo_version()}, can't read "
            f"the module of {name}, which was written with {writer}. If that is newer, a newer "
            f"jaxlib reads it. {error}"
        ) from error


def _check_consistent(exported: Exported) -> None:
    n, m = len(exported.in_avals), len(exported.out_avals)
    kept = exported.module_kept_var_idx
    agree = (
        exported.in_tree.num_leaves == n == len(exported.in_shardings_hlo)
        and exported.out_tree.num_leaves == m == len(exported.out_shardings_hlo)
        and all(0 <= i < n for i in kept)
        and exported.nr_devices >= 1
        and bool(exported.platforms)
        and all(p in PLATFORMS for p in exported.platforms)
    )
    if not agree:
        raise ValueError(
            f"deserialize: the description of {exported.fun_name} contradicts itself: the numbers "
            f"of arguments, results and shardings, or the platforms, don't fit"
        )


def _read_aval(written: Any, scopes: Scopes) -> ShapedArray:
    name, shape, weak = written
    dtype = dtypes.float0 if name == np.dtype(dtypes.float0).name else read_value(str(name))
    if not isinstance(dtype, (np.dtype, dtypes.ExtendedDType)) or not isinstance(weak, bool):
        raise ValueError(f"deserialize: no type of an array is written as {written!r:.80}")
    return ShapedArray([scopes.dimension(d) for d in shape], dtype, weak)


def _read_split(written: str | None) -> Any:
    if written is None:
        return None
    try:
        proto = OpSharding()
        proto.ParseFromString(base64.b64decode(written, validate=True))
        return from_proto(proto)
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"deserialize: no sharding is written as {written!r:.60}") from error


def _text(written: Any) -> str:
    if not isinstance(written, str):
        raise ValueError(f"deserialize: expected a text, got {written!r:.60}")
    return written


def _read_effect(name: str) -> Any:
    """The effect of a class that this process knows."""
    waiting: list[type[Effect]] = [Effect]
    while waiting:
        kind = waiting.pop()
        if kind.__name__ == name:
            return kind()
        waiting += kind.__subclasses__()
    raise ValueError(
        f"deserialize: the exported function has the effect {name!r}, which no class of this "
        f"process is: import the module that defines it first"
    )

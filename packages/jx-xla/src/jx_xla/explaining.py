"""Why a staged program is compiled again: what `explain_cache_misses` logs of this layer.

Not here: why a function is traced again (`jx_core.explaining`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from jx_core import ClosedJaxpr
from jx_core.dispatch import argument_name
from jx_core.source import capture

from .placements import Placement

_log = logging.getLogger("jx_xla")

_SHOWN = 6


def explain_compilation(params: dict[str, Any], key: tuple[Any, ...]) -> None:
    """Log what differs from earlier compilations of the same program, if there are any.

    Args:
        params: those of the staged call.
        key: what its executable will be kept by: see `compiling.executable_for`.
    """
    closed: ClosedJaxpr = params["jaxpr"]
    earlier = [
        k for k in list(closed.derived)
        if isinstance(k, tuple) and len(k) == len(key) and k[:1] == ("xla",)
        and isinstance(k[1], Placement)
    ]  # fmt: skip
    if not earlier:
        return
    here = [k for k in earlier if k[1].devices == key[1].devices] or earlier
    reasons = min((_changes(closed, known, key) for known in reversed(here)), key=len)
    if len(reasons) > _SHOWN:
        reasons = [*reasons[:_SHOWN], f"and {len(reasons) - _SHOWN} more changes"]
    where = capture()
    _log.warning(
        "%s is compiled again at %s:%d: %s",
        params["name"], where.file, where.line, "; ".join(reasons),
    )  # fmt: skip


def _changes(closed: ClosedJaxpr, before: Sequence[Any], now: Sequence[Any]) -> list[str]:
    old, new = before[1], now[1]
    found = []
    if old.devices != new.devices:
        found.append(f"devices were {_ids(old.devices)}, now {_ids(new.devices)}")
    elif old.committed != new.committed:
        words = {True: "placed by the caller", False: "free to move"}
        found.append(f"arguments were {words[old.committed]}, now {words[new.committed]}")
    if len(old.devices) > 1 or len(new.devices) > 1:
        pairs = zip(old.shardings, new.shardings, strict=True)
        found += [
            f"the sharding of {argument_name(closed, i)} was {was}, now {is_}"
            for i, (was, is_) in enumerate(pairs)
            if was != is_
        ]
    names = ("donated arguments", "out_shardings", "keep_unused", "compiler_options")
    found += [
        f"{name} were {was}, now {is_}"
        for name, was, is_ in zip(names, before[2:], now[2:], strict=True)
        if was != is_
    ]
    return found or [f"it lay as {old}, now as {new}"]


def _ids(devices: Sequence[Any]) -> str:
    return f"{devices[0].platform} {[d.id for d in devices]}"

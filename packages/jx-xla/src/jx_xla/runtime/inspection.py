"""Telling Python, while a program is compiled, how the compiler lays a value out on devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .library import xla
from .named_sharding import NamedSharding, like
from .shardings import from_hlo, single_device

__all__ = ["Inspection"]


class Inspection:
    """One place of a program whose layout is asked for. It must live while that is compiled.

    Attributes:
        named: shardings in the terms of whose meshes the answer is given if it can be.
        text: the inside of the string that names the inspection to the compiler.
    """

    def __init__(self, callback: Callable[..., Any], devices: Sequence[Any], ndim: int) -> None:
        self._callback = callback
        self._devices = tuple(devices)
        self.named: Sequence[NamedSharding] = ()
        self._tell = self.tell
        key = xla.encode_inspect_sharding_callback(self._tell)
        data = key if isinstance(key, bytes) else key.encode("latin-1")
        self.text = "".join(f"\\{byte:02X}" for byte in data)

    def tell(self, split: Any) -> None:
        """Called by the compiler with an `HloSharding`."""
        made = (like(n, split) for n in self.named[:1])
        found = next((s for s in made if s is not None), None)
        self._callback((), found or from_hlo(self._devices, split))

    def tell_single(self) -> None:
        """The answer where there is one device."""
        self._callback((), single_device(self._devices[0]))

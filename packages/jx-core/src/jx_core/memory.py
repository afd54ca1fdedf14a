"""Kinds of memory: a device's own, and the host's beside it."""

from __future__ import annotations

import enum

from .jaxpr.notation import define_name

__all__ = ["Space"]


class Space(enum.Enum):
    """Where in the memory hierarchy a value lies.

    `Device` is the memory that a device computes in; `Host` is the host's, which has more room
    and is slower to reach; `Any` leaves the choice open.

    >>> Space.Host
    <Space.Host>
    """

    Device = "device"
    Host = "host"
    Any = "any"

    def __repr__(self) -> str:
        return f"<Space.{self.name}>"

    @staticmethod
    def of_kind(kind: str) -> Space:
        """The space that a kind of memory, as devices name theirs, belongs to.

        >>> Space.of_kind("pinned_host")
        <Space.Host>
        """
        return Space.Host if kind in ("pinned_host", "unpinned_host", "host") else Space.Device


define_name(Space, lambda space: f"Space.{space.name}", {
    f"Space.{space.name}": space for space in Space
}.get)  # fmt: skip

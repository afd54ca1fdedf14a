"""The mesh in context: the one that a bare `PartitionSpec` refers to.

It is an option like any other, so that it is each thread's own and part of the keys of
all caches: a program traced under one mesh does not serve another.
"""

from __future__ import annotations

from typing import Any

from jx_core.config import define_object
from jx_xla.runtime.flags import mirror_options

__all__ = ["mesh_in_context", "mesh_option"]


def _accept(value: Any) -> Any:
    if value is None or hasattr(value, "axis_names"):
        return value
    raise ValueError(value)


mesh_option = define_object(
    "mesh",
    None,
    "the mesh that PartitionSpecs without one refer to; jx.set_mesh sets it",
    expected="a jx.sharding.Mesh or None",
    accept=_accept,
    traced=True,
)
mirror_options()


def mesh_in_context() -> Any:
    """The mesh in context, or None."""
    return mesh_option.value

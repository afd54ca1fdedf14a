"""jx-parallel: arrays and programs over many devices.

A `Mesh` names the axes of a grid of devices; a `PartitionSpec` says which of them split
which dimension of an array; a `NamedSharding` is both. `jx_xla.device_put` places arrays
so, and `jit` compiles programs over them, as `in_shardings`, `out_shardings` and
`lax.with_sharding_constraint` say or as the compiler finds best.
"""

from jx_core.lax import with_sharding_constraint
from jx_core.source import register_internal as _register_internal

from . import sharding
from ._version import __version__
from .mesh import AxisType, Mesh, get_mesh, make_mesh, set_mesh
from .partition_spec import P, PartitionSpec
from .sharding import NamedSharding, Sharding, SingleDeviceSharding

_register_internal(__file__)

__all__ = [
    "AxisType", "Mesh", "NamedSharding", "P", "PartitionSpec", "Sharding",
    "SingleDeviceSharding", "__version__", "get_mesh", "make_mesh", "set_mesh", "sharding",
    "with_sharding_constraint",
]  # fmt: skip

"""`jx.sharding`: how arrays lie over devices. Names only; the classes live beside their kin."""

from jx_xla.runtime.named_sharding import NamedSharding
from jx_xla.runtime.shardings import Sharding, SingleDeviceSharding

from .mesh import AxisType, Mesh, get_mesh, set_mesh
from .partition_spec import PartitionSpec

__all__ = [
    "AxisType", "Mesh", "NamedSharding", "PartitionSpec", "Sharding", "SingleDeviceSharding",
    "get_mesh", "set_mesh",
]  # fmt: skip

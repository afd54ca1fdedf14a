"""jx-xla: programs of jx-core lowered to StableHLO, compiled by XLA, run through PJRT.

Importing it registers the back end `xla` and makes it the default.
"""

from jx_core import backend as _backend
from jx_core.source import register_internal as _register_internal

from ._version import __version__
from .backend import XlaBackend
from .backend import start as _start
from .keys import KeyArray
from .lowering.tables import Context, deflower, lowering_rules
from .runtime.arrays import Array, Shard
from .runtime.clients import (
    default_device,
    device_count,
    devices,
    live_arrays,
    local_device_count,
    local_devices,
    process_count,
    process_index,
    process_indices,
)
from .runtime.shardings import Device, Sharding, SingleDeviceSharding

_register_internal(__file__)
_backend.register(_start(), default=True)

__all__ = [
    "Array", "Context", "Device", "KeyArray", "Shard", "Sharding", "SingleDeviceSharding",
    "XlaBackend", "__version__", "default_device", "deflower", "device_count", "devices",
    "live_arrays", "local_device_count", "local_devices", "lowering_rules", "process_count",
    "process_index", "process_indices",
]

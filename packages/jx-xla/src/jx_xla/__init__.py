"""jx-xla: programs of jx-core lowered to StableHLO, compiled by XLA, run through PJRT.

Importing it registers the back end `xla` and makes it the default.
"""

from jx_core import backend as _backend
from jx_core.source import register_internal as _register_internal

from ._version import __version__
from .backend import XlaBackend
from .backend import start as _start
from .caches import clear_caches
from .keys import KeyArray
from .lowering.tables import Context, deflower, lowering_rules
from .runtime.arrays import Array, Shard
from .runtime.clients import (
    default_backend,
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
from .runtime.effects import effects_barrier
from .runtime.shardings import Device, Sharding, SingleDeviceSharding
from .transfers import (
    block_until_ready,
    copy_to_host_async,
    device_get,
    device_put,
    make_array_from_callback,
    make_array_from_single_device_arrays,
)

_register_internal(__file__)
_backend.register(_start(), default=True)

__all__ = [
    "Array", "Context", "Device", "KeyArray", "Shard", "Sharding", "SingleDeviceSharding",
    "XlaBackend", "__version__", "block_until_ready", "clear_caches", "copy_to_host_async",
    "default_backend", "default_device", "deflower", "device_count", "device_get", "device_put",
    "devices", "effects_barrier", "live_arrays", "local_device_count", "local_devices",
    "lowering_rules", "make_array_from_callback", "make_array_from_single_device_arrays",
    "process_count", "process_index", "process_indices",
]  # fmt: skip

"""jx-xla: programs of jx-core lowered to StableHLO, compiled by XLA, run through PJRT.

Importing it registers the back end `xla` and makes it the default.
"""

from jx_core import backend as _backend
from jx_core.source import register_internal as _register_internal

from . import lowering
from ._version import __version__
from .aot import Compiled, Lowered
from .backend import XlaBackend, start as _start
from .keys import KeyArray
from .lowering.tables import Context, deflower, lowering_rules
from .runtime.arrays import Array
from .runtime.clients import (
    default_device,
    device_count,
    devices,
    local_device_count,
    local_devices,
    process_count,
    process_index,
)
from .runtime.shardings import Sharding, SingleDeviceSharding

_register_internal(__file__)
_backend.register(_start(), default=True)

__all__ = [
    "Array", "Compiled", "Context", "KeyArray", "Lowered", "Sharding", "SingleDeviceSharding",
    "XlaBackend", "__version__", "default_device", "deflower", "device_count", "devices",
    "local_device_count", "local_devices", "lowering", "lowering_rules", "process_count",
    "process_index",
]

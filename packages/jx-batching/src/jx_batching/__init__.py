"""jx-batching: mapping programs built on jx-core over batches, on whatever back end is there."""

from jx_core.source import register_internal as _register_internal

from ._version import __version__
from .api import vmap
from .custom_batching import custom_vmap, sequential_vmap
from .programs import batch_jaxpr
from .tables import BatchAxis, batch_rules, defbatch
from .trace import BatchTrace, BatchTracer

_register_internal(__file__)

__all__ = [
    "BatchAxis", "BatchTrace", "BatchTracer", "__version__", "batch_jaxpr", "batch_rules",
    "custom_vmap", "defbatch", "sequential_vmap", "vmap",
]  # fmt: skip

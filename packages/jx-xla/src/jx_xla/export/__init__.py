"""Functions exported as bytes that other processes, machines and later versions can call.

`export(jit(f))(*args)` lowers a function to StableHLO and gives an `Exported`; its `serialize` and
`deserialize` go to bytes and back. Neither needs the function's Python code again.

>>> import numpy as np, jx_core
>>> from jx_core import lax
>>> from jx_xla import export
>>> exported = export.export(jx_core.jit(lax.sin))(np.zeros(3, np.float32))
>>> again = export.deserialize(exported.serialize())
>>> again.call(np.zeros(3, np.float32))
Array([0., 0., 0.], dtype=float32)

`exported.py` has the object, `exporting.py` makes it, `calling.py` calls it. `encoding.py` has the
format of the bytes, `trees.py` that of pytrees in it, `checks.py` what is checked.
"""

from jx_core.symbolic import (
    SymbolicScope,
    is_symbolic_dim,
    symbolic_args_specs,
    symbolic_shape,
)

from .checks import DisabledSafetyCheck
from .encoding import deserialize
from .exported import (
    Exported,
    maximum_supported_calling_convention_version,
    minimum_supported_calling_convention_version,
)
from .exporting import default_export_platform, export
from .trees import register_namedtuple_serialization, register_pytree_node_serialization

__all__ = [
    "DisabledSafetyCheck",
    "Exported",
    "SymbolicScope",
    "default_export_platform",
    "deserialize",
    "export",
    "is_symbolic_dim",
    "maximum_supported_calling_convention_version",
    "minimum_supported_calling_convention_version",
    "register_namedtuple_serialization",
    "register_pytree_node_serialization",
    "symbolic_args_specs",
    "symbolic_shape",
]

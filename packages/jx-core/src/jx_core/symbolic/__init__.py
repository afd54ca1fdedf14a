"""Symbolic shapes: dimensions as expressions of variables, decided, solved and checked.

`expressions` has the algebra, `scope` the constraints, `bounds` the comparisons, `parsing`
the notation, `solving` the way back from actual shapes to the variables' values, and `specs`
the functions people call.
"""

from .expressions import DimExpr as DimExpr
from .expressions import is_symbolic_dim, is_symbolic_shape, maximum, minimum, non_negative
from .scope import SymbolicScope
from .slicing import slice_indices
from .solving import DimensionSolver, check_shapes
from .specs import symbolic_args_specs, symbolic_shape

__all__ = [
    "DimExpr",
    "DimensionSolver",
    "SymbolicScope",
    "check_shapes",
    "is_symbolic_dim",
    "is_symbolic_shape",
    "maximum",
    "minimum",
    "non_negative",
    "slice_indices",
    "symbolic_args_specs",
    "symbolic_shape",
]

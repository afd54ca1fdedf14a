"""Symbolic shapes: dimensions as expressions of variables, decided, solved and checked.

`expressions` has the algebra, `scope` the constraints, `bounds` the comparisons, `parsing`
the notation, `slicing` Python's slices, `solving` the way back from actual shapes to the
variables' values, and `specs` the functions people call. All but the algebra is loaded when
it is first used: types know symbolic dimensions, and most programs have none.
"""

import importlib as _importlib
from typing import TYPE_CHECKING
from typing import Any as _Any

from .expressions import (
    DimExpr,
    is_symbolic_dim,
    is_symbolic_shape,
    maximum,
    minimum,
    non_negative,
)

if TYPE_CHECKING:
    from .scope import SymbolicScope
    from .slicing import slice_indices
    from .solving import DimensionSolver, check_shapes
    from .specs import symbolic_args_specs, symbolic_shape

__all__ = [
    "DimExpr", "DimensionSolver", "SymbolicScope", "check_shapes", "is_symbolic_dim",
    "is_symbolic_shape", "maximum", "minimum", "non_negative", "slice_indices",
    "symbolic_args_specs", "symbolic_shape",
]  # fmt: skip

_HOMES = {
    "DimensionSolver": "solving",
    "SymbolicScope": "scope",
    "check_shapes": "solving",
    "slice_indices": "slicing",
    "symbolic_args_specs": "specs",
    "symbolic_shape": "specs",
}


def __getattr__(name: str) -> _Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'jx_core.symbolic' has no attribute {name!r}")
    value = getattr(_importlib.import_module(f"jx_core.symbolic.{home}"), name)
    globals()[name] = value
    return value

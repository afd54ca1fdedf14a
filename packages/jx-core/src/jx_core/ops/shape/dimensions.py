"""Dimensions as values: `dim_as_value` makes an array of a symbolic dimension.

In a program with symbolic shapes a dimension has no value while it is traced, and one when
the program runs. Wherever arithmetic on arrays meets a dimension, this primitive stands.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...aval import ShapedArray, typeof
from ...errors import InconclusiveDimensionOperation
from ...primitive import Primitive
from ...symbolic.expressions import DimExpr, DimSize, define_as_value
from ..elementwise.conversion import convert

__all__ = ["dim_as_float", "dim_as_value", "dim_as_value_p"]


def _dim_as_value_type(*, dim: Any) -> ShapedArray:
    return typeof(1)


def _dim_as_value(*, dim: Any) -> np.ndarray:
    if isinstance(dim, DimExpr):
        raise InconclusiveDimensionOperation(
            f"the value of the symbolic dimension {dim} is known only when an exported function is "
            f"called: use it inside a function that is traced with symbolic shapes (jx.export, "
            f"jx.jit(f).trace, jx.make_jaxpr), not eagerly"
        )
    return np.asarray(dim, typeof(1).dtype)


# Params: dim, a symbolic dimension.
dim_as_value_p = Primitive("dim_as_value", abstract=_dim_as_value_type, reference=_dim_as_value)


def dim_as_value(dim: DimSize) -> Any:
    """A dimension of a shape as a zero-dimensional array of the default integer dtype.

    Args:
        dim: a symbolic dimension, or an integer, which comes back as it is.

    >>> dim_as_value(3)
    3
    """
    return dim_as_value_p.bind(dim=dim) if isinstance(dim, DimExpr) else dim


def dim_as_float(dim: DimSize) -> Any:
    """A dimension as a number to compute means with: a Python float, or a weak float array.

    >>> dim_as_float(3)
    3.0
    """
    if isinstance(dim, DimExpr):
        value = dim_as_value(dim)
        return convert(value, typeof(1.0).dtype, True)
    return float(dim)


define_as_value(dim_as_value)

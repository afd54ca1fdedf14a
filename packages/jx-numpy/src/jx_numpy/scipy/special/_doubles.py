"""Special functions computed in double precision and rounded once, whatever the operands.

The functions of this package's integrals are written on the operations `Maths` of jx-core's
special functions, for doubles. `in_doubles` brings operands of any floating dtype there and the
results back, also where 64-bit arrays are not enabled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jx_core import lax
from jx_core.config import enable_x64
from jx_core.ops.special.maths import LAX, LAX_SINGLE

from ...operands import (
    Array,
    ArrayLike,
    broadcast_shapes,
    broadcast_to,
    is_complex,
    promote_dtypes_inexact,
    typeof,
)

__all__ = ["gaussian", "in_doubles", "real_operands", "to_float"]


def in_doubles(function: Callable[..., Any], *operands: Array) -> Any:
    """`function(maths, *operands)`, on doubles; its results in the dtype of the operands.

    Args:
        function: takes doubles of one shape, gives one array of them or a tuple of arrays.
        operands: floats of one shape and dtype.
    """
    dtype = typeof(operands[0]).dtype
    with _double_precision():
        wide = [lax.convert_element_type(x, np.float64) for x in operands]
        out = function(LAX if dtype == np.float64 else LAX_SINGLE, *wide)
        if isinstance(out, tuple):
            return tuple(lax.convert_element_type(y, dtype) for y in out)
        return lax.convert_element_type(out, dtype)


def _double_precision() -> Any:
    return enable_x64(True)


def to_float(x: Array, like: Array) -> Array:
    """An array in the dtype of another one."""
    return lax.convert_element_type(x, typeof(like).dtype)


def real_operands(
    name: str, *operands: ArrayLike, error: type[Exception] = ValueError
) -> list[Array]:
    """The operands as floats of one dtype and one shape, never weakly typed.

    Raises:
        ValueError: one is complex (or another class of error, `error`).
    """
    promoted = promote_dtypes_inexact(name, *operands)
    dtype = typeof(promoted[0]).dtype
    if is_complex(dtype):
        raise error(
            f"jx.scipy.special.{name} does not support complex-valued inputs, got {dtype}; it is "
            f"for real numbers: pass jnp.real(x) where the imaginary part is 0"
        )
    shape = broadcast_shapes(name, *[typeof(x).shape for x in promoted])
    return [broadcast_to(lax.convert_element_type(x, dtype), shape) for x in promoted]


def gaussian(m: Any, x: Any) -> Any:
    """exp(-x^2), to a unit in the last place or two: x^2 is not rounded on the way.

    The leading digits of x have an exact square; the rest is the difference of squares.
    """
    lead = m.floor(16.0 * x) * 0.0625
    square = lead * lead
    far = square > 1e5
    lead = m.where(far, 0.0, lead)
    value = m.exp(-lead * lead) * m.exp(-(x - lead) * (x + lead))
    return m.where(far, 0.0, value)

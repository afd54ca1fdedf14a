"""Special functions computed in double precision and rounded once, whatever the operands.

The functions of this package's integrals are written on the operations `Maths` of jx-core's
special functions, for doubles. `in_doubles` brings operands of any floating dtype there and the
results back, also where 64-bit arrays are not enabled.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from jx_batching import defbatch
from jx_batching.axes import at_axis
from jx_core import Primitive, ShapeDtypeStruct, eval_shape, lax, tree
from jx_core.aval import ShapedArray
from jx_core.config import enable_x64
from jx_core.ops.special.maths import LAX, LAX_SINGLE

from ...operands import (
    Array,
    ArrayLike,
    broadcast_shapes,
    broadcast_to,
    typeof,
)
from .._reals import real_floats

__all__ = ["gaussian", "in_doubles", "real_operands", "to_float"]


def in_doubles(
    function: Callable[..., Any], *operands: Array, options: tuple[Any, ...] = ()
) -> Any:
    """`function(maths, *options, *operands)`, on doubles; results in the dtype of the operands.

    Args:
        function: of a module, so that programs remember it. Takes doubles of one shape, gives
            one array of that shape or a tuple of them.
        operands: floats of one shape and dtype.
        options: hashable values.

    It is one elementwise primitive: programs made in single precision have to name its results
    only, and mapping it costs nothing.
    """
    out = in_doubles_p.bind(*operands, function=function, options=options)
    return tuple(out) if len(out) > 1 else out[0]


def _result_types(*operands: ShapedArray, function: Any, options: Any) -> list[ShapedArray]:
    return [operands[0]] * _count(function, options, len(operands))


@functools.cache
def _count(function: Callable[..., Any], options: tuple[Any, ...], operands: int) -> int:
    """How many results the function has."""
    with enable_x64(True):
        types = [ShapeDtypeStruct((), np.float64)] * operands
        return len(tree.leaves(eval_shape(lambda *x: function(LAX, *options, *x), *types)))


def _decompose(*operands: Array, function: Any, options: Any) -> list[Array]:
    dtype = typeof(operands[0]).dtype
    with enable_x64(True):
        wide = [lax.convert_element_type(x, np.float64) for x in operands]
        out = function(LAX if dtype == np.float64 else LAX_SINGLE, *options, *wide)
        results = out if isinstance(out, tuple) else (out,)
        return [lax.convert_element_type(y, dtype) for y in results]


in_doubles_p = Primitive(
    "in_doubles", abstract=_result_types, decompose=_decompose, multiple_results=True
)


@defbatch(in_doubles_p)
def _(axis: Any, operands: Any, dims: Any, **params: Any) -> Any:
    together = [at_axis(x, d, axis.size) for x, d in zip(operands, dims, strict=True)]
    out = in_doubles_p.bind(*together, **params)
    return out, [0] * len(out)


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
    promoted = real_floats(f"special.{name}", *operands, error=error)
    dtype = typeof(promoted[0]).dtype
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

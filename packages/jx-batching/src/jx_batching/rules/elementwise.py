"""Batching operations on each element by itself: the same operation, on batches."""

from __future__ import annotations

from typing import Any

from jx_core import dtypes, typeof
from jx_core.lax import bitcast_convert_type_p, clamp_p, optimization_barrier_p
from jx_core.ops import elementwise

from ..axes import move_axis
from ..tables import BatchAxis, defbatch
from .alignment import Dims, Operands, define_elementwise, primitives_of

define_elementwise(*primitives_of(elementwise))
define_elementwise(clamp_p, whole=(1,))


@defbatch(bitcast_convert_type_p)
def _(batch: BatchAxis, operands: Operands, dims: Dims, *, new_dtype: Any) -> tuple[Any, Any]:
    (x,), (dim,) = operands, dims
    old = typeof(x).dtype
    if dtypes.itemsize_bits(new_dtype) > dtypes.itemsize_bits(old) and dim == typeof(x).ndim - 1:
        # The last axis of a row holds the parts of one wider element: it has to stay last.
        x, dim = move_axis(x, dim, 0), 0
    return bitcast_convert_type_p.bind(x, new_dtype=new_dtype), dim


@defbatch(optimization_barrier_p)
def _(batch: BatchAxis, operands: Operands, dims: Dims) -> tuple[Any, Dims]:
    return optimization_barrier_p.bind(*operands), dims

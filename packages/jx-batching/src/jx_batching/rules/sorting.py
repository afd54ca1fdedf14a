"""Batching sorts: the same sort along another axis."""

from __future__ import annotations

from typing import Any

from jx_core import ShapedArray, typeof
from jx_core.lax import approx_top_k_p, order_statistics_p, sort_p, top_k_p

from ..axes import at_axis, shift
from ..tables import BatchAxis, defbatch
from .alignment import Dims, Operands, all_batched


@defbatch(sort_p)
def _(
    batch: BatchAxis, operands: Operands, dims: Dims, *, dimension: int, **params: Any
) -> tuple[list[Any], list[int]]:
    batches, dim = all_batched(batch, operands, dims)
    outs = sort_p.bind(*batches, dimension=shift(dimension, dim), **params)
    return outs, [dim] * len(outs)


@defbatch(top_k_p)
def _(
    batch: BatchAxis, operands: Operands, dims: Dims, *, k: int, axis: int
) -> tuple[list[Any], list[int]]:
    (x,), (dim,) = operands, dims
    assert dim is not None
    return top_k_p.bind(x, k=k, axis=shift(axis, dim)), [dim, dim]


@defbatch(approx_top_k_p)
def _(
    batch: BatchAxis, operands: Operands, dims: Dims, *, reduction_dimension: int, **params: Any
) -> tuple[list[Any], list[int]]:
    (x,), (dim,) = operands, dims
    assert dim is not None
    if not params["aggregate_to_topk"] and typeof(x).ndim == 2:
        # Bins are counted otherwise where there is but one axis: take as many as a row has.
        row = ShapedArray((typeof(x).shape[1 - dim],), typeof(x).dtype)
        kept, _ = approx_top_k_p.abstract(row, reduction_dimension=0, **params)
        params |= {"k": kept.shape[0], "aggregate_to_topk": True}
    axis = shift(reduction_dimension, dim)
    return approx_top_k_p.bind(x, reduction_dimension=axis, **params), [dim, dim]


@defbatch(order_statistics_p)
def _(batch: BatchAxis, operands: Operands, dims: Dims) -> tuple[list[Any], list[int]]:
    # The rows' axes come first in both, so a batch is one more of them.
    in_front = [at_axis(x, dim, batch.size, 0) for x, dim in zip(operands, dims, strict=True)]
    return order_statistics_p.bind(*in_front), [0, 0]

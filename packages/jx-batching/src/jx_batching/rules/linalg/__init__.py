"""Batching of matrix decompositions and solvers, which take any leading axes: a batch is one more.

A triangular system whose matrix all rows share is one system with more right-hand sides.
"""

from __future__ import annotations

from typing import Any

from jx_core import Primitive, typeof
from jx_core.lax import linalg, reshape, transpose

from ...axes import at_axis
from ...tables import BatchAxis, defbatch
from ..alignment import Dims, Operands


def _leading(primitive: Primitive) -> None:
    @defbatch(primitive)
    def _(batch: BatchAxis, operands: Operands, dims: Dims, **params: Any) -> tuple[Any, Any]:
        batches = [at_axis(x, d, batch.size) for x, d in zip(operands, dims, strict=True)]
        out = primitive.bind(*batches, **params)
        return (out, [0] * len(out)) if primitive.multiple_results else (out, 0)


for _primitive in vars(linalg).values():
    if isinstance(_primitive, Primitive):
        _leading(_primitive)


@defbatch(linalg.triangular_solve_p)
def _(
    batch: BatchAxis, operands: Operands, dims: Dims, *, left_side: bool, **params: Any
) -> tuple[Any, int]:
    (a, b), (a_dim, b_dim) = operands, dims
    if a_dim is not None or b_dim is None or typeof(a).ndim > 2:
        a, b = at_axis(a, a_dim, batch.size), at_axis(b, b_dim, batch.size)
        return linalg.triangular_solve_p.bind(a, b, left_side=left_side, **params), 0
    m, size = typeof(a).shape[0], batch.size
    b = at_axis(b, b_dim, size)  # [size, m, n], or [size, n, m]
    n = typeof(b).shape[2 if left_side else 1]
    if left_side:
        wide = reshape(transpose(b, (1, 0, 2)), (m, size * n))
        x = linalg.triangular_solve_p.bind(a, wide, left_side=True, **params)
        return transpose(reshape(x, (m, size, n)), (1, 0, 2)), 0
    tall = reshape(b, (size * n, m))
    x = linalg.triangular_solve_p.bind(a, tall, left_side=False, **params)
    return reshape(x, (size, n, m)), 0

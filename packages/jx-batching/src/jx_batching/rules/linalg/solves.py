"""Batching of solvers: where all rows share the matrix, a batch is more right-hand sides."""

from __future__ import annotations

from typing import Any

from jx_core import Primitive, typeof
from jx_core.lax import linalg

from ...axes import at_axis, merge_axes, split_axis
from ...tables import BatchAxis, defbatch
from ..alignment import Dims, Operands


def _solve(
    primitive: Primitive,
    batch: BatchAxis,
    operands: Operands,
    dims: Dims,
    from_the_end: int,
    params: dict[str, Any],
) -> tuple[Any, int]:
    """The rule of a solver whose last operand holds the right-hand sides.

    Args:
        primitive: the solver.
        batch, operands, dims: as for any rule.
        from_the_end: 1 where right-hand sides are columns, 2 where they are rows.
        params: of the primitive.
    """
    *matrix, b = operands
    *matrix_dims, b_dim = dims
    if any(d is not None for d in matrix_dims):
        batches = [at_axis(x, d, batch.size) for x, d in zip(operands, dims, strict=True)]
        return primitive.bind(*batches, **params), 0
    place = typeof(b).ndim - 1 - from_the_end
    b = at_axis(b, b_dim, batch.size, place)
    sizes = typeof(b).shape[place : place + 2]
    out = primitive.bind(*matrix, merge_axes(b, place, 2), **params)
    return split_axis(out, place, sizes), place


@defbatch(linalg.triangular_solve_p)
def _(batch: BatchAxis, operands: Operands, dims: Dims, **params: Any) -> tuple[Any, int]:
    from_the_end = 1 if params["left_side"] else 2
    return _solve(linalg.triangular_solve_p, batch, operands, dims, from_the_end, params)


@defbatch(linalg.tridiagonal_solve_p)
def _(batch: BatchAxis, operands: Operands, dims: Dims, **params: Any) -> tuple[Any, int]:
    return _solve(linalg.tridiagonal_solve_p, batch, operands, dims, 1, params)

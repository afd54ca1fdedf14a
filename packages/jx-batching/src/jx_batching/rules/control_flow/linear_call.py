"""Batching calls that hold two programs for the same operands: both are batched alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ClosedJaxpr
from jx_core.ops.control_flow.linear_call import linear_call_p, remat_opt_p

from ...axes import at_axis
from ...programs import batch_jaxpr
from ...tables import BatchAxis, defbatch


@defbatch(linear_call_p)
def _linear_call(
    batch: BatchAxis,
    operands: Sequence[Any],
    dims: Sequence[int | None],
    *,
    jaxpr: ClosedJaxpr,
    transpose: ClosedJaxpr,
    num_res: int,
) -> tuple[list[Any], list[int]]:
    """What is linear is batched throughout, so that the two stay each other's transposes."""
    moving = zip(operands[num_res:], dims[num_res:], strict=True)
    linear = [at_axis(x, d, batch.size) for x, d in moving]
    res_dims = list(dims[:num_res])
    forth, _ = batch_jaxpr(jaxpr, batch, [*res_dims, *[0] * len(linear)], True)
    back, _ = batch_jaxpr(transpose, batch, [*res_dims, *[0] * len(jaxpr.out_avals)], True)
    outs = linear_call_p.bind(
        *operands[:num_res], *linear, jaxpr=forth, transpose=back, num_res=num_res
    )
    return outs, [0] * len(outs)


@defbatch(remat_opt_p)
def _remat_opt(
    batch: BatchAxis,
    operands: Sequence[Any],
    dims: Sequence[int | None],
    *,
    jaxpr: ClosedJaxpr,
    fun: ClosedJaxpr,
    name: str,
) -> tuple[list[Any], list[int]]:
    rule, _ = batch_jaxpr(jaxpr, batch, dims, True)
    alone, _ = batch_jaxpr(fun, batch, dims, True)
    outs = remat_opt_p.bind(*operands, jaxpr=rule, fun=alone, name=name)
    return outs, [0] * len(outs)

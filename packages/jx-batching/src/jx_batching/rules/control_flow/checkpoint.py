"""Batching checkpointed calls: the same call of the batched program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ClosedJaxpr
from jx_core.ops.control_flow.checkpoint import checkpoint_p, name_p

from ...programs import Dims, batch_jaxpr
from ...tables import BatchAxis, defbatch
from ..alignment import define_elementwise

define_elementwise(name_p)


@defbatch(checkpoint_p)
def _(
    batch: BatchAxis,
    operands: Sequence[Any],
    dims: Sequence[int | None],
    *,
    jaxpr: ClosedJaxpr,
    **params: Any,
) -> tuple[list[Any], Dims]:
    batched, out_dims = batch_jaxpr(jaxpr, batch, dims)
    return checkpoint_p.bind(*operands, jaxpr=batched, **params), out_dims

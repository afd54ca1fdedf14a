"""Batching a staged call: a staged call of the batched program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ClosedJaxpr
from jx_core.ops.control_flow.jit import jit_p

from ...programs import Dims, batch_jaxpr
from ...tables import BatchAxis, defbatch


@defbatch(jit_p)
def _(
    batch: BatchAxis,
    operands: Sequence[Any],
    dims: Sequence[int | None],
    *,
    jaxpr: ClosedJaxpr,
    in_shardings: Any,
    out_shardings: Any,
    **params: Any,
) -> tuple[list[Any], Dims]:
    batched, out_dims = batch_jaxpr(jaxpr, batch, dims)
    outs = jit_p.bind(
        *operands,
        jaxpr=batched,
        in_shardings=_with_batch_axis(in_shardings, dims, batch),
        out_shardings=_with_batch_axis(out_shardings, out_dims, batch),
        **params,
    )
    return outs, out_dims


def _with_batch_axis(shardings: Any, dims: Sequence[int | None], batch: BatchAxis) -> Any:
    """The shardings of rows as shardings of batches, laid along the mesh axis if one is named."""
    if shardings is None:
        return None
    return tuple(
        s if s is None or d is None else s.insert_axis(d, batch.spmd_name)
        for s, d in zip(shardings, dims, strict=True)
    )

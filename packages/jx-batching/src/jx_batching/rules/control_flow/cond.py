"""Batching of conditionals.

Where all rows take the same branch, the branches are batched. Where each row has its
own predicate, every branch runs on the whole batch and results are selected by row.
"""

from __future__ import annotations

from typing import Any

from jx_core import ClosedJaxpr, lax, typeof
from jx_core.effects import unrepeatable
from jx_core.ops.control_flow.cond import cond_p
from jx_core.ops.control_flow.jit import call_jaxpr

from ...programs import batch_jaxpr
from ...tables import BatchAxis, defbatch


@defbatch(cond_p)
def _cond(
    batch: BatchAxis, operands: list[Any], dims: list[int | None], *, branches: Any
) -> tuple[list[Any], list[int | None]]:
    index, *args = operands
    index_dim, *arg_dims = dims
    if index_dim is None:
        return _same_branch(batch, index, args, arg_dims, branches)
    if any(unrepeatable(branch.effects) for branch in branches):
        raise NotImplementedError(
            "IO effect not supported in vmap-of-cond: where each row has its own predicate, every "
            "branch runs on all rows; jx.lax.map takes one row after another"
        )
    results = []
    for branch in branches:
        mapped, _ = batch_jaxpr(branch, batch, arg_dims, instantiate=True)
        results.append(call_jaxpr(mapped, args, branch.jaxpr.debug_name or "branch"))
    which = lax.clamp(0, index, len(branches) - 1)
    chosen = [_select(which, list(cases)) for cases in zip(*results, strict=True)]
    return chosen, [0] * len(chosen)


def _same_branch(
    batch: BatchAxis, index: Any, args: list[Any], dims: list[int | None], branches: Any
) -> tuple[list[Any], list[int | None]]:
    placed = [batch_jaxpr(b, batch, dims)[1] for b in branches]
    want = tuple(any(d is not None for d in column) for column in zip(*placed, strict=True))
    mapped: tuple[ClosedJaxpr, ...] = tuple(
        batch_jaxpr(b, batch, dims, instantiate=want)[0] for b in branches
    )
    outs = cond_p.bind(index, *args, branches=mapped)
    return outs, [0 if on else None for on in want]


def _select(which: Any, cases: list[Any]) -> Any:
    """Row by row, the case that `which` names."""
    shape = typeof(cases[0]).shape
    if len(cases) == 2:
        which = lax.ne(which, 0)
    if len(shape) > 1:
        which = lax.broadcast_in_dim(which, shape, (0,))
    return lax.select_n(which, *cases)

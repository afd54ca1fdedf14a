"""Batching of conditionals.

Where all rows take the same branch, the branches are batched. Where each row has its
own predicate, every branch runs on the whole batch and results are selected by row.
"""

from __future__ import annotations

from typing import Any

from jx_core import ClosedJaxpr, lax, typeof
from jx_core.ops.control_flow.cond import cond_p
from jx_core.ops.control_flow.jit import call_jaxpr
from jx_core.ops.control_flow.platform_dependent import platform_dependent_p

from ...programs import batch_jaxpr
from ...tables import BatchAxis, defbatch


@defbatch(cond_p)
def _cond(
    batch: BatchAxis, operands: list[Any], dims: list[int | None], *, branches: Any
) -> tuple[list[Any], list[int | None]]:
    index, *args = operands
    index_dim, *arg_dims = dims
    if index_dim is None:
        mapped, out_dims = _branches(batch, arg_dims, branches)
        return cond_p.bind(*operands, branches=mapped), out_dims
    results = []
    for branch in branches:
        mapped, _ = batch_jaxpr(branch, batch, arg_dims, instantiate=True)
        results.append(call_jaxpr(mapped, args, branch.jaxpr.debug_name or "branch"))
    which = lax.clamp(0, index, len(branches) - 1)
    chosen = [_select(which, list(cases)) for cases in zip(*results, strict=True)]
    return chosen, [0] * len(chosen)


@defbatch(platform_dependent_p)
def _platform_dependent(
    batch: BatchAxis, operands: list[Any], dims: list[int | None], *, branches: Any, platforms: Any
) -> tuple[list[Any], list[int | None]]:
    mapped, out_dims = _branches(batch, dims, branches)
    return platform_dependent_p.bind(*operands, branches=mapped, platforms=platforms), out_dims


def _branches(
    batch: BatchAxis, dims: list[int | None], branches: tuple[ClosedJaxpr, ...]
) -> tuple[tuple[ClosedJaxpr, ...], list[int | None]]:
    """The branches batched, with results at the same places, and these."""
    placed = [batch_jaxpr(b, batch, dims)[1] for b in branches]
    want = tuple(any(d is not None for d in column) for column in zip(*placed, strict=True))
    mapped = tuple(batch_jaxpr(b, batch, dims, instantiate=want)[0] for b in branches)
    return mapped, [0 if on else None for on in want]


def _select(which: Any, cases: list[Any]) -> Any:
    """Row by row, the case that `which` names."""
    shape = typeof(cases[0]).shape
    if len(cases) == 2:
        which = lax.ne(which, 0)
    if len(shape) > 1:
        which = lax.broadcast_in_dim(which, shape, (0,))
    return lax.select_n(which, *cases)

"""Batching of `while_loop`: one loop over the whole batch.

The carries that become batched are found by a fixed point. Rows that stop at different steps
keep their values until the last one has stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ClosedJaxpr, eval_jaxpr, lax, typeof
from jx_core.ops.control_flow.while_loop import while_p
from jx_core.staging import trace_to_jaxpr

from ...programs import batch_aval, batch_jaxpr
from ...tables import BatchAxis, defbatch
from .scan import front, zero_if

Dims = Sequence[int | None]


@defbatch(while_p)
def _while(
    batch: BatchAxis, operands: list[Any], dims: list[int | None], **params: Any
) -> tuple[list[Any], list[int | None]]:
    n_cond, n_body = params["cond_nconsts"], params["body_nconsts"]
    n = n_cond + n_body
    test: ClosedJaxpr = params["cond_jaxpr"]
    body: ClosedJaxpr = params["body_jaxpr"]
    cond_dims, body_dims = dims[:n_cond], dims[n_cond:n]
    batched = [d is not None for d in dims[n:]]
    while True:
        _, placed = batch_jaxpr(body, batch, [*body_dims, *zero_if(batched)])
        wider = [p or d is not None for p, d in zip(batched, placed, strict=True)]
        _, (stops,) = batch_jaxpr(test, batch, [*cond_dims, *zero_if(wider)])
        if stops is not None:  # rows stop at different steps: every carry differs by row
            wider = [True] * len(wider)
        if wider == batched:
            break
        batched = wider
    carry_dims = zero_if(batched)
    mapped, _ = batch_jaxpr(body, batch, [*body_dims, *carry_dims], batched)
    carry = front(operands[n:], dims[n:], batch, batched)
    if stops is None:
        shared, _ = batch_jaxpr(test, batch, [*cond_dims, *carry_dims])
        outs = while_p.bind(
            *operands[:n], *carry, **{**params, "cond_jaxpr": shared, "body_jaxpr": mapped}
        )
        return outs, carry_dims
    key = ("batch while", batch, test, tuple(dims), n_cond, n_body)
    if key not in body.derived:
        body.derived[key] = _row_by_row(batch, test, body, mapped, cond_dims, body_dims)
    any_test, masked = body.derived[key]
    outs = while_p.bind(
        *operands[:n_cond], *operands[:n], *carry,
        cond_jaxpr=any_test,
        body_jaxpr=masked,
        cond_nconsts=n_cond,
        body_nconsts=n,
    )  # fmt: skip
    return outs, carry_dims


def _row_by_row(
    batch: BatchAxis,
    test: ClosedJaxpr,
    body: ClosedJaxpr,
    mapped: ClosedJaxpr,
    cond_dims: Dims,
    body_dims: Dims,
) -> tuple[ClosedJaxpr, ClosedJaxpr]:
    """The condition that any row goes on, and the body that only those rows take."""
    n_cond, n_body = len(cond_dims), len(body_dims)
    each, _ = batch_jaxpr(test, batch, [*cond_dims, *[0] * len(body.out_avals)], True)

    def going(*args: Any) -> Any:
        return eval_jaxpr(each.jaxpr, each.consts, *args)[0]

    def any_goes(*args: Any) -> list[Any]:
        return [lax.reduce_or_p.bind(going(*args), axes=(0,))]

    def step(*args: Any) -> list[Any]:
        carry = args[n_cond + n_body :]
        go = going(*args[:n_cond], *carry)
        moved = eval_jaxpr(mapped.jaxpr, mapped.consts, *args[n_cond:])
        return [_where(go, new, old) for new, old in zip(moved, carry, strict=True)]

    carry_avals = [batch_aval(a, 0, batch.size) for a in body.out_avals]
    body_avals = mapped.in_avals[:n_body]
    cond_avals = each.in_avals[:n_cond]
    any_test = ClosedJaxpr(*trace_to_jaxpr(any_goes, [*cond_avals, *carry_avals], "any_row"))
    masked = ClosedJaxpr(*trace_to_jaxpr(step, [*cond_avals, *body_avals, *carry_avals], "rows"))
    return any_test, masked


def _where(go: Any, new: Any, old: Any) -> Any:
    shape = typeof(new).shape
    if len(shape) > 1:
        go = lax.broadcast_in_dim(go, shape, (0,))
    return lax.select_n(go, old, new)

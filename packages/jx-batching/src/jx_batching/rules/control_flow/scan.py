"""Batching of `scan`: one loop over the whole batch.

The carries that become batched are found by a fixed point.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import lax, typeof
from jx_core.ops.control_flow.scan import scan_p

from ...axes import at_axis
from ...programs import batch_jaxpr
from ...tables import BatchAxis, defbatch

Dims = Sequence[int | None]


def front(operands: Sequence[Any], dims: Dims, axis: BatchAxis, want: Sequence[bool]) -> list[Any]:
    """The operands that are wanted batched, with the batch in front."""
    return [
        at_axis(x, d, axis.size) if on else x
        for x, d, on in zip(operands, dims, want, strict=True)
    ]


def zero_if(flags: Sequence[bool]) -> list[int | None]:
    return [0 if on else None for on in flags]


@defbatch(scan_p)
def _scan(
    batch: BatchAxis, operands: list[Any], dims: list[int | None], **params: Any
) -> tuple[list[Any], list[int | None]]:
    a = params["num_consts"]
    b = a + params["num_carry"]
    n = params["num_carry"]
    consts, carry, xs = operands[:a], operands[a:b], operands[b:]
    batched = [d is not None for d in dims[a:b]]
    x_dims = dims[b:]
    rows: list[int | None] = [None if d is None else 0 for d in x_dims]
    while True:
        _, placed = batch_jaxpr(params["jaxpr"], batch, [*dims[:a], *zero_if(batched), *rows])
        wider = [p or d is not None for p, d in zip(batched, placed[:n], strict=True)]
        if wider == batched:
            break
        batched = wider
    y_batched = [d is not None for d in placed[n:]]
    body, _ = batch_jaxpr(
        params["jaxpr"], batch, [*dims[:a], *zero_if(batched), *rows], [*batched, *y_batched]
    )
    outs = scan_p.bind(
        *consts,
        *front(carry, dims[a:b], batch, batched),
        *[x if d is None else _second(x, d) for x, d in zip(xs, x_dims, strict=True)],
        **{**params, "jaxpr": body},
    )
    return outs, [*zero_if(batched), *(1 if on else None for on in y_batched)]


def _second(x: Any, dim: int) -> Any:
    """`x` with its batch axis moved behind the axis that the loop runs over."""
    order = [i for i in range(typeof(x).ndim) if i != dim]
    order.insert(1, dim)
    return lax.transpose(x, order)

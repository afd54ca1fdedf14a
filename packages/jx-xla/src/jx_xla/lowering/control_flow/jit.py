"""Lowering of the staged call: a call of a function shared by all calls of one program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ClosedJaxpr, ShapedArray
from jx_core.ops.control_flow.jit import jit_p

from ..builder import Block, Value
from ..program import call_shared, constants, lower_jaxpr
from ..sharding import constrain
from ..tables import Context, deflower


@deflower(jit_p)
def _call(
    ctx: Context,
    *operands: Value,
    jaxpr: ClosedJaxpr,
    name: str,
    inline: bool,
    in_shardings: Any,
    out_shardings: Any,
    **params: Any,
) -> list[Value]:
    operands = _laid_out(ctx.block, operands, ctx.in_avals, in_shardings)
    if inline:
        consts = constants(ctx.block, jaxpr.consts)
        results = lower_jaxpr(ctx.block, jaxpr.jaxpr, consts, operands)
    else:
        results = call_shared(ctx.block, jaxpr, name, operands)
    return list(_laid_out(ctx.block, results, ctx.out_avals, out_shardings))


def _laid_out(
    block: Block, values: Sequence[Value], avals: Sequence[ShapedArray], shardings: Any
) -> tuple[Value, ...]:
    """Values with a constraint on each that a sharding is given for."""
    if shardings is None:
        return tuple(values)
    facts = zip(values, avals, shardings, strict=True)
    return tuple([x if s is None else constrain(block, x, aval, s) for x, aval, s in facts])

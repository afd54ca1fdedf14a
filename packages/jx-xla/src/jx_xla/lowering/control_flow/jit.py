"""Lowering of the staged call: a call of a function shared by all calls of one program."""

from __future__ import annotations

from typing import Any

from jx_core import ClosedJaxpr
from jx_core.ops.control_flow.jit import jit_p

from ..builder import Value
from ..program import call_shared, constants, lower_jaxpr
from ..tables import Context, deflower


@deflower(jit_p)
def _call(
    ctx: Context, *operands: Value, jaxpr: ClosedJaxpr, name: str, inline: bool, **params: Any
) -> list[Value]:
    if inline:
        consts = constants(ctx.block, jaxpr.consts)
        return lower_jaxpr(ctx.block, jaxpr.jaxpr, consts, operands)
    return call_shared(ctx.block, jaxpr, name, operands)

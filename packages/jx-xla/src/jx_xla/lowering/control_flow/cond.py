"""Lowering of conditionals: `stablehlo.case`."""

from __future__ import annotations

from jx_core import ClosedJaxpr
from jx_core.ops.control_flow.cond import cond_p

from .. import tokens
from ..builder import Value
from ..program import constants, lower_jaxpr
from ..tables import Context, deflower
from ..types import type_of


@deflower(cond_p)
def _case(
    ctx: Context, index: Value, *operands: Value, branches: tuple[ClosedJaxpr, ...]
) -> list[Value]:
    kinds = [type_of(a) for a in ctx.out_avals]
    ordered = any(tokens.ordered(branch.effects) for branch in branches)
    if ordered:
        kinds = [tokens.TOKEN, *kinds]
    regions = []
    for branch in branches:
        inner = ctx.block.inner()
        results = lower_jaxpr(inner, branch.jaxpr, constants(inner, branch.consts), operands)
        regions.append(inner.region((), [inner.token, *results] if ordered else results, kinds))
    text = f" ({', '.join(regions)})"
    outs = ctx.block.ops("stablehlo.case", [index], ["tensor<i32>"], kinds, regions=text)
    if ordered:
        ctx.block.token, *outs = outs
    return outs

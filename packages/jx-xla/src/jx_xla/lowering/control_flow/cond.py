"""Lowering of conditionals: `stablehlo.case`."""

from __future__ import annotations

from jx_core import ClosedJaxpr
from jx_core.ops.control_flow.cond import cond_p

from ..builder import Value
from ..program import constants, lower_jaxpr
from ..tables import Context, deflower
from ..types import type_of


@deflower(cond_p)
def _case(
    ctx: Context, index: Value, *operands: Value, branches: tuple[ClosedJaxpr, ...]
) -> list[Value]:
    kinds = [type_of(a) for a in ctx.out_avals]
    regions = []
    for branch in branches:
        inner = ctx.block.inner()
        results = lower_jaxpr(inner, branch.jaxpr, constants(inner, branch.consts), operands)
        regions.append(inner.region((), results, kinds))
    text = f" ({', '.join(regions)})"
    return ctx.block.ops("stablehlo.case", [index], ["tensor<i32>"], kinds, regions=text)

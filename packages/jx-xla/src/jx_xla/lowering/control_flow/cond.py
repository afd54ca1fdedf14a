"""Lowering of conditionals: `stablehlo.case`, and of the choice of a platform, made here."""

from __future__ import annotations

from typing import Any

from jx_core import ClosedJaxpr
from jx_core.ops.control_flow.cond import cond_p
from jx_core.ops.control_flow.platform_dependent import branch_for, platform_dependent_p

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


@deflower(platform_dependent_p)
def _choice(
    ctx: Context, *operands: Value, branches: tuple[ClosedJaxpr, ...], platforms: Any
) -> list[Value]:
    """The branch for the platform; the others may not even be possible to lower for it."""
    branch = branch_for(branches, platforms, ctx.module.platform)
    return lower_jaxpr(ctx.block, branch.jaxpr, constants(ctx.block, branch.consts), operands)

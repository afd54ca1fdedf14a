"""Lowering of checkpointed calls: the program in place, behind a barrier where it must be.

Without the barrier, XLA would find that a value is computed twice and keep the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ClosedJaxpr
from jx_core.ops.control_flow.checkpoint import checkpoint_p, name_p

from ..builder import Value
from ..program import constants, lower_jaxpr
from ..tables import Context, deflower
from ..types import type_of


@deflower(checkpoint_p)
def _checkpoint(
    ctx: Context, *operands: Value, jaxpr: ClosedJaxpr, prevent_cse: bool, differentiated: bool,
    policy: Any,
) -> list[Value]:  # fmt: skip
    values: Sequence[Value] = operands
    if prevent_cse and differentiated and operands:
        kinds = [type_of(a) for a in ctx.in_avals]
        values = ctx.block.ops("stablehlo.optimization_barrier", operands, kinds, kinds)
    return lower_jaxpr(ctx.block, jaxpr.jaxpr, constants(ctx.block, jaxpr.consts), values)


@deflower(name_p)
def _name(ctx: Context, x: Value, *, name: str) -> Value:
    return x

"""Lowering of `while_loop`: `stablehlo.while`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jx_core import ClosedJaxpr, ShapedArray
from jx_core.ops.control_flow.while_loop import while_p

from ..builder import Block, Value
from ..program import constants, lower_jaxpr
from ..tables import Context, deflower
from ..types import type_of


def loop(
    block: Block,
    avals: Sequence[ShapedArray],
    init: Sequence[Value],
    test: Callable[[Block, list[Value]], Value],
    body: Callable[[Block, list[Value]], list[Value]],
) -> list[Value]:
    """A `while` over values of types `avals`."""
    kinds = [type_of(a) for a in avals]
    regions = []
    for is_test in (True, False):
        inner = block.inner()
        names = [inner.fresh().replace("%", "%it") for _ in avals]
        arguments = list(zip(names, kinds, strict=True))
        if is_test:
            regions.append(inner.region(arguments, [test(inner, names)], ["tensor<i1>"]))
        else:
            regions.append(inner.region(arguments, body(inner, names), kinds))
    return block.ops("stablehlo.while", init, kinds, kinds, regions=f" ({', '.join(regions)})")


@deflower(while_p)
def _while(
    ctx: Context,
    *operands: Value,
    cond_jaxpr: ClosedJaxpr,
    body_jaxpr: ClosedJaxpr,
    cond_nconsts: int,
    body_nconsts: int,
) -> list[Value]:
    n = cond_nconsts + body_nconsts
    cond_consts, body_consts = operands[:cond_nconsts], operands[cond_nconsts:n]

    def test(block: Block, carry: list[Value]) -> Value:
        consts = constants(block, cond_jaxpr.consts)
        return lower_jaxpr(block, cond_jaxpr.jaxpr, consts, [*cond_consts, *carry])[0]

    def body(block: Block, carry: list[Value]) -> list[Value]:
        consts = constants(block, body_jaxpr.consts)
        return lower_jaxpr(block, body_jaxpr.jaxpr, consts, [*body_consts, *carry])

    return loop(ctx.block, ctx.in_avals[n:], operands[n:], test, body)

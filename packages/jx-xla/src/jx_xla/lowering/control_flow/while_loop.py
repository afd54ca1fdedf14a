"""Lowering of `while_loop`: `stablehlo.while`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from jx_core import ClosedJaxpr, ShapedArray
from jx_core.ops.control_flow.while_loop import while_p

from .. import tokens
from ..builder import Block, Value
from ..program import constants, lower_jaxpr
from ..tables import Context, deflower
from ..types import type_of

_GOES = ShapedArray((), np.dtype(bool))


def loop(
    block: Block,
    avals: Sequence[ShapedArray],
    init: Sequence[Value],
    test: Callable[[Block, list[Value]], Value],
    body: Callable[[Block, list[Value]], list[Value]],
    ordered: bool = False,
) -> list[Value]:
    """A `while` over values of types `avals`, and the token if its body has ordered effects."""
    kinds = [type_of(a) for a in avals]
    if ordered:
        kinds, init = [*kinds, tokens.TOKEN], [*init, block.token]
    n = len(avals)
    regions = []
    for is_test in (True, False):
        inner = block.inner()
        names = [inner.fresh().replace("%", "%it") for _ in kinds]
        arguments = list(zip(names, kinds, strict=True))
        if ordered:
            inner.token = names[n]
        if is_test:
            regions.append(inner.region(arguments, [test(inner, names[:n])], ["tensor<i1>"]))
        else:
            results = body(inner, names[:n])
            results = [*results, inner.token] if ordered else results
            regions.append(inner.region(arguments, results, kinds))
    outs = block.ops("stablehlo.while", init, kinds, kinds, regions=f" ({', '.join(regions)})")
    if ordered:
        block.token = outs.pop()
    return outs


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

    avals, carry = ctx.in_avals[n:], operands[n:]
    if not tokens.ordered(cond_jaxpr.effects):
        return loop(ctx.block, avals, carry, test, body, tokens.ordered(body_jaxpr.effects))

    # A condition can't give a token: it is looked at before the loop and at the end of the body.
    def goes(block: Block, values: list[Value]) -> Value:
        return values[0]

    def body_and_test(block: Block, values: list[Value]) -> list[Value]:
        values = body(block, values[1:])
        return [test(block, values), *values]

    first = test(ctx.block, list(carry))
    outs = loop(ctx.block, [_GOES, *avals], [first, *carry], goes, body_and_test, ordered=True)
    return outs[1:]

"""Differentiation of calls that come with their transposes."""

from __future__ import annotations

from typing import Any

from jx_core.ops.control_flow.linear_call import linear_call_p

from ...forward import jvp_flat
from ...programs import eval_closed
from ...tables import add_tangents, deftranspose, instantiate, jvp_rules
from ...tangents import Linear, Zero


def _jvp(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    """Linear in the one kind of operands; in the residuals, through the function itself."""
    n = params["num_res"]
    outs = linear_call_p.bind(*primals, **params)
    moved: list[Any] = [None] * len(outs)
    if any(t is not None for t in tangents[n:]):
        linear = [instantiate(t, p) for t, p in zip(tangents[n:], primals[n:], strict=True)]
        moved = linear_call_p.bind(*primals[:n], *linear, **params)
    if any(t is not None for t in tangents[:n]):
        _, more = jvp_flat(
            lambda *res: eval_closed(params["jaxpr"], [*res, *primals[n:]]),
            primals[:n],
            tangents[:n],
        )
        moved = [add_tangents(a, b) for a, b in zip(moved, more, strict=True)]
    return outs, moved


jvp_rules.define(linear_call_p)(_jvp)


@deftranspose(linear_call_p)
def _transpose(
    cts: list[Any], *operands: Any, jaxpr: Any, transpose: Any, num_res: int
) -> list[Any]:
    residuals, linear = operands[:num_res], operands[num_res:]
    if any(type(x) is Linear for x in residuals):
        raise TypeError(
            "linear_call: transposed with respect to residual_args, in which its function need not "
            "be linear; only linear_args can be"
        )
    full = [ct.instantiate() if type(ct) is Zero else ct for ct in cts]
    results = linear_call_p.bind(
        *residuals, *full, jaxpr=transpose, transpose=jaxpr, num_res=num_res
    )
    return [None] * num_res + [
        r if type(x) is Linear else None for x, r in zip(linear, results, strict=True)
    ]

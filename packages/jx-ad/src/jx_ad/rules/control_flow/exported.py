"""Differentiation of calls of exported functions: in reverse, by the program exported with them."""

from __future__ import annotations

from typing import Any

from jx_core import typeof
from jx_core.ops.control_flow.custom import custom_lin_p
from jx_core.ops.control_flow.exported import call_exported_p

from ...programs import active_mask
from ...tables import jvp_rules
from ...tangents import is_differentiable


def _call(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    """The call itself, and the exported derivative noted as the transpose of a linear map."""
    active = active_mask(tangents)
    if not any(active):
        outs = call_exported_p.bind(*primals, **params)
        return outs, [None] * len(outs)
    rules = params["exported"].derivative()
    outs = call_exported_p.bind(*primals, **params)
    avals = [typeof(o) for o in outs]
    moved = custom_lin_p.bind(
        *primals,
        *[t for t in tangents if t is not None],
        rules=rules,
        active=active,
        num_res=len(primals),
        out_avals=tuple([a for a in avals if is_differentiable(a)]),
    )
    following = iter(moved)
    return outs, [next(following) if is_differentiable(a) else None for a in avals]


jvp_rules.define(call_exported_p)(_call)

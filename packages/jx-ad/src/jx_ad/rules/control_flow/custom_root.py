"""Differentiation of `custom_root`, by the implicit function theorem."""

from __future__ import annotations

from typing import Any

from jx_core.lax import neg_p
from jx_core.ops.control_flow.custom_root import custom_root_p

from ...forward import jvp_flat
from ...programs import eval_closed
from ...tables import instantiate, jvp_rules, transpose_rules
from ...tangents import is_differentiable


def _jvp(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    """From `f(a, x) = 0`: `(df/dx) dx = -(df/da) da`."""
    n_consts = params["num_consts"]
    consts, n = primals[:n_consts], len(primals) - n_consts
    outs = custom_root_p.bind(*primals, **params)
    x = outs[:n]
    _, moved = jvp_flat(
        lambda *cs: eval_closed(params["f"], [*cs, *x]), consts, tangents[:n_consts]
    )
    if all(t is None for t in moved):
        return outs, [None] * len(outs)
    y = [instantiate(t, p) for t, p in zip(moved, x, strict=True)]
    if params["tangent_solve"] is None:
        raise TypeError("custom_root was traced before jx_ad was imported: import jx_ad first")
    solved = eval_closed(params["tangent_solve"], [*consts, *x, *y])
    dx = [neg_p.bind(t) for t in solved]
    flags = [is_differentiable(a) for a in params["f"].out_avals]
    kept = [t if on else None for t, on in zip(dx, flags, strict=True)]
    return outs, [*kept, *[None] * (len(outs) - n)]


jvp_rules.define(custom_root_p)(_jvp)
transpose_rules.explain("its derivative is made of linear systems", custom_root_p)

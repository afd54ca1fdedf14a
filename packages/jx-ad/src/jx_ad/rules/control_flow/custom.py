"""Differentiation of calls that carry their own rules."""

from __future__ import annotations

from typing import Any

from jx_core import typeof
from jx_core.ops.control_flow.custom import (
    custom_jvp_call_p,
    custom_lin_p,
    custom_vjp_call_p,
    flat_fwd,
    recorded,
)
from jx_core.ops.control_flow.linear_call import remat_opt_p
from jx_core.ops.control_flow.programs import Program, hoist
from jx_core.staging import trace_to_jaxpr
from jx_core.state import state

from ...forward import jvp_flat
from ...programs import active_mask, select, spread
from ...tables import add_tangents, deflinearize, deftranspose, jvp_rules
from ...tangents import Linear, Zero, is_differentiable, zeros


def _with_consts(
    outs: list[Any], moved: list[Any], primals: list[Any], tangents: list[Any], params: Any
) -> Any:
    """Add what values that the function closes over contribute, through the function itself."""
    n = params["num_consts"]
    if all(t is None for t in tangents[:n]):
        return outs, moved
    args = primals[n:]
    _, more = jvp_flat(
        lambda *consts: params["rules"].call(*consts, *args), primals[:n], tangents[:n]
    )
    return outs, [add_tangents(a, b) for a, b in zip(moved, more, strict=True)]


def _custom_jvp(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    n = params["num_consts"]
    active = tuple([t is not None for t in tangents[n:]])
    if not any(active):
        outs = custom_jvp_call_p.bind(*primals, **params)
        return _with_consts(outs, [None] * len(outs), primals, tangents, params)
    moving = [t for t in tangents[n:] if t is not None]
    outs, moved = params["rules"].jvp(active, primals[:n], primals[n:], moving)
    return _with_consts(outs, moved, primals, tangents, params)


jvp_rules.define(custom_jvp_call_p)(_custom_jvp)


@deflinearize(custom_jvp_call_p)
def _linearize_custom_jvp(
    primals: list[Any], tangents: list[Any], params: dict[str, Any]
) -> Any:
    """The rule run on the tape, which tells tangents from values, equation by equation.

    Where an equation may give both, the rule's program is linearised in the tangents: linear as
    it is in them, it is its own derivative, at zero as anywhere.
    """
    n, rules = params["num_consts"], params["rules"]
    active = active_mask(tangents[n:])
    if not any(active) or not rules.mixed(active):
        return _custom_jvp(primals, tangents, params)
    masks: list[Any] = []

    def rule(*moving: Any) -> list[Any]:
        outs, moved = rules.jvp(active, primals[:n], primals[n:], moving)
        masks.append(active_mask(moved))
        return [*outs, *select(moved, masks[-1])]

    at = [zeros(typeof(p)) for p in select(primals[n:], active)]
    results, derived = jvp_flat(rule, at, select(tangents[n:], active))
    n_outs = len(masks[-1])
    moved = spread(derived[n_outs:], masks[-1])
    return _with_consts(results[:n_outs], moved, primals, tangents, params)


def _custom_vjp(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    """Run the forward rule, and note the backward one as the transpose of a linear operation."""
    n, rules = params["num_consts"], params["rules"]
    active = tuple([t is not None for t in tangents[n:]])
    if not any(active):
        outs = custom_vjp_call_p.bind(*primals, **params)
        return _with_consts(outs, [None] * len(outs), primals, tangents, params)
    outs, residuals = _forward(rules, active, primals, n)
    extra = rules.written.num_results  # last values of Refs
    avals = [typeof(o) for o in outs[: len(outs) - extra]]
    moved = custom_lin_p.bind(
        *residuals,
        *[t for t in tangents[n:] if t is not None],
        rules=rules,
        active=active,
        num_res=len(residuals),
        out_avals=tuple([a for a in avals if is_differentiable(a)]),
    )
    following = iter(moved)
    spread = [next(following) if is_differentiable(a) else None for a in avals] + [None] * extra
    return _with_consts(outs, spread, primals, tangents, params)


def _forward(rules: Any, active: Any, primals: list[Any], n: int) -> tuple[list[Any], list[Any]]:
    """The forward rule, kept whole in programs if that is wanted."""
    if not (rules.optimize_remat and recorded(state.trace)):
        return rules.fwd(active, primals[:n], primals[n:])  # type: ignore[no-any-return]
    avals = [typeof(p) for p in primals]
    rule, counts = flat_fwd(rules, active, n)
    traced = [
        Program(*trace_to_jaxpr(flat, avals, rules.name), None, rules.name)
        for flat in (rule, rules.call)
    ]
    (fwd, fun), consts = hoist(traced)
    results = remat_opt_p.bind(*consts, *primals, jaxpr=fwd, fun=fun, name=rules.name)
    return results[: counts[0]], results[counts[0] :]


jvp_rules.define(custom_vjp_call_p)(_custom_vjp)
jvp_rules.explain(
    "the derivative of a custom_vjp function is linear, but known by its transpose only",
    custom_lin_p,
)


@deftranspose(custom_lin_p)
def _transpose(
    cts: list[Any], *operands: Any, rules: Any, active: Any, num_res: int, out_avals: Any
) -> list[Any]:
    residuals = operands[:num_res]
    given = [None if type(ct) is Zero else ct for ct in cts]
    results = rules.bwd(active, residuals, given)
    return [None] * num_res + [
        r if type(x) is Linear else None for x, r in zip(operands[num_res:], results, strict=True)
    ]

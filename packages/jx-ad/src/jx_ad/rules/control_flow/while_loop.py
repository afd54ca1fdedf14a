"""Differentiation of `while_loop`: forward mode only, the steps being unbounded."""

from __future__ import annotations

from typing import Any

from jx_core import ClosedJaxpr
from jx_core.ops.control_flow.while_loop import while_p
from jx_core.staging import trace_to_jaxpr

from ...programs import Mask, active_mask, eval_closed, jvp_jaxpr, select, spread
from ...tables import deflinearize, deftranspose, instantiate, jvp_rules


def _carry_mask(body: ClosedJaxpr, consts: Mask, carry: Mask) -> Mask:
    """Which carries have tangents: the least set that the body keeps."""
    while True:
        _, out = jvp_jaxpr(body, (*consts, *carry))
        wider = tuple(a or b for a, b in zip(carry, out, strict=True))
        if wider == carry:
            return carry
        carry = wider


def _jvp(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    """The loop that carries tangents along; its condition looks at the primals only."""
    n_cond, n_body = params["cond_nconsts"], params["body_nconsts"]
    n = n_cond + n_body
    body: ClosedJaxpr = params["body_jaxpr"]
    consts_mask = active_mask(tangents[n_cond:n])
    carry_mask = _carry_mask(body, consts_mask, active_mask(tangents[n:]))
    t_carry = [
        instantiate(t, p)
        for t, p, on in zip(tangents[n:], primals[n:], carry_mask, strict=True)
        if on
    ]
    t_consts = [t for t in tangents[n_cond:n] if t is not None]
    key = ("jvp while", params["cond_jaxpr"], n_cond, n_body, consts_mask, carry_mask)
    if key not in body.derived:
        body.derived[key] = _derived(params, consts_mask, carry_mask)
    test, step = body.derived[key]
    results = while_p.bind(
        *primals[:n], *t_consts, *primals[n:], *t_carry,
        cond_jaxpr=test,
        body_jaxpr=step,
        cond_nconsts=n_cond,
        body_nconsts=n_body + len(t_consts),
    )  # fmt: skip
    n_out = len(carry_mask)
    return results[:n_out], spread(results[n_out:], carry_mask)


def _derived(
    params: dict[str, Any], consts_mask: Mask, carry_mask: Mask
) -> tuple[ClosedJaxpr, ClosedJaxpr]:
    test, body = params["cond_jaxpr"], params["body_jaxpr"]
    n_body, n_cond = params["body_nconsts"], params["cond_nconsts"]
    pushed, _ = jvp_jaxpr(body, (*consts_mask, *carry_mask), carry_mask)
    carry_avals = body.out_avals
    t_carry = select(carry_avals, carry_mask)
    t_consts = select(body.in_avals[:n_body], consts_mask)
    n_carry, n_tc = len(carry_avals), len(t_consts)

    def test_flat(*args: Any) -> list[Any]:
        return eval_closed(test, args[: n_cond + n_carry])

    def step_flat(*args: Any) -> list[Any]:
        consts, tc = args[:n_body], args[n_body : n_body + n_tc]
        rest = args[n_body + n_tc :]
        return eval_closed(pushed, [*consts, *rest[:n_carry], *tc, *rest[n_carry:]])

    test_avals = [*test.in_avals, *t_carry]
    step_avals = [*body.in_avals[:n_body], *t_consts, *carry_avals, *t_carry]
    closed_test = ClosedJaxpr(*trace_to_jaxpr(test_flat, test_avals, test.jaxpr.debug_name))
    closed_step = ClosedJaxpr(*trace_to_jaxpr(step_flat, step_avals, body.jaxpr.debug_name))
    return closed_test, closed_step


jvp_rules.define(while_p)(_jvp)


@deflinearize(while_p)
def _linearize(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    """The loop itself, and the loop with tangents as the linear part, which runs it again:
    values of all its steps, of which there is no telling how many, would have to be kept."""
    outs = while_p.bind(*primals, **params)
    _, out_tangents = _jvp(primals, tangents, params)
    return outs, out_tangents


@deftranspose(while_p)
def _transpose(ct: list[Any], *operands: Any, **params: Any) -> list[Any]:
    raise ValueError(
        "Reverse-mode differentiation does not work for lax.while_loop or lax.fori_loop with "
        "dynamic start/stop values: the number of steps, and so what must be kept of them, is "
        "not known. Try using lax.scan, or using fori_loop with static start/stop."
    )

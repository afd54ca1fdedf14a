"""Differentiation of the staged call: calls of the derived programs.

Tangents lie on devices as their primals do, and cotangents as the values they belong to.
Residuals lie as the compiler likes. Buffers are not donated: derivatives need the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ClosedJaxpr
from jx_core.ops.control_flow.jit import DEFAULT_PARAMS, jit_p

from ...programs import (
    active_mask,
    jvp_jaxpr,
    linearize_jaxpr,
    select,
    spread,
    transpose_jaxpr,
)
from ...tables import deflinearize, deftranspose, jvp_rules
from ...tangents import Linear, Zero

Shardings = Sequence[Any]


def _call(
    jaxpr: ClosedJaxpr,
    operands: list[Any],
    params: dict[str, Any],
    ins: Shardings,
    outs: Shardings,
) -> list[Any]:
    """Call a derived program with the options of the call that it derives from."""
    kept = {field: params[field] for field in ("name", "inline", "compiler_options")}
    laid_out = {"in_shardings": _or_none(ins), "out_shardings": _or_none(outs)}
    return jit_p.bind(  # type: ignore[no-any-return]
        *operands, jaxpr=jaxpr, **{**DEFAULT_PARAMS, **kept, **laid_out}
    )


def _or_none(shardings: Shardings) -> tuple[Any, ...] | None:
    return None if all(s is None for s in shardings) else tuple(shardings)


def _shardings(params: dict[str, Any], jaxpr: ClosedJaxpr) -> tuple[Shardings, Shardings]:
    """The shardings of a call's operands and results, None where none is asked for."""
    ins, outs = params["in_shardings"], params["out_shardings"]
    return (
        (None,) * len(jaxpr.in_avals) if ins is None else ins,
        (None,) * len(jaxpr.out_avals) if outs is None else outs,
    )


def _jvp(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    active = active_mask(tangents)
    derived, active_out = jvp_jaxpr(params["jaxpr"], active)
    ins, outs = _shardings(params, params["jaxpr"])
    results = _call(
        derived,
        [*primals, *select(tangents, active)],
        params,
        [*ins, *select(ins, active)],
        [*outs, *select(outs, active_out)],
    )
    n = len(active_out)
    return results[:n], spread(results[n:], active_out)


jvp_rules.define(jit_p)(_jvp)


@deflinearize(jit_p)
def _linearize(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    active = active_mask(tangents)
    split = linearize_jaxpr(params["jaxpr"], active)
    ins, outs = _shardings(params, params["jaxpr"])
    n = len(split.active_out)
    extra = len(split.forward.out_avals) - n
    results = _call(split.forward, primals, params, ins, [*outs, *[None] * extra])
    if not any(split.active_out):
        return results[:n], [None] * n
    residuals = split.gather(primals, results)
    linear = _call(
        split.linear,
        [*residuals, *select(tangents, active)],
        params,
        [*[None] * len(residuals), *select(ins, active)],
        select(outs, split.active_out),
    )
    return results[:n], spread(linear, split.active_out)


@deftranspose(jit_p)
def _transpose(ct: list[Any], *operands: Any, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
    linear = tuple(type(x) is Linear for x in operands)
    active = tuple(type(c) is not Zero for c in ct)
    derived, gets = transpose_jaxpr(jaxpr, linear, active)
    ins, _ = _shardings(params, jaxpr)
    known = [x for x in operands if type(x) is not Linear]
    results = _call(
        derived,
        [*known, *select(ct, active)],
        params,
        [None] * (len(known) + sum(active)),
        select(select(ins, linear), gets),
    )
    return spread(spread(results, gets), linear)

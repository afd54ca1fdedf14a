"""Differentiation of the staged call: calls of the derived programs."""

from __future__ import annotations

from typing import Any

from jx_core import ClosedJaxpr
from jx_core.ops.control_flow.jit import DEFAULT_PARAMS, jit_p

from ...programs import active_mask, jvp_jaxpr, linearize_jaxpr, spread, transpose_jaxpr
from ...tables import deflinearize, deftranspose, jvp_rules
from ...tangents import Linear, Zero


def _call(jaxpr: ClosedJaxpr, operands: list[Any], name: str, inline: bool) -> list[Any]:
    params = {**DEFAULT_PARAMS, "inline": inline}
    return jit_p.bind(*operands, name=name, jaxpr=jaxpr, **params)  # type: ignore[no-any-return]


def _jvp(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    active = active_mask(tangents)
    derived, active_out = jvp_jaxpr(params["jaxpr"], active)
    moving = [t for t in tangents if t is not None]
    results = _call(derived, [*primals, *moving], params["name"], params["inline"])
    n = len(active_out)
    return results[:n], spread(results[n:], active_out)


jvp_rules.define(jit_p)(_jvp)


@deflinearize(jit_p)
def _linearize(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    split = linearize_jaxpr(params["jaxpr"], active_mask(tangents))
    n = len(split.active_out)
    results = _call(split.forward, primals, params["name"], params["inline"])
    moving = [t for t in tangents if t is not None]
    if not any(split.active_out):
        return results[:n], [None] * n
    residuals = split.gather(primals, results)
    linear = _call(split.linear, [*residuals, *moving], params["name"], params["inline"])
    return results[:n], spread(linear, split.active_out)


@deftranspose(jit_p)
def _transpose(ct: list[Any], *operands: Any, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
    linear = tuple(type(x) is Linear for x in operands)
    active = tuple(type(c) is not Zero for c in ct)
    derived, gets = transpose_jaxpr(jaxpr, linear, active)
    values = [x for x in operands if type(x) is not Linear]
    moving = [c for c in ct if type(c) is not Zero]
    results = _call(derived, [*values, *moving], params["name"], params["inline"])
    return spread(spread(results, gets), linear)

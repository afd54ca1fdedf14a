"""Calls that come with their transposes: the primitives of `linear_call` and of `optimize_remat`.

Both hold programs that are traced when the call is made. How they are differentiated is in
`jx_ad`, and so are the functions that make them.
"""

from __future__ import annotations

from ...jaxpr.ir import ClosedJaxpr, Eqn
from ...jaxpr.passes import define_pruning
from ...primitive import Primitive
from .jit import DEFAULT_PARAMS, call_effects, call_types, evaluate, inline, jit_p

# Operands: (residuals, linear operands). Params: jaxpr, of both, linear in the latter;
# transpose, of (residuals, cotangents of the results), gives those of the linear operands;
# num_res, how many residuals there are.
linear_call_p = Primitive(
    "linear_call",
    abstract=call_types,
    reference=evaluate,
    decompose=inline,
    effects=call_effects,
    multiple_results=True,
    higher_order=True,
)

# A forward rule of `custom_vjp`, kept whole. Params: jaxpr, of operands to results and then
# residuals; fun, the function itself, of the same operands to the results alone, which takes the
# rule's place where no residual is needed; name.
remat_opt_p = Primitive(
    "remat_opt",
    abstract=call_types,
    reference=evaluate,
    decompose=inline,
    effects=call_effects,
    multiple_results=True,
    higher_order=True,
)


@define_pruning(remat_opt_p)
def _the_function_alone(eqn: Eqn, used: list[bool]) -> Eqn:
    fun: ClosedJaxpr = eqn.params["fun"]
    n = len(fun.out_avals)
    if any(used[n:]):
        return eqn
    params = {**DEFAULT_PARAMS, "name": eqn.params["name"], "jaxpr": fun, "inline": True}
    return Eqn(jit_p, eqn.invars, eqn.outvars[:n], params, fun.effects, eqn.source)

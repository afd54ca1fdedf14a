"""Differentiation of checkpointed calls: what the backward pass needs is computed again in it.

A call is linearised like any other program, into one that computes results and residuals and one
that is linear. The forward pass then gives the results and what the policy keeps; the linear part,
as it is put on the tape, is a program that computes the residuals again, from what is kept and the
arguments, and pushes tangents through. It is transposed like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from jx_core import ClosedJaxpr
from jx_core.jaxpr import Literal, dead_code_elimination, live_equations
from jx_core.jaxpr.passes import without_debugging
from jx_core.memory import Space
from jx_core.ops.control_flow.checkpoint import checkpoint_p, name_p
from jx_core.ops.control_flow.jit import jit_p
from jx_core.ops.sharding import device_put_p
from jx_core.staging import trace_to_jaxpr
from jx_core.state import state

from ...policies import Choice, Offloadable, Recompute, decision
from ...programs import (
    Mask,
    active_mask,
    eval_closed,
    jvp_jaxpr,
    linearize_jaxpr,
    refuse_to_repeat,
    select,
    spread,
    transpose_jaxpr,
)
from ...tables import deflinearize, deftranspose, jvp_rules
from ...tangents import Linear, Zero
from ..kit import define_unary_linear

define_unary_linear(name_p, lambda ct, x, *, name: name_p.bind(ct, name=name))


def _jvp(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    active = active_mask(tangents)
    derived, active_out = jvp_jaxpr(params["jaxpr"], active)
    outs = checkpoint_p.bind(
        *primals, *select(tangents, active), **{**params, "jaxpr": derived}
    )
    n = len(active_out)
    return outs[:n], spread(outs[n:], active_out)


jvp_rules.define(checkpoint_p)(_jvp)


Place = Choice | Offloadable


class _Split(NamedTuple):
    """A checkpointed call's linearisation.

    Attributes:
        forward: arguments to results followed by what the policy keeps; None for the call's own
            program, which has no rule of its functions, where nothing is kept.
        linear: (kept values, used arguments, active tangents) to the active results' tangents.
        used: which arguments it uses.
        active_out: which results have tangents.
        places: where each of the kept values is kept.
    """

    forward: ClosedJaxpr | None
    linear: ClosedJaxpr
    used: Mask
    active_out: Mask
    places: tuple[Place, ...]


@deflinearize(checkpoint_p)
def _linearize(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    closed: ClosedJaxpr = params["jaxpr"]
    active = active_mask(tangents)
    key = ("linearize checkpoint", active, params["policy"])
    split: _Split | None = closed.derived.get(key)
    if split is None:
        split = closed.derived[key] = _split(closed, active, params["policy"])
    results = checkpoint_p.bind(*primals, **{**params, "jaxpr": split.forward or closed})
    n = len(closed.out_avals)
    outs = results[:n]
    kept = [_moved(x, p, "dst") for x, p in zip(results[n:], split.places, strict=True)]
    moved = checkpoint_p.bind(
        *kept, *select(primals, split.used), *select(tangents, active),
        **{**params, "jaxpr": split.linear, "differentiated": True},
    )  # fmt: skip
    return outs, spread(moved, split.active_out)


def _split(closed: ClosedJaxpr, active: Mask, policy: Any) -> _Split:
    refuse_to_repeat(closed.effects, "checkpoint", "computes the function's values again")
    parts = linearize_jaxpr(closed, active)
    values = parts.forward if policy is None else _inlined(parts.forward)
    places = {} if policy is None else _kept(values, policy)
    again, kept, used = _residuals(values, places, parts)
    forward = _keeping(values, len(closed.out_avals), kept) if kept else None
    n, m = len(again.in_avals), len(parts.residuals)

    def tangents_of(*args: Any) -> list[Any]:
        return eval_closed(parts.linear, [*eval_closed(again, args[:n]), *args[n:]])

    avals = [*again.in_avals, *parts.linear.in_avals[m:]]
    traced = trace_to_jaxpr(tangents_of, avals, f"jvp({closed.jaxpr.debug_name})")
    where = tuple([places[v] for v in kept])
    return _Split(forward, ClosedJaxpr(*traced), used, parts.active_out, where)


def _keeping(values: ClosedJaxpr, n: int, kept: Sequence[Any]) -> ClosedJaxpr:
    """The program that gives the n results and what is kept, and computes no more than these."""
    jaxpr = values.jaxpr.replace(outvars=[*values.jaxpr.outvars[:n], *kept])
    return values.replace(jaxpr=jaxpr.replace(eqns=live_equations(jaxpr, prune=True)))


def _residuals(
    values: ClosedJaxpr, kept: dict[Any, Place], parts: Any
) -> tuple[ClosedJaxpr, list[Any], Mask]:
    """The program of kept values and arguments to residuals; which of both kinds it takes.

    It prints nothing, for the forward pass has.
    """

    def fun(*args: Any) -> list[Any]:
        given = dict(zip(kept, args, strict=False))
        arguments = args[len(kept) :]

        def after(v: Any, x: Any) -> Any:
            return _moved(given[v], kept[v], "src") if v in given else x

        outs = _evaluated(values.jaxpr, values.consts, arguments, after)
        return parts.gather(arguments, outs)  # type: ignore[no-any-return]

    program, used = dead_code_elimination(without_debugging(_traced(values, list(kept), fun)))
    k = len(kept)
    return program, select(list(kept), used[:k]), used[k:]


def _evaluated(
    jaxpr: Any, consts: Sequence[Any], args: Sequence[Any], after: Any, enter: bool = False
) -> list[Any]:
    """The results of a program, each value passed through `after(variable, value)`.

    With `enter`, staged calls are written out.
    """
    env = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *args], strict=True))
    for eqn in jaxpr.eqns:
        state.source = eqn.source
        values = [v.val if type(v) is Literal else env[v] for v in eqn.invars]
        if enter and eqn.primitive is jit_p:
            inner = eqn.params["jaxpr"]
            outs = _evaluated(inner.jaxpr, inner.consts, values, after, enter)
        else:
            out = eqn.primitive.bind(*values, **eqn.params)
            outs = out if eqn.primitive.multiple_results else [out]
        env.update((v, after(v, o)) for v, o in zip(eqn.outvars, outs, strict=True))
    return [v.val if type(v) is Literal else env[v] for v in jaxpr.outvars]


def _traced(closed: ClosedJaxpr, extra: Sequence[Any], fun: Any) -> ClosedJaxpr:
    """`fun`, of values of the types `extra` and the arguments of a program, as a program."""
    before = state.source
    try:
        avals = [*[v.aval for v in extra], *closed.in_avals]
        return ClosedJaxpr(*trace_to_jaxpr(fun, avals, closed.jaxpr.debug_name))
    finally:
        state.source = before


def _inlined(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program with staged calls written out, so that a policy sees what they do."""
    return _traced(
        closed,
        [],
        lambda *args: _evaluated(closed.jaxpr, closed.consts, args, lambda v, x: x, enter=True),
    )


def _kept(closed: ClosedJaxpr, policy: Any) -> dict[Any, Place]:
    """The variables of the values that a policy has kept, and where."""
    kept: dict[Any, Place] = {}
    for eqn in closed.jaxpr.eqns:
        said = decision(policy, eqn.primitive, [x.aval for x in eqn.invars], eqn.params)
        if said is not Recompute:
            kept.update(dict.fromkeys(eqn.outvars, said))
    return kept


def _moved(x: Any, where: Place, end: str) -> Any:
    """A kept value in the memory to keep it in (`dst`), or back from there (`src`)."""
    if not isinstance(where, Offloadable):
        return x
    return device_put_p.bind(x, device=Space.of_kind(getattr(where, end)), src=None)


@deftranspose(checkpoint_p)
def _transpose(ct: list[Any], *operands: Any, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
    linear = tuple(type(x) is Linear for x in operands)
    active_out = tuple(type(c) is not Zero for c in ct)
    program, gives = transpose_jaxpr(jaxpr, linear, active_out)
    known = [x for x in operands if type(x) is not Linear]
    results = checkpoint_p.bind(
        *known, *select(ct, active_out), **{**params, "jaxpr": program, "differentiated": True}
    )
    return spread(spread(results, gives), linear)

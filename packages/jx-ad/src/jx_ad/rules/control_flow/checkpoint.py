"""Differentiation of checkpointed calls: what the backward pass needs is computed again in it.

The linear part of a call, as it is put on the tape, is a program that computes the call's values
again and pushes tangents through. Run backward it is another: values again, then cotangents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from jx_core import ClosedJaxpr
from jx_core.jaxpr import Literal
from jx_core.jaxpr.passes import without_debugging
from jx_core.memory import Space
from jx_core.ops.control_flow.checkpoint import checkpoint_p, kept_p, name_p
from jx_core.ops.control_flow.jit import jit_p
from jx_core.ops.sharding import device_put_p
from jx_core.staging import trace_to_jaxpr
from jx_core.state import state

from ...forward import jvp_flat
from ...policies import Choice, Offloadable, Recompute, decision
from ...programs import (
    Mask,
    active_mask,
    eval_closed,
    jvp_jaxpr,
    refuse_to_repeat,
    select,
    spread,
    transpose_jaxpr,
)
from ...tables import defjvp, deflinearize, deftranspose, jvp_rules
from ...tangents import Linear, Zero
from ...tape import linearize_flat
from ..kit import define_unary_linear

defjvp(kept_p)(None, lambda t, out, kept, again: t)
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


class _Split(NamedTuple):
    """A checkpointed call's linearisation.

    Attributes:
        forward: arguments to results followed by what the policy keeps.
        linear: (kept values, arguments, active tangents) to the active results' tangents.
        again: `forward` with the kept values given: (kept values, arguments) to results. It
            prints nothing, for `forward` has.
        active: which arguments have tangents.
        active_out: which results have.
        places: where each of the kept values is kept.
    """

    forward: ClosedJaxpr
    linear: ClosedJaxpr
    again: ClosedJaxpr
    active: Mask
    active_out: Mask
    places: tuple[Choice | Offloadable, ...]


@deflinearize(checkpoint_p)
def _linearize(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    closed: ClosedJaxpr = params["jaxpr"]
    active = active_mask(tangents)
    key = ("linearize checkpoint", active, params["policy"])
    split: _Split | None = closed.derived.get(key)
    if split is None:
        split = closed.derived[key] = _split(closed, active, params["policy"])
    results = checkpoint_p.bind(*primals, **{**params, "jaxpr": split.forward})
    n = len(closed.out_avals)
    outs = results[:n]
    kept = [_moved(x, p, "dst") for x, p in zip(results[n:], split.places, strict=True)]
    moved = checkpoint_p.bind(
        *kept, *primals, *select(tangents, active),
        **{**params, "jaxpr": split.linear, "differentiated": True},
    )  # fmt: skip
    return outs, spread(moved, split.active_out)


def _split(closed: ClosedJaxpr, active: Mask, policy: Any) -> _Split:
    refuse_to_repeat(closed.effects, "checkpoint", "computes the function's values again")
    flat = closed if policy is None else _inlined(closed)
    kept = {} if policy is None else _kept(flat, policy)
    jaxpr = flat.jaxpr
    forward = flat.replace(jaxpr=jaxpr.replace(outvars=[*jaxpr.outvars, *kept]))
    again = without_debugging(_with_kept(flat, kept) if kept else flat)
    n = len(kept) + len(active)
    masks: list[Mask] = []

    def tangents_of(*args: Any) -> list[Any]:
        given = [*[None] * len(kept), *spread(args[n:], active)]
        _, moved = jvp_flat(lambda *xs: eval_closed(again, xs), args[:n], given)
        masks.append(active_mask(moved))
        return select(moved, masks[-1])

    avals = [*again.in_avals, *select(closed.in_avals, active)]
    traced = trace_to_jaxpr(tangents_of, avals, f"jvp({jaxpr.debug_name})")
    split = _Split(
        forward, ClosedJaxpr(*traced), again, active, masks[0], tuple(kept.values())
    )
    split.linear.derived["checkpoint"] = split
    return split


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


def _with_kept(closed: ClosedJaxpr, kept: dict[Any, Choice | Offloadable]) -> ClosedJaxpr:
    """The program of (kept values, arguments) that computes again what is not kept."""

    def fun(*args: Any) -> list[Any]:
        given = dict(zip(kept, args, strict=False))

        def after(v: Any, x: Any) -> Any:
            return kept_p.bind(_moved(given[v], kept[v], "src"), x) if v in given else x

        return _evaluated(closed.jaxpr, closed.consts, args[len(kept) :], after)

    return _traced(closed, list(kept), fun)


def _kept(closed: ClosedJaxpr, policy: Any) -> dict[Any, Choice | Offloadable]:
    """The variables of the values that a policy has kept, and where."""
    kept: dict[Any, Choice | Offloadable] = {}
    for eqn in closed.jaxpr.eqns:
        said = decision(policy, eqn.primitive, [x.aval for x in eqn.invars], eqn.params)
        if said is not Recompute:
            kept.update(dict.fromkeys(eqn.outvars, said))
    return kept


def _moved(x: Any, where: Choice | Offloadable, end: str) -> Any:
    """A kept value in the memory to keep it in (`dst`), or back from there (`src`)."""
    if not isinstance(where, Offloadable):
        return x
    return device_put_p.bind(x, device=Space.of_kind(getattr(where, end)), src=None)


@deftranspose(checkpoint_p)
def _transpose(ct: list[Any], *operands: Any, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
    linear = tuple(type(x) is Linear for x in operands)
    active_out = tuple(type(c) is not Zero for c in ct)
    split: _Split | None = jaxpr.derived.get("checkpoint")
    if split is not None and linear == (False,) * len(split.again.in_avals) + (True,) * sum(
        split.active
    ):
        program, gives = _backward(jaxpr, split, active_out)
    else:
        program, gives = transpose_jaxpr(jaxpr, linear, active_out)
    known = [x for x in operands if type(x) is not Linear]
    results = checkpoint_p.bind(
        *known, *select(ct, active_out), **{**params, "jaxpr": program, "differentiated": True}
    )
    return spread(spread(results, gives), linear)


def _backward(jaxpr: ClosedJaxpr, split: _Split, active_out: Mask) -> tuple[ClosedJaxpr, Mask]:
    """(kept values, arguments, active cotangents) to the cotangents of the active arguments."""
    key = ("transpose checkpoint", active_out)
    found = jaxpr.derived.get(key)
    if found is not None:
        return found  # type: ignore[no-any-return]
    again = split.again
    n = len(again.in_avals)
    flags = [*[False] * (n - len(split.active)), *split.active]
    masks: list[Mask] = []

    def flat(*args: Any) -> list[Any]:
        _, linear = linearize_flat(lambda *xs: eval_closed(again, xs), args[:n], flags)
        cts = iter(spread(args[n:], active_out))
        full = [next(cts) if on else None for on in split.active_out]
        results = linear.backward(full)
        masks.append(active_mask(results))
        return select(results, masks[-1])

    ct_avals = select(select(again.out_avals, split.active_out), active_out)
    traced = trace_to_jaxpr(flat, [*again.in_avals, *ct_avals], f"vjp({again.jaxpr.debug_name})")
    found = jaxpr.derived[key] = ClosedJaxpr(*traced), masks[0]
    return found



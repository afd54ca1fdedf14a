"""Differentiating whole programs: the derived Jaxprs that staged calls and loops use.

Each is computed once per program and pattern of active arguments, and kept on the
program it derives from, so a staged function is differentiated once per signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from jx_core import ClosedJaxpr, ShapedArray, eval_jaxpr
from jx_core.jaxpr import Eqn, Literal
from jx_core.ops.control_flow.jit import jit_p
from jx_core.staging import StagingTracer, trace_to_jaxpr
from jx_core.state import state

from .forward import jvp_flat
from .tangents import is_differentiable, zeros
from .tape import linearize_flat, transpose_flat

Mask = tuple[bool, ...]


def active_mask(tangents: Sequence[Any]) -> Mask:
    """Which tangents are not symbolic zeros."""
    return tuple(t is not None for t in tangents)


def select(values: Sequence[Any], mask: Sequence[bool]) -> list[Any]:
    return [v for v, on in zip(values, mask, strict=True) if on]


def spread(values: Sequence[Any], mask: Sequence[bool]) -> list[Any]:
    """`values` at the places where `mask` is set, None elsewhere."""
    following = iter(values)
    return [next(following) if on else None for on in mask]


def jvp_jaxpr(
    closed: ClosedJaxpr, active: Mask, instantiate: Sequence[bool] | bool = False
) -> tuple[ClosedJaxpr, Mask]:
    """The program of (primals, active tangents) that gives results and their tangents.

    Args:
        closed: the program.
        active: which arguments have tangents.
        instantiate: which results must have one, zeros if need be (loop carries).

    Returns:
        The program, and which results have tangents; those follow all the results.
    """
    n_out = len(closed.out_avals)
    want = (instantiate,) * n_out if isinstance(instantiate, bool) else tuple(instantiate)
    key = ("jvp", active, want)
    found = closed.derived.get(key)
    if found is not None:
        return found  # type: ignore[no-any-return]
    masks: list[Mask] = []
    n_in = len(active)

    def flat(*args: Any) -> list[Any]:
        primals, tangents = args[:n_in], spread(args[n_in:], active)
        outs, out_tangents = jvp_flat(lambda *xs: eval_closed(closed, xs), primals, tangents)
        out_tangents = [
            zeros(a) if t is None and on and is_differentiable(a) else t
            for t, on, a in zip(out_tangents, want, closed.out_avals, strict=True)
        ]
        masks.append(active_mask(out_tangents))
        return outs + select(out_tangents, masks[-1])

    avals = closed.in_avals + select(closed.in_avals, active)
    jaxpr, consts = trace_to_jaxpr(flat, avals, f"jvp({closed.jaxpr.debug_name})")
    result = ClosedJaxpr(jaxpr, consts), masks[0]
    closed.derived[key] = result
    return result


def eval_closed(closed: ClosedJaxpr, args: Sequence[Any]) -> list[Any]:
    """The results of a closed program."""
    return eval_jaxpr(closed.jaxpr, closed.consts, *args)


def inlined_calls(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program with staged calls written out, where nothing is said on how their values lie."""
    if not any(map(_can_be_inlined, closed.eqns)):
        return closed
    found = closed.derived.get("inlined")
    if found is None:

        def flat(*args: Any) -> list[Any]:
            return _evaluated_inside(closed, args)

        traced = trace_to_jaxpr(flat, closed.in_avals, closed.jaxpr.debug_name)
        found = closed.derived["inlined"] = ClosedJaxpr(*traced)
    return found  # type: ignore[no-any-return]


def _can_be_inlined(eqn: Eqn) -> bool:
    params = eqn.params
    return (
        eqn.primitive is jit_p
        and params["in_shardings"] is None
        and params["out_shardings"] is None
    )


def _evaluated_inside(closed: ClosedJaxpr, args: Sequence[Any]) -> list[Any]:
    jaxpr = closed.jaxpr
    env = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*closed.consts, *args], strict=True))
    before = state.source
    try:
        for eqn in jaxpr.eqns:
            state.source = eqn.source
            values = [v.val if type(v) is Literal else env[v] for v in eqn.invars]
            if _can_be_inlined(eqn):
                outs = _evaluated_inside(eqn.params["jaxpr"], values)
            else:
                out = eqn.primitive.bind(*values, **eqn.params)
                outs = out if eqn.primitive.multiple_results else [out]
            env.update(zip(eqn.outvars, outs, strict=True))
    finally:
        state.source = before
    return [v.val if type(v) is Literal else env[v] for v in jaxpr.outvars]


class Linearized(NamedTuple):
    """A program split into its values and its derivative.

    Attributes:
        forward: primals to results followed by new residuals.
        linear: residuals and active tangents to the active results' tangents.
        residuals: where each residual of `linear` comes from: ("in", i), ("out", i) for a
            result of `forward`.
        active_out: which results have tangents.
    """

    forward: ClosedJaxpr
    linear: ClosedJaxpr
    residuals: tuple[tuple[str, int], ...]
    active_out: Mask

    def gather(self, primals: Sequence[Any], outs: Sequence[Any]) -> list[Any]:
        """The residuals, given the arguments and the results of `forward`."""
        return [primals[i] if kind == "in" else outs[i] for kind, i in self.residuals]


def linearize_jaxpr(
    closed: ClosedJaxpr, active: Mask, instantiate: Sequence[bool] | bool = False
) -> Linearized:
    """Split a program into a forward part and a linear part at symbolic primals."""
    n_out = len(closed.out_avals)
    want = (instantiate,) * n_out if isinstance(instantiate, bool) else tuple(instantiate)
    key = ("linearize", active, want)
    found = closed.derived.get(key)
    if found is not None:
        return found  # type: ignore[no-any-return]
    record: list[Any] = []

    def flat(*primals: Any) -> list[Any]:
        def fun(*xs: Any) -> list[Any]:
            return eval_closed(closed, xs)

        outs, linear_map = linearize_flat(fun, primals, active)
        linear_map.outputs = [
            linear_map.tape.zero(a) if t is None and on and is_differentiable(a) else t
            for t, on, a in zip(linear_map.outputs, want, closed.out_avals, strict=True)
        ]
        linear, residuals = linear_map.to_jaxpr()
        places, extra = _place_residuals(residuals, primals, outs)
        record.append((linear, places, active_mask(linear_map.outputs)))
        return outs + extra

    jaxpr, consts = trace_to_jaxpr(flat, closed.in_avals, closed.jaxpr.debug_name)
    result = Linearized(ClosedJaxpr(jaxpr, consts), *record[0])
    closed.derived[key] = result
    return result


def _place_residuals(
    residuals: Sequence[Any], primals: Sequence[Any], outs: Sequence[Any]
) -> tuple[tuple[tuple[str, int], ...], list[Any]]:
    """Where each residual is found, and those that must become further results."""
    ins = {id(p): i for i, p in enumerate(primals)}
    known = {id(o): i for i, o in enumerate(outs) if type(o) is StagingTracer}
    places: list[tuple[str, int]] = []
    extra: list[Any] = []
    for r in residuals:
        if id(r) in ins:
            places.append(("in", ins[id(r)]))
        elif id(r) in known:
            places.append(("out", known[id(r)]))
        else:
            places.append(("out", len(outs) + len(extra)))
            extra.append(r)
    return tuple(places), extra


def transpose_jaxpr(
    closed: ClosedJaxpr, linear: Mask, active_out: Mask, instantiate: bool = False
) -> tuple[ClosedJaxpr, Mask]:
    """The program of (non-linear operands, active cotangents) that gives cotangents.

    Args:
        closed: a program that is linear in the arguments marked in `linear`.
        linear: which arguments to give cotangents for.
        active_out: which results have cotangents.
        instantiate: give zeros for linear arguments that get no cotangent.

    Returns:
        The program, and which of the linear arguments get a cotangent from it.
    """
    key = ("transpose", linear, active_out, instantiate)
    found = closed.derived.get(key)
    if found is not None:
        return found  # type: ignore[no-any-return]
    masks: list[Mask] = []
    fixed = tuple(not on for on in linear)
    n_fixed = sum(fixed)
    linear_avals: list[ShapedArray] = select(closed.in_avals, linear)

    def flat(*args: Any) -> list[Any]:
        values = spread(args[:n_fixed], fixed)
        cts = spread(args[n_fixed:], active_out)

        def fun(*xs: Any) -> list[Any]:
            following = iter(xs)
            full = [next(following) if on else v for on, v in zip(linear, values, strict=True)]
            return eval_closed(closed, full)

        results = transpose_flat(fun, linear_avals, cts)
        if instantiate:
            results = [
                zeros(a) if r is None else r for r, a in zip(results, linear_avals, strict=True)
            ]
        masks.append(active_mask(results))
        return select(results, masks[-1])

    avals = select(closed.in_avals, fixed) + select(closed.out_avals, active_out)
    jaxpr, consts = trace_to_jaxpr(flat, avals, f"transpose({closed.jaxpr.debug_name})")
    result = ClosedJaxpr(jaxpr, consts), masks[0]
    closed.derived[key] = result
    return result

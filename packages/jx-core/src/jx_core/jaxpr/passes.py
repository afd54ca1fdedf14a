"""Rewrites of programs that keep their meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..effects import Effect
from .ir import ClosedJaxpr, Eqn, Jaxpr, Literal, Var

Pruning = Callable[[Eqn, list[bool]], Eqn]
_pruning: dict[Any, Pruning] = {}


def define_pruning(primitive: Any) -> Callable[[Pruning], Pruning]:
    """Decorator: say how an equation of `primitive` gets smaller where results are not used.

    The function is called as `rule(eqn, used)`, where `used` says which results are. It returns
    an equation that gives at least those, as the same variables, with the operands of the first
    or fewer; or the first itself.
    """

    def define(rule: Pruning) -> Pruning:
        _pruning[primitive] = rule
        return rule

    return define


def live_equations(
    jaxpr: Jaxpr, used_outputs: Sequence[bool] | None = None, prune: bool = False
) -> list[Eqn]:
    """The equations that the (used) results depend on, and those with effects.

    With `prune`, equations some of whose results are not used are made smaller where their
    primitive says how (`define_pruning`).
    """
    flags = [True] * len(jaxpr.outvars) if used_outputs is None else used_outputs
    live: set[Var] = {
        v for v, on in zip(jaxpr.outvars, flags, strict=True) if on and not isinstance(v, Literal)
    }
    kept: list[Eqn] = []
    for eqn in reversed(jaxpr.eqns):
        used = [v in live for v in eqn.outvars]
        if eqn.effects or any(used):
            if prune and not all(used) and eqn.primitive in _pruning:
                eqn = _pruning[eqn.primitive](eqn, used)
            kept.append(eqn)
            live.update(v for v in eqn.invars if not isinstance(v, Literal))
    kept.reverse()
    return kept


def used_inputs(jaxpr: Jaxpr, eqns: Sequence[Eqn] | None = None) -> tuple[bool, ...]:
    """Which arguments the results or effects of a program depend on."""
    kept = live_equations(jaxpr) if eqns is None else eqns
    used = {v for eqn in kept for v in eqn.invars if not isinstance(v, Literal)}
    used.update(v for v in jaxpr.outvars if not isinstance(v, Literal))
    return tuple(v in used for v in jaxpr.invars)


def dead_code_elimination(
    closed: ClosedJaxpr, used_outputs: Sequence[bool] | None = None
) -> tuple[ClosedJaxpr, tuple[bool, ...]]:
    """Drop what the used results don't depend on: equations, constants, then arguments.

    Equations that hold programs, of whose results some are not used, get smaller too where their
    primitive says how (`define_pruning`).

    Args:
        closed: the program.
        used_outputs: which of its results to keep; all by default.

    Returns:
        The smaller program, and which arguments it still takes.

    >>> from jx_core import lax, make_jaxpr
    >>> program = make_jaxpr(lambda x, y: (lax.sin(x), lax.cos(y))[0])(1.0, 2.0)
    >>> smaller, used = dead_code_elimination(program)
    >>> used, len(smaller.eqns)
    ((True, False), 1)
    """
    jaxpr = closed.jaxpr
    flags = [True] * len(jaxpr.outvars) if used_outputs is None else list(used_outputs)
    outvars = [v for v, on in zip(jaxpr.outvars, flags, strict=True) if on]
    kept = live_equations(jaxpr, flags, prune=True)
    trimmed = jaxpr.replace(outvars=outvars, eqns=kept)
    used = used_inputs(trimmed, kept)
    referenced = {v for eqn in kept for v in eqn.invars if isinstance(v, Var)}
    referenced.update(v for v in outvars if isinstance(v, Var))
    pairs = [
        (v, c) for v, c in zip(jaxpr.constvars, closed.consts, strict=True) if v in referenced
    ]
    smaller = trimmed.replace(
        constvars=[v for v, _ in pairs],
        invars=[v for v, on in zip(jaxpr.invars, used, strict=True) if on],
    )
    return ClosedJaxpr(smaller, [c for _, c in pairs]), used


def without_debugging(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program without effects that may be left out, for one that computes things again.

    Not looked into: calls of functions with derivative rules of their own.
    """
    if not any(map(_may_be_left_out, closed.effects)):
        return closed
    found: ClosedJaxpr | None = closed.derived.get("without debugging")
    if found is None:
        eqns = [e for e in map(_quiet, closed.eqns) if e is not None]
        found = closed.replace(jaxpr=closed.jaxpr.replace(eqns=eqns))
        closed.derived["without debugging"] = found
    return found


def _may_be_left_out(effect: Any) -> bool:
    return isinstance(effect, Effect) and effect.repeatable


def _quiet(eqn: Eqn) -> Eqn | None:
    """An equation without such effects, or None where there is nothing else to it."""
    if not any(map(_may_be_left_out, eqn.effects)):
        return eqn
    if not eqn.outvars and all(map(_may_be_left_out, eqn.effects)):
        return None
    params = {name: _quiet_param(value) for name, value in eqn.params.items()}
    assert eqn.primitive.effects is not None
    return eqn.replace(params=params, effects=eqn.primitive.effects(**params))


def _quiet_param(value: Any) -> Any:
    if isinstance(value, ClosedJaxpr):
        return without_debugging(value)
    return tuple(map(_quiet_param, value)) if type(value) is tuple else value

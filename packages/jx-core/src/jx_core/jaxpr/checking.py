"""The type checker of Jaxprs: every variable defined before use, every equation well typed."""

from __future__ import annotations

from typing import Any

from ..aval import ShapedArray, typeof
from ..errors import JaxprTypeError
from ..primitive import NO_EFFECTS
from .ir import ClosedJaxpr, DropVar, Eqn, Jaxpr, Literal, Var, jaxprs_in


def check_jaxpr(jaxpr: Jaxpr | ClosedJaxpr) -> None:
    """Check that a program is well formed and well typed, inner programs included.

    For every equation: operands are defined earlier, the primitive's type rule accepts
    their types, and gives the types and the effects that the equation records.

    Raises:
        JaxprTypeError: it is not; the message shows the equation and its source.

    >>> from jx_core import lax, make_jaxpr
    >>> check_jaxpr(make_jaxpr(lax.sin)(1.0))
    """
    if isinstance(jaxpr, ClosedJaxpr):
        for var, const in zip(jaxpr.jaxpr.constvars, jaxpr.consts, strict=True):
            have = typeof(const)
            if not _same(have, var.aval):
                raise JaxprTypeError(
                    f"a constant of type {have.str_short()} is bound to a constvar of type "
                    f"{var.aval.str_short()}"
                )
        jaxpr = jaxpr.jaxpr
    defined: set[Var] = set()
    for var in (*jaxpr.constvars, *jaxpr.invars):
        _define(var, defined, "an argument")
    effects: set[Any] = set()
    for eqn in jaxpr.eqns:
        _check_equation(eqn, defined)
        effects |= eqn.effects
    for atom in jaxpr.outvars:
        _check_use(atom, defined, "a result of the program")
    if frozenset(effects) != jaxpr.effects:
        raise JaxprTypeError(
            f"the program records effects {set(jaxpr.effects)}, its equations have {effects}"
        )


def _same(a: ShapedArray, b: ShapedArray) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype


def _define(var: Any, defined: set[Var], what: str) -> None:
    if not isinstance(var, Var):
        raise JaxprTypeError(f"{what} is bound to {var!r}, which is not a Var")
    if isinstance(var, DropVar):
        return
    if var in defined:
        raise JaxprTypeError(f"the variable {var!r} is bound twice, the second time as {what}")
    defined.add(var)


def _check_use(atom: Any, defined: set[Var], what: str) -> None:
    if isinstance(atom, Literal):
        if not _same(typeof(atom.val), atom.aval) and atom.aval.shape != ():
            raise JaxprTypeError(f"{what} is a literal {atom!r} of type {atom.aval.str_short()}")
    elif not isinstance(atom, Var):
        raise JaxprTypeError(f"{what} is {atom!r}, neither a Var nor a Literal")
    elif atom not in defined:
        raise JaxprTypeError(f"{what} is {atom!r}, which is not defined before")


def _check_equation(eqn: Eqn, defined: set[Var]) -> None:
    for i, atom in enumerate(eqn.invars):
        _check_use(atom, defined, f"operand {i} of `{eqn}` (from {eqn.source})")
    for inner in jaxprs_in(eqn.params):
        check_jaxpr(inner)
    try:
        types = eqn.primitive.result_types(tuple(v.aval for v in eqn.invars), eqn.params)
    except (TypeError, ValueError) as err:
        raise JaxprTypeError(f"`{eqn}` (from {eqn.source}) is ill-typed: {err}") from err
    expected = types if eqn.primitive.multiple_results else [types]
    if len(expected) != len(eqn.outvars):
        raise JaxprTypeError(
            f"`{eqn}` (from {eqn.source}) has {len(eqn.outvars)} results; the primitive's type "
            f"rule gives {len(expected)}"
        )
    for var, aval in zip(eqn.outvars, expected, strict=True):
        if var.aval is not aval:
            raise JaxprTypeError(
                f"`{eqn}` (from {eqn.source}) has a result of type {var.aval!r}; the primitive's "
                f"type rule gives {aval!r}"
            )
        _define(var, defined, f"a result of `{eqn}`")
    wanted = NO_EFFECTS if eqn.primitive.effects is None else eqn.primitive.effects(**eqn.params)
    if wanted != eqn.effects:
        raise JaxprTypeError(f"`{eqn}` records effects {set(eqn.effects)}, it has {set(wanted)}")

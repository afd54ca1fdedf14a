"""Differentiation of `custom_linear_solve`: derivatives are solutions of linear systems too."""

from __future__ import annotations

from typing import Any

from jx_core import ClosedJaxpr, typeof
from jx_core.lax import neg_p, sub_p
from jx_core.ops.control_flow.linear_solve import linear_solve_p

from ...forward import jvp_flat
from ...programs import eval_closed
from ...tables import deftranspose, instantiate, jvp_rules
from ...tangents import Linear, Zero, is_differentiable


def _jvp(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    """From `A x = b`: `A dx = db - dA x`."""
    n_consts = params["num_consts"]
    consts, b = primals[:n_consts], primals[n_consts:]
    outs = linear_solve_p.bind(*primals, **params)
    x = outs[: len(b)]
    _, moved = jvp_flat(
        lambda *cs: eval_closed(params["matvec"], [*cs, *x]), consts, tangents[:n_consts]
    )
    change = [_minus(t, m) for t, m in zip(tangents[n_consts:], moved, strict=True)]
    if all(t is None for t in change):
        return outs, [None] * len(outs)
    change = [instantiate(t, p) for t, p in zip(change, b, strict=True)]
    dx = linear_solve_p.bind(*consts, *change, **params)[: len(b)]
    inexact = [t if is_differentiable(typeof(v)) else None for t, v in zip(dx, x, strict=True)]
    return outs, [*inexact, *[None] * (len(outs) - len(b))]


def _minus(x: Any, y: Any) -> Any:
    """The difference of two tangents, None being zero."""
    if y is None:
        return x
    return neg_p.bind(y) if x is None else sub_p.bind(x, y)


jvp_rules.define(linear_solve_p)(_jvp)


@deftranspose(linear_solve_p)
def _transpose(
    ct: list[Any],
    *operands: Any,
    matvec: ClosedJaxpr,
    vecmat: ClosedJaxpr | None,
    solve: ClosedJaxpr,
    transpose_solve: ClosedJaxpr | None,
    num_consts: int,
) -> list[Any]:
    """The cotangent of `b` solves the transposed system."""
    if transpose_solve is None or vecmat is None:
        raise TypeError(
            "transpose_solve required for backwards mode automatic differentiation of "
            "custom_linear_solve: pass transpose_solve=, or symmetric=True where it applies"
        )
    consts, b = operands[:num_consts], operands[num_consts:]
    if any(type(c) is Linear for c in consts):
        raise TypeError(
            "custom_linear_solve is linear in b alone: it can't be transposed with respect to "
            "values that matvec or solve close over"
        )
    given = [c.instantiate() if type(c) is Zero else c for c in ct[: len(b)]]
    results = linear_solve_p.bind(
        *consts,
        *given,
        matvec=vecmat,
        vecmat=matvec,
        solve=transpose_solve,
        transpose_solve=solve,
        num_consts=num_consts,
    )
    moved = [r if type(x) is Linear else None for x, r in zip(b, results, strict=False)]
    return [*[None] * num_consts, *moved]

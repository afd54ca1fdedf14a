"""Running a Jaxpr: bind its equations, one after another, under the current trace.

Under the eager trace that computes; under any other it replays the program into
it, which is how transformations re-trace inner programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..state import state
from .ir import ClosedJaxpr, Jaxpr, Literal


def eval_jaxpr(jaxpr: Jaxpr, consts: Sequence[Any], *args: Any) -> list[Any]:
    """The results of `jaxpr` on `args`, a flat list.

    Args:
        jaxpr: the program.
        consts: a value for each of `jaxpr.constvars`.
        args: a value for each of `jaxpr.invars`: arrays, tracers or Python scalars.

    Raises:
        TypeError: the number of arguments or constants is wrong.

    >>> from jx_core import lax, make_jaxpr
    >>> closed = make_jaxpr(lambda x, y: lax.sub(x, y))(1.0, 1.0)
    >>> [float(out) for out in eval_jaxpr(closed.jaxpr, closed.consts, 5.0, 2.0)]
    [3.0]
    """
    if len(args) != len(jaxpr.invars) or len(consts) != len(jaxpr.constvars):
        raise TypeError(
            f"eval_jaxpr: the program takes {len(jaxpr.constvars)} consts and "
            f"{len(jaxpr.invars)} arguments, got {len(consts)} and {len(args)}"
        )
    env: dict[Any, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
    env.update(zip(jaxpr.invars, args, strict=True))
    before = state.source
    try:
        for eqn in jaxpr.eqns:
            state.source = eqn.source
            operands = [v.val if type(v) is Literal else env[v] for v in eqn.invars]
            result = eqn.primitive.bind(*operands, **eqn.params)
            if eqn.primitive.multiple_results:
                env.update(zip(eqn.outvars, result, strict=True))
            else:
                env[eqn.outvars[0]] = result
    finally:
        state.source = before
    return [v.val if type(v) is Literal else env[v] for v in jaxpr.outvars]


def jaxpr_as_fun(closed: ClosedJaxpr) -> Any:
    """The function that evaluates a closed program on flat arguments.

    >>> from jx_core import lax, make_jaxpr
    >>> double = jaxpr_as_fun(make_jaxpr(lambda x: lax.add(x, x))(1.0))
    >>> [float(out) for out in double(3.0)]
    [6.0]
    """

    def fun(*args: Any) -> list[Any]:
        return eval_jaxpr(closed.jaxpr, closed.consts, *args)

    fun.__name__ = closed.jaxpr.debug_name or "jaxpr"
    return fun

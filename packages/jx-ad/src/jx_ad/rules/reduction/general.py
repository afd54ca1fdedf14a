"""Differentiation of reductions by a function of the user's, through a tree of its calls.

The function is a program on scalars. Its operations are elementwise, so it runs on whole
arrays as it is, which needs no batching.
"""

from __future__ import annotations

from typing import Any

from jx_core import ClosedJaxpr, Jaxpr, Literal, typeof
from jx_core.lax import concatenate_p, reduce_p
from jx_core.ops.control_flow.jit import jit_p

from ..kit import broadcast_scalar, define_by
from ..shape import reshape, take
from .monoids import rows

_ELEMENTWISE = ("elementwise", "special")


def run_on_arrays(closed: ClosedJaxpr, *arrays: Any) -> list[Any]:
    """The results of a program on scalars, run on arrays of one shape.

    Raises:
        ValueError: the program has operations that are not elementwise.
    """
    shape = typeof(arrays[0]).shape
    results = _run(closed.jaxpr, closed.consts, arrays)
    return [broadcast_scalar(x, shape) for x in results]


def _run(jaxpr: Jaxpr, consts: Any, operands: Any) -> list[Any]:
    values: dict[Any, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
    values.update(zip(jaxpr.invars, operands, strict=True))

    def read(atom: Any) -> Any:
        return atom.val if type(atom) is Literal else values[atom]

    for eqn in jaxpr.eqns:
        primitive, inputs = eqn.primitive, [read(v) for v in eqn.invars]
        if primitive is jit_p:
            inner = eqn.params["jaxpr"]
            results = _run(inner.jaxpr, inner.consts, inputs)
        elif primitive.family in _ELEMENTWISE and not primitive.multiple_results:
            results = [primitive.bind(*inputs, **eqn.params)]
        else:
            raise ValueError(
                f"can't differentiate a reduction by {jaxpr.debug_name or 'a function'} that uses "
                f"{primitive.name}: only elementwise operations are known to do the same on "
                f"whole arrays as on the scalars it was written for"
            )
        values.update(zip(eqn.outvars, results, strict=True))
    return [read(v) for v in jaxpr.outvars]


def _reduce(*operands: Any, jaxpr: ClosedJaxpr, dimensions: tuple[int, ...]) -> list[Any]:
    half = len(operands) // 2
    arrays, inits = operands[:half], operands[half:]
    xs = [rows(x, dimensions) for x in arrays]
    n, *rest = typeof(xs[0]).shape
    while n > 1:
        middle = n // 2
        parts = [take(x, 0, start, start + middle) for start in (0, middle) for x in xs]
        combined = run_on_arrays(jaxpr, *parts)
        if n % 2:
            last = [take(x, 0, n - 1, n) for x in xs]
            combined = [
                concatenate_p.bind(c, x, dimension=0) for c, x in zip(combined, last, strict=True)
            ]
        xs, n = combined, middle + n % 2
    totals = [broadcast_scalar(init, tuple(rest)) for init in inits]
    if n == 0:
        return totals
    return run_on_arrays(jaxpr, *totals, *[reshape(x, tuple(rest)) for x in xs])


define_by(reduce_p, _reduce)

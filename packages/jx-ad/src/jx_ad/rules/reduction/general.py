"""Differentiation of reductions by a function of the user's, through a tree of its calls.

The function is a program on scalars. Its operations are elementwise, so it runs on whole
arrays as it is, which needs no batching.
"""

from __future__ import annotations

from typing import Any

from jx_core import ClosedJaxpr, typeof
from jx_core.lax import concatenate_p, reduce_p
from jx_core.ops.reduction.programs import run_on_arrays

from ..kit import broadcast_scalar, define_by
from ..shape import reshape, take
from .monoids import rows


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

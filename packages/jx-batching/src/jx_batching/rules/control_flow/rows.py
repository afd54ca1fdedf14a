"""Rows that do not take a branch, or a step, in a program that runs on the whole batch.

What is computed of them is thrown away, so it hardly matters; but a `while_loop` in such a program
might never end on values that it was not written for. It is given those of a row that it is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ClosedJaxpr, lax, typeof
from jx_core.jaxpr import Jaxpr, jaxprs_in
from jx_core.ops.control_flow.while_loop import while_p


def may_run_on(closed: ClosedJaxpr) -> bool:
    """Whether there is a loop in the program whose end depends on values."""
    found = closed.derived.get("may run on")
    if found is None:
        found = closed.derived["may run on"] = _has_while(closed.jaxpr)
    return found  # type: ignore[no-any-return]


def _has_while(jaxpr: Jaxpr) -> bool:
    return any(
        eqn.primitive is while_p or any(map(_has_while, jaxprs_in(eqn.params)))
        for eqn in jaxpr.eqns
    )


def for_all_rows(taking: Any, operands: Sequence[Any], dims: Sequence[int | None]) -> list[Any]:
    """Batches in which rows that are not `taking` part have the values of the first that is."""
    first = lax.argmax(taking, 0, "int32")
    return [
        x if d is None else select_rows(taking, x, _repeated(x, first, d), d)
        for x, d in zip(operands, dims, strict=True)
    ]


def _repeated(x: Any, row: Any, dim: int) -> Any:
    shape = typeof(x).shape
    one = lax.dynamic_index_in_dim(x, row, dim, allow_negative_indices=False)
    return lax.broadcast_in_dim(one, shape, tuple(range(len(shape))))


def select_rows(which: Any, x: Any, y: Any, dim: int = 0) -> Any:
    """The rows of `x` where `which` is set, those of `y` elsewhere."""
    shape = typeof(x).shape
    if len(shape) > 1:
        which = lax.broadcast_in_dim(which, shape, (dim,))
    return lax.select_n(which, y, x)

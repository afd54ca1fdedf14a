"""Differentiation of tridiagonal solves: linear in the right-hand side, rational in the matrix."""

from __future__ import annotations

from typing import Any

from jx_core import typeof
from jx_core.lax import (
    broadcast_in_dim,
    concatenate,
    full_like,
    linalg,
    mul,
    neg,
    slice_in_dim,
)

from ...tables import defjvp, deftranspose
from ..kit import check_known

solve_p = linalg.tridiagonal_solve_p


def shifted(x: Any, by: int, axis: int) -> Any:
    """The entries moved by one place along an axis, zero where none comes."""
    n = typeof(x).shape[axis]
    if not n:
        return x
    zero = full_like(slice_in_dim(x, 0, 1, axis=axis), 0)
    if by > 0:
        return concatenate([zero, slice_in_dim(x, 0, n - 1, axis=axis)], axis)
    return concatenate([slice_in_dim(x, 1, n, axis=axis), zero], axis)


def _moved(by: int) -> Any:
    """The rule for the diagonal whose row i goes with row i - by of the solution."""

    def rule(t: Any, out: Any, dl: Any, d: Any, du: Any, b: Any, *, perturb_singular: bool) -> Any:
        axis = typeof(d).ndim - 1
        other = shifted(out, by, axis) if by else out
        spread = broadcast_in_dim(t, typeof(out).shape, tuple(range(axis + 1)))
        change = neg(mul(spread, other))
        return solve_p.bind(dl, d, du, change, perturb_singular=perturb_singular)

    return rule


defjvp(solve_p)(
    _moved(1), _moved(0), _moved(-1),
    lambda t, out, dl, d, du, b, **params: solve_p.bind(dl, d, du, t, **params),
)  # fmt: skip


@deftranspose(solve_p)
def _transpose(ct: Any, dl: Any, d: Any, du: Any, b: Any, **params: Any) -> list[Any]:
    for x in (dl, d, du):
        check_known(solve_p, x)
    axis = typeof(d).ndim - 1
    out = solve_p.bind(shifted(du, 1, axis), d, shifted(dl, -1, axis), ct, **params)
    return [None, None, None, out]



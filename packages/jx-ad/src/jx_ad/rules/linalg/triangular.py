"""Differentiation of triangular solves: linear in the right-hand side, rational in the matrix."""

from __future__ import annotations

from typing import Any

from jx_core import typeof
from jx_core.lax import conj_p, linalg, neg
from jx_core.ops.linalg.masks import product, swapped, triangle

from ...tables import defjvp, deftranspose
from ..kit import check_known

solve_p = linalg.triangular_solve_p


def _in_matrix(
    t: Any,
    out: Any,
    a: Any,
    b: Any,
    *,
    left_side: bool,
    lower: bool,
    transpose_a: bool,
    conjugate_a: bool,
    unit_diagonal: bool,
) -> Any:
    """From d(op(a)) x + op(a) dx = 0; only the triangle that is read moves."""
    offset = (-1 if lower else 1) if unit_diagonal else 0
    da = triangle(t, lower=lower, offset=offset)
    if conjugate_a:
        da = conj_p.bind(da, input_dtype=typeof(da).dtype)
    if transpose_a:
        da = swapped(da)
    moved = product(da, out) if left_side else product(out, da)
    return solve_p.bind(
        a, neg(moved), left_side=left_side, lower=lower, transpose_a=transpose_a,
        conjugate_a=conjugate_a, unit_diagonal=unit_diagonal,
    )  # fmt: skip


defjvp(solve_p)(_in_matrix, lambda t, out, a, b, **params: solve_p.bind(a, t, **params))


@deftranspose(solve_p)
def _transpose(ct: Any, a: Any, b: Any, *, transpose_a: bool, **params: Any) -> list[Any]:
    check_known(solve_p, a)
    return [None, solve_p.bind(a, ct, transpose_a=not transpose_a, **params)]

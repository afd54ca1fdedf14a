"""Differentiation of LU decompositions.

F. de Hoog, R. Anderssen and M. Lukas, "Differentiation of matrix functionals using triangular
factorization" (2011), with what a tall or wide matrix has besides its leading square part. The
choice of pivots is piecewise constant.
"""

from __future__ import annotations

from typing import Any

from jx_core import typeof
from jx_core.lax import add, broadcast_in_dim, concatenate, linalg, slice_in_dim, sub
from jx_core.ops.linalg.masks import eye, product, triangle

from ...tables import defnondiff, jvp_rules
from ..sorting import take_along

solve = linalg.triangular_solve


def take_rows(x: Any, order: Any) -> Any:
    """Matrices with their rows in another order."""
    shape = typeof(x).shape
    places = broadcast_in_dim(order, shape, tuple(range(len(shape) - 1)))
    return take_along(x, places, len(shape) - 2)


def _lu(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    packed, pivots, order = linalg.lu_p.bind(*primals)
    if 0 in typeof(packed).shape:
        return [packed, pivots, order], [packed, None, None]
    moved = take_rows(tangents[0], order)
    return [packed, pivots, order], [_packed_tangent(packed, moved), None, None]


def _packed_tangent(packed: Any, moved: Any) -> Any:
    *batch, m, n = typeof(packed).shape
    k, rows, columns = min(m, n), len(batch), len(batch) + 1

    def part(x: Any, axis: int, start: int, stop: int) -> Any:
        return slice_in_dim(x, start, stop, axis=axis)

    square = part(part(packed, rows, 0, k), columns, 0, k)
    upper = triangle(square, lower=False)
    low = triangle(square, lower=True, offset=-1)
    unit = add(low, eye(typeof(square).shape, typeof(square).dtype))
    inner = part(part(moved, rows, 0, k), columns, 0, k)
    inner = solve(square, inner, left_side=True, lower=True, unit_diagonal=True)
    inner = solve(square, inner)
    d_low = product(unit, triangle(inner, lower=True, offset=-1))
    d_upper = product(triangle(inner, lower=False), upper)
    result = add(d_low, d_upper)
    if m > k:
        rest = sub(part(moved, rows, k, m), product(part(packed, rows, k, m), d_upper))
        result = concatenate([result, solve(square, rest)], rows)
    elif n > k:
        rest = sub(part(moved, columns, k, n), product(d_low, part(packed, columns, k, n)))
        rest = solve(square, rest, left_side=True, lower=True, unit_diagonal=True)
        result = concatenate([result, rest], columns)
    return result


jvp_rules.define(linalg.lu_p)(_lu)
defnondiff("integer result", linalg.lu_pivots_to_permutation_p)

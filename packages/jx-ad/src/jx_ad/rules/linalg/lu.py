"""Differentiation of LU decompositions.

F. de Hoog, R. Anderssen and M. Lukas, "Differentiation of matrix functionals using triangular
factorization" (2011), with what a tall or wide matrix has besides its leading square part. The
choice of pivots is piecewise constant.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import typeof
from jx_core.lax import (
    add,
    bitwise_and,
    broadcast_in_dim,
    concatenate,
    eq,
    full_like,
    linalg,
    pad,
    select,
    slice_in_dim,
    sub,
)
from jx_core.ops.linalg.masks import eye, places, product, triangle

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
    moved = take_rows(tangents[0], order)
    return [packed, pivots, order], [packed_tangent(packed, moved), None, None]


def packed_tangent(packed: Any, moved: Any) -> Any:
    """The tangent of the factors of L U, in the packed form, from that of the product.

    With G = L^-1 d(L U) for the rows of U and F, the part below the diagonal of G U^-1, it is
    dU = G - F U and dL = L F. The last column of F is needed for further rows of L only: without
    such, a zero in the last place of U's diagonal does no harm, and matrices that have lost one
    rank have their derivative.
    """
    *batch, m, n = typeof(packed).shape
    k, rows, columns = min(m, n), len(batch), len(batch) + 1
    if not k:
        return packed

    def part(x: Any, axis: int, start: int, stop: int) -> Any:
        return slice_in_dim(x, start, stop, axis=axis)

    top = part(packed, rows, 0, k)
    square = part(top, columns, 0, k)
    upper = triangle(top, lower=False)
    pivots = square if m > k else with_last_one(square)
    g = solve(square, part(moved, rows, 0, k), left_side=True, lower=True, unit_diagonal=True)
    f = triangle(solve(pivots, part(g, columns, 0, k)), lower=True, offset=-1)
    d_upper = triangle(sub(g, product(f, upper)), lower=False)
    unit = add(triangle(square, lower=True, offset=-1), eye(typeof(f).shape, typeof(f).dtype))
    d_low = triangle(product(unit, f), lower=True, offset=-1)
    if n > k:
        widths = [(0, 0, 0)] * columns + [(0, n - k, 0)]
        d_low = pad(d_low, full_like(d_low, 0, shape=()), widths)
    result = add(d_low, d_upper)
    if m > k:
        rest = sub(part(moved, rows, k, m), product(part(packed, rows, k, m), d_upper))
        result = concatenate([result, solve(square, rest)], rows)
    return result


def with_last_one(x: Any) -> Any:
    """Square matrices with a one in their last place."""
    n = typeof(x).shape[-1]
    rows, columns = places(x)
    last = bitwise_and(eq(rows, np.int32(n - 1)), eq(columns, np.int32(n - 1)))
    shape = typeof(x).shape
    spread = broadcast_in_dim(last, shape, (len(shape) - 2, len(shape) - 1))
    return select(spread, full_like(x, 1), x)


jvp_rules.define(linalg.lu_p)(_lu)
defnondiff("integer result", linalg.lu_pivots_to_permutation_p)

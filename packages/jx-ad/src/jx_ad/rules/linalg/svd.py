"""Differentiation of singular value decompositions.

With `p = u^H dx v`, singular values change by the real diagonal of `p`. Left singular vector
`j` changes along the left vector `i` by `(s[j] p[i, j] + s[i] conj(p[j, i])) / (s[j]^2 - s[i]^2)`,
right ones likewise with `s[i]` and `s[j]` exchanged. Beyond the others of a rectangular matrix,
vector `j` changes by what is left of `dx v[j] / s[j]`. Terms of equal singular values, and those
divided by zero ones, are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import lax, typeof
from jx_core.lax import linalg
from jx_core.ops.linalg.masks import adjoint_of, places, product, where_in_matrix
from jx_core.ops.linalg.spectral import subset

from ...tables import jvp_rules
from ..kit import is_complex
from .spectral import (
    column_products,
    columns,
    in_columns,
    in_rows,
    of_dtype,
    quotient_or_zero,
    real,
    scale_columns,
)


def _svd(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    (x,), (dx,) = primals, tangents
    m, n = typeof(x).shape[-2:]
    k = min(m, n)
    start, stop = subset("svd", params["subset_by_index"], k)
    full = params["full_matrices"] and params["compute_uv"]
    # The others take part in how those of a subset change.
    all_s, all_u, all_vh = linalg.svd_p.bind(
        x, **{**params, "full_matrices": full, "compute_uv": True, "subset_by_index": None}
    )
    s = columns(all_s, start, stop)
    all_u1, all_v1 = columns(all_u, 0, k), adjoint_of(columns(all_vh, 0, k, -2))
    u, v = columns(all_u1, start, stop), columns(all_v1, start, stop)
    dx_v = product(dx, v)
    ds = real(column_products(u, dx_v))
    if not params["compute_uv"]:
        return [s], [ds]
    dxh_u = product(adjoint_of(dx), u)
    from_u = product(adjoint_of(all_u1), dx_v)
    from_v = adjoint_of(from_u) if stop - start == k else product(adjoint_of(all_v1), dxh_u)
    turn_u, turn_v = _turns(all_s, s, from_u, from_v, start)
    du, dv = product(all_u1, turn_u), product(all_v1, turn_v)
    inverse = quotient_or_zero(s)
    if m > n:
        du = _beyond(du, all_u, u, dx_v, inverse, full)
    if n > m:
        dv = _beyond(dv, adjoint_of(all_vh), v, dxh_u, inverse, full)
    values = [s, all_u, all_vh] if full else [s, u, adjoint_of(v)]
    return values, [ds, du, adjoint_of(dv)]


def _turns(all_s: Any, s: Any, from_u: Any, from_v: Any, start: int) -> tuple[Any, Any]:
    """How singular vectors change along the others, `from_u` being p and `from_v` p^H."""
    k, count = typeof(all_s).shape[-1], typeof(s).shape[-1]
    other, own = in_columns(all_s, count), in_rows(s, k)
    weights = quotient_or_zero(lax.mul(lax.sub(own, other), lax.add(own, other)))
    by_own = of_dtype(lax.mul(weights, own), from_u)
    by_other = of_dtype(lax.mul(weights, other), from_u)
    turn_u = lax.add(lax.mul(by_own, from_u), lax.mul(by_other, from_v))
    turn_v = lax.add(lax.mul(by_other, from_u), lax.mul(by_own, from_v))
    if not is_complex(from_u):
        return turn_u, turn_v
    # A pair's own phase: the left vector takes the imaginary part of p[j, j] / s[j].
    phase = lax.complex(lax.full_like(lax.imag(from_u), 0), lax.imag(from_u))
    row, column = places(phase)
    meet = lax.eq(row, lax.add(column, np.int32(start)))
    own_phase = where_in_matrix(meet, scale_columns(phase, quotient_or_zero(s)))
    return lax.add(turn_u, own_phase), turn_v


def _beyond(du: Any, all_u: Any, u: Any, dx_v: Any, inverse: Any, full: bool) -> Any:
    """Changes of singular vectors, added the part that is orthogonal to all of the others.

    The vectors that complete a basis change by the least that keeps it orthogonal.
    """
    if not full:
        rest = lax.sub(dx_v, product(all_u, product(adjoint_of(all_u), dx_v)))
        return lax.add(du, scale_columns(rest, inverse))
    rows, k = typeof(u).shape[-2:]
    completing = columns(all_u, k, rows)
    turn = scale_columns(product(adjoint_of(completing), dx_v), inverse)
    du = lax.add(du, product(completing, turn))
    return lax.concatenate([du, lax.neg(product(u, adjoint_of(turn)))], typeof(u).ndim - 1)


jvp_rules.define(linalg.svd_p)(_svd)

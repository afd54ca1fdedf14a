"""Differentiation of QR decompositions, whose signs and further columns the reflections decide.

With X = Q R, G = Q^H dX and an antihermitian W = Q^H dQ that agrees with G R^-1 below the
diagonal, it is dR = G - W R: S. Walter and L. Lehmann, "Algorithmic differentiation of linear
algebra functions with application in optimum experimental design" (2010). The columns of a full Q
beside those that span the matrix's are no free choice, since Q is a product of reflections; their
derivative is derived in `_further_columns`. The choice of columns in pivoting is piecewise
constant.
"""

from __future__ import annotations

from typing import Any

from jx_core import Primitive, typeof
from jx_core.lax import (
    add,
    broadcast_in_dim,
    complex,
    concatenate,
    eq,
    full_like,
    imag,
    linalg,
    neg,
    pad,
    select,
    slice_in_dim,
    sub,
)
from jx_core.ops.linalg.compact_wy import vectors
from jx_core.ops.linalg.masks import (
    adjoint_of,
    diagonal,
    eye,
    places,
    product,
    triangle,
    where_in_matrix,
)
from jx_core.ops.linalg.qr import packed_form, unpacked

from ...tables import jvp_rules
from ..kit import is_complex
from ..sorting import take_along
from .lu import packed_tangent, with_last_one

solve = linalg.triangular_solve


def _take_columns(x: Any, order: Any) -> Any:
    """Matrices with their columns in another order."""
    shape = typeof(x).shape
    n = len(shape)
    where = broadcast_in_dim(order, shape, (*range(n - 2), n - 1))
    return take_along(x, where, n - 1)


def _part(x: Any, axis: int, start: int, stop: int | None = None) -> Any:
    axis += typeof(x).ndim
    return slice_in_dim(x, start, stop, axis=axis)


def _padded(x: Any, axis: int, more: int) -> Any:
    """`x` with zeros at the end of an axis."""
    widths = [(0, 0, 0)] * typeof(x).ndim
    widths[axis] = (0, more, 0)
    return pad(x, full_like(x, 0, shape=()), widths)


def _rotation(c: Any) -> Any:
    """The antihermitian matrix that agrees with `c` below the diagonal (and on it, where a real
    diagonal of R leaves that to Q)."""
    low = triangle(c, lower=True, offset=-1)
    turn = sub(low, adjoint_of(low))
    if is_complex(c):
        rows, columns = places(c)
        on = imag(where_in_matrix(eq(rows, columns), c))
        turn = add(turn, complex(full_like(on, 0), on))
    return turn


def _reduced(q: Any, r: Any, t: Any) -> tuple[Any, Any, Any]:
    """The tangents of the first columns of Q and of as many rows of R, and W.

    Where Q is square and real, the last pivot of R decides nothing, and may be zero.
    """
    m, n = typeof(t).shape[-2:]
    k = min(m, n)
    square = _part(r, -1, 0, k)
    pivots = square if m > n or is_complex(t) else with_last_one(square)
    g = product(adjoint_of(q), t)
    turn = _rotation(solve(pivots, _part(g, -1, 0, k)))
    dr = triangle(sub(g, product(turn, r)), lower=False)
    dq = product(q, turn)
    if m > n:
        dq = add(dq, solve(square, sub(t, product(q, g))))
    return dq, dr, turn


def _further_columns(first: Any, others: Any, dq: Any, turn: Any, packed: Any) -> Any:
    """The tangent of the columns of Q beside the first ones, P.

    With V = [V1; V2] and the triangular factor T of the compact form, [first P] is I - V T V^H,
    so that V T V1^H = [I; 0] - first and, with Z = V2 V1^-1, P = [-Z^H; I] + first Z^H. As Z
    (first_top - I) = first_bottom, differentiating all that and multiplying by P^H from the left
    leaves, with B = P^H d(first),

        P^H dP = B Z^H - Z B^H - Z W Z^H,

    which needs no inverse but that of V1, a triangle with ones on the diagonal.
    """
    k = typeof(first).shape[-1]
    v = vectors(packed, k)
    z = solve(_part(v, -2, 0, k), _part(v, -2, k), lower=True, unit_diagonal=True)
    b = product(adjoint_of(others), dq)
    inner = product(b, adjoint_of(z))
    inner = sub(inner, adjoint_of(inner))
    inner = sub(inner, product(product(z, turn), adjoint_of(z)))
    return sub(product(others, inner), product(first, adjoint_of(b)))


def _qr(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    (x,), (t,) = primals, tangents
    m, n = typeof(x).shape[-2:]
    if not params["full_matrices"] or m <= n:
        q, r, *order = linalg.qr_p.bind(x, **params)
        t = _take_columns(t, order[0]) if order else t
        dq, dr, _ = _reduced(q, r, t)
        return [q, r, *order], [dq, dr, *[None for _ in order]]
    pivoting, use_magma = params["pivoting"], params["use_magma"]
    packed, taus, order = packed_form(x, pivoting=pivoting, use_magma=use_magma)
    q, r = unpacked(packed, taus, full_matrices=True)
    t = _take_columns(t, order[0]) if order else t
    first, others = _part(q, -1, 0, n), _part(q, -1, n)
    dq, dr, turn = _reduced(first, _part(r, -2, 0, n), t)
    dp = _further_columns(first, others, dq, turn, packed)
    columns = typeof(q).ndim - 1
    moved = [concatenate([dq, dp], columns), _padded(dr, -2, m - n)]
    return [q, r, *order], [*moved, *[None for _ in order]]


def _packed(packed: Any, taus: Any, t: Any) -> tuple[Any, Any]:
    """The tangents of the packed form, from that of the matrix with its columns in order.

    The vectors are the lower factor of I - Q = V (T V1^H), with ones on the diagonal, and the
    factors the diagonal of the upper one: G. Ballard and others, "Reconstructing Householder
    vectors from tall-skinny QR" (2014). Where a factor is zero, because there was nothing to
    reflect, the packed form jumps; a one in its place keeps the tangent finite.
    """
    m, n = typeof(packed).shape[-2:]
    k = min(m, n)
    if not k:
        return packed, taus
    q, r = unpacked(packed, taus, full_matrices=False)
    dq, dr, _ = _reduced(q, r, t)
    v = _part(packed, -1, 0, k)
    top = _part(q, -2, 0, k)
    rest = sub(eye(typeof(top).shape, typeof(top).dtype), top)
    upper = solve(_part(v, -2, 0, k), rest, left_side=True, lower=True, unit_diagonal=True)
    upper = triangle(_with_factors(upper, taus), lower=False)
    factors = add(triangle(v, lower=True, offset=-1), _padded(upper, -2, m - k))
    moved = packed_tangent(factors, neg(dq))
    vectors_moved = _padded(triangle(moved, lower=True, offset=-1), -1, n - k)
    return add(vectors_moved, _padded(dr, -2, m - k)), _part(diagonal(moved), -1, 0, k)


def _with_factors(x: Any, taus: Any) -> Any:
    """Square matrices with the factors on their diagonals, or ones where those are zero."""
    shape = typeof(x).shape
    n = len(shape)
    safe = select(eq(taus, full_like(taus, 0)), full_like(taus, 1), taus)
    rows, columns = places(x)
    on = broadcast_in_dim(eq(rows, columns), shape, (n - 2, n - 1))
    return select(on, broadcast_in_dim(safe, shape, tuple(range(n - 1))), x)


def _geqrf(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    packed, taus = linalg.geqrf_p.bind(*primals)
    return [packed, taus], list(_packed(packed, taus, tangents[0]))


def _geqp3(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    packed, jpvt, taus = linalg.geqp3_p.bind(*primals, **params)
    if tangents[0] is None:  # only the columns to be fixed depend on what is differentiated
        return [packed, jpvt, taus], [None, None, None]
    order = sub(jpvt, full_like(jpvt, 1))
    d_packed, d_taus = _packed(packed, taus, _take_columns(tangents[0], order))
    return [packed, jpvt, taus], [d_packed, None, d_taus]


_RULES: dict[Primitive, Any] = {
    linalg.qr_p: _qr, linalg.geqrf_p: _geqrf, linalg.geqp3_p: _geqp3,
}  # fmt: skip
for _primitive, _rule in _RULES.items():
    jvp_rules.define(_primitive)(_rule)

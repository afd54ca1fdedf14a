"""Differentiation of QR decompositions and of products of reflections.

S. Walter and L. Lehmann, "Algorithmic differentiation of linear algebra functions with
application in optimum experimental design" (2010). Where Q has columns beside those that span
the matrix's, they are determined up to a rotation among themselves; their derivative is the
one that does not rotate them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import typeof
from jx_core.lax import (
    add,
    broadcast_in_dim,
    complex,
    concatenate,
    conj,
    convert_element_type,
    dynamic_index_in_dim,
    eq,
    fori_loop,
    full_like,
    gt,
    imag,
    iota,
    linalg,
    mul,
    neg,
    pad,
    select,
    slice_in_dim,
    sub,
)
from jx_core.ops.linalg.masks import adjoint_of, eye, places, product, triangle, where_in_matrix

from ...forward import jvp_flat
from ...tables import add_tangents, deftranspose, jvp_rules
from ..kit import check_known, is_complex
from ..sorting import take_along


def _take_columns(x: Any, order: Any) -> Any:
    """Matrices with their columns in another order."""
    shape = typeof(x).shape
    n = len(shape)
    where = broadcast_in_dim(order, shape, (*range(n - 2), n - 1))
    return take_along(x, where, n - 1)


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


def _qr(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    outs = linalg.qr_p.bind(*primals, **params)
    q, r = outs[:2]
    t = _take_columns(tangents[0], outs[2]) if params["pivoting"] else tangents[0]
    return outs, [*_tangents(q, r, t), *[None for _ in outs[2:]]]


def _tangents(q: Any, r: Any, t: Any) -> list[Any]:
    *batch, m, n = typeof(t).shape
    k, rows, columns = min(m, n), len(batch), len(batch) + 1
    if not k:
        return [full_like(q, 0), full_like(r, 0)]
    first = slice_in_dim(q, 0, k, axis=columns)
    upper = slice_in_dim(r, 0, k, axis=rows)
    square = slice_in_dim(upper, 0, k, axis=columns)
    x = linalg.triangular_solve(square, slice_in_dim(t, 0, k, axis=columns))
    c = product(adjoint_of(first), x)
    turn = _rotation(c)
    dq = add(x, product(first, sub(turn, c)))
    dr = triangle(sub(product(adjoint_of(first), t), product(turn, upper)), lower=False)
    if typeof(q).shape[-1] > k:
        others = slice_in_dim(q, k, m, axis=columns)
        d_others = neg(product(first, product(adjoint_of(dq), others)))
        dq = concatenate([dq, d_others], columns)
        widths = [(0, 0, 0)] * rows + [(0, m - k, 0), (0, 0, 0)]
        dr = pad(dr, full_like(dr, 0, shape=()), widths)
    return [dq, dr]


jvp_rules.define(linalg.qr_p)(_qr)
for _primitive in (linalg.geqrf_p, linalg.geqp3_p):
    jvp_rules.explain(
        "the packed form is for those who go on with it; differentiate lax.linalg.qr", _primitive
    )


def _reflections(a: Any, taus: Any) -> Any:
    """The product of reflections, made one by one in a loop."""
    shape = typeof(a).shape
    *batch, m, n = shape
    rows = iota(np.int32, m)
    column = (*batch, m)
    leading = tuple(range(len(batch)))

    def step(i: Any, q: Any) -> Any:
        k = convert_element_type(sub(typeof(taus).shape[-1] - 1, i), np.int32)
        v = dynamic_index_in_dim(a, k, len(batch) + 1, False)
        number = broadcast_in_dim(rows, column, (len(batch),))
        v = select(gt(number, k), v, full_like(v, 0))
        v = select(eq(number, k), full_like(v, 1), v)
        tau = dynamic_index_in_dim(taus, k, len(batch), False)
        bra = broadcast_in_dim(conj(v) if is_complex(v) else v, (*batch, 1, m),
                               (*leading, len(batch) + 1))  # fmt: skip
        ket = broadcast_in_dim(v, (*batch, m, 1), (*leading, len(batch)))
        scaled = mul(ket, broadcast_in_dim(tau, (*batch, m, 1), leading))
        return sub(q, product(scaled, product(bra, q)))

    return fori_loop(0, typeof(taus).shape[-1], step, eye(shape, typeof(a).dtype))


def _householder_product(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    _, (tangent,) = jvp_flat(lambda a, taus: [_reflections(a, taus)], primals, tangents)
    return linalg.householder_product_p.bind(*primals), tangent


jvp_rules.define(linalg.householder_product_p)(_householder_product)


def _ormqr(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    """Linear in the matrix that is multiplied; the rest by way of Q itself."""
    a, taus, c = primals
    t_a, t_taus, t_c = tangents
    total = None
    if t_c is not None:
        total = linalg.ormqr_p.bind(a, taus, t_c, **params)
    if t_a is not None or t_taus is not None:
        decompose = linalg.ormqr_p.decompose
        assert decompose is not None
        _, (more,) = jvp_flat(
            lambda a, taus: [decompose(a, taus, c, **params)], [a, taus], [t_a, t_taus]
        )
        total = add_tangents(total, more)
    return linalg.ormqr_p.bind(*primals, **params), total


jvp_rules.define(linalg.ormqr_p)(_ormqr)


@deftranspose(linalg.ormqr_p)
def _transpose(ct: Any, a: Any, taus: Any, c: Any, *, left: bool, transpose: bool) -> list[Any]:
    """The transpose of Q is the conjugate of its adjoint."""
    for x in (a, taus):
        check_known(linalg.ormqr_p, x)
    turned = is_complex(ct)
    out = linalg.ormqr_p.bind(
        a, taus, conj(ct) if turned else ct, left=left, transpose=not transpose
    )
    return [None, None, conj(out) if turned else out]

"""Differentiation of general eigendecompositions.

With `p = v^-1 dx v`, eigenvalues change by the diagonal of `p`, and eigenvector `j` by
`p[i, j] / (w[j] - w[i])` along eigenvector `i`, and along itself such that its length stays 1
and its greatest component real. Left eigenvectors are the right ones of the adjoint, with
conjugate eigenvalues. Terms of equal eigenvalues are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import lax, typeof
from jx_core.lax import linalg
from jx_core.ops.linalg.masks import adjoint_of, diagonal, product

from ...tables import jvp_rules
from ..kit import where
from .spectral import column_products, inverse_differences, of_dtype, scale_columns


def _in_basis(v: Any, x: Any) -> Any:
    """`v^-1 x`."""
    q, r = linalg.qr(v, full_matrices=False)
    return linalg.triangular_solve(r, product(adjoint_of(q), x), left_side=True, lower=False)


def _vectors(w: Any, v: Any, p: Any) -> Any:
    """How eigenvectors `v` change."""
    shape = typeof(v).shape
    rows = len(shape) - 2
    moved = product(v, lax.mul(inverse_differences(w, w), p))
    greatest = lax.expand_dims(lax.argmax(lax.abs(v), rows, np.int32), (rows,))
    numbers = lax.broadcasted_iota(np.int32, shape, rows)
    is_greatest = lax.eq(numbers, lax.broadcast_in_dim(greatest, shape, range(rows + 2)))

    def part(x: Any) -> Any:
        return lax.reduce_sum(where(is_greatest, x), (rows,))

    longer = lax.real(column_products(v, moved))
    turned = lax.div(part(lax.imag(moved)), part(lax.real(v)))
    return lax.sub(moved, scale_columns(v, lax.complex(longer, turned)))


def _eig(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    (x,), (t,) = primals, tangents
    left, right = params["compute_left_eigenvectors"], params["compute_right_eigenvectors"]
    if (left or right) and not params["enable_eigvec_derivs"]:
        raise NotImplementedError(
            "eig: eigenvectors have derivatives only where all eigenvalues are distinct and no "
            "eigenvector has two components tied for greatest, which can't be checked. If that "
            "is so, pass enable_eigvec_derivs=True to lax.linalg.eig; if only eigenvalues are "
            "wanted, compute_left_eigenvectors=False and compute_right_eigenvectors=False"
        )
    # How vectors are normalized does not matter to eigenvalues, to the second order either.
    outs = linalg.eig_p.bind(
        x, **{**params, "compute_right_eigenvectors": True, "enable_eigvec_derivs": True}
    )
    w, v = outs[0], outs[-1]
    t = of_dtype(t, v)
    p = product(_in_basis(v, t), v)
    values, moved = [w], [diagonal(p)]
    if left:
        u = outs[1]
        values.append(u)
        moved.append(_vectors(lax.conj(w), u, product(_in_basis(u, adjoint_of(t)), u)))
    if right:
        values.append(v)
        moved.append(_vectors(w, v, p))
    return values, moved


jvp_rules.define(linalg.eig_p)(_eig)

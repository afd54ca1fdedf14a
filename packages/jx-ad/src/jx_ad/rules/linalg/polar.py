"""Differentiation of the polar decomposition.

From `x = u h`, the rotation `r = u^H du` of the factor solves `r h + h r = u^H dx - dx^H u`,
which the eigenvectors of `h` make a division by sums of its eigenvalues. What `dx` has beyond the
columns of `u` adds `(1 - u u^H) dx h^-1`. See Higham, *Functions of Matrices* (2008), chapter 8.
"""

from __future__ import annotations

from typing import Any

from jx_core.lax import add, linalg, mul, sub
from jx_core.ops.linalg.eigh import symmetrize
from jx_core.ops.linalg.masks import adjoint_of, product

from ...tables import jvp_rules
from .spectral import in_columns, in_rows, of_dtype, quotient_or_zero, scale_columns


def _qdwh(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    outs = linalg.qdwh_p.bind(*primals, **params)
    u, h = outs[:2]
    (dx,) = tangents
    v, w = linalg.eigh(h, symmetrize_input=False)
    n = w.shape[-1]
    along = product(adjoint_of(u), dx)
    skew = product(adjoint_of(v), product(sub(along, adjoint_of(along)), v))
    inverse_sums = of_dtype(quotient_or_zero(add(in_rows(w, n), in_columns(w, n))), v)
    turn = product(product(v, mul(inverse_sums, skew)), adjoint_of(v))
    beyond = sub(dx, product(u, along))
    stretched = product(scale_columns(product(beyond, v), quotient_or_zero(w)), adjoint_of(v))
    dh = symmetrize(sub(along, product(turn, h)))
    return outs, [add(product(u, turn), stretched), dh, None, None]


jvp_rules.define(linalg.qdwh_p)(_qdwh)

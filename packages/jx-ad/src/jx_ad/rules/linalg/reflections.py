"""Differentiation of products of reflections, by way of their compact form."""

from __future__ import annotations

from typing import Any

from jx_core.lax import linalg
from jx_core.ops.linalg.compact_wy import applied, formed
from jx_core.ops.linalg.masks import conj_if_complex

from ...forward import jvp_flat
from ...tables import add_tangents, deftranspose, jvp_rules
from ..kit import check_known

ormqr_p = linalg.ormqr_p


def _householder_product(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    _, (tangent,) = jvp_flat(lambda a, taus: [formed(a, taus)], primals, tangents)
    return linalg.householder_product_p.bind(*primals), tangent


def _ormqr(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    """Linear in the matrix that is multiplied."""
    a, taus, c = primals
    t_a, t_taus, t_c = tangents
    total = None
    if t_c is not None:
        total = ormqr_p.bind(a, taus, t_c, **params)
    if t_a is not None or t_taus is not None:
        _, (more,) = jvp_flat(
            lambda a, taus: [applied(a, taus, c, **params)], [a, taus], [t_a, t_taus]
        )
        total = add_tangents(total, more)
    return ormqr_p.bind(*primals, **params), total


jvp_rules.define(linalg.householder_product_p)(_householder_product)
jvp_rules.define(ormqr_p)(_ormqr)


@deftranspose(ormqr_p)
def _transpose(ct: Any, a: Any, taus: Any, c: Any, *, left: bool, transpose: bool) -> list[Any]:
    """The transpose of Q is the conjugate of its adjoint."""
    for x in (a, taus):
        check_known(ormqr_p, x)
    ct = conj_if_complex(ct)
    return [None, None, conj_if_complex(
        ormqr_p.bind(a, taus, ct, left=left, transpose=not transpose)
    )]  # fmt: skip

"""Products of reflections by `lax` functions, all reflections of a matrix at once.

With the vectors v_i in the columns of V and the factors tau_i in the diagonal matrix D,

    (I - tau_1 v_1 v_1^H) ... (I - tau_k v_k v_k^H) = I - V T V^H,   T = (I + D S)^-1 D,

where S is the part of V^H V above its diagonal: T. Joffrain, T. Low, E. Quintana-Orti, R. van de
Geijn and F. Van Zee, "Accumulating Householder transformations, revisited" (2006), in a form that
needs no factor's inverse. So the product is differentiated like any other, and computed where
there is no library for it. The primitives are in `qr`.
"""

from __future__ import annotations

from typing import Any

from ...aval import typeof
from ..elementwise import add, mul, sub
from ..indexing import slice_in_dim
from ..shape import broadcast_in_dim
from .masks import adjoint_of, conj_if_complex, eye, product, triangle
from .triangular import triangular_solve

__all__: list[str] = []


def vectors(a: Any, k: int) -> Any:
    """V of the packed form: ones on the diagonal, what is packed below it, zero above."""
    a = slice_in_dim(a, 0, k, axis=typeof(a).ndim - 1)
    aval = typeof(a)
    return add(triangle(a, lower=True, offset=-1), eye(aval.shape, aval.dtype))


def _scaled(taus: Any, x: Any) -> Any:
    """Row i of the matrices `x` times factor i."""
    shape = typeof(x).shape
    return mul(broadcast_in_dim(taus, shape, tuple(range(len(shape) - 1))), x)


def _inner(v: Any, taus: Any, x: Any, adjoint: bool) -> Any:
    """T x, or T^H x."""
    above = triangle(product(adjoint_of(v), v), lower=False, offset=1)
    system = _scaled(taus, above)
    if not adjoint:
        return triangular_solve(system, _scaled(taus, x), left_side=True, unit_diagonal=True)
    x = triangular_solve(
        system, x, left_side=True, transpose_a=True, conjugate_a=True, unit_diagonal=True
    )
    return _scaled(conj_if_complex(taus), x)


def applied(a: Any, taus: Any, c: Any, *, left: bool, transpose: bool) -> Any:
    """What `ormqr` computes."""
    if not left:  # c Q is (Q^H c^H)^H
        c, transpose = adjoint_of(c), not transpose
    v = vectors(a, typeof(taus).shape[-1])
    out = sub(c, product(v, _inner(v, taus, product(adjoint_of(v), c), transpose)))
    return out if left else adjoint_of(out)


def formed(a: Any, taus: Any) -> Any:
    """What `householder_product` computes: the first columns, for which c is an identity."""
    aval = typeof(a)
    v = vectors(a, typeof(taus).shape[-1])
    top = slice_in_dim(v, 0, aval.shape[-1], axis=aval.ndim - 2)
    return sub(
        eye(aval.shape, aval.dtype), product(v, _inner(v, taus, adjoint_of(top), False))
    )

"""Differentiation of Hermitian eigendecompositions.

With `p = v^H dx v`, eigenvalues change by the diagonal of `p`, and eigenvector `j` by
`p[i, j] / (w[j] - w[i])` along eigenvector `i`. Terms of equal eigenvalues are left out.
"""

from __future__ import annotations

from typing import Any

from jx_core import typeof
from jx_core.lax import linalg, mul
from jx_core.ops.linalg.masks import adjoint_of, product
from jx_core.ops.linalg.spectral import subset

from ...tables import jvp_rules
from .cholesky import hermitian
from .spectral import column_products, columns, inverse_differences, of_dtype, real


def _eigh(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    (x,), (t,) = primals, tangents
    n = typeof(x).shape[-1]
    start, stop = subset("eigh", params["subset_by_index"], n)
    # The others take part in how those of a subset change.
    in_order = params["sort_eigenvalues"] or stop - start < n
    all_v, all_w = linalg.eigh_p.bind(
        x, **{**params, "subset_by_index": None, "sort_eigenvalues": in_order}
    )
    v, w = columns(all_v, start, stop), columns(all_w, start, stop)
    # `hermitian` reads the lower triangle.
    change = hermitian(t if params["lower"] else adjoint_of(t))
    moved = product(change, v)
    along = product(adjoint_of(all_v), moved)
    weights = of_dtype(inverse_differences(all_w, w), v)
    dw = real(column_products(v, moved))
    return [v, w], [product(all_v, mul(weights, along)), dw]


jvp_rules.define(linalg.eigh_p)(_eigh)

"""Lowering of Schur decompositions: LAPACK's `gees`, elsewhere the QR algorithm by operations."""

from __future__ import annotations

import numpy as np

from jx_core import ShapedArray
from jx_core.lax import linalg

from ..builder import Value
from ..tables import Context, deflower
from .native import lapack, matrices, plain
from .spectral import decomposition, is_empty, zeros


@deflower(linalg.schur_p, platform="cpu")
def _lapack(ctx: Context, x: Value, *, compute_schur_vectors: bool) -> list[Value]:
    (aval,) = ctx.in_avals
    if is_empty(aval):
        return zeros(ctx)
    eigenvalues = plain(ShapedArray(aval.shape[:-1], aval.dtype))
    selected = plain(ShapedArray(aval.shape[:-2], np.dtype(np.int32)))
    parts = 1 if aval.dtype.kind == "c" else 2
    results = decomposition(
        ctx, lapack(aval.dtype, "gees"), x, matrices(aval),
        [matrices(aval), matrices(aval), *[eigenvalues] * parts, selected],
        {"mode": "V" if compute_schur_vectors else "N", "sort": "N"},
    )  # fmt: skip
    return results[: 1 + compute_schur_vectors]

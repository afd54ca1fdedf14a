"""Lowering of Householder reductions: LAPACK's `gehrd` and `sytrd`, cuSOLVER's `sytrd`.

Elsewhere they are loops of reflections, their decomposition.
"""

from __future__ import annotations

import numpy as np

from jx_core.lax import linalg

from ..builder import Value
from ..tables import Context, deflower
from .native import gpu_solver, lapack, matrices, plain
from .spectral import GPU_PLATFORMS, decomposition, is_empty, zeros


@deflower(linalg.hessenberg_p, platform="cpu")
def _hessenberg(ctx: Context, a: Value) -> list[Value]:
    (aval,), (_, taus) = ctx.in_avals, ctx.out_avals
    if is_empty(aval):
        return zeros(ctx)
    return decomposition(
        ctx, lapack(aval.dtype, "gehrd"), a, matrices(aval), [matrices(aval), plain(taus)],
        {"low": np.int32(1), "high": np.int32(aval.shape[-1])},
    )  # fmt: skip


@deflower(linalg.tridiagonal_p, platform="cpu")
def _tridiagonal(ctx: Context, a: Value, *, lower: bool) -> list[Value]:
    (aval,), (_, *rest) = ctx.in_avals, ctx.out_avals
    if is_empty(aval):
        return zeros(ctx)
    routine = "hetrd" if aval.dtype.kind == "c" else "sytrd"
    return decomposition(
        ctx, lapack(aval.dtype, routine), a, matrices(aval), [matrices(aval), *map(plain, rest)],
        {"uplo": "L" if lower else "U"}, reads="lower" if lower else "upper",
    )  # fmt: skip


def _tridiagonal_gpu(ctx: Context, a: Value, *, lower: bool) -> list[Value]:
    (aval,), (_, *rest) = ctx.in_avals, ctx.out_avals
    if is_empty(aval):
        return zeros(ctx)
    return decomposition(
        ctx, gpu_solver(ctx.module.platform, "sytrd_ffi"), a, matrices(aval),
        [matrices(aval), *map(plain, rest)], {"lower": lower},
        reads="lower" if lower else "upper",
    )  # fmt: skip


for _platform in GPU_PLATFORMS:
    deflower(linalg.tridiagonal_p, platform=_platform)(_tridiagonal_gpu)

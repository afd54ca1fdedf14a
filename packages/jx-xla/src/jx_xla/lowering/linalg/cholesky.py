"""Lowering of Cholesky decompositions: `potrf` of LAPACK and the GPU solvers, XLA's own elsewhere.

Updates are lowered as their decomposition.
"""

from __future__ import annotations

from typing import Any

from jx_core.lax import linalg
from jx_core.ops.linalg.masks import triangle

from ..builder import Value
from ..tables import Context, deflower
from ..types import type_of
from .native import gpu_solver, lapack, matrices, native_call, status_codes, where_ok
from .parts import composed

GPU_PLATFORMS = ("cuda", "rocm")


def _lower_part(ctx: Context, x: Value) -> Value:
    """The lower triangle; the functions leave in the upper one what the operand had there."""
    (out,) = composed(ctx.block, lambda v: [triangle(v, lower=True)], [ctx.out], [x])
    return out


@deflower(linalg.cholesky_p)
def _cholesky(ctx: Context, x: Value) -> Value:
    kind = type_of(ctx.out)
    return _lower_part(ctx, ctx.block.op("stablehlo.cholesky", (x,), (kind,), kind, "lower = true"))


def _potrf(ctx: Context, x: Value, target: str, attributes: dict[str, Any]) -> Value:
    aval = ctx.out
    if 0 in aval.shape:
        return x
    batch = aval.shape[:-2]
    factor, status = native_call(
        ctx.block, target, (x,), (matrices(aval),), (matrices(aval), status_codes(batch)),
        attributes, {0: 0},
    )  # fmt: skip
    return _lower_part(ctx, where_ok(ctx.block, status, batch, factor, aval))


@deflower(linalg.cholesky_p, platform="cpu")
def _cpu(ctx: Context, x: Value) -> Value:
    return _potrf(ctx, x, lapack(ctx.out.dtype, "potrf"), {"uplo": "L"})


def _gpu(ctx: Context, x: Value) -> Value:
    return _potrf(ctx, x, gpu_solver(ctx.module.platform, "potrf_ffi"), {"lower": True})


for _platform in GPU_PLATFORMS:
    deflower(linalg.cholesky_p, platform=_platform)(_gpu)

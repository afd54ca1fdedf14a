"""Lowering of Cholesky decompositions: `potrf` of LAPACK and the GPU solvers, XLA's own elsewhere.

Updates have a kernel on GPUs, for one matrix; else they are lowered as their decomposition.
"""

from __future__ import annotations

from typing import Any

from jx_core.lax import linalg
from jx_core.ops.linalg.masks import triangle

from ..builder import Value
from ..tables import Context, deflower
from ..types import type_of
from .native import (
    Buffer,
    gpu_kernel,
    gpu_solver,
    lapack,
    matrices,
    native_call,
    plain,
    status_codes,
    where_ok,
)
from .parts import composed


def _lower_part(ctx: Context, x: Value) -> Value:
    """The lower triangle; the functions leave in the upper one what the operand had there."""
    (out,) = composed(ctx.block, lambda v: [triangle(v, lower=True)], [ctx.out], [x])
    return out


@deflower(linalg.cholesky_p)
def _cholesky(ctx: Context, x: Value) -> Value:
    kind = type_of(ctx.out)
    return _lower_part(ctx, ctx.block.op("stablehlo.cholesky", (x,), (kind,), kind, "lower = true"))


def _potrf(
    ctx: Context, x: Value, target: str, buffer: Buffer, attributes: dict[str, Any]
) -> Value:
    if 0 in ctx.out.shape:
        return x
    batch = ctx.out.shape[:-2]
    results = (buffer, status_codes(batch))
    factor, status = native_call(ctx.block, target, (x,), (buffer,), results, attributes, {0: 0})
    return _lower_part(ctx, where_ok(ctx.block, status, batch, factor, ctx.out))


@deflower(linalg.cholesky_p, platform="cpu")
def _cpu(ctx: Context, x: Value) -> Value:
    """In row-major order, which LAPACK takes for the transpose: that has an upper factor, L^T."""
    return _potrf(ctx, x, lapack(ctx.out.dtype, "potrf"), plain(ctx.out), {"uplo": "U"})


def _gpu(ctx: Context, x: Value) -> Value:
    target = gpu_solver(ctx.module.platform, "potrf_ffi")
    return _potrf(ctx, x, target, matrices(ctx.out), {"lower": True})


def _gpu_update(ctx: Context, r: Value, w: Value) -> Value:
    """The kernel takes one matrix, and leaves what lies below the diagonal to nobody."""
    if ctx.out.ndim > 2 or 0 in ctx.out.shape:
        decompose = linalg.cholesky_update_p.decompose
        assert decompose is not None
        return composed(ctx.block, lambda *xs: [decompose(*xs)], ctx.in_avals, (r, w))[0]
    target = gpu_kernel(ctx.module.platform, "_cholesky_update_ffi")
    buffers = [plain(a) for a in ctx.in_avals]
    (r,) = composed(ctx.block, lambda x: [triangle(x, lower=False)], [ctx.out], [r])
    out, _ = native_call(ctx.block, target, (r, w), buffers, buffers, {}, {0: 0, 1: 1})
    return composed(ctx.block, lambda x: [triangle(x, lower=False)], [ctx.out], [out])[0]


for _platform in ("cuda", "rocm"):
    deflower(linalg.cholesky_p, platform=_platform)(_gpu)
deflower(linalg.cholesky_update_p, platform="cuda")(_gpu_update)

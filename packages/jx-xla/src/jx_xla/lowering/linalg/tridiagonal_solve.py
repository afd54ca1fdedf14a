"""Lowering of tridiagonal solves: LAPACK's `gtsv`, the GPU libraries' `gtsv2`.

Where there is neither, the decomposition serves.
"""

from __future__ import annotations

from jx_core.lax import linalg

from ...runtime import custom_calls
from ..builder import Value
from ..tables import Context, deflower
from .native import (
    gpu_kernel,
    lapack,
    matrices,
    native_call,
    plain,
    status_codes,
    where_ok,
)
from .parts import composed


@deflower(linalg.tridiagonal_solve_p, platform="cpu")
def _cpu(ctx: Context, *operands: Value, perturb_singular: bool) -> Value:
    if 0 in ctx.out.shape:
        return operands[3]
    batch = ctx.out.shape[:-2]
    buffers = [*map(plain, ctx.in_avals[:3]), matrices(ctx.in_avals[3])]
    if perturb_singular:
        custom_calls.register_cpu_lapack()
        target = "tridiagonal_solve_perturbed_ffi"
        return native_call(ctx.block, target, operands, buffers, (matrices(ctx.out),))[0]
    *_, out, status = native_call(
        ctx.block, lapack(ctx.out.dtype, "gtsv"), operands, buffers,
        (*buffers, status_codes(batch)), {}, {i: i for i in range(4)},
    )  # fmt: skip
    return where_ok(ctx.block, status, batch, out, ctx.out)


_LEAST = 3  # rows that the GPU libraries take


def _gpu(ctx: Context, *operands: Value, perturb_singular: bool) -> Value:
    if 0 in ctx.out.shape:
        return operands[3]
    platform, out = ctx.module.platform, matrices(ctx.out)
    buffers = [*map(plain, ctx.in_avals[:3]), out]
    if perturb_singular:
        target = gpu_kernel(platform, "_tridiagonal_solve_perturbed")
        return native_call(ctx.block, target, operands, buffers, (out,))[0]
    if ctx.in_avals[1].shape[-1] < _LEAST:
        decompose = linalg.tridiagonal_solve_p.decompose
        assert decompose is not None
        return composed(
            ctx.block, lambda *xs: [decompose(*xs, perturb_singular=False)], ctx.in_avals, operands
        )[0]
    target = gpu_kernel(platform, "sparse_gtsv2_ffi")
    return native_call(ctx.block, target, operands, buffers, (out,), {}, {3: 0})[0]


for _platform in ("cuda", "rocm"):
    deflower(linalg.tridiagonal_solve_p, platform=_platform)(_gpu)

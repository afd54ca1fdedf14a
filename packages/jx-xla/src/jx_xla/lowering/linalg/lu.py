"""Lowering of LU decompositions: `getrf` of LAPACK and the GPU solvers, XLA's own on TPUs.

The permutation that row exchanges amount to has a kernel on GPUs; it is lowered as its
decomposition, a loop, elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import lax
from jx_core.lax import linalg

from ..builder import Value
from ..elementwise import convert
from ..tables import Context, deflower
from ..types import type_of
from .native import (
    gpu_kernel,
    gpu_solver,
    lapack,
    matrices,
    native_call,
    plain,
    status_codes,
    where_ok,
    xla_call,
)
from .parts import composed


@deflower(linalg.lu_p)
def _xla(ctx: Context, x: Value) -> list[Value]:
    if 0 in ctx.in_avals[0].shape:
        return _empty(ctx, x)
    return xla_call(ctx.block, "LuDecomposition", (x,), ctx.in_avals, ctx.out_avals)


def _empty(ctx: Context, x: Value) -> list[Value]:
    """The results for empty matrices, where nothing is exchanged."""
    pivots, m = ctx.out_avals[1], ctx.in_avals[0].shape[-2]

    def exchanges() -> list[Any]:
        none = lax.full(pivots.shape, 0, np.int32)
        return [none, linalg.lu_pivots_to_permutation(none, m)]

    return [x, *composed(ctx.block, exchanges, [], [])]


def _getrf(ctx: Context, x: Value, target: str) -> list[Value]:
    block, (aval,) = ctx.block, ctx.in_avals
    packed_aval, pivots_aval, _ = ctx.out_avals
    batch, m = aval.shape[:-2], aval.shape[-2]
    if 0 in aval.shape:
        return _empty(ctx, x)
    packed, pivots, status = native_call(
        block, target, (x,), (matrices(aval),),
        (matrices(packed_aval), plain(pivots_aval), status_codes(batch)), {}, {0: 0},
    )  # fmt: skip
    # A positive code says that U is singular, which is a result like any other.
    packed = where_ok(block, status, batch, packed, packed_aval, failed_above=True)

    def from_zero(p: Any) -> list[Any]:
        p = lax.sub(p, np.int32(1))
        return [p, linalg.lu_pivots_to_permutation(p, m)]

    return [packed, *composed(block, from_zero, [pivots_aval], [pivots])]


@deflower(linalg.lu_p, platform="cpu")
def _cpu(ctx: Context, x: Value) -> list[Value]:
    return _getrf(ctx, x, lapack(ctx.in_avals[0].dtype, "getrf"))


def _gpu(ctx: Context, x: Value) -> list[Value]:
    return _getrf(ctx, x, gpu_solver(ctx.module.platform, "getrf_ffi"))


def _gpu_permutation(ctx: Context, pivots: Value, *, permutation_size: int) -> Value:
    """A kernel of jaxlib's, for int32."""
    block, (aval,) = ctx.block, ctx.in_avals
    if 0 in aval.shape:
        attributes = f"iota_dimension = {ctx.out.ndim - 1} : i64"
        return block.op("stablehlo.iota", (), (), type_of(ctx.out), attributes)
    pivots = convert(block, pivots, aval, ctx.out.dtype)
    target = gpu_kernel(ctx.module.platform, "_lu_pivots_to_permutation")
    source = plain(aval.update(dtype=ctx.out.dtype))
    return native_call(block, target, (pivots,), (source,), (plain(ctx.out),))[0]


for _platform in ("cuda", "rocm"):
    deflower(linalg.lu_p, platform=_platform)(_gpu)
    deflower(linalg.lu_pivots_to_permutation_p, platform=_platform)(_gpu_permutation)

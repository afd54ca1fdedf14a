"""Lowering of LU decompositions: `getrf` of LAPACK and the GPU solvers, XLA's own on TPUs.

The permutation that row exchanges amount to is lowered as its decomposition, a loop.
"""

from __future__ import annotations

import numpy as np

from jx_core import ShapedArray, lax
from jx_core.lax import linalg

from ..builder import Value
from ..tables import Context, deflower
from ..types import type_of
from .native import gpu_solver, lapack, matrices, native_call, plain, status_codes, where_ok
from .parts import composed


@deflower(linalg.lu_p)
def _xla(ctx: Context, x: Value) -> list[Value]:
    """A custom call that XLA itself knows."""
    return ctx.block.ops(
        "stablehlo.custom_call", (x,), [type_of(a) for a in ctx.in_avals],
        [type_of(a) for a in ctx.out_avals],
        'call_target_name = "LuDecomposition", api_version = 1 : i32, backend_config = ""',
    )  # fmt: skip


def _getrf(ctx: Context, x: Value, target: str) -> list[Value]:
    block, (aval,) = ctx.block, ctx.in_avals
    packed_aval, pivots_aval, _ = ctx.out_avals
    batch, m = aval.shape[:-2], aval.shape[-2]
    if 0 in aval.shape:
        return [x, *composed(block, lambda: _exchanges(pivots_aval, m), [], [])]
    packed, pivots, status = native_call(
        block, target, (x,), (matrices(aval),),
        (matrices(packed_aval), plain(pivots_aval), status_codes(batch)), {}, {0: 0},
    )  # fmt: skip
    # A positive code says that U is singular, which is a result like any other.
    packed = where_ok(block, status, batch, packed, packed_aval, failed_above=True)

    def from_zero(p: object) -> list[object]:
        p = lax.sub(p, np.int32(1))
        return [p, linalg.lu_pivots_to_permutation(p, m)]

    return [packed, *composed(block, from_zero, [pivots_aval], [pivots])]


def _exchanges(pivots: ShapedArray, m: int) -> list[object]:
    """The results for empty matrices, where nothing is exchanged."""
    none = lax.full(pivots.shape, 0, np.int32)
    return [none, linalg.lu_pivots_to_permutation(none, m)]


@deflower(linalg.lu_p, platform="cpu")
def _cpu(ctx: Context, x: Value) -> list[Value]:
    return _getrf(ctx, x, lapack(ctx.in_avals[0].dtype, "getrf"))


def _gpu(ctx: Context, x: Value) -> list[Value]:
    return _getrf(ctx, x, gpu_solver(ctx.module.platform, "getrf_ffi"))


for _platform in ("cuda", "rocm"):
    deflower(linalg.lu_p, platform=_platform)(_gpu)

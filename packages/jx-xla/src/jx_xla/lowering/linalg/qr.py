"""Lowering of QR decompositions: LAPACK, the GPU solvers, XLA's own custom calls on TPUs.

Pivoting is a loop of reflections there. `qr` itself is lowered as its decomposition: the packed
form, and the product of its reflections.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import lax
from jx_core.lax import linalg
from jx_core.ops.linalg.masks import eye

from ..builder import Value
from ..tables import Context, deflower
from .native import (
    Buffer,
    gpu_hybrid,
    gpu_solver,
    lapack,
    matrices,
    native_call,
    plain,
    xla_call,
)
from .parts import composed

_GPUS = ("cuda", "rocm")


def _buffers(ctx: Context, avals: Sequence[Any]) -> list[Buffer]:
    """Matrices in column-major order, vectors as they are."""
    batch = ctx.in_avals[0].ndim - 2
    return [matrices(a) if a.ndim == batch + 2 else plain(a) for a in avals]


def _call(
    ctx: Context,
    target: str,
    operands: Sequence[Value],
    aliases: dict[int, int],
    attributes: dict[str, Any] | None = None,
) -> list[Value]:
    """Call a native function that takes the operands and gives the results of an equation.

    None of these can fail on numbers.
    """
    buffers = _buffers(ctx, ctx.in_avals), _buffers(ctx, ctx.out_avals)
    return native_call(ctx.block, target, operands, *buffers, attributes, aliases)


def _empty(ctx: Context) -> bool:
    return any(0 in a.shape for a in ctx.in_avals)


def _nothing(ctx: Context, x: Value) -> list[Value]:
    """The packed form of empty matrices: themselves, with no factors."""
    taus = ctx.out_avals[-1]
    return [x, ctx.block.constant(0, taus.dtype, taus.shape)]


def _unitary(dtype: Any) -> str:
    return "un" if dtype.kind == "c" else "or"


# --- the packed form ---


@deflower(linalg.geqrf_p)
def _xla_geqrf(ctx: Context, a: Value) -> list[Value]:
    if _empty(ctx):
        return _nothing(ctx, a)
    return xla_call(ctx.block, "Qr", (a,), ctx.in_avals, ctx.out_avals)


@deflower(linalg.geqrf_p, platform="cpu")
def _cpu_geqrf(ctx: Context, a: Value) -> list[Value]:
    if _empty(ctx):
        return _nothing(ctx, a)
    return _call(ctx, lapack(ctx.in_avals[0].dtype, "geqrf"), (a,), {0: 0})


def _gpu_geqrf(ctx: Context, a: Value) -> list[Value]:
    if _empty(ctx):
        return _nothing(ctx, a)
    return _call(ctx, gpu_solver(ctx.module.platform, "geqrf_ffi"), (a,), {0: 0})


@deflower(linalg.geqp3_p, platform="cpu")
def _cpu_geqp3(ctx: Context, a: Value, jpvt: Value, *, use_magma: Any) -> list[Value]:
    if _empty(ctx):
        return _untouched(ctx, a, jpvt)
    return _call(ctx, lapack(ctx.in_avals[0].dtype, "geqp3"), (a, jpvt), {0: 0, 1: 1})


def _gpu_geqp3(ctx: Context, a: Value, jpvt: Value, *, use_magma: Any) -> list[Value]:
    if _empty(ctx):
        return _untouched(ctx, a, jpvt)
    magma = {None: "auto", True: "on", False: "off"}[use_magma]
    target = gpu_hybrid(ctx.module.platform, "geqp3")
    return _call(ctx, target, (a, jpvt), {0: 0, 1: 1}, {"magma": magma})


def _untouched(ctx: Context, a: Value, jpvt: Value) -> list[Value]:
    """The packed form of empty matrices: no column is better than another."""
    order = ctx.out_avals[1]
    x, taus = _nothing(ctx, a)

    def numbered(free: Any) -> list[Any]:
        return [lax.add(lax.mul(free, 0), lax.add(lax.broadcasted_iota(
            order.dtype, order.shape, order.ndim - 1), 1))]  # fmt: skip

    (columns,) = composed(ctx.block, numbered, [order], [jpvt])
    return [x, columns, taus]


# --- products of reflections ---


def _identity(ctx: Context) -> Value:
    return composed(ctx.block, lambda: [eye(ctx.out.shape, ctx.out.dtype)], [], [])[0]


@deflower(linalg.householder_product_p)
def _xla_product(ctx: Context, a: Value, taus: Value) -> Value:
    if _empty(ctx):
        return _identity(ctx)
    target = "ProductOfElementaryHouseholderReflectors"
    return xla_call(ctx.block, target, (a, taus), ctx.in_avals, ctx.out_avals)[0]


@deflower(linalg.householder_product_p, platform="cpu")
def _cpu_product(ctx: Context, a: Value, taus: Value) -> Value:
    if _empty(ctx):
        return _identity(ctx)
    dtype = ctx.out.dtype
    return _call(ctx, lapack(dtype, f"{_unitary(dtype)}gqr"), (a, taus), {0: 0})[0]


def _gpu_product(ctx: Context, a: Value, taus: Value) -> Value:
    if _empty(ctx):
        return _identity(ctx)
    return _call(ctx, gpu_solver(ctx.module.platform, "orgqr_ffi"), (a, taus), {0: 0})[0]


@deflower(linalg.ormqr_p, platform="cpu")
def _cpu_ormqr(ctx: Context, a: Value, taus: Value, c: Value, **params: bool) -> Value:
    if _empty(ctx):
        return c
    dtype = ctx.out.dtype
    target = lapack(dtype, f"{_unitary(dtype)}mqr")
    return _call(ctx, target, (a, taus, c), {2: 0}, dict(params))[0]


def _gpu_ormqr(ctx: Context, a: Value, taus: Value, c: Value, **params: bool) -> Value:
    if _empty(ctx):
        return c
    target = gpu_solver(ctx.module.platform, "ormqr_ffi")
    return _call(ctx, target, (a, taus, c), {2: 0}, dict(params))[0]


for _platform in _GPUS:
    deflower(linalg.geqrf_p, platform=_platform)(_gpu_geqrf)
    deflower(linalg.geqp3_p, platform=_platform)(_gpu_geqp3)
    deflower(linalg.householder_product_p, platform=_platform)(_gpu_product)
    deflower(linalg.ormqr_p, platform=_platform)(_gpu_ormqr)

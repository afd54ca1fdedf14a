"""Lowering of Hermitian eigendecompositions.

LAPACK's `syevd` and `heevd` on the CPU, cuSOLVER's (and hipSOLVER's) `syevd` and `syevj` on
GPUs. TPUs have XLA's own Jacobi rotations: it expands the custom call `Eigh` to a program of
loops and products.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import ShapedArray
from jx_core.lax import linalg

from ..builder import Value
from ..program import lower_traced
from ..tables import Context, deflower
from ..types import type_of
from .native import gpu_solver, lapack, matrices, plain, where_ok
from .spectral import GPU_PLATFORMS, columns, decomposition, finite_only, is_empty, zeros

_QR, _JACOBI = linalg.EighImplementation.QR, linalg.EighImplementation.JACOBI
_SWEEPS, _TOLERANCE = 100, 1e-6


def _all_types(ctx: Context) -> list[ShapedArray]:
    """The types of all eigenvectors and eigenvalues, of which a subset may be asked for."""
    (x,), (_, w) = ctx.in_avals, ctx.out_avals
    return [x, ShapedArray(x.shape[:-1], w.dtype)]


def _part(ctx: Context, values: list[Value], subset_by_index: Any) -> list[Value]:
    """The eigenvectors and eigenvalues that are asked for."""
    if subset_by_index is None or [a.shape for a in _all_types(ctx)] == [
        a.shape for a in ctx.out_avals
    ]:
        return values
    start, stop = subset_by_index
    return lower_traced(
        ctx.block, lambda *xs: [columns(x, start, stop) for x in xs], _all_types(ctx), values
    )


def _triangle(lower: bool) -> str:
    return "lower" if lower else "upper"


def _refuse(ctx: Context, algorithm: Any, *offered: Any) -> None:
    if algorithm is not None and algorithm not in offered:
        names = " and ".join(repr(a) for a in offered)
        raise NotImplementedError(
            f"eigh: implementation={algorithm!r} is not available on {ctx.module.platform}, which "
            f"has {names}. Leave it out to have the platform choose"
        )


@deflower(linalg.eigh_p)
def _rotations(
    ctx: Context, x: Value, *, lower: bool, sort_eigenvalues: bool, subset_by_index: Any,
    algorithm: Any,
) -> list[Value]:  # fmt: skip
    _refuse(ctx, algorithm, _JACOBI)
    if is_empty(ctx.in_avals[0]) or is_empty(ctx.out_avals[1]):
        return zeros(ctx)
    types = _all_types(ctx)
    # A subset is one of the sorted eigenvalues.
    in_order = sort_eigenvalues or subset_by_index is not None
    x, failed = finite_only(ctx, x, _triangle(lower))
    values = ctx.block.ops(
        "stablehlo.custom_call", (x,), (type_of(ctx.in_avals[0]),), [type_of(a) for a in types],
        'call_target_name = "Eigh", api_version = 1 : i32, '
        f'backend_config = "{int(lower)},{int(in_order)},{_SWEEPS},{_TOLERANCE}"',
    )  # fmt: skip
    batch = types[0].shape[:-2]
    values = [
        where_ok(ctx.block, failed, batch, v, t) for v, t in zip(values, types, strict=True)
    ]
    return _part(ctx, values, subset_by_index)


@deflower(linalg.eigh_p, platform="cpu")
def _lapack(ctx: Context, x: Value, *, algorithm: Any, **params: Any) -> list[Value]:
    # XLA's rotations would do here, too, but leave errors of 1e-8 in double precision.
    _refuse(ctx, algorithm, _QR)
    if is_empty(ctx.in_avals[0]) or is_empty(ctx.out_avals[1]):
        return zeros(ctx)
    (aval,), types = ctx.in_avals, _all_types(ctx)
    routine = "heevd" if aval.dtype.kind == "c" else "syevd"
    values = decomposition(
        ctx, lapack(aval.dtype, routine), x, matrices(aval), [matrices(types[0]), plain(types[1])],
        {"mode": "V", "uplo": "L" if params["lower"] else "U"}, reads=_triangle(params["lower"]),
    )  # fmt: skip
    return _part(ctx, values, params["subset_by_index"])


def _gpu(
    ctx: Context, x: Value, *, lower: bool, sort_eigenvalues: bool, subset_by_index: Any,
    algorithm: Any,
) -> list[Value]:  # fmt: skip
    _refuse(ctx, algorithm, _QR, _JACOBI)
    if is_empty(ctx.in_avals[0]) or is_empty(ctx.out_avals[1]):
        return zeros(ctx)
    (aval,), types = ctx.in_avals, _all_types(ctx)
    values = decomposition(
        ctx, gpu_solver(ctx.module.platform, "syevd_ffi"), x, matrices(aval),
        [matrices(types[0]), plain(types[1])],
        {"lower": lower, "algorithm": np.uint8(_GPU_ALGORITHMS[algorithm])},
        reads=_triangle(lower),
    )  # fmt: skip
    return _part(ctx, values, subset_by_index)


_GPU_ALGORITHMS = {None: 0, _QR: 1, _JACOBI: 2}  # 0: by size

for _platform in GPU_PLATFORMS:
    deflower(linalg.eigh_p, platform=_platform)(_gpu)

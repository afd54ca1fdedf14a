"""Lowering of general eigendecompositions.

LAPACK's `geev` on the CPU. GPUs call LAPACK on the host, or MAGMA where it is installed, or
cuSOLVER's `geev`, which gives no left eigenvectors. Elsewhere it is the QR algorithm by operations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import ShapedArray, lax, typeof
from jx_core.lax import linalg
from jx_core.ops.kit import real_dtype

from ..builder import Value
from ..program import lower_traced
from ..tables import Context, deflower
from .native import gpu_hybrid, gpu_solver, lapack, matrices, plain
from .spectral import GPU_PLATFORMS, decomposition, is_empty, zeros

_CUSOLVER = linalg.EigImplementation.CUSOLVER
_MAGMA, _LAPACK = linalg.EigImplementation.MAGMA, linalg.EigImplementation.LAPACK


def _wanted(ctx: Context, values: list[Value], left: bool, right: bool) -> list[Value]:
    """What is asked for of eigenvalues, in one array or in two, and both kinds of eigenvectors."""
    *w, vl, vr = values
    if len(w) == 2:
        real = ShapedArray(ctx.out_avals[0].shape, real_dtype(ctx.out_avals[0].dtype))
        w = lower_traced(ctx.block, lambda re, im: [lax.complex(re, im)], [real, real], w)
    return [*w, *[vl] * left, *[vr] * right]


def _general(
    ctx: Context, x: Value, target: str, attributes: dict[str, Any], left: bool, right: bool
) -> list[Value]:
    """A call with the results of `geev`: eigenvalues, real and imaginary, and eigenvectors."""
    aval, (w, *_) = ctx.in_avals[0], ctx.out_avals
    values = [plain(ShapedArray(w.shape, aval.dtype))] * (1 if aval.dtype.kind == "c" else 2)
    vectors = [matrices(ShapedArray(aval.shape, w.dtype))] * 2
    results = decomposition(
        ctx, target, x, matrices(aval), [*values, *vectors], attributes, in_place=False
    )
    return _wanted(ctx, results, left, right)


@deflower(linalg.eig_p, platform="cpu")
def _lapack(
    ctx: Context, x: Value, *, compute_left_eigenvectors: bool, compute_right_eigenvectors: bool,
    enable_eigvec_derivs: bool, implementation: Any,
) -> list[Value]:  # fmt: skip
    if implementation not in (None, _LAPACK):
        raise NotImplementedError(
            f"eig: implementation={implementation!r} is not available on cpu, which has "
            f"{_LAPACK!r}. Leave it out to have the platform choose"
        )
    if is_empty(ctx.in_avals[0]):
        return zeros(ctx)
    left, right = compute_left_eigenvectors, compute_right_eigenvectors
    attributes = {"compute_left": "V" if left else "N", "compute_right": "V" if right else "N"}
    return _general(ctx, x, lapack(ctx.in_avals[0].dtype, "geev"), attributes, left, right)


def _gpu(
    ctx: Context, x: Value, *, compute_left_eigenvectors: bool, compute_right_eigenvectors: bool,
    enable_eigvec_derivs: bool, implementation: Any,
) -> list[Value]:  # fmt: skip
    if is_empty(ctx.in_avals[0]):
        return zeros(ctx)
    left, right = compute_left_eigenvectors, compute_right_eigenvectors
    if implementation is _CUSOLVER:
        return _cusolver(ctx, x, left, right)
    kind = "comp" if ctx.in_avals[0].dtype.kind == "c" else "real"
    attributes = {
        "magma": "on" if implementation is _MAGMA else "off", "left": left, "right": right,
    }  # fmt: skip
    return _general(ctx, x, gpu_hybrid(ctx.module.platform, f"eig_{kind}"), attributes, left, right)


def _cusolver(ctx: Context, x: Value, left: bool, right: bool) -> list[Value]:
    if left or ctx.module.platform != "cuda":
        raise NotImplementedError(
            "eig: implementation=EigImplementation.CUSOLVER computes right eigenvectors only, on "
            "cuda: pass compute_left_eigenvectors=False, or leave implementation out"
        )
    aval, w = ctx.in_avals[0], ctx.out_avals[0]
    packed = matrices(aval)
    _, values, _, vectors = decomposition(
        ctx, gpu_solver("cuda", "geev_ffi"), x, packed, [packed, plain(w), packed, packed],
        {"left": left, "right": right}, in_place=False,
    )  # fmt: skip
    if not right:
        return [values]
    if aval.dtype.kind == "f":
        (vectors,) = lower_traced(
            ctx.block, lambda w, v: [unpacked(w, v)], [w, aval], [values, vectors]
        )
    return [values, vectors]


def unpacked(w: Any, vectors: Any) -> Any:
    """Eigenvectors of real matrices, of which two columns hold each conjugate pair.

    The first column of a pair has the real part of both, the second the imaginary part of the
    first: see the *LAPACK Users' Guide* on `xGEEV`.
    """
    ndim = typeof(vectors).ndim
    ones = lax.convert_element_type(lax.ne(lax.imag(w), 0.0), np.int32)
    count = lax.cumsum(ones, axis=ndim - 2)
    rows = (*range(ndim - 2), ndim - 1)

    def spread(flags: Any) -> Any:
        return lax.broadcast_in_dim(flags, typeof(vectors).shape, rows)

    paired = spread(lax.eq(ones, 1))
    first = lax.bitwise_and(paired, spread(lax.eq(lax.rem(count, 2), 1)))
    zero = lax.full_like(vectors, 0)
    none = [(0, 0, 0)] * (ndim - 1)
    number = np.zeros((), typeof(vectors).dtype)
    after = lax.pad(vectors, number, [*none, (-1, 1, 0)])
    before = lax.pad(vectors, number, [*none, (1, -1, 0)])
    second = lax.bitwise_and(paired, lax.bitwise_not(first))
    real = lax.select(second, before, vectors)
    imaginary = lax.select(first, after, lax.select(second, lax.neg(vectors), zero))
    return lax.complex(real, imaginary)


for _platform in GPU_PLATFORMS:
    deflower(linalg.eig_p, platform=_platform)(_gpu)

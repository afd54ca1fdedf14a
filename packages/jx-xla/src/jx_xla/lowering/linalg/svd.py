"""Lowering of singular value decompositions.

LAPACK's `gesdd` and `gesvd` on the CPU; `gesvdj`, `gesvdp` and `gesvd` of cuSOLVER, and those
and `gesdd` of hipSOLVER, on GPUs. On TPUs it is made of a polar and a Hermitian decomposition.
"""

from __future__ import annotations

from typing import Any

from jx_core import ShapedArray, lax
from jx_core.lax import linalg

from ..builder import Value
from ..program import lower_traced
from ..tables import Context, deflower
from .native import Buffer, gpu_solver, lapack, matrices, plain
from .spectral import GPU_PLATFORMS, columns, decomposition

_A = linalg.SvdAlgorithm
_JACOBI_SIZE = 1024  # up to which cuSOLVER's Jacobi rotations are the fastest


def _refuse(ctx: Context, algorithm: Any, *offered: Any) -> None:
    if algorithm not in (None, _A.DEFAULT, *offered):
        names = ", ".join(repr(a) for a in (_A.DEFAULT, *offered))
        raise NotImplementedError(
            f"svd: algorithm={algorithm!r} is not available on {ctx.module.platform}, which has "
            f"{names}. Leave it out to have the platform choose"
        )


@deflower(linalg.svd_p)
def _decomposed(ctx: Context, x: Value, **params: Any) -> list[Value]:
    _refuse(ctx, params["algorithm"], _A.POLAR)
    decompose: Any = linalg.svd_p.decompose
    return lower_traced(ctx.block, lambda x: decompose(x, **params), ctx.in_avals, (x,))


def _is_empty(ctx: Context) -> bool:
    return 0 in (*ctx.in_avals[0].shape, *ctx.out_avals[0].shape)


def _sizes(aval: ShapedArray) -> tuple[tuple[int, ...], int, int, int]:
    m, n = aval.shape[-2:]
    return aval.shape[:-2], m, n, min(m, n)


def _types(ctx: Context, rows: int, count: int) -> list[ShapedArray]:
    """The types of singular values, left vectors in `rows` columns, and `count` right ones."""
    aval = ctx.in_avals[0]
    batch, m, n, k = _sizes(aval)
    return [
        ShapedArray((*batch, k), ctx.out_avals[0].dtype),
        ShapedArray((*batch, m, rows), aval.dtype),
        ShapedArray((*batch, count, n), aval.dtype),
    ]


def _part(
    ctx: Context, values: list[Value], types: list[ShapedArray], subset_by_index: Any
) -> list[Value]:
    """The singular values, and vectors if wanted, that are asked for."""
    values = values[: len(ctx.out_avals)]
    types = types[: len(values)]
    if [t.shape for t in types] == [a.shape for a in ctx.out_avals]:
        return values
    start, stop = subset_by_index

    def part(s: Any, *vectors: Any) -> list[Any]:
        cut = [
            columns(v, start, stop, axis) for v, axis in zip(vectors, (-1, -2), strict=False)
        ]
        return [columns(s, start, stop), *cut]

    return lower_traced(ctx.block, part, types, values)


@deflower(linalg.svd_p, platform="cpu")
def _lapack(
    ctx: Context, x: Value, *, full_matrices: bool, compute_uv: bool, subset_by_index: Any,
    algorithm: Any,
) -> list[Value]:  # fmt: skip
    (aval,) = ctx.in_avals
    _refuse(ctx, algorithm, _A.QR, _A.DIVIDE_AND_CONQUER, _A.POLAR)
    if _is_empty(ctx) or algorithm is _A.POLAR:
        return _decomposed(
            ctx, x, full_matrices=full_matrices, compute_uv=compute_uv,
            subset_by_index=subset_by_index, algorithm=_A.POLAR,
        )  # fmt: skip
    _, m, n, k = _sizes(aval)
    full = full_matrices and compute_uv
    mode = ("A" if full else "S") if compute_uv else "N"
    types = _types(ctx, *((m, n) if full else (k, k)))
    routine = "gesvd" if algorithm is _A.QR else "gesdd"
    _, *values = decomposition(
        ctx, lapack(aval.dtype, routine), x, matrices(aval),
        [matrices(aval), plain(types[0]), *map(matrices, types[1:])], {"mode": mode},
    )  # fmt: skip
    return _part(ctx, values, types, subset_by_index)


def _gpu(
    ctx: Context, x: Value, *, full_matrices: bool, compute_uv: bool, subset_by_index: Any,
    algorithm: Any,
) -> list[Value]:  # fmt: skip
    (aval,) = ctx.in_avals
    _, m, n, _ = _sizes(aval)
    divided = () if ctx.module.platform == "cuda" else (_A.DIVIDE_AND_CONQUER,)
    _refuse(ctx, algorithm, _A.QR, _A.JACOBI, _A.POLAR, *divided)
    if _is_empty(ctx):
        return _decomposed(
            ctx, x, full_matrices=full_matrices, compute_uv=compute_uv,
            subset_by_index=subset_by_index, algorithm=None,
        )  # fmt: skip
    full = full_matrices and compute_uv
    if algorithm in (None, _A.DEFAULT):
        algorithm = _A.JACOBI if max(m, n) <= _JACOBI_SIZE else _A.QR
    by = _both_vectors if algorithm in (_A.JACOBI, _A.POLAR) else _bidiagonal
    values, types = by(ctx, x, algorithm, full, compute_uv)
    return _part(ctx, values, types, subset_by_index)


def _both_vectors(
    ctx: Context, x: Value, algorithm: Any, full: bool, compute_uv: bool
) -> tuple[list[Value], list[ShapedArray]]:
    """`gesvdj` and `gesvdp`, which give right vectors in columns, and always both kinds."""
    (aval,) = ctx.in_avals
    batch, m, n, k = _sizes(aval)
    # Small matrices go to a batched Jacobi routine that knows square results only.
    thin = not full and (algorithm is _A.POLAR or (m > 32 and n > 32))
    s, u, vh = _types(ctx, *((k, k) if thin else (m, n)))
    v = ShapedArray((*batch, n, k if thin else n), aval.dtype)
    routine = "gesvdj_ffi" if algorithm is _A.JACOBI else "gesvdp_ffi"
    _, *values = decomposition(
        ctx, gpu_solver(ctx.module.platform, routine), x, matrices(aval),
        [matrices(aval), plain(s), matrices(u), matrices(v)],
        {"full_matrices": not thin, "compute_uv": compute_uv},
    )  # fmt: skip
    wanted = _types(ctx, *((m, n) if full else (k, k)))
    if not compute_uv:
        return values[:1], wanted

    def turned(u: Any, v: Any) -> list[Any]:
        vh = lax.transpose(v, (*range(len(batch)), len(batch) + 1, len(batch)))
        vh = lax.conj(vh) if aval.dtype.kind == "c" else vh
        return [u, vh] if full or thin else [columns(u, 0, k), columns(vh, 0, k, -2)]

    return [values[0], *lower_traced(ctx.block, turned, [u, v], values[1:])], wanted


def _bidiagonal(
    ctx: Context, x: Value, algorithm: Any, full: bool, compute_uv: bool
) -> tuple[list[Value], list[ShapedArray]]:
    """`gesvd`, for tall matrices: wide ones are read as their transposes, in row-major order."""
    (aval,) = ctx.in_avals
    _, m, n, k = _sizes(aval)
    divided = algorithm is _A.DIVIDE_AND_CONQUER
    transposed = not divided and m < n
    layout = plain if transposed else matrices
    types = _types(ctx, *((m, n) if full else (k, k)))
    unused = plain(ShapedArray((), aval.dtype))
    vectors: list[Buffer] = [layout(t) if compute_uv else unused for t in types[1:]]
    if transposed:
        vectors.reverse()
    routine = "gesdd_ffi" if divided else "gesvd_ffi"
    _, s, *pair = decomposition(
        ctx, gpu_solver(ctx.module.platform, routine), x, layout(aval),
        [layout(aval), plain(types[0]), *vectors],
        {"full_matrices": full, "compute_uv": compute_uv, "transposed": transposed},
    )  # fmt: skip
    return [s, *(pair[::-1] if transposed else pair)], types


for _platform in GPU_PLATFORMS:
    deflower(linalg.svd_p, platform=_platform)(_gpu)

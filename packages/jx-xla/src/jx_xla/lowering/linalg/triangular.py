"""Lowering of triangular solves: LAPACK's `trsm` on the CPU, XLA's own operation elsewhere."""

from __future__ import annotations

from jx_core.lax import linalg

from ..builder import Value
from ..tables import Context, deflower
from ..types import type_of
from .native import lapack, matrices, native_call, transposed


def _flag(value: bool) -> str:
    return "true" if value else "false"


@deflower(linalg.triangular_solve_p)
def _triangular_solve(
    ctx: Context,
    a: Value,
    b: Value,
    *,
    left_side: bool,
    lower: bool,
    transpose_a: bool,
    conjugate_a: bool,
    unit_diagonal: bool,
) -> Value:
    block, (a_aval, b_aval) = ctx.block, ctx.in_avals
    if conjugate_a and not transpose_a:
        a = conjugated(ctx, a)
        conjugate_a = False
    op = "NO_TRANSPOSE" if not transpose_a else "ADJOINT" if conjugate_a else "TRANSPOSE"
    return block.op(
        "stablehlo.triangular_solve", (a, b), (type_of(a_aval), type_of(b_aval)), type_of(ctx.out),
        f"left_side = {_flag(left_side)}, lower = {_flag(lower)}, "
        f"unit_diagonal = {_flag(unit_diagonal)}, transpose_a = #stablehlo<transpose {op}>",
    )  # fmt: skip


def conjugated(ctx: Context, a: Value) -> Value:
    """The complex conjugate of the first operand."""
    kind = type_of(ctx.in_avals[0])
    return ctx.block.op("chlo.conj", (a,), (kind,), kind)


@deflower(linalg.triangular_solve_p, platform="cpu")
def _trsm(
    ctx: Context,
    a: Value,
    b: Value,
    *,
    left_side: bool,
    lower: bool,
    transpose_a: bool,
    conjugate_a: bool,
    unit_diagonal: bool,
) -> Value:
    """Asked of the transposes: op(a) x = b is x^T op(a)^T = b^T, where a^T has the other triangle.

    If op transposes then op(a)^T is a, the transpose of what is given, and if not it is a^T.
    """
    a_aval, b_aval = ctx.in_avals
    if 0 in b_aval.shape:
        return b
    if conjugate_a and not transpose_a:
        a = conjugated(ctx, a)
        conjugate_a = False
    a, a_aval = transposed(ctx.block, a, a_aval)
    b, b_aval = transposed(ctx.block, b, b_aval)
    buffers = [matrices(a_aval), matrices(b_aval)]
    (out,) = native_call(
        ctx.block, lapack(a_aval.dtype, "trsm"), (a, b), buffers, buffers[1:],
        {
            "side": "R" if left_side else "L",
            "uplo": "U" if lower else "L",
            "trans_x": "N" if not transpose_a else "C" if conjugate_a else "T",
            "diag": "U" if unit_diagonal else "N",
        },
        {1: 0},
    )  # fmt: skip
    return transposed(ctx.block, out, b_aval)[0]

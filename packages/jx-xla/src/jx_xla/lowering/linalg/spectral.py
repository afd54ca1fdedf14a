"""What the lowerings of spectral decompositions share: calls that may fail, and their operands."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jx_core import ShapedArray, lax, typeof

from ..builder import Value
from ..elementwise import binary
from ..program import lower_traced
from ..tables import Context
from .native import Buffer, native_call, status_codes, where_ok

GPU_PLATFORMS = ("cuda", "rocm")


def is_empty(aval: ShapedArray) -> bool:
    """Whether an array has no elements; native functions are not called for those."""
    return 0 in aval.shape


def zeros(ctx: Context) -> list[Value]:
    """The results of a decomposition of empty matrices, or of an empty batch of them."""
    return [ctx.block.constant(0, a.dtype, a.shape) for a in ctx.out_avals]


def decomposition(
    ctx: Context,
    target: str,
    operand: Value,
    operand_buffer: Buffer,
    results: Sequence[Buffer],
    attributes: Mapping[str, Any],
    *,
    reads: str | None = None,
    in_place: bool = True,
) -> list[Value]:
    """Call a native function whose last result, besides `results`, is a status code.

    It sees zeros in place of matrices with NaNs or infinities, with which some routines never
    end (LAPACK's `gesvd`) and others give numbers.

    Args:
        ctx: where to write.
        target: the function's registered name.
        operand, operand_buffer: the matrices.
        results: the types and layouts of the results, the status codes aside.
        attributes: what else the function is told.
        reads: the triangle that it reads, `lower` or `upper`; both if None.
        in_place: the operand's memory may serve for the first result.

    Returns:
        The results, NaN for matrices that are not finite or have another code than 0.
    """
    block, aval = ctx.block, operand_buffer.aval
    batch = aval.shape[:-2]
    operand, failed = finite_only(ctx, operand, reads)
    *values, status = native_call(
        block, target, (operand,), (operand_buffer,), (*results, status_codes(batch)),
        attributes, {0: 0} if in_place else None,
    )  # fmt: skip
    codes = status_codes(batch).aval
    status = binary(block, "or", status, failed, codes)
    return [
        where_ok(block, status, batch, v, b.aval) if b.aval.shape[: len(batch)] == batch else v
        for v, b in zip(values, results, strict=True)
    ]


def finite_only(ctx: Context, x: Value, reads: str | None = None) -> tuple[Value, Value]:
    """The operand with zeros for matrices that are not finite, and 1 for those, as a code.

    Args:
        ctx: where to write; the operand is the equation's.
        x: the operand.
        reads: the triangle that counts, `lower` or `upper`; both if None.
    """

    def checked(x: Any) -> list[Any]:
        shape = typeof(x).shape
        n = len(shape)
        parts = [lax.real(x), lax.imag(x)] if typeof(x).dtype.kind == "c" else [x]
        good = functools.reduce(lax.bitwise_and, [lax.is_finite(p) for p in parts])
        if reads is not None:
            row, column = (lax.broadcasted_iota(np.int32, shape, n - k) for k in (2, 1))
            beyond = lax.gt(column, row) if reads == "lower" else lax.lt(column, row)
            good = lax.bitwise_or(good, beyond)
        good = lax.reduce_and(good, (n - 2, n - 1))
        everywhere = lax.broadcast_in_dim(good, shape, range(n - 2))
        safe = lax.select(everywhere, x, lax.full_like(x, 0))
        return [safe, lax.convert_element_type(lax.bitwise_not(good), np.int32)]

    safe, failed = lower_traced(ctx.block, checked, ctx.in_avals, (x,))
    return safe, failed


def columns(x: Any, start: int, stop: int, axis: int = -1) -> Any:
    """The part of `x` from `start` to `stop` along an axis."""
    axis %= typeof(x).ndim
    return lax.slice_in_dim(x, start, stop, axis=axis)

"""What the lowerings of spectral decompositions share: calls that may fail, and parts in `lax`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jx_core import ShapedArray, lax, typeof
from jx_core.staging import trace_to_jaxpr

from ..builder import Block, Value
from ..program import constants, lower_jaxpr
from ..tables import Context
from .native import Buffer, native_call, status_codes, where_ok

GPU_PLATFORMS = ("cuda", "rocm")


def composed(
    block: Block,
    fun: Callable[..., Sequence[Any]],
    avals: Sequence[ShapedArray],
    operands: Sequence[Value],
) -> list[Value]:
    """Write what `fun`, made of `lax` functions, gives for operands of types `avals`."""
    jaxpr, consts = trace_to_jaxpr(fun, list(avals), "linalg")
    return lower_jaxpr(block, jaxpr, constants(block, consts), operands)


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
    in_place: bool = True,
) -> list[Value]:
    """Call a native function whose last result, besides `results`, is a status code.

    Returns:
        The results, NaN for matrices with another code than 0.

    Args:
        ctx: where to write.
        target: the function's registered name.
        operand, operand_buffer: the matrices.
        results: the types and layouts of the results, the status codes aside.
        attributes: what else the function is told.
        in_place: the operand's memory may serve for the first result.
    """
    batch = operand_buffer.aval.shape[:-2]
    *values, status = native_call(
        ctx.block, target, (operand,), (operand_buffer,), (*results, status_codes(batch)),
        attributes, {0: 0} if in_place else None,
    )  # fmt: skip
    return [
        where_ok(ctx.block, status, batch, v, b.aval) if b.aval.shape[: len(batch)] == batch else v
        for v, b in zip(values, results, strict=True)
    ]


def nan_where_not_finite(x: Any, axes: Sequence[int], outs: Sequence[Any]) -> list[Any]:
    """Results, NaN for each matrix of `x` (its axes are `axes`) that is not finite throughout."""
    batch = [d for d in range(typeof(x).ndim) if d not in axes]
    good = lax.reduce_and(lax.is_finite(abs_if_complex(x)), axes)
    return [
        lax.select(
            lax.broadcast_in_dim(good, typeof(o).shape, range(len(batch))),
            o,
            lax.full_like(o, np.nan),
        )
        for o in outs
    ]


def abs_if_complex(x: Any) -> Any:
    """The modulus of complex numbers; real numbers as they are."""
    return lax.abs(x) if typeof(x).dtype.kind == "c" else x


def columns(x: Any, start: int, stop: int, axis: int = -1) -> Any:
    """The part of `x` from `start` to `stop` along an axis."""
    axis %= typeof(x).ndim
    return lax.slice_in_dim(x, start, stop, axis=axis)

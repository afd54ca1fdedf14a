"""Lowering of reductions over axes, and of positions of extremes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import ClosedJaxpr, ShapedArray, lax
from jx_core.dtypes import finfo, iinfo, issubdtype
from jx_core.ops.axes import narrow

from ..builder import Block, Value, i64_array
from ..elementwise import binary, compare, convert, extreme
from ..program import constants, lower_jaxpr, lower_traced
from ..tables import Context, deflower
from ..types import tensor, type_of


def least(dtype: Any) -> Any:
    """The identity of `max` in a dtype."""
    if dtype == np.bool_:
        return False
    if issubdtype(dtype, np.integer):
        return iinfo(dtype).min
    return -np.inf if np.isinf(np.asarray(np.inf, dtype)) else finfo(dtype).min


def greatest(dtype: Any) -> Any:
    """The identity of `min` in a dtype."""
    if dtype == np.bool_:
        return True
    if issubdtype(dtype, np.integer):
        return iinfo(dtype).max
    return np.inf if np.isinf(np.asarray(np.inf, dtype)) else finfo(dtype).max


def combine(block: Block, op: str, x: Value, y: Value, aval: ShapedArray) -> Value:
    """A StableHLO operation of two values of one type that reductions are made with."""
    if op in ("maximum", "minimum"):
        return extreme(block, op, x, y, aval)
    return binary(block, op, x, y, aval)


def reduce_with(
    block: Block, x: Value, aval: ShapedArray, axes: Sequence[int], op: str, init: Any
) -> Value:
    """`x` reduced along `axes` by a StableHLO operation whose identity is `init`."""
    scalar = ShapedArray((), aval.dtype)
    kept = tuple(d for i, d in enumerate(aval.shape) if i not in axes)
    inner = block.inner()
    a, b = inner.fresh(), inner.fresh()
    kind = type_of(scalar)
    region = inner.region([(a, kind), (b, kind)], [combine(inner, op, a, b, scalar)], [kind])
    start = block.constant(init, aval.dtype)
    return block.op(
        "stablehlo.reduce",
        (x, start),
        (type_of(aval), kind),
        tensor(kept, aval.dtype),
        f"dimensions = {i64_array(axes)}",
        f" ({region})",
    )


NARROW_FLOATS = ("float16", "bfloat16")


def _monoid(op: str, init: Callable[[Any], Any], widen: bool = False) -> Callable[..., Value]:
    def rule(ctx: Context, x: Value, *, axes: tuple[int, ...], **params: Any) -> Value:
        aval = ctx.in_avals[0]
        # Sums of half-precision numbers are made in float32, as the reference meaning has it.
        if widen and aval.dtype.name in NARROW_FLOATS:
            wide = aval.update(dtype=np.dtype(np.float32))
            x = convert(ctx.block, x, aval, wide.dtype)
            total = reduce_with(ctx.block, x, wide, axes, op, init(wide.dtype))
            return convert(ctx.block, total, ctx.out.update(dtype=wide.dtype), aval.dtype)
        return reduce_with(ctx.block, x, aval, axes, op, init(aval.dtype))

    return rule


deflower(lax.reduce_sum_p)(_monoid("add", lambda d: 0, widen=True))
deflower(lax.reduce_prod_p)(_monoid("multiply", lambda d: 1, widen=True))
deflower(lax.reduce_and_p)(_monoid("and", lambda d: True if d == np.bool_ else _all_ones(d)))
deflower(lax.reduce_or_p)(_monoid("or", lambda d: 0))
deflower(lax.reduce_xor_p)(_monoid("xor", lambda d: 0))


def _all_ones(dtype: Any) -> Any:
    return iinfo(dtype).max if issubdtype(dtype, np.unsignedinteger) else -1


deflower(lax.reduce_max_p)(_monoid("maximum", least))
deflower(lax.reduce_min_p)(_monoid("minimum", greatest))


@deflower(lax.reduce_p)
def _reduce(
    ctx: Context, *operands: Value, jaxpr: ClosedJaxpr, dimensions: tuple[int, ...]
) -> list[Value]:
    block = ctx.block
    n = len(operands) // 2
    kinds = [type_of(ShapedArray((), a.dtype)) for a in ctx.in_avals]
    inner = block.inner()
    names = [inner.fresh() for _ in operands]
    results = lower_jaxpr(inner, jaxpr.jaxpr, constants(inner, jaxpr.consts), names)
    region = inner.region(list(zip(names, kinds, strict=True)), results, kinds[:n])
    return block.ops(
        "stablehlo.reduce",
        operands,
        [type_of(a) for a in ctx.in_avals],
        [type_of(a) for a in ctx.out_avals],
        f"dimensions = {i64_array(dimensions)}",
        f" ({region})",
    )


def _position(how: str, init: Callable[[Any], Any]) -> Callable[..., Value]:
    """The place of the extreme: a reduction of (element, place) pairs that keeps the better
    pair: NaN first, then the extreme, then the lower place."""

    def rule(ctx: Context, x: Value, *, axes: tuple[int, ...], index_dtype: Any) -> Value:
        block, aval = ctx.block, ctx.in_avals[0]
        (axis,) = axes
        places = ShapedArray(aval.shape, index_dtype)
        counted = block.op(
            "stablehlo.iota", (), (), type_of(places), f"iota_dimension = {axis} : i64"
        )
        value, place = ShapedArray((), aval.dtype), ShapedArray((), index_dtype)
        bit = ShapedArray((), np.dtype(np.bool_))
        inner = block.inner()
        a, i, b, j = (inner.fresh() for _ in range(4))
        wins = compare(inner, a, b, value, how)
        if issubdtype(aval.dtype, np.inexact):
            wins = binary(inner, "or", wins, compare(inner, a, a, value, "NE"), bit)
            b_nan = compare(inner, b, b, value, "NE")
            a_nan = compare(inner, a, a, value, "NE")
            both = binary(inner, "and", a_nan, b_nan, bit)
            tie = binary(inner, "or", compare(inner, a, b, value, "EQ"), both, bit)
            loses = inner.op("stablehlo.not", (both,), (type_of(bit),), type_of(bit))
            wins = binary(inner, "and", wins, loses, bit)
        else:
            tie = compare(inner, a, b, value, "EQ")
        earlier = compare(inner, i, j, place, "LT")
        keep_place = binary(inner, "or", wins, binary(inner, "and", tie, earlier, bit), bit)
        kind, place_kind, bit_kind = type_of(value), type_of(place), type_of(bit)
        best = inner.op("stablehlo.select", (keep_place, a, b), (bit_kind, kind, kind), kind)
        at = inner.op(
            "stablehlo.select", (keep_place, i, j), (bit_kind, place_kind, place_kind), place_kind
        )
        arguments = [(a, kind), (i, place_kind), (b, kind), (j, place_kind)]
        region = inner.region(arguments, [best, at], [kind, place_kind])
        start = block.constant(init(aval.dtype), aval.dtype)
        zero = block.constant(0, index_dtype)
        results = block.ops(
            "stablehlo.reduce",
            (x, counted, start, zero),
            (type_of(aval), type_of(places), kind, place_kind),
            (tensor(ctx.out.shape, aval.dtype), type_of(ctx.out)),
            f"dimensions = {i64_array(axes)}",
            f" ({region})",
        )
        return results[1]

    return rule


deflower(lax.argmax_p)(_position("GT", least))
deflower(lax.argmin_p)(_position("LT", greatest))


def _position_in_two(reduce: Callable[..., Any]) -> Callable[..., Value]:
    """The place of the extreme on CPUs: the extreme, then the first place that has it.

    XLA has vector instructions for reductions of one operand, and goes through those of pairs
    element by element.
    """

    def rule(ctx: Context, x: Value, *, axes: tuple[int, ...], index_dtype: Any) -> Value:
        (axis,), (aval,) = axes, ctx.in_avals
        length = aval.shape[axis]
        counting = np.dtype(np.int32 if narrow((length,)) else np.int64)

        def place(x: Any) -> list[Any]:
            kept = tuple(d for d in range(aval.ndim) if d != axis)
            best = lax.broadcast_in_dim(reduce(x, axes), aval.shape, kept)
            here = lax.eq(x, best)
            if issubdtype(aval.dtype, np.inexact):
                here = lax.bitwise_or(here, lax.ne(x, x))  # if there is one, it is the extreme
            places = lax.broadcasted_iota(counting, aval.shape, axis)
            far = lax.full(aval.shape, length, counting)
            first = lax.reduce_min(lax.select(here, places, far), axes)
            return [lax.convert_element_type(first, index_dtype)]

        return lower_traced(ctx.block, place, [aval], [x], "position")[0]

    return rule


deflower(lax.argmax_p, platform="cpu")(_position_in_two(lax.reduce_max))
deflower(lax.argmin_p, platform="cpu")(_position_in_two(lax.reduce_min))

"""Lowering of reductions, positions of extremes and cumulative operations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import ClosedJaxpr, ShapedArray, lax
from jx_core.dtypes import finfo, iinfo, issubdtype

from .builder import Block, Value, i64_array
from .elementwise import binary, compare, convert, extreme, unary
from .program import constants, lower_jaxpr
from .tables import Context, deflower
from .types import tensor, type_of


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


_NARROW_FLOATS = ("float16", "bfloat16")


def _monoid(op: str, init: Callable[[Any], Any], widen: bool = False) -> Callable[..., Value]:
    def rule(ctx: Context, x: Value, *, axes: tuple[int, ...], **params: Any) -> Value:
        aval = ctx.in_avals[0]
        # Sums of half-precision numbers are made in float32, as the reference meaning has it.
        if widen and aval.dtype.name in _NARROW_FLOATS:
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


def _combine_logsumexp(block: Block, a: Value, b: Value, aval: ShapedArray) -> Value:
    """log(exp(a) + exp(b)), from the larger of the two."""
    kind = type_of(aval)
    if issubdtype(aval.dtype, np.complexfloating):
        x, y = (unary(block, "exponential", v, aval) for v in (a, b))
        total = binary(block, "add", x, y, aval)
        return unary(block, "log", total, aval)
    high = binary(block, "maximum", a, b, aval)
    zero = block.constant(0, aval.dtype, aval.shape)
    finite = block.op(
        "stablehlo.is_finite", (high,), (kind,), tensor(aval.shape, np.dtype(np.bool_))
    )
    bits = tensor(aval.shape, np.dtype(np.bool_))
    base = block.op("stablehlo.select", (finite, high, zero), (bits, kind, kind), kind)
    x, y = (
        unary(block, "exponential", binary(block, "subtract", v, base, aval), aval)
        for v in (a, b)
    )
    total = unary(block, "log", binary(block, "add", x, y, aval), aval)
    summed = binary(block, "add", total, base, aval)
    # Infinities and NaN: the larger one is the answer, as max propagates NaN.
    return block.op("stablehlo.select", (finite, summed, high), (bits, kind, kind), kind)


def _cumulative(op: str) -> Callable[..., Value]:
    """The rule of a cumulative operation: prefixes along the axis, or suffixes."""

    def step(block: Block, a: Value, b: Value, aval: ShapedArray) -> Value:
        if op == "logsumexp":
            return _combine_logsumexp(block, a, b, aval)
        return combine(block, op, a, b, aval)

    def rule(ctx: Context, x: Value, *, axis: int, reverse: bool) -> Value:
        block, aval = ctx.block, ctx.in_avals[0]
        if aval.size == 0 or aval.shape[axis] == 1:
            return x
        kind = type_of(aval)
        turned = f"dimensions = {i64_array([axis])}"
        if reverse:
            x = block.op("stablehlo.reverse", (x,), (kind,), kind, turned)
        result = _prefix(block, x, aval, axis, step)
        if reverse:
            result = block.op("stablehlo.reverse", (result,), (kind,), kind, turned)
        return result

    return rule


def _prefix(block: Block, x: Value, aval: ShapedArray, axis: int, step: Any) -> Value:
    """Inclusive prefix combination along `axis`: pairs, their prefixes, and between them.

    The recursion of Ladner and Fischer (1980): combine neighbours, scan the half as many
    results, fill in the others. Its work is below two combinations an element.
    """
    n = aval.shape[axis]
    if n == 1:
        return x
    even = _strided(block, x, aval, axis, 0, n - n % 2, 2)
    odd = _strided(block, x, aval, axis, 1, n, 2)
    half = _resized(aval, axis, n // 2)
    pairs = step(block, even, odd, half)
    scanned = _prefix(block, pairs, half, axis, step)
    # Results at odd places are the scanned pairs; at even ones, the pair before and the element.
    later = _resized(aval, axis, (n - 1) // 2)
    firsts = _strided(block, x, aval, axis, 0, 1, 1)
    evens = firsts
    if later.shape[axis]:
        before = _strided(block, scanned, half, axis, 0, later.shape[axis], 1)
        mine = _strided(block, x, aval, axis, 2, n, 2)
        between = step(block, before, mine, later)
        first_kind = type_of(_resized(aval, axis, 1))
        evens = block.op(
            "stablehlo.concatenate", (firsts, between), (first_kind, type_of(later)),
            type_of(_resized(aval, axis, 1 + later.shape[axis])), f"dimension = {axis} : i64",
        )  # fmt: skip
    return _interleave(block, evens, scanned, aval, axis)


def _resized(aval: ShapedArray, axis: int, n: int) -> ShapedArray:
    return aval.update(shape=(*aval.shape[:axis], n, *aval.shape[axis + 1 :]))


def _strided(
    block: Block, x: Value, aval: ShapedArray, axis: int, start: int, stop: int, step: int
) -> Value:
    from .shape import slice_attributes

    starts, limits, strides = [0] * aval.ndim, list(aval.shape), [1] * aval.ndim
    starts[axis], limits[axis], strides[axis] = start, stop, step
    out = _resized(aval, axis, max(math.ceil((stop - start) / step), 0))
    return block.op(
        "stablehlo.slice", (x,), (type_of(aval),), type_of(out),
        slice_attributes(starts, limits, strides),
    )  # fmt: skip


def _interleave(block: Block, even: Value, odd: Value, aval: ShapedArray, axis: int) -> Value:
    """Elements of `even` and `odd` in turn along `axis`, to an array of type `aval`."""
    n = aval.shape[axis]
    kind = type_of(aval)
    zero = block.constant(0, aval.dtype)
    parts = []
    for part, count, offset in ((even, (n + 1) // 2, 0), (odd, n // 2, 1)):
        low, high, inner = ([0] * aval.ndim for _ in range(3))
        low[axis], inner[axis] = offset, 1
        high[axis] = n - (offset + 2 * count - 1)
        attributes = (
            f"edge_padding_low = {i64_array(low)}, edge_padding_high = {i64_array(high)}, "
            f"interior_padding = {i64_array(inner)}"
        )
        kinds = (type_of(_resized(aval, axis, count)), tensor((), aval.dtype))
        parts.append(block.op("stablehlo.pad", (part, zero), kinds, kind, attributes))
    places = ShapedArray(aval.shape, np.dtype(np.int32))
    place = block.op("stablehlo.iota", (), (), type_of(places), f"iota_dimension = {axis} : i64")
    one = block.constant(1, np.dtype(np.int32), aval.shape)
    parity = binary(block, "and", place, one, places)
    is_odd = compare(block, parity, one, places, "EQ")
    bits = tensor(aval.shape, np.dtype(np.bool_))
    return block.op("stablehlo.select", (is_odd, parts[1], parts[0]), (bits, kind, kind), kind)


deflower(lax.cumsum_p)(_cumulative("add"))
deflower(lax.cumprod_p)(_cumulative("multiply"))
deflower(lax.cummax_p)(_cumulative("maximum"))
deflower(lax.cummin_p)(_cumulative("minimum"))
deflower(lax.cumlogsumexp_p)(_cumulative("logsumexp"))

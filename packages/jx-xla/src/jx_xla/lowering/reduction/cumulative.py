"""Lowering of cumulative operations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from jx_core import ShapedArray, lax
from jx_core.dtypes import issubdtype

from ..builder import Block, Value, i64_array
from ..elementwise import binary, compare, unary
from ..shape import slice_attributes
from ..tables import Context, deflower
from ..types import tensor, type_of
from .monoids import combine, greatest, least


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
        if type(aval.shape[axis]) is int:
            result = _prefix(block, x, aval, axis, step)
        else:
            result = _doubling(block, x, aval, axis, step, _IDENTITIES[op](aval.dtype))
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


_IDENTITIES: dict[str, Callable[[Any], Any]] = {
    "add": lambda dtype: 0,
    "multiply": lambda dtype: 1,
    "maximum": least,
    "minimum": greatest,
    "logsumexp": lambda dtype: -np.inf,
}


def _doubling(
    block: Block, x: Value, aval: ShapedArray, axis: int, step: Any, identity: Any
) -> Value:
    """Inclusive prefix combination along an axis of symbolic length.

    The algorithm of Hillis and Steele (1986): each element takes in the one 1, 2, 4, ... places
    before it. How often follows from the length, so it is a loop.
    """
    n = aval.shape[axis]
    kind, number = type_of(aval), ShapedArray((), np.dtype(np.int32))
    count = type_of(number)
    framed = _resized(aval, axis, 2 * n)
    names = [block.fresh().replace("%", "%it") for _ in range(2)]
    arguments = list(zip(names, (count, kind), strict=True))
    test = block.inner()
    # The counter goes up by one: XLA's analysis of loops trips over one that doubles.
    far = binary(test, "shift_left", test.constant(1, number.dtype), names[0], number)
    more = compare(test, far, test.count(n, number.dtype), number, "LT")
    inner = block.inner()
    counter, prefix = names
    one = inner.constant(1, number.dtype)
    distance = binary(inner, "shift_left", one, counter, number)
    before = inner.constant(identity, aval.dtype, aval.shape)
    both = inner.op(
        "stablehlo.concatenate", (before, prefix), (kind, kind), type_of(framed),
        f"dimension = {axis} : i64",
    )  # fmt: skip
    first = binary(inner, "subtract", inner.count(n, number.dtype), distance, number)
    starts = [inner.constant(0, number.dtype)] * aval.ndim
    starts[axis] = first
    shifted = inner.op(
        "stablehlo.dynamic_slice", (both, *starts), (type_of(framed), *[count] * aval.ndim), kind,
        f"slice_sizes = {i64_array(aval.shape)}",
    )  # fmt: skip
    combined = step(inner, shifted, prefix, aval)
    following = binary(inner, "add", counter, one, number)
    regions = (
        test.region(arguments, [more], ["tensor<i1>"]),
        inner.region(arguments, [following, combined], [count, kind]),
    )
    start = block.constant(0, number.dtype)
    kinds = (count, kind)
    text = f" ({regions[0]}, {regions[1]})"
    return block.ops("stablehlo.while", (start, x), kinds, kinds, regions=text)[1]


def _resized(aval: ShapedArray, axis: int, n: int) -> ShapedArray:
    return aval.update(shape=(*aval.shape[:axis], n, *aval.shape[axis + 1 :]))


def _strided(
    block: Block, x: Value, aval: ShapedArray, axis: int, start: int, stop: int, step: int
) -> Value:
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

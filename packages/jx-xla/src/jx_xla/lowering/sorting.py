"""Lowering of sorting."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import ShapedArray, lax
from jx_core.dtypes import issubdtype

from .builder import Block, Value
from .elementwise import binary, compare, convert
from .shape import slice_attributes, words
from .tables import Context, deflower
from .types import physical, tensor, type_of

_BIT = ShapedArray((), np.dtype(np.bool_))


def _canonical(block: Block, x: Value, aval: ShapedArray) -> Value:
    """A key whose total order is the sort order: one zero, one NaN, which comes last."""
    if not issubdtype(aval.dtype, np.floating):
        return x
    kind = type_of(aval)
    zero, nan = block.constant(0, aval.dtype), block.constant(np.nan, aval.dtype)
    bit = type_of(_BIT)
    is_zero = compare(block, x, zero, aval, "EQ")
    x = block.op("stablehlo.select", (is_zero, zero, x), (bit, kind, kind), kind)
    is_nan = compare(block, x, x, aval, "NE")
    return block.op("stablehlo.select", (is_nan, nan, x), (bit, kind, kind), kind)


def _keys(block: Block, x: Value, aval: ShapedArray) -> list[tuple[Value, ShapedArray]]:
    """What to compare for one operand: complex numbers by real, then imaginary part."""
    if not issubdtype(aval.dtype, np.complexfloating):
        return [(_canonical(block, x, aval), aval)]
    real = ShapedArray((), np.dtype(np.float32 if aval.dtype == np.complex64 else np.float64))
    parts = [
        block.op(f"stablehlo.{n}", (x,), (type_of(aval),), type_of(real)) for n in ("real", "imag")
    ]
    return [(_canonical(block, p, real), real) for p in parts]


@deflower(lax.sort_p)
def _sort(
    ctx: Context, *operands: Value, dimension: int, is_stable: bool, num_keys: int
) -> list[Value]:
    block = ctx.block
    parts = [_words_apart(block, x, a) for x, a in zip(operands, ctx.in_avals, strict=True)]
    values = [v for part in parts for v in part]
    avals = [
        ShapedArray(a.shape, physical(a).dtype)
        for a, part in zip(ctx.in_avals, parts, strict=True)
        for _ in part
    ]
    scalars = [ShapedArray((), a.dtype) for a in avals]
    inner = block.inner()
    names = [(inner.fresh(), inner.fresh()) for _ in values]
    pairs = []
    for (x, y), aval in zip(names[:num_keys], scalars[:num_keys], strict=True):
        pairs += list(zip(_keys(inner, x, aval), _keys(inner, y, aval), strict=True))
    less: Value | None = None
    for (x, aval), (y, _) in reversed(pairs):
        lower = compare(inner, x, y, aval, "LT", total=True)
        if less is not None:
            tie = compare(inner, x, y, aval, "EQ", total=True)
            lower = binary(inner, "or", lower, binary(inner, "and", tie, less, _BIT), _BIT)
        less = lower
    assert less is not None
    arguments = [
        (name, type_of(aval)) for pair, aval in zip(names, scalars, strict=True) for name in pair
    ]
    region = inner.region(arguments, [less], [type_of(_BIT)])
    kinds = [type_of(a) for a in avals]
    stable = "true" if is_stable else "false"
    ordered = iter(block.ops(
        "stablehlo.sort", values, kinds, kinds,
        f"dimension = {dimension} : i64, is_stable = {stable}", f" ({region})",
    ))  # fmt: skip
    return [
        _words_together(block, [next(ordered) for _ in part], a)
        for part, a in zip(parts, ctx.in_avals, strict=True)
    ]


def _words_apart(block: Block, x: Value, aval: ShapedArray) -> list[Value]:
    """A typed key array as one array for each word, since a sort moves single elements."""
    extra = words(aval)
    if not extra:
        return [x]
    (count,) = extra
    kind, word = type_of(aval), ShapedArray(aval.shape, physical(aval).dtype)
    thin = tensor((*aval.shape, 1), word.dtype)
    strides = (1,) * (aval.ndim + 1)
    parts = []
    for i in range(count):
        starts, limits = (*(0 for _ in aval.shape), i), (*aval.shape, i + 1)
        attributes = slice_attributes(starts, limits, strides)
        cut = block.op("stablehlo.slice", (x,), (kind,), thin, attributes)
        parts.append(block.op("stablehlo.reshape", (cut,), (thin,), type_of(word)))
    return parts


def _words_together(block: Block, parts: list[Value], aval: ShapedArray) -> Value:
    """The inverse of `_words_apart`."""
    if not words(aval):
        return parts[0]
    word = ShapedArray(aval.shape, physical(aval).dtype)
    thin = tensor((*aval.shape, 1), word.dtype)
    columns = [block.op("stablehlo.reshape", (p,), (type_of(word),), thin) for p in parts]
    return block.op(
        "stablehlo.concatenate", columns, (thin,) * len(columns), type_of(aval),
        f"dimension = {aval.ndim} : i64",
    )  # fmt: skip


@deflower(lax.top_k_p)
def _top_k(ctx: Context, x: Value, *, k: int, axis: int) -> list[Value]:
    return _first_of_sorted(ctx.block, x, ctx.in_avals[0], k, axis)


def _first_of_sorted(block: Block, x: Value, aval: ShapedArray, k: int, axis: int) -> list[Value]:
    """The first `k` of a stable descending sort of the elements with their places.

    XLA knows the pattern, and has fast code for it where the elements are of float32.
    """
    places = ShapedArray(aval.shape, np.dtype(np.int32))
    place = block.op("stablehlo.iota", (), (), type_of(places), f"iota_dimension = {axis} : i64")
    value = ShapedArray((), aval.dtype)
    inner = block.inner()
    a, b, i, j = (inner.fresh() for _ in range(4))
    more = compare(inner, a, b, value, "GT", total=True)
    kind, place_kind = type_of(value), tensor((), places.dtype)
    arguments = [(a, kind), (b, kind), (i, place_kind), (j, place_kind)]
    region = inner.region(arguments, [more], [type_of(_BIT)])
    kinds = [type_of(aval), type_of(places)]
    ordered = block.ops(
        "stablehlo.sort", (x, place), kinds, kinds,
        f"dimension = {axis} : i64, is_stable = true", f" ({region})",
    )  # fmt: skip
    limits = [k if d == axis else n for d, n in enumerate(aval.shape)]
    attributes = slice_attributes((0,) * aval.ndim, limits, (1,) * aval.ndim)
    return [
        block.op("stablehlo.slice", (v,), (t,), tensor(tuple(limits), d), attributes)
        for v, t, d in zip(ordered, kinds, (aval.dtype, places.dtype), strict=True)
    ]


@deflower(lax.top_k_p, platform="cpu")
def _top_k_on_cpu(ctx: Context, x: Value, *, k: int, axis: int) -> list[Value]:
    """By way of float32, for all that goes into its 32 bits: there XLA need not sort."""
    block, aval = ctx.block, ctx.in_avals[0]
    single = np.dtype(np.float32)
    if aval.dtype == single or aval.dtype.itemsize > 4:
        return _first_of_sorted(block, x, aval, k, axis)
    whole = aval.dtype.itemsize == 4
    as_float, back = (_order_bits, _from_order_bits) if whole else (_converted, _converted)
    wide = aval.update(dtype=single)
    best, places = _first_of_sorted(block, as_float(block, x, aval, single), wide, k, axis)
    kept = ctx.out_avals[0].update(dtype=single)
    return [back(block, best, kept, aval.dtype), places]


def _converted(block: Block, x: Value, aval: ShapedArray, dtype: Any) -> Value:
    return convert(block, x, aval, dtype)


def _order_bits(block: Block, x: Value, aval: ShapedArray, dtype: Any) -> Value:
    """32-bit integers as the floats whose total order is theirs.

    A float's bits count upwards from 0, and downwards with the sign bit set.
    """
    integers = aval.update(dtype=np.dtype(np.int32))
    if aval.dtype == np.uint32:
        x = block.op("stablehlo.bitcast_convert", (x,), (type_of(aval),), type_of(integers))
        x = binary(block, "xor", x, _filled(block, -(2**31), integers), integers)
    return _bitcast(block, _turned(block, x, integers), integers, dtype)


def _from_order_bits(block: Block, x: Value, aval: ShapedArray, dtype: Any) -> Value:
    integers = aval.update(dtype=np.dtype(np.int32))
    x = _turned(block, _bitcast(block, x, aval, integers.dtype), integers)
    if dtype == np.uint32:
        x = binary(block, "xor", x, _filled(block, -(2**31), integers), integers)
        x = _bitcast(block, x, integers, dtype)
    return x


def _turned(block: Block, x: Value, aval: ShapedArray) -> Value:
    """Integers with the bits below the sign bit inverted where that is set; its own inverse."""
    kind = type_of(aval)
    sign = binary(block, "shift_right_arithmetic", x, _filled(block, 31, aval), aval)
    mask = block.op(
        "stablehlo.and", (sign, _filled(block, 2**31 - 1, aval)), (kind, kind), kind
    )
    return binary(block, "xor", x, mask, aval)


def _bitcast(block: Block, x: Value, aval: ShapedArray, dtype: Any) -> Value:
    out = aval.update(dtype=dtype)
    return block.op("stablehlo.bitcast_convert", (x,), (type_of(aval),), type_of(out))


def _filled(block: Block, number: int, aval: ShapedArray) -> Value:
    return block.constant(number, aval.dtype, aval.shape)


@deflower(lax.approx_top_k_p, platform="tpu")
def _approx_top_k(
    ctx: Context,
    x: Value,
    *,
    k: int,
    reduction_dimension: int,
    recall_target: float,
    is_max_k: bool,
    reduction_input_size_override: int,
    aggregate_to_topk: bool,
) -> list[Value]:
    """The instruction that XLA has for TPUs alone."""
    block, aval = ctx.block, ctx.in_avals[0]
    places = ShapedArray(aval.shape, np.dtype(np.int32))
    axis = f"{reduction_dimension} : i64"
    place = block.op("stablehlo.iota", (), (), type_of(places), f"iota_dimension = {axis}")
    worst = block.constant(-np.inf if is_max_k else np.inf, aval.dtype)
    nowhere = block.constant(-1, places.dtype)
    recall = f"{np.float32(recall_target):.9e} : f32"
    config = (
        f"aggregate_to_topk = {str(aggregate_to_topk).lower()}, recall_target = {recall}, "
        f"reduction_dim = {axis}, "
        f"reduction_input_size_override = {reduction_input_size_override} : i64, "
        f"top_k = {k} : i64"
    )
    scalars = tensor((), aval.dtype), tensor((), places.dtype)
    return block.ops(
        "stablehlo.custom_call",
        (x, place, worst, nowhere),
        (type_of(aval), type_of(places), *scalars),
        [type_of(a) for a in ctx.out_avals],
        'call_target_name = "ApproxTopK", backend_config = "", '
        f"called_computations = [@{_comparator(ctx, aval.dtype, is_max_k)}], "
        f"mhlo.backend_config = {{{config}}}",
    )


def _comparator(ctx: Context, dtype: Any, is_max_k: bool) -> str:
    """The name of the function that says whether the first of two elements is better."""
    how = "GT" if is_max_k else "LT"
    name = ctx.module.fresh_name(f"approx_top_k_{how.lower()}")
    block = Block(ctx.module)
    value, kind, place = ShapedArray((), dtype), tensor((), dtype), tensor((), np.dtype(np.int32))
    better = compare(block, "%arg0", "%arg1", value, how)
    ctx.module.functions.append(
        f"func.func private @{name}(%arg0: {kind}, %arg1: {kind}, %arg2: {place}, "
        f"%arg3: {place}) -> {type_of(_BIT)} {{\n{''.join(block.lines)}"
        f"func.return {better} : {type_of(_BIT)}\n}}\n"
    )
    return name

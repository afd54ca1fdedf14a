"""Lowering of sorting."""

from __future__ import annotations

import numpy as np

from jx_core import ShapedArray, lax
from jx_core.dtypes import issubdtype

from .builder import Block, Value
from .elementwise import binary, compare
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
    """The first `k` of a stable descending sort of the elements with their places."""
    block, aval = ctx.block, ctx.in_avals[0]
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
        block.op("stablehlo.slice", (v,), (t,), type_of(o), attributes)
        for v, t, o in zip(ordered, kinds, ctx.out_avals, strict=True)
    ]

"""Lowering of sorting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import ShapedArray, lax
from jx_core.dtypes import issubdtype
from jx_core.ops.axes import narrow as narrow_axis

from ..builder import Block, Value
from ..elementwise import binary, compare, convert
from ..program import lower_traced
from ..shape import slice_attributes, words
from ..tables import Context, deflower
from ..types import physical, tensor, type_of
from .order_bits import BIT, narrow_sort_key, sort_key


def _keys(block: Block, x: Value, aval: ShapedArray) -> list[tuple[Value, ShapedArray]]:
    """What to compare for one operand: complex numbers by real, then imaginary part."""
    if not issubdtype(aval.dtype, np.complexfloating):
        return [sort_key(block, x, aval)]
    real = ShapedArray((), np.dtype(np.float32 if aval.dtype == np.complex64 else np.float64))
    parts = [
        block.op(f"stablehlo.{n}", (x,), (type_of(aval),), type_of(real)) for n in ("real", "imag")
    ]
    return [sort_key(block, p, real) for p in parts]


@deflower(lax.sort_p)
def _sort(
    ctx: Context, *operands: Value, dimension: int, is_stable: bool, num_keys: int
) -> list[Value]:
    values, avals = _apart(ctx, operands)
    ordered = _sorted(ctx.block, values, avals, dimension, is_stable, num_keys)
    return _together(ctx, ordered)


def _apart(ctx: Context, operands: Sequence[Value]) -> tuple[list[Value], list[ShapedArray]]:
    """The arrays of plain elements that the operands are made of."""
    parts = [_words_apart(ctx.block, x, a) for x, a in zip(operands, ctx.in_avals, strict=True)]
    avals = [
        ShapedArray(a.shape, physical(a).dtype)
        for a, part in zip(ctx.in_avals, parts, strict=True)
        for _ in part
    ]
    return [v for part in parts for v in part], avals


def _together(ctx: Context, values: Sequence[Value]) -> list[Value]:
    """The inverse of `_apart`."""
    following = iter(values)
    counts = [words(a)[0] if words(a) else 1 for a in ctx.out_avals]
    return [
        _words_together(ctx.block, [next(following) for _ in range(n)], a)
        for n, a in zip(counts, ctx.out_avals, strict=True)
    ]


def _sorted(
    block: Block,
    values: Sequence[Value],
    avals: Sequence[ShapedArray],
    dimension: int,
    is_stable: bool,
    num_keys: int,
) -> list[Value]:
    """StableHLO's sort, by a comparison of the keys."""
    scalars = [ShapedArray((), a.dtype) for a in avals]
    inner = block.inner()
    names = [(inner.fresh(), inner.fresh()) for _ in values]
    pairs = []
    for (x, y), aval in zip(names[:num_keys], scalars[:num_keys], strict=True):
        pairs += list(zip(_keys(inner, x, aval), _keys(inner, y, aval), strict=True))
    less: Value | None = None
    for (x, aval), (y, _) in reversed(pairs):
        lower = compare(inner, x, y, aval, "LT")
        if less is not None:
            tie = compare(inner, x, y, aval, "EQ")
            lower = binary(inner, "or", lower, binary(inner, "and", tie, less, BIT), BIT)
        less = lower
    assert less is not None
    arguments = [
        (name, type_of(aval)) for pair, aval in zip(names, scalars, strict=True) for name in pair
    ]
    region = inner.region(arguments, [less], [type_of(BIT)])
    kinds = [type_of(a) for a in avals]
    stable = "true" if is_stable else "false"
    return block.ops(
        "stablehlo.sort", values, kinds, kinds,
        f"dimension = {dimension} : i64, is_stable = {stable}", f" ({region})",
    )  # fmt: skip


@deflower(lax.sort_p, platform="cpu")
def _sort_on_cpu(
    ctx: Context, *operands: Value, dimension: int, is_stable: bool, num_keys: int
) -> list[Value]:
    """By whole numbers, which XLA compares in native code, where the keys fit into them.

    Key and place together are one int64: sorted, they say which element goes where.
    """
    values, avals = _apart(ctx, operands)
    block, key = ctx.block, avals[0]
    one_integer = len(values) == 1 and not issubdtype(key.dtype, np.floating)
    narrow = key.dtype.itemsize <= 4 and not issubdtype(key.dtype, np.complexfloating)
    length = key.shape[dimension]
    short = key.size == 0 or not narrow_axis((length,)) or length == 1
    if num_keys > 1 or not narrow or one_integer or short:
        ordered = _sorted(block, values, avals, dimension, is_stable, num_keys)
        return _together(ctx, ordered)
    wide = ShapedArray(key.shape, np.dtype(np.int64))
    keys = narrow_sort_key(block, values[0], key)
    keys = convert(block, keys, _like(wide, np.int32), wide.dtype)
    keys = binary(block, "shift_left", keys, block.constant(32, wide.dtype, wide.shape), wide)
    place = block.op("stablehlo.iota", (), (), type_of(wide), f"iota_dimension = {dimension} : i64")
    both = binary(block, "or", keys, place, wide)
    (both,) = _sorted(block, [both], [wide], dimension, True, 1)
    order = convert(block, both, wide, np.dtype(np.int32))
    places = _like(wide, np.int32)
    taken = [
        lower_traced(block, _take(dimension), [a, places], [x, order], "sort")[0]
        for x, a in zip(values, avals, strict=True)
    ]
    return _together(ctx, taken)


def _like(aval: ShapedArray, dtype: Any) -> ShapedArray:
    return aval.update(dtype=np.dtype(dtype))


def _take(axis: int) -> Callable[..., list[Any]]:
    """Elements of an array in another order along an axis."""

    def take(x: Any, order: Any) -> list[Any]:
        others = tuple([d for d in range(len(x.shape)) if d != axis])
        numbers = lax.GatherDimensionNumbers((), (axis,), (axis,), others, others)
        return [
            lax.gather(
                x,
                lax.expand_dims(order, (len(x.shape),)),
                numbers,
                (1,) * len(x.shape),
                unique_indices=True,
                mode=lax.GatherScatterMode.PROMISE_IN_BOUNDS,
            )
        ]

    return take


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

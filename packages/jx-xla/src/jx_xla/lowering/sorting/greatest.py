"""Lowering of what finds the greatest few elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import ShapedArray, lax

from ..builder import Block, Value
from ..elementwise import compare
from ..shape import slice_attributes
from ..tables import Context, deflower
from ..types import tensor, type_of
from .order_bits import BIT, floats_in_order, from_floats_in_order


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
    region = inner.region(arguments, [more], [type_of(BIT)])
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
    wide = aval.update(dtype=single)
    x = floats_in_order(block, x, aval)
    best, places = _first_of_sorted(block, x, wide, k, axis)
    kept = ctx.out_avals[0].update(dtype=single)
    return [from_floats_in_order(block, best, kept, aval.dtype), places]


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
        f"%arg3: {place}) -> {type_of(BIT)} {{\n{''.join(block.lines)}"
        f"func.return {better} : {type_of(BIT)}\n}}\n"
    )
    return name

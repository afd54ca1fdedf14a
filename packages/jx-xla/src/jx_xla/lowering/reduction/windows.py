"""Lowering of reductions of windows, and of what picks one element of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import ClosedJaxpr, Primitive, ShapedArray, lax
from jx_core.ops.contraction.conv_shapes import dilated
from jx_core.ops.reduction.programs import is_elementwise
from jx_core.ops.reduction.selection import extreme_places, scatter_to, simple_window
from jx_core.ops.reduction.window_shapes import Window
from jx_core.staging import trace_to_jaxpr

from ..builder import Block, Value, i64_array, i64_matrix
from ..elementwise import compare, convert
from ..program import constants, lower_function, lower_jaxpr, lower_traced
from ..tables import Context, deflower
from ..types import tensor, type_of
from .monoids import NARROW_FLOATS, combine, greatest, least

# Up to how many elements a window may have for its places to be written out one by one.
_FEW = 128


def _scalar(aval: ShapedArray) -> ShapedArray:
    return ShapedArray((), aval.dtype)


def _attributes(window: Window) -> str:
    return (
        f"window_dimensions = {i64_array(window.window_dimensions)}, "
        f"window_strides = {i64_array(window.window_strides)}, "
        f"base_dilations = {i64_array(window.base_dilation)}, "
        f"window_dilations = {i64_array(window.window_dilation)}, "
        f"padding = {i64_matrix(window.padding)}"
    )


def _program_region(block: Block, closed: ClosedJaxpr, count: int) -> str:
    """A program on scalars as a region that returns `count` of them."""
    inner = block.inner()
    kinds = [type_of(_scalar(a)) for a in closed.in_avals]
    names = [inner.fresh() for _ in kinds]
    results = lower_jaxpr(inner, closed.jaxpr, constants(inner, closed.consts), names)
    out_kinds = [type_of(_scalar(a)) for a in closed.out_avals]
    return inner.region(list(zip(names, kinds, strict=True)), results, out_kinds[:count])


def _reduce_with(
    block: Block, x: Value, aval: ShapedArray, window: Window, op: str, init: Any
) -> Value:
    """The windows of `x` reduced by a StableHLO operation whose identity is `init`."""
    if not aval.shape:
        return x
    scalar = _scalar(aval)
    kind = type_of(scalar)
    inner = block.inner()
    a, b = inner.fresh(), inner.fresh()
    region = inner.region([(a, kind), (b, kind)], [combine(inner, op, a, b, scalar)], [kind])
    return block.op(
        "stablehlo.reduce_window",
        (x, block.constant(init, aval.dtype)),
        (type_of(aval), kind),
        tensor(window.counts(aval.shape), aval.dtype),
        _attributes(window),
        f" ({region})",
    )


def _monoid(op: str, init: Callable[[Any], Any], widen: bool = False) -> Callable[..., Value]:
    def rule(ctx: Context, x: Value, **params: Any) -> Value:
        block, aval, window = ctx.block, ctx.in_avals[0], Window(**params)
        if widen and aval.dtype.name in NARROW_FLOATS:
            wide = aval.update(dtype=np.dtype(np.float32))
            x = convert(block, x, aval, wide.dtype)
            total = _reduce_with(block, x, wide, window, op, init(wide.dtype))
            return convert(block, total, ctx.out.update(dtype=wide.dtype), aval.dtype)
        return _reduce_with(block, x, aval, window, op, init(aval.dtype))

    return rule


_sum = deflower(lax.reduce_window_sum_p)(_monoid("add", lambda d: 0, widen=True))
deflower(lax.reduce_window_max_p)(_monoid("maximum", least))
deflower(lax.reduce_window_min_p)(_monoid("minimum", greatest))


@deflower(lax.reduce_window_sum_p, platform="cpu")
def _sum_on_cpu(ctx: Context, x: Value, **params: Any) -> Value:
    """XLA's loop looks at every hole of an operand that has some, as derivatives of sums do;
    the operand shifted to each place of a window and added up does not."""
    window, aval = Window(**params), ctx.in_avals[0]
    spread = any(h != 1 for h in window.base_dilation)
    stepping = any(s != 1 for s in window.window_strides)
    if not spread or stepping or window.size > _FEW or 0 in (*aval.shape, *ctx.out.shape):
        return _sum(ctx, x, **params)  # type: ignore[no-any-return]
    narrow = aval.dtype.name in NARROW_FLOATS

    def shifted(x: Any) -> list[Any]:
        zero = np.zeros((), np.float32 if narrow else aval.dtype)[()]
        x = lax.convert_element_type(x, zero.dtype)
        total: Any = None
        for place in window.places():
            config = []
            for axis, start in enumerate(window.starts(place)):
                low, hole = window.padding[axis][0] - start, window.base_dilation[axis]
                high = ctx.out.shape[axis] - low - dilated(aval.shape[axis], hole)
                config.append((low, high, hole - 1))
            part = lax.pad(x, zero, config)
            total = part if total is None else lax.add(total, part)
        return [lax.convert_element_type(total, aval.dtype)]

    return lower_traced(ctx.block, shifted, [aval], [x], "reduce_window_sum")[0]


@deflower(lax.reduce_window_p)
def _reduce_window(
    ctx: Context, *operands: Value, jaxpr: ClosedJaxpr, **params: Any
) -> list[Value]:
    if not ctx.out_avals[0].shape:
        return _decomposed(ctx, lax.reduce_window_p, operands, jaxpr=jaxpr, **params)
    n = len(operands) // 2
    return ctx.block.ops(
        "stablehlo.reduce_window",
        operands,
        [type_of(a) for a in ctx.in_avals],
        [type_of(a) for a in ctx.out_avals],
        _attributes(Window(**params)),
        f" ({_program_region(ctx.block, jaxpr, n)})",
    )


def _reduce_window_on_gpu(
    ctx: Context, *operands: Value, jaxpr: ClosedJaxpr, **params: Any
) -> list[Value]:
    """XLA has no windows of several operands on GPUs."""
    if len(operands) > 2 and is_elementwise(jaxpr.jaxpr):
        return _decomposed(ctx, lax.reduce_window_p, operands, jaxpr=jaxpr, **params)
    return _reduce_window(ctx, *operands, jaxpr=jaxpr, **params)


for _platform in ("cuda", "rocm"):
    deflower(lax.reduce_window_p, platform=_platform)(_reduce_window_on_gpu)


def _decomposed(
    ctx: Context, primitive: Primitive, operands: Sequence[Value], **params: Any
) -> list[Value]:
    decompose: Any = primitive.decompose

    def fun(*xs: Any) -> Any:
        out = decompose(*xs, **params)
        return out if primitive.multiple_results else [out]

    return lower_traced(ctx.block, fun, ctx.in_avals, operands, primitive.name)


# --- picking one element ---


def _select_and_scatter(
    block: Block,
    operand: Value,
    source: Value,
    init: Value,
    avals: Sequence[ShapedArray],
    regions: tuple[str, str],
    params: dict[str, Any],
) -> Value:
    """StableHLO's operation, whose padding is never chosen."""
    attributes = (
        f"window_dimensions = {i64_array(params['window_dimensions'])}, "
        f"window_strides = {i64_array(params['window_strides'])}, "
        f"padding = {i64_matrix(params['padding'])}"
    )
    kinds = [type_of(a) for a in avals]
    return block.op(
        "stablehlo.select_and_scatter",
        (operand, source, init),
        kinds,
        kinds[0],
        attributes,
        f" ({regions[0]}, {regions[1]})",
    )


def _is_written_out(params: dict[str, Any], avals: Sequence[ShapedArray]) -> bool:
    few = int(np.prod(params["window_dimensions"])) <= _FEW
    return few or any(0 in a.shape for a in avals) or not avals[0].shape


@deflower(lax.select_and_scatter_p)
def _scatter(
    ctx: Context,
    operand: Value,
    source: Value,
    init: Value,
    *,
    select_jaxpr: ClosedJaxpr,
    scatter_jaxpr: ClosedJaxpr,
    **params: Any,
) -> Value:
    programs = {"select_jaxpr": select_jaxpr, "scatter_jaxpr": scatter_jaxpr}
    written_out = all(is_elementwise(p.jaxpr) for p in programs.values())
    if written_out and _is_written_out(params, ctx.in_avals):
        operands = (operand, source, init)
        return _decomposed(ctx, lax.select_and_scatter_p, operands, **programs, **params)[0]
    block = ctx.block
    regions = _program_region(block, select_jaxpr, 1), _program_region(block, scatter_jaxpr, 1)
    return _select_and_scatter(block, operand, source, init, ctx.in_avals, regions, params)


@deflower(lax.select_and_scatter_add_p)
def _scatter_add(
    ctx: Context, source: Value, operand: Value, *, select_prim: str, **params: Any
) -> Value:
    """Written out where windows are small: XLA on CPUs compares element after element, and
    its operation does not know which of a NaN and another number to choose."""
    if _is_written_out(params, ctx.in_avals):
        return _decomposed(
            ctx, lax.select_and_scatter_add_p, (source, operand), select_prim=select_prim, **params
        )[0]
    return _scatter_add_whole(ctx, source, operand, select_prim=select_prim, **params)


@deflower(lax.select_and_scatter_add_p, platform="cpu")
def _scatter_add_on_cpu(
    ctx: Context, source: Value, operand: Value, *, select_prim: str, **params: Any
) -> Value:
    """The places come from a call of their own: fused with what uses them, they would be found
    anew for each place in a window."""
    if not _is_written_out(params, ctx.in_avals) or not ctx.out.size:
        return _scatter_add(ctx, source, operand, select_prim=select_prim, **params)
    window, (source_aval, aval) = simple_window(params), ctx.in_avals
    found = ShapedArray(source_aval.shape, np.dtype(np.int32))
    program, consts = trace_to_jaxpr(
        lambda x: [extreme_places(x, window, select_prim)], [aval], "extreme_places"
    )
    name = lower_function(ctx.module, ClosedJaxpr(program, consts), "extreme_places")
    (places,) = ctx.block.ops(
        "func.call",
        [*ctx.block.leading(), operand],
        [*ctx.module.leading_types(), type_of(aval)],
        [type_of(found)],
        f'callee = @{name}, mhlo.frontend_attributes = {{inlineable = "false"}}',
    )
    return lower_traced(
        ctx.block,
        lambda p, s: [scatter_to(p, s, aval.shape, window)],
        [found, source_aval],
        [places, source],
        "select_and_scatter_add",
    )[0]


def _scatter_add_whole(
    ctx: Context, source: Value, operand: Value, *, select_prim: str, **params: Any
) -> Value:
    block = ctx.block
    source_aval, aval = ctx.in_avals
    scalar, added = _scalar(aval), _scalar(source_aval)
    if aval.dtype != source_aval.dtype:
        raise TypeError(
            f"select_and_scatter_add: source and operand must have one dtype for windows of "
            f"{np.prod(params['window_dimensions'])} elements, got {source_aval.dtype.name} and "
            f"{aval.dtype.name}"
        )
    choose, collect = block.inner(), block.inner()
    a, b = choose.fresh(), choose.fresh()
    kind, bit = type_of(scalar), type_of(ShapedArray((), np.dtype(np.bool_)))
    kept = compare(choose, a, b, scalar, select_prim.upper())
    first = choose.region([(a, kind), (b, kind)], [kept], [bit])
    c, d = collect.fresh(), collect.fresh()
    total = combine(collect, "add", c, d, added)
    second = collect.region([(c, kind), (d, kind)], [total], [kind])
    zero = block.constant(0, source_aval.dtype)
    avals = (aval, source_aval, added)
    return _select_and_scatter(block, operand, source, zero, avals, (first, second), params)


@deflower(lax.select_and_scatter_add_p, platform="tpu")
def _scatter_add_on_tpu(
    ctx: Context, source: Value, operand: Value, *, select_prim: str, **params: Any
) -> Value:
    """TPUs have the operation in hardware."""
    if ctx.in_avals[0].dtype == ctx.in_avals[1].dtype and ctx.out.shape and ctx.out.size:
        return _scatter_add_whole(ctx, source, operand, select_prim=select_prim, **params)
    return _scatter_add(ctx, source, operand, select_prim=select_prim, **params)

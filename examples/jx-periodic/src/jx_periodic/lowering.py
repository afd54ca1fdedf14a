"""Lowering: two slices of the last axis, put together the other way around."""

from jx_xla import deflower
from jx_xla.lowering.builder import i64_array
from jx_xla.lowering.types import tensor, type_of

from .operations import shift_p


@deflower(shift_p)
def _(ctx, x, *, by):
    *rows, n = ctx.out.shape
    kind = type_of(ctx.out)
    cut = -by % n if n else 0

    def part(start, stop):
        bounds = (
            f"start_indices = {i64_array([0] * len(rows) + [start])}, "
            f"limit_indices = {i64_array([*rows, stop])}, "
            f"strides = {i64_array([1] * ctx.out.ndim)}"
        )
        part_kind = tensor((*rows, stop - start), ctx.out.dtype)
        return ctx.block.op("stablehlo.slice", [x], [kind], part_kind, bounds), part_kind

    values, kinds = zip(part(cut, n), part(0, cut), strict=True)
    return ctx.block.op(
        "stablehlo.concatenate", values, kinds, kind, f"dimension = {len(rows)} : i64"
    )

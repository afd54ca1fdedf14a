"""Lowering of convolutions to StableHLO's; `conv_cpu` says where the CPU does something else."""

from __future__ import annotations

from typing import Any

from jx_core import lax

from ..builder import Value, bool_array, i64_array, i64_matrix
from ..tables import Context, deflower
from ..types import type_of
from .dot import precision_config


def _axes(spec: Any, first: str, second: str) -> str:
    """The names of an array's axes in order: `[b, 0, 1, f]`."""
    names = {spec[0]: first, spec[1]: second}
    names.update({axis: str(i) for i, axis in enumerate(spec[2:])})
    return f"[{', '.join(names[i] for i in range(len(spec)))}]"


@deflower(lax.conv_general_dilated_p)
def convolution(
    ctx: Context,
    x: Value,
    y: Value,
    *,
    window_strides: Any,
    padding: Any,
    lhs_dilation: Any,
    rhs_dilation: Any,
    dimension_numbers: Any,
    feature_group_count: int,
    batch_group_count: int,
    precision: Any,
    preferred_element_type: Any,
    **params: Any,
) -> Value:
    if not all(a.size for a in (*ctx.in_avals, ctx.out)):
        # Sums of nothing; StableHLO has no windows of size zero.
        return ctx.block.constant(0, ctx.out.dtype, ctx.out.shape)
    lhs, rhs, out = dimension_numbers
    numbers = f"{_axes(lhs, 'b', 'f')}x{_axes(rhs, 'o', 'i')}->{_axes(out, 'b', 'f')}"
    rank = len(window_strides)
    attributes = ", ".join([
        f"batch_group_count = {batch_group_count} : i64",
        f"dimension_numbers = #stablehlo.conv<{numbers}>",
        f"feature_group_count = {feature_group_count} : i64",
        f"lhs_dilation = {i64_array(lhs_dilation)}",
        f"padding = {i64_matrix(padding)}",
        precision_config(precision),
        f"rhs_dilation = {i64_array(rhs_dilation)}",
        f"window_reversal = {bool_array([False] * rank)}",
        f"window_strides = {i64_array(window_strides)}",
    ])  # fmt: skip
    kinds = [type_of(a) for a in ctx.in_avals]
    return ctx.block.op("stablehlo.convolution", (x, y), kinds, type_of(ctx.out), attributes)

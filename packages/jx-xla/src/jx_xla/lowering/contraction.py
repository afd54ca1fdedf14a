"""Lowering of dot products and convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import lax
from jx_core.dtypes import issubdtype

from .builder import Value, bool_array, i64_array, i64_matrix
from .elementwise import convert
from .tables import Context, deflower
from .types import element_type, type_of


def _precision(precision: Any) -> str:
    """The `precision_config` of a pair of precisions, or of one for both."""
    pair = precision if isinstance(precision, tuple) else (precision, precision)
    names = [
        p.name if isinstance(p, lax.Precision) else lax.Precision.DEFAULT.name for p in pair
    ]
    words = ", ".join(f"#stablehlo<precision {n}>" for n in names)
    return f"precision_config = [{words}]"


_PRESETS = {
    "F16_F16_F16": ("f16", "f16", "f16", 1), "F16_F16_F32": ("f16", "f16", "f32", 1),
    "BF16_BF16_BF16": ("bf16", "bf16", "bf16", 1), "BF16_BF16_F32": ("bf16", "bf16", "f32", 1),
    "BF16_BF16_F32_X3": ("bf16", "bf16", "f32", 3),
    "BF16_BF16_F32_X6": ("bf16", "bf16", "f32", 6),
    "BF16_BF16_F32_X9": ("bf16", "bf16", "f32", 9),
    "TF32_TF32_F32": ("tf32", "tf32", "f32", 1),
    "TF32_TF32_F32_X3": ("tf32", "tf32", "f32", 3), "F32_F32_F32": ("f32", "f32", "f32", 1),
    "F64_F64_F64": ("f64", "f64", "f64", 1),
}  # fmt: skip


def _algorithm(ctx: Context, precision: Any) -> str:
    """The `algorithm` attribute of a dot product, empty where none is asked for."""
    if isinstance(precision, lax.DotAlgorithm):
        lhs, rhs, total = (
            element_type(np.dtype(t))
            for t in (
                precision.lhs_precision_type,
                precision.rhs_precision_type,
                precision.accumulation_type,
            )
        )
        counts = (
            precision.lhs_component_count,
            precision.rhs_component_count,
            precision.num_primitive_operations,
        )
        loose = precision.allow_imprecise_accumulation
    elif isinstance(precision, lax.DotAlgorithmPreset):
        name = precision.name
        if name == "DEFAULT":
            return ""
        if name.startswith("ANY_F8"):
            lhs, rhs = (element_type(a.dtype) for a in ctx.in_avals)
            total = "f32" if "F32" in name else element_type(ctx.out.dtype)
            counts, loose = (1, 1, 1), name.endswith("FAST_ACCUM")
        else:
            lhs, rhs, total, operations = _PRESETS[name]
            counts, loose = (1, 1, operations), False
    else:
        return ""
    return (
        f", algorithm = #stablehlo.dot_algorithm<lhs_precision_type = {lhs}, "
        f"rhs_precision_type = {rhs}, accumulation_type = {total}, "
        f"lhs_component_count = {counts[0]}, rhs_component_count = {counts[1]}, "
        f"num_primitive_operations = {counts[2]}, "
        f"allow_imprecise_accumulation = {'true' if loose else 'false'}>"
    )


@deflower(lax.dot_general_p)
def _dot_general(
    ctx: Context,
    x: Value,
    y: Value,
    *,
    dimension_numbers: Any,
    precision: Any,
    preferred_element_type: Any,
    **params: Any,
) -> Value:
    (lhs_contract, rhs_contract), (lhs_batch, rhs_batch) = dimension_numbers
    fields = []
    for name, axes in (
        ("lhs_batching_dimensions", lhs_batch), ("rhs_batching_dimensions", rhs_batch),
        ("lhs_contracting_dimensions", lhs_contract),
        ("rhs_contracting_dimensions", rhs_contract),
    ):  # fmt: skip
        if len(axes):
            fields.append(f"{name} = [{', '.join(map(str, axes))}]")
    attributes = (
        f"dot_dimension_numbers = #stablehlo.dot<{', '.join(fields)}>, "
        f"{_precision(precision)}{_algorithm(ctx, precision)}"
    )
    lhs, rhs = ctx.in_avals
    out = ctx.out
    # Booleans and mixtures of narrow types have no product of their own: widen first.
    if lhs.dtype != rhs.dtype or lhs.dtype == np.bool_:
        wide = out.dtype if lhs.dtype != np.bool_ else np.dtype(np.int32)
        x, y = (convert(ctx.block, v, a, wide) for v, a in ((x, lhs), (y, rhs)))
        lhs, rhs = lhs.update(dtype=wide), rhs.update(dtype=wide)
    made = out if out.dtype != np.bool_ else out.update(dtype=np.dtype(np.int32))
    if issubdtype(made.dtype, np.complexfloating) and lhs.dtype != made.dtype:
        x, y = (convert(ctx.block, v, a, made.dtype) for v, a in ((x, lhs), (y, rhs)))
        lhs, rhs = lhs.update(dtype=made.dtype), rhs.update(dtype=made.dtype)
    product = ctx.block.op(
        "stablehlo.dot_general", (x, y), (type_of(lhs), type_of(rhs)), type_of(made), attributes
    )
    return convert(ctx.block, product, made, out.dtype)


def _axes(spec: Any, first: str, second: str) -> str:
    """The names of an array's axes in order: `[b, 0, 1, f]`."""
    names = {spec[0]: first, spec[1]: second}
    names.update({axis: str(i) for i, axis in enumerate(spec[2:])})
    return f"[{', '.join(names[i] for i in range(len(spec)))}]"


@deflower(lax.conv_general_dilated_p)
def _convolution(
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
    lhs, rhs, out = dimension_numbers
    numbers = f"{_axes(lhs, 'b', 'f')}x{_axes(rhs, 'o', 'i')}->{_axes(out, 'b', 'f')}"
    rank = len(window_strides)
    attributes = ", ".join([
        f"batch_group_count = {batch_group_count} : i64",
        f"dimension_numbers = #stablehlo.conv<{numbers}>",
        f"feature_group_count = {feature_group_count} : i64",
        f"lhs_dilation = {i64_array(lhs_dilation)}",
        f"padding = {i64_matrix(padding)}",
        _precision(precision),
        f"rhs_dilation = {i64_array(rhs_dilation)}",
        f"window_reversal = {bool_array([False] * rank)}",
        f"window_strides = {i64_array(window_strides)}",
    ])  # fmt: skip
    kinds = [type_of(a) for a in ctx.in_avals]
    return ctx.block.op("stablehlo.convolution", (x, y), kinds, type_of(ctx.out), attributes)

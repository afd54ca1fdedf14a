"""Lowering of dot products, and of what contractions say about their exactness."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import lax
from jx_core.dtypes import issubdtype
from jx_core.ops.contraction.dot import product_dtype

from ..builder import Value
from ..elementwise import convert
from ..tables import Context, deflower
from ..types import element_type, type_of


def precision_config(precision: Any) -> str:
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


# What XLA's CPU backend computes as asked; it ignores other algorithms without a word.
_ON_CPU = {
    lax.DotAlgorithmPreset[name]
    for name in (
        "DEFAULT", "F16_F16_F16", "F32_F32_F32", "F64_F64_F64", "BF16_BF16_F32",
        "BF16_BF16_F32_X3", "BF16_BF16_F32_X6",
    )
}  # fmt: skip


def _is_float8(dtype: Any) -> bool:
    return bool(issubdtype(dtype, np.floating)) and dtype.itemsize == 1


def _supported(dtype: Any, choices: Any) -> Any:
    """`dtype` if it is among the choices, or else the first of them."""
    return dtype if choices is None or dtype in choices else np.dtype(choices[0])


def _computed_in(precision: Any, lhs: Any, rhs: Any, out: Any) -> tuple[Any, Any, Any]:
    """The dtypes that an algorithm takes and gives, for operands and result of other dtypes."""
    if isinstance(precision, lax.DotAlgorithm):
        return (
            np.dtype(precision.lhs_precision_type),
            np.dtype(precision.rhs_precision_type),
            np.dtype(precision.accumulation_type),
        )
    lhs = _supported(lhs, precision.supported_lhs_types)
    rhs = _supported(rhs, precision.supported_rhs_types)
    return lhs, rhs, _supported(out, precision.supported_output_types(lhs, rhs))


def _algorithm(precision: Any, lhs_dtype: Any, rhs_dtype: Any) -> str:
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
    elif precision is lax.DotAlgorithmPreset.DEFAULT:
        return ""
    else:
        name = precision.name
        if name.startswith("ANY_F8"):
            if not (_is_float8(lhs_dtype) and _is_float8(rhs_dtype)):
                raise ValueError(
                    f"dot_general: the algorithm {name} takes float8 operands, got "
                    f"{lhs_dtype.name} and {rhs_dtype.name}"
                )
            lhs, rhs, total = element_type(lhs_dtype), element_type(rhs_dtype), "f32"
            counts, loose = (1, 1, 1), name.endswith("FAST_ACCUM")
        else:
            lhs, rhs, total, operations = _PRESETS[name]
            counts, loose = (1, 1, operations), False
    return (
        f", algorithm = #stablehlo.dot_algorithm<lhs_precision_type = {lhs}, "
        f"rhs_precision_type = {rhs}, accumulation_type = {total}, "
        f"lhs_component_count = {counts[0]}, rhs_component_count = {counts[1]}, "
        f"num_primitive_operations = {counts[2]}, "
        f"allow_imprecise_accumulation = {'true' if loose else 'false'}>"
    )


def _dtypes(ctx: Context, precision: Any) -> tuple[Any, Any, Any]:
    """The dtypes that both operands are to be converted to, and that the product comes in."""
    lhs, rhs, out = ctx.in_avals[0].dtype, ctx.in_avals[1].dtype, ctx.out.dtype
    if isinstance(precision, (lax.DotAlgorithm, lax.DotAlgorithmPreset)):
        if ctx.module.platform == "cpu" and precision not in _ON_CPU:
            names = ", ".join(sorted(p.name for p in _ON_CPU))
            raise ValueError(
                f"dot_general: the precision {precision} is not supported on CPU; those that are: "
                f"{names}"
            )
        lhs, rhs, out = _computed_in(precision, lhs, rhs, out)
    made = np.dtype(np.int32) if out == np.bool_ else out
    if lhs == np.bool_ and rhs == np.bool_:
        return np.dtype(np.int32), np.dtype(np.int32), np.dtype(np.int32)
    # Mixtures have no product of their own, but for those of float8 numbers; neither have real
    # operands of complex products.
    mixed = lhs != rhs and not (_is_float8(lhs) and _is_float8(rhs))
    if mixed or (
        issubdtype(made, np.complexfloating) and not issubdtype(lhs, np.complexfloating)
    ):
        common = product_dtype(lhs, rhs) if _bits_lost(lhs, rhs, made) else made
        return common, common, made
    return lhs, rhs, made


def _bits_lost(lhs: Any, rhs: Any, made: Any) -> bool:
    """Whether operands would lose their fractions by going into the dtype of the product."""
    return bool(
        issubdtype(made, np.integer)
        and any(issubdtype(d, np.inexact) for d in (lhs, rhs))
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
    lhs, rhs = ctx.in_avals
    lhs_dtype, rhs_dtype, made_dtype = _dtypes(ctx, precision)
    named = isinstance(precision, (lax.DotAlgorithm, lax.DotAlgorithmPreset))
    attributes = (
        f"dot_dimension_numbers = #stablehlo.dot<{', '.join(fields)}>, "
        f"{precision_config(precision)}"
        f"{_algorithm(precision, lhs_dtype, rhs_dtype) if named else ''}"
    )
    x, y = convert(ctx.block, x, lhs, lhs_dtype), convert(ctx.block, y, rhs, rhs_dtype)
    lhs, rhs, made = (
        lhs.update(dtype=lhs_dtype), rhs.update(dtype=rhs_dtype), ctx.out.update(dtype=made_dtype)
    )  # fmt: skip
    product = ctx.block.op(
        "stablehlo.dot_general", (x, y), (type_of(lhs), type_of(rhs)), type_of(made), attributes
    )
    return convert(ctx.block, product, made, ctx.out.dtype)

"""Lowering of named operations: a call of their program that carries the name."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import ClosedJaxpr
from jx_core.ops.elementwise.named import ArrayAttribute, DictAttribute, composite_p

from .builder import Value
from .program import lower_function
from .tables import Context, deflower
from .types import dense, element_type, tensor, type_of


@deflower(composite_p)
def _composite(
    ctx: Context,
    *operands: Value,
    name: str,
    version: int,
    attributes: tuple[tuple[str, Any], ...],
    jaxpr: ClosedJaxpr,
) -> list[Value]:
    shared = ctx.module.shared
    key = id(jaxpr), ctx.module.platform  # of one platform: its operands are the function's
    known = shared.get(key)
    if known is None:
        known = shared[key] = (lower_function(ctx.module, jaxpr, name), jaxpr)
    fields = [
        f"name = {_text(name)}",
        f"composite_attributes = {_dictionary(attributes)}",
        f"decomposition = @{known[0]}",
        f"version = {version} : i32",
    ]
    kinds = [type_of(a) for a in ctx.in_avals], [type_of(a) for a in ctx.out_avals]
    return ctx.block.ops("stablehlo.composite", operands, *kinds, ", ".join(fields))


def _dictionary(items: tuple[tuple[str, Any], ...]) -> str:
    return "{" + ", ".join(f"{_text(k)} = {_attribute(v)}" for k, v in items) + "}"


def _attribute(value: Any) -> str:
    """An attribute in MLIR's text, of the types that JAX gives them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value} : i64"
    if isinstance(value, float):
        return f"0x{np.float64(value).view(np.uint64):016X} : f64"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, ArrayAttribute):
        array = np.array(value.values, object).astype(value.dtype).reshape(value.shape)
        if array.ndim == 0 and array.dtype.kind in "iu":
            return f"{int(array)} : {element_type(array.dtype)}"
        return f"dense<{dense(array)}> : {tensor(array.shape, array.dtype)}"
    if isinstance(value, DictAttribute):
        return _dictionary(value.items)
    return "[" + ", ".join(map(_attribute, value)) + "]"


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\0A") + '"'

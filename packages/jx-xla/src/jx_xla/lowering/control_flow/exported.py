"""Lowering of calls of exported functions, whose modules become part of the caller's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ShapedArray
from jx_core.ops.control_flow.exported import call_exported_p

from ..builder import Block, Module, Value
from ..sharding import constrain_split
from ..tables import Context, deflower
from ..types import type_of


@deflower(call_exported_p)
def _call(ctx: Context, *operands: Value, exported: Any) -> list[Value]:
    block, module = ctx.block, ctx.module
    _check_devices(exported, module)
    ins = _laid_out(block, operands, ctx.in_avals, exported.in_shardings_hlo)
    kept = exported.module_kept_var_idx
    results = block.ops(
        "func.call",
        [ins[i] for i in kept],
        [type_of(ctx.in_avals[i]) for i in kept],
        [type_of(a) for a in ctx.out_avals],
        f"callee = @{_written(module, exported, ctx.in_avals)}",
    )
    return _laid_out(block, results, ctx.out_avals, exported.out_shardings_hlo)


def _check_devices(exported: Any, module: Module) -> None:
    count = module.num_partitions
    if exported.nr_devices in (1, count):
        return
    raise ValueError(
        f"Function '{exported.fun_name}' was exported for {exported.nr_devices} devices and is "
        f"called in a context with {count} device{'s' if count > 1 else ''}: place its arguments "
        f"on a mesh of {exported.nr_devices} devices, as exported.in_shardings_jax(mesh) says "
        f"(jx.device_put)"
    )


def _written(module: Module, exported: Any, in_avals: Sequence[ShapedArray]) -> str:
    """The name of the exported function in this module, where it is written once."""
    key = id(exported), module.platform, tuple(in_avals)
    known = module.shared.get(key)
    if known is None:
        pieces = exported.pieces(module.platform, in_avals)
        name, texts = pieces.written(module.fresh_name, module.mesh)
        module.functions += texts
        known = module.shared[key] = name, exported
    return known[0]


def _laid_out(
    block: Block, values: Sequence[Value], avals: Sequence[ShapedArray], splits: Sequence[Any]
) -> list[Value]:
    facts = zip(values, avals, splits, strict=True)
    return [constrain_split(block, x, aval, split) for x, aval, split in facts]

"""Lowering of calls to Python: custom calls that find their function by its place in a list.

The list is the module's `host_callbacks`; what calls its members is in `runtime/callbacks.py`. In
a program on several devices one of them calls with whole values, or each with its part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import ShapedArray
from jx_core.errors import BackendError
from jx_core.ops.callbacks import (
    debug_callback_p,
    inspect_sharding_p,
    io_callback_p,
    pure_callback_p,
)
from jx_core.ops.callbacks.tokens import after_all_p, create_token_p

from ..host_calls import HostCall
from ..runtime.hlo_shardings import REPLICATED
from ..runtime.inspection import Inspection
from ..runtime.shardings import from_hlo
from .builder import Value
from .sharding import constrain
from .tables import Context, deflower
from .tokens import TOKEN
from .types import physical, type_of

_NO_LAYOUT = "dense<> : tensor<0xindex>"  # of scalars and tokens
_TARGETS = {"cpu": "cpu", "cuda": "gpu", "rocm": "gpu"}


def _call(
    ctx: Context,
    operands: Sequence[Value],
    callback: Any,
    result_avals: Sequence[ShapedArray],
    *,
    side_effect: bool,
    ordered: bool = False,
    partitioned: bool = False,
    sharding: Any = None,
) -> list[Value]:
    module, block = ctx.module, ctx.block
    if len(module.platforms) > 1 or module.platform not in _TARGETS:
        raise BackendError(
            f"{callback.what}: programs for {', '.join(module.platforms)} can't call Python; those "
            f"for one of {', '.join(_TARGETS)} can"
        )
    target = _TARGETS[module.platform]
    host = HostCall(callback, ctx.in_avals, result_avals, ordered, partitioned)
    module.host_callbacks.append(host)
    in_types = [type_of(a) for a in ctx.in_avals]
    out_types = [type_of(a) for a in result_avals]
    in_layouts, out_layouts = [*map(_row_major, ctx.in_avals)], [*map(_row_major, result_avals)]
    if ordered:
        operands, in_types = [block.token, *operands], [TOKEN, *in_types]
        out_types = [TOKEN, *out_types]
        in_layouts, out_layouts = [_NO_LAYOUT, *in_layouts], [_NO_LAYOUT, *out_layouts]
    words = [
        f'call_target_name = "xla_ffi{"_partitioned" * partitioned}_python_{target}_callback"',
        "api_version = 4 : i32",
        f"has_side_effect = {str(side_effect).lower()}",
        f"operand_layouts = [{', '.join(in_layouts)}]",
        f"result_layouts = [{', '.join(out_layouts)}]",
        f"backend_config = {{index = {len(module.host_callbacks) - 1} : ui64}}",
    ]
    if module.num_partitions > 1 and not partitioned:
        words.append(f"sdy.sharding = {_on_one_device(ctx, sharding, max(len(out_types), 1))}")
    results = block.ops("stablehlo.custom_call", operands, in_types, out_types, ", ".join(words))
    if ordered:
        block.token, *results = results
    if module.num_partitions > 1:  # they are on one device, and needed on all
        everywhere = from_hlo(module.devices, REPLICATED)
        facts = zip(results, result_avals, strict=True)
        results = [constrain(block, x, aval, everywhere) for x, aval in facts]
    return results


def _row_major(aval: ShapedArray) -> str:
    """The layout in which NumPy reads and writes arrays of a type."""
    ndim = physical(aval).ndim
    if ndim == 0:
        return _NO_LAYOUT
    return f"dense<{list(range(ndim - 1, -1, -1))}> : tensor<{ndim}xindex>"


def _on_one_device(ctx: Context, sharding: Any, count: int) -> str:
    """The sharding of values that are whole on the device that calls."""
    place = 0
    if sharding is not None:
        device, devices = next(iter(sharding.device_set)), list(ctx.module.devices)
        if device not in devices:
            raise ValueError(
                f"the sharding of a callback names the device {device}, and the program runs on "
                f"{devices}"
            )
        place = devices.index(device)
    mesh = ctx.module.mesh(f"#sdy.mesh<[], device_ids=[{place}]>")
    return f"#sdy.sharding_per_value<[{', '.join([f'<@{mesh}, []>'] * count)}]>"


@deflower(pure_callback_p)
def _pure(
    ctx: Context,
    *operands: Value,
    callback: Any,
    result_avals: Any,
    sharding: Any,
    vmap_method: str | None,
) -> list[Value]:
    return _call(ctx, operands, callback, result_avals, side_effect=False, sharding=sharding)


@deflower(io_callback_p)
def _io(
    ctx: Context, *operands: Value, callback: Any, result_avals: Any, sharding: Any, ordered: bool
) -> list[Value]:
    return _call(
        ctx, operands, callback, result_avals,
        side_effect=True, ordered=ordered, sharding=sharding,
    )  # fmt: skip


@deflower(debug_callback_p)
def _debug(
    ctx: Context, *operands: Value, callback: Any, ordered: bool, partitioned: bool
) -> list[Value]:
    return _call(
        ctx, operands, callback, (),
        side_effect=True, ordered=ordered, partitioned=partitioned,
    )  # fmt: skip


@deflower(inspect_sharding_p)
def _inspect(ctx: Context, x: Value, *, callback: Any) -> list[Value]:
    module = ctx.module
    inspection = Inspection(callback, module.devices, ctx.in_avals[0].ndim)
    if module.num_partitions == 1:
        inspection.tell_single()
        return []
    module.inspections.append(inspection)
    kind = type_of(ctx.in_avals[0])
    ctx.block.ops(
        "stablehlo.custom_call",
        [x],
        [kind],
        [kind],
        f'call_target_name = "InspectSharding", has_side_effect = true, api_version = 1 : i32, '
        f'backend_config = "{inspection.text}"',
    )
    return []


@deflower(create_token_p)
def _create_token(ctx: Context) -> Value:
    return ctx.block.constant(np.zeros((0,), bool), np.dtype(bool))


@deflower(after_all_p)
def _after_all(ctx: Context, *tokens: Value) -> Value:
    if not tokens:
        return _create_token(ctx)
    kinds = [type_of(a) for a in ctx.in_avals]
    return ctx.block.ops("stablehlo.optimization_barrier", tokens, kinds, kinds)[0]

"""Lowering of sharding constraints and moves, and shardings as attributes.

Shardings are written in Shardy's dialect. In a program for one device there is nothing to
say, and they leave no trace.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jx_core import ShapedArray
from jx_core.memory import Space
from jx_core.ops.sharding import device_put_p, sharding_constraint_p

from ..runtime.hlo_shardings import sdy_texts
from ..runtime.named_sharding import NamedSharding, sdy_dimensions, sdy_mesh_text
from .builder import Block, Module, Value
from .tables import Context, deflower
from .types import physical, type_of


def attribute(module: Module, sharding: Any, aval: ShapedArray, free: Iterable[int] = ()) -> str:
    """How values of type `aval` lie, `#sdy.sharding<@mesh, [{"x"}, {}]>`.

    Args:
        module: where the mesh is declared.
        sharding: of several devices.
        aval: the type.
        free: axes that the compiler may split further.
    """
    ndim = physical(aval).ndim
    if type(sharding) is NamedSharding:
        mesh, dimensions = sdy_mesh_text(sharding.mesh), sdy_dimensions(sharding, ndim)
    else:
        split = sharding._to_xla_hlo_sharding(ndim)
        mesh, dimensions = sdy_texts(split, ndim, sharding.num_devices)
    for i in free:
        if not dimensions[i].endswith("?}"):
            inside = dimensions[i][1:-1]
            dimensions[i] = f"{{{inside}, ?}}" if inside else "{?}"
    return f"#sdy.sharding<@{module.mesh(mesh)}, [{', '.join(dimensions)}]>"


def constrain(
    block: Block, x: Value, aval: ShapedArray, sharding: Any, free: Iterable[int] = ()
) -> Value:
    """`x` of type `aval` laid out as `sharding` says, None for no matter how."""
    if block.module.num_partitions == 1 or sharding is None:
        return x
    kind = type_of(aval)
    words = f"sharding = {attribute(block.module, sharding, aval, free)}"
    return block.op("sdy.sharding_constraint", (x,), (kind,), kind, words)


def constrain_split(block: Block, x: Value, aval: ShapedArray, split: Any) -> Value:
    """`x` of type `aval` laid out as an `HloSharding` says, None for no matter how."""
    parts = block.module.num_partitions
    if parts == 1 or split is None:
        return x
    mesh, dimensions = sdy_texts(split, physical(aval).ndim, parts)
    where = f"#sdy.sharding<@{block.module.mesh(mesh)}, [{', '.join(dimensions)}]>"
    kind = type_of(aval)
    return block.op("sdy.sharding_constraint", (x,), (kind,), kind, f"sharding = {where}")


@deflower(sharding_constraint_p)
def _(ctx: Context, x: Value, *, sharding: Any, unconstrained_dims: frozenset[int]) -> Value:
    return constrain(ctx.block, x, ctx.out, sharding, unconstrained_dims)


@deflower(device_put_p)
def _(ctx: Context, x: Value, *, device: Any, src: Any) -> Value:
    if isinstance(device, Space):
        return _in_space(ctx, x, device)
    # A program stays on its devices: putting a value on one of them means nothing in it.
    several = getattr(device, "num_devices", 1) > 1
    return constrain(ctx.block, x, ctx.out, device if several else None)


def _in_space(ctx: Context, x: Value, space: Space) -> Value:
    """`x` in the device's memory or in the host's, which to a CPU are the same."""
    if space is Space.Any or ctx.block.module.platforms == ("cpu",):
        return x
    kind = "pinned_host" if space is Space.Host else "device"
    words = (
        'call_target_name = "annotate_device_placement", has_side_effect = true, '
        f'mhlo.frontend_attributes = {{_xla_buffer_placement = "{kind}"}}'
    )
    of = type_of(ctx.out)
    return ctx.block.op("stablehlo.custom_call", (x,), (of,), of, words)

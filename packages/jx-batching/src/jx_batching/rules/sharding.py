"""Batching operations that say where an array lies: their shardings get the batch axis.

The batch axis lies along the mesh axis that `vmap(..., spmd_axis_name=...)` names. Without
one, a constraint leaves it to the compiler.
"""

from __future__ import annotations

from typing import Any

from jx_core.lax import device_put_p, sharding_constraint_p

from ..axes import shift
from ..tables import BatchAxis, defbatch
from .alignment import Dims, Operands


@defbatch(sharding_constraint_p)
def _(
    batch: BatchAxis,
    operands: Operands,
    dims: Dims,
    *,
    sharding: Any,
    unconstrained_dims: frozenset[int],
) -> tuple[Any, int]:
    (x,), (dim,) = operands, dims
    assert dim is not None
    free = {shift(d, dim) for d in unconstrained_dims}
    if batch.spmd_name is None:
        free.add(dim)
    sharding = sharding.insert_axis(dim, batch.spmd_name)
    out = sharding_constraint_p.bind(x, sharding=sharding, unconstrained_dims=frozenset(free))
    return out, dim


@defbatch(device_put_p)
def _(
    batch: BatchAxis, operands: Operands, dims: Dims, *, device: Any, src: Any
) -> tuple[Any, int]:
    (x,), (dim,) = operands, dims
    assert dim is not None
    device, src = (
        p.insert_axis(dim, batch.spmd_name) if hasattr(p, "insert_axis") else p
        for p in (device, src)
    )
    return device_put_p.bind(x, device=device, src=src), dim

"""Batching of calls to Python: one call with whole batches, which goes through the rows there
unless the user's function takes batches itself.
"""

from __future__ import annotations

from typing import Any

from jx_core.ops.callbacks import (
    debug_callback_p,
    inspect_sharding_p,
    io_callback_p,
    pure_callback_p,
)
from jx_core.ops.callbacks.host import Rows
from jx_core.ops.callbacks.tokens import after_all_p, create_token_p

from ..axes import at_axis, broadcast_axis
from ..programs import batch_aval
from ..tables import BatchAxis, batch_rules, defbatch
from .alignment import Dims, Operands


def _results(batch: BatchAxis, result_avals: Any) -> tuple[tuple[Any, ...], list[int]]:
    """The types of batches of results, batch axes in front, and those axes."""
    avals = tuple([batch_aval(a, 0, batch.size) for a in result_avals])
    return avals, [0] * len(avals)


@defbatch(pure_callback_p)
def _(
    batch: BatchAxis,
    operands: Operands,
    dims: Dims,
    *,
    callback: Any,
    result_avals: Any,
    vmap_method: str | None,
    **params: Any,
) -> tuple[list[Any], list[int]]:
    avals, out_dims = _results(batch, result_avals)
    if vmap_method is None:
        raise NotImplementedError(
            f"vmap of {callback.what}: say with vmap_method= what the function takes: 'sequential' "
            f"for one row after another, 'expand_dims' or 'broadcast_all' for whole batches"
        )
    if vmap_method.startswith("sequential"):
        callback = Rows(callback, dims, batch.size)
    else:
        operands = [_in_front(x, d, batch, vmap_method) for x, d in zip(operands, dims)]
    outs = pure_callback_p.bind(
        *operands, callback=callback, result_avals=avals, vmap_method=vmap_method, **params
    )
    return outs, out_dims


def _in_front(x: Any, dim: int | None, batch: BatchAxis, method: str) -> Any:
    """An operand as a function of batches takes it: the batch axis in front."""
    if dim is None and method == "legacy_vectorized":
        return x
    if dim is None and method == "expand_dims":
        return broadcast_axis(x, 1, 0)
    return at_axis(x, dim, batch.size)


@defbatch(io_callback_p)
def _(
    batch: BatchAxis,
    operands: Operands,
    dims: Dims,
    *,
    callback: Any,
    result_avals: Any,
    ordered: bool,
    sharding: Any,
) -> tuple[list[Any], list[int]]:
    if ordered:
        raise ValueError(
            f"Cannot `vmap` ordered IO callback: rows are computed together, and the order of "
            f"{callback.what} in each of them can't be kept; use ordered=False, or jx.lax.map for "
            f"one row after another"
        )
    avals, out_dims = _results(batch, result_avals)
    outs = io_callback_p.bind(
        *operands,
        callback=Rows(callback, dims, batch.size),
        result_avals=avals,
        ordered=False,
        sharding=sharding,
    )
    return outs, out_dims


@defbatch(debug_callback_p)
def _(
    batch: BatchAxis, operands: Operands, dims: Dims, *, callback: Any, **params: Any
) -> tuple[list[Any], list[int]]:
    debug_callback_p.bind(*operands, callback=Rows(callback, dims, batch.size), **params)
    return [], []


@defbatch(inspect_sharding_p)
def _(
    batch: BatchAxis, operands: Operands, dims: Dims, *, callback: Any
) -> tuple[list[Any], list[int]]:
    inspect_sharding_p.bind(*operands, callback=callback)  # the batch's, as JAX has it
    return [], []


batch_rules.explain("tokens hold nothing that could have rows", create_token_p, after_all_p)

"""Batching reductions, of windows too, positions of extremes and cumulative operations.

Mostly the same operation along other axes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from jx_core import ClosedJaxpr, Primitive, eval_jaxpr, typeof
from jx_core.lax import (
    argmax_p,
    argmin_p,
    broadcast_in_dim_p,
    concatenate_p,
    cumlogsumexp_p,
    cummax_p,
    cummin_p,
    cumprod_p,
    cumsum_p,
    reduce_and_p,
    reduce_max_p,
    reduce_min_p,
    reduce_or_p,
    reduce_p,
    reduce_prod_p,
    reduce_sum_p,
    reduce_window_max_p,
    reduce_window_min_p,
    reduce_window_p,
    reduce_window_sum_p,
    reduce_xor_p,
    select_and_gather_add_p,
    select_and_scatter_add_p,
    select_and_scatter_p,
    slice_p,
    transpose_p,
)

from ..axes import at_axis, insert, reshape, shift, shifted
from ..tables import BatchAxis, defbatch
from ..trace import batch_flat
from .alignment import Dims, Operands, all_batched


def _define_reduction(primitive: Primitive) -> None:
    @defbatch(primitive)
    def _(
        batch: BatchAxis,
        operands: Operands,
        dims: Dims,
        *,
        axes: tuple[int, ...],
        **params: Any,
    ) -> tuple[Any, int]:
        (x,), (dim,) = operands, dims
        assert dim is not None
        return primitive.bind(x, axes=shifted(axes, dim), **params), _after(dim, axes)


def _after(dim: int, axes: Sequence[int]) -> int:
    """Where the batch axis lies once the row's `axes` have gone."""
    return dim - sum([a < dim for a in axes])


for _p in (
    reduce_sum_p,
    reduce_prod_p,
    reduce_max_p,
    reduce_min_p,
    reduce_and_p,
    reduce_or_p,
    reduce_xor_p,
    argmax_p,
    argmin_p,
):
    _define_reduction(_p)


def _define_cumulative(primitive: Primitive) -> None:
    @defbatch(primitive)
    def _(
        batch: BatchAxis, operands: Operands, dims: Dims, *, axis: int, reverse: bool
    ) -> tuple[Any, int]:
        (x,), (dim,) = operands, dims
        assert dim is not None
        return primitive.bind(x, axis=shift(axis, dim), reverse=reverse), dim


for _p in (cumsum_p, cumprod_p, cummax_p, cummin_p, cumlogsumexp_p):
    _define_cumulative(_p)


@defbatch(reduce_p)
def _(
    batch: BatchAxis,
    operands: Operands,
    dims: Dims,
    *,
    jaxpr: ClosedJaxpr,
    dimensions: tuple[int, ...],
) -> tuple[list[Any], list[int]]:
    n = len(operands) // 2
    inits = operands[n:]
    if any(d is not None for d in dims[n:]):
        arrays = [at_axis(x, d, batch.size) for x, d in zip(operands[:n], dims[:n], strict=True)]
        inits = [at_axis(x, d, batch.size) for x, d in zip(inits, dims[n:], strict=True)]
        return _reduce_in_pairs(arrays, inits, jaxpr, dimensions), [0] * n
    arrays, dim = all_batched(batch, operands[:n], dims[:n])
    outs = reduce_p.bind(*arrays, *inits, jaxpr=jaxpr, dimensions=shifted(dimensions, dim))
    return outs, [_after(dim, dimensions)] * n


def _reduce_in_pairs(
    arrays: list[Any], inits: list[Any], jaxpr: ClosedJaxpr, dimensions: tuple[int, ...]
) -> list[Any]:
    """Reduce where each row has initial values of its own, which `reduce` can't take.

    Neighbours are combined, all pairs at once, until one element is left; then the initial
    value and that one. Batch axes are in front.
    """
    sizes = typeof(arrays[0]).shape
    reduced = tuple([d + 1 for d in sorted(dimensions)])
    kept = tuple([a for a in range(len(sizes)) if a not in reduced])
    shape = tuple([sizes[a] for a in kept])
    n = math.prod([sizes[a] for a in reduced])
    rest = [reshape(transpose_p.bind(x, permutation=kept + reduced), (*shape, n)) for x in arrays]
    while n > 1:
        paired = n - n % 2
        halves = [_every_other(x, start, paired) for start in (0, 1) for x in rest]
        pairs = _on_elements(jaxpr, halves)
        if n % 2:
            pairs = [
                concatenate_p.bind(p, _every_other(x, paired, n), dimension=len(shape))
                for p, x in zip(pairs, rest, strict=True)
            ]
        rest, n = pairs, (n + 1) // 2
    totals = [broadcast_in_dim_p.bind(x, shape=shape, broadcast_dimensions=(0,)) for x in inits]
    return _on_elements(jaxpr, totals + [reshape(x, shape) for x in rest]) if n else totals


def _every_other(x: Any, start: int, limit: int) -> Any:
    """Every second entry of the last axis, from `start` up to `limit`."""
    *front, _ = typeof(x).shape
    return slice_p.bind(
        x,
        start_indices=(*[0] * len(front), start),
        limit_indices=(*front, limit),
        strides=(*[1] * len(front), 2),
    )


def _on_elements(closed: ClosedJaxpr, arrays: Sequence[Any]) -> list[Any]:
    """A program of scalars applied to each element of arrays of one shape."""
    shape = typeof(arrays[0]).shape
    n = math.prod(shape)

    def fun(*scalars: Any) -> list[Any]:
        return eval_jaxpr(closed.jaxpr, closed.consts, *scalars)

    flat = [reshape(x, (n,)) for x in arrays]
    outs, dims = batch_flat(fun, BatchAxis(n), flat, [0] * len(flat))
    return [reshape(at_axis(x, d, n), shape) for x, d in zip(outs, dims, strict=True)]


# --- windows ---


def _with_axis(params: dict[str, Any], dim: int) -> dict[str, Any]:
    """The params of windows that have length 1 along a further axis."""
    return {
        name: insert(values, dim, (0, 0) if name == "padding" else 1)
        for name, values in params.items()
    }


def _define_window(primitive: Primitive) -> None:
    """Batch a primitive all of whose operands have the windows' axes."""

    @defbatch(primitive)
    def _(
        batch: BatchAxis, operands: Operands, dims: Dims, **params: Any
    ) -> tuple[Any, int]:
        xs, dim = all_batched(batch, operands, dims)
        chosen = {name: params.pop(name) for name in ("select_prim",) if name in params}
        return primitive.bind(*xs, **chosen, **_with_axis(params, dim)), dim


for _p in (
    reduce_window_sum_p,
    reduce_window_max_p,
    reduce_window_min_p,
    select_and_gather_add_p,
    select_and_scatter_add_p,
):
    _define_window(_p)


@defbatch(reduce_window_p)
def _(
    batch: BatchAxis, operands: Operands, dims: Dims, *, jaxpr: ClosedJaxpr, **params: Any
) -> tuple[list[Any], list[int | None]]:
    n = len(operands) // 2
    if any(d is not None for d in dims[n:]):
        return _decomposed(reduce_window_p, batch, operands, dims, jaxpr=jaxpr, **params)
    xs, dim = all_batched(batch, operands[:n], dims[:n])
    outs = reduce_window_p.bind(*xs, *operands[n:], jaxpr=jaxpr, **_with_axis(params, dim))
    return outs, [dim] * n


@defbatch(select_and_scatter_p)
def _(
    batch: BatchAxis,
    operands: Operands,
    dims: Dims,
    *,
    select_jaxpr: ClosedJaxpr,
    scatter_jaxpr: ClosedJaxpr,
    **params: Any,
) -> tuple[Any, int | None]:
    programs = {"select_jaxpr": select_jaxpr, "scatter_jaxpr": scatter_jaxpr}
    if dims[2] is not None:
        outs, out_dims = _decomposed(
            select_and_scatter_p, batch, operands, dims, **programs, **params
        )
        return outs[0], out_dims[0]
    xs, dim = all_batched(batch, operands[:2], dims[:2])
    out = select_and_scatter_p.bind(*xs, operands[2], **programs, **_with_axis(params, dim))
    return out, dim


def _decomposed(
    primitive: Primitive, batch: BatchAxis, operands: Operands, dims: Dims, **params: Any
) -> tuple[list[Any], list[int | None]]:
    """Batch what a primitive is made of: rows have initial values of their own."""
    decompose: Any = primitive.decompose

    def fun(*rows: Any) -> list[Any]:
        out = decompose(*rows, **params)
        return out if primitive.multiple_results else [out]

    outs, out_dims = batch_flat(fun, batch, operands, dims)
    return outs, out_dims

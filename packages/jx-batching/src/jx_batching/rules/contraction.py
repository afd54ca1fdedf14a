"""Batching contractions: a batch of products is a product with one more free or batch axis,
a batch of convolutions one with more samples, features or groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import typeof
from jx_core.lax import (
    RaggedDotDimensionNumbers,
    broadcast_in_dim_p,
    conv_general_dilated_p,
    dot_general_p,
    ragged_dot_general_p,
)
from jx_core.ops.contraction.ragged import ragged_axes

from ..axes import at_axis, merge_axes, move_axis, shifted, split_axis
from ..tables import BatchAxis, defbatch
from ..trace import row_aval
from .alignment import Dims, Operands

Axes = tuple[int, ...]


@defbatch(dot_general_p)
def _(
    batch: BatchAxis,
    operands: Operands,
    dims: Dims,
    *,
    dimension_numbers: tuple[tuple[Axes, Axes], tuple[Axes, Axes]],
    **params: Any,
) -> tuple[Any, int]:
    lhs, rhs = operands
    lhs_dim, rhs_dim = dims
    (lhs_contract, rhs_contract), (lhs_batch, rhs_batch) = dimension_numbers
    if lhs_dim is not None:
        lhs_contract, lhs_batch = shifted(lhs_contract, lhs_dim), shifted(lhs_batch, lhs_dim)
    if rhs_dim is not None:
        rhs_contract, rhs_batch = shifted(rhs_contract, rhs_dim), shifted(rhs_batch, rhs_dim)
    if lhs_dim is not None and rhs_dim is not None:
        lhs_batch, rhs_batch = (lhs_dim, *lhs_batch), (rhs_dim, *rhs_batch)
        dim = 0
    elif lhs_dim is not None:
        dim = len(lhs_batch) + _free_before(lhs_dim, (*lhs_contract, *lhs_batch))
    else:
        assert rhs_dim is not None
        lhs_free = typeof(lhs).ndim - len(lhs_contract) - len(lhs_batch)
        free_before = _free_before(rhs_dim, (*rhs_contract, *rhs_batch))
        dim = len(rhs_batch) + lhs_free + free_before
    numbers = ((lhs_contract, rhs_contract), (lhs_batch, rhs_batch))
    return dot_general_p.bind(lhs, rhs, dimension_numbers=numbers, **params), dim


def _free_before(dim: int, taken: Sequence[int]) -> int:
    """How many axes before `dim` are not among those taken."""
    return dim - sum([a < dim for a in taken])


@defbatch(ragged_dot_general_p)
def _(
    batch: BatchAxis,
    operands: Operands,
    dims: Dims,
    *,
    ragged_dot_dimension_numbers: RaggedDotDimensionNumbers,
    **params: Any,
) -> tuple[Any, int]:
    (lhs, rhs, sizes), (lhs_dim, rhs_dim, sizes_dim) = operands, dims
    numbers = ragged_dot_dimension_numbers
    ndims = [typeof(x).ndim - (d is not None) for x, d in zip(operands, dims, strict=True)]
    axes = ragged_axes(numbers, ndims[0], ndims[1])
    one = sizes_dim is None and (lhs_dim is None) != (rhs_dim is None)
    if one and lhs_dim is not None and ndims[2] > 1:
        # As the last axis it is not in front of the ragged one, and sizes stay what they are.
        lhs, lhs_dim = move_axis(lhs, lhs_dim, ndims[0]), ndims[0]
    if not one:  # one more batch axis for all
        lhs, rhs = at_axis(lhs, lhs_dim, batch.size, 0), at_axis(rhs, rhs_dim, batch.size, 0)
        if sizes_dim is not None or ndims[2] > 1:
            prefix = tuple(typeof(lhs).shape[a + 1] for a in axes.prefix)
            sizes = _with_prefix(at_axis(sizes, sizes_dim, batch.size, 0), prefix)
        lhs_dim = rhs_dim = 0
    (lhs_contract, rhs_contract), (lhs_batch, rhs_batch) = numbers.dot_dimension_numbers
    ragged, groups = numbers.lhs_ragged_dimensions, numbers.rhs_group_dimensions
    if lhs_dim is not None:
        ragged = shifted(ragged, lhs_dim)
        lhs_contract, lhs_batch = shifted(lhs_contract, lhs_dim), shifted(lhs_batch, lhs_dim)
    if rhs_dim is not None:
        groups = shifted(groups, rhs_dim)
        rhs_contract, rhs_batch = shifted(rhs_contract, rhs_dim), shifted(rhs_batch, rhs_dim)
    if not one:
        lhs_batch, rhs_batch, dim = (0, *lhs_batch), (0, *rhs_batch), 0
    elif lhs_dim is not None:
        dim = len(lhs_batch) + _free_before(lhs_dim, (*lhs_contract, *lhs_batch))
    else:
        assert rhs_dim is not None
        free_before = _free_before(rhs_dim, (*rhs_contract, *rhs_batch, *groups))
        dim = len(rhs_batch) + len(axes.lhs_free) + free_before
    out = ragged_dot_general_p.bind(
        lhs,
        rhs,
        sizes,
        ragged_dot_dimension_numbers=RaggedDotDimensionNumbers(
            ((lhs_contract, rhs_contract), (lhs_batch, rhs_batch)), ragged, groups
        ),
        **params,
    )
    return out, dim + (axes.mode == "contracting")


def _with_prefix(sizes: Any, prefix: Axes) -> Any:
    """A batch of group sizes with the axes in front of the ragged one, where it has none."""
    shape = typeof(sizes).shape
    if len(shape) > 2 or not prefix:
        return sizes
    return broadcast_in_dim_p.bind(
        sizes,
        shape=(shape[0], *prefix, shape[1]),
        broadcast_dimensions=(0, len(prefix) + 1),
    )


@defbatch(conv_general_dilated_p)
def _(batch: BatchAxis, operands: Operands, dims: Dims, **params: Any) -> tuple[Any, int]:
    (lhs, rhs), (lhs_dim, rhs_dim), size = operands, dims, batch.size
    if not size:
        return _no_rows(operands, dims, params), 0
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    samples, features, filters = lhs_spec[0], lhs_spec[1], rhs_spec[0]
    out_samples, out_features = out_spec[0], out_spec[1]
    feature_groups, batch_groups = params["feature_group_count"], params["batch_group_count"]
    if rhs_dim is None:
        # More samples: (rows, samples), within each group of samples if there are any.
        assert lhs_dim is not None
        lhs = _fold(lhs, lhs_dim, samples, batch_groups)
        out = conv_general_dilated_p.bind(lhs, rhs, **params)
        return _unfold(out, out_samples, 1, size), out_samples
    if lhs_dim is None:
        # More filters: (rows, filters), within each group of filters if there are any.
        groups = max(feature_groups, batch_groups)
        rhs = _fold(rhs, rhs_dim, filters, groups)
        out = conv_general_dilated_p.bind(lhs, rhs, **params)
        return _unfold(out, out_features, groups, size), out_features
    # More groups: each row of filters sees its own row of samples or features.
    rhs = _fold(rhs, rhs_dim, filters, 1)
    if batch_groups > 1:
        lhs = _fold(lhs, lhs_dim, samples, 1)
        params["batch_group_count"] = batch_groups * size
    else:
        lhs = _fold(lhs, lhs_dim, features, 1)
        params["feature_group_count"] = feature_groups * size
    out = conv_general_dilated_p.bind(lhs, rhs, **params)
    return _unfold(out, out_features, 1, size), out_features


def _no_rows(operands: Operands, dims: Dims, params: dict[str, Any]) -> Any:
    """The convolutions of no rows at all; there are no features or groups to fold them into."""
    avals = [
        typeof(x) if d is None else row_aval(typeof(x), d)
        for x, d in zip(operands, dims, strict=True)
    ]
    row = conv_general_dilated_p.result_types(tuple(avals), params)
    return broadcast_in_dim_p.bind(
        np.zeros((), row.dtype), shape=(0, *row.shape), broadcast_dimensions=()
    )


def _fold(x: Any, dim: int, axis: int, groups: int) -> Any:
    """Fold batch axis `dim` into `axis` of the row, whose `groups` stay outermost."""
    x = move_axis(x, dim, axis)
    if groups == 1:
        return merge_axes(x, axis, 2)
    x = split_axis(x, axis + 1, (groups, typeof(x).shape[axis + 1] // groups))
    return merge_axes(move_axis(x, axis, axis + 1), axis, 3)


def _unfold(x: Any, axis: int, groups: int, size: int) -> Any:
    """Undo `_fold` on a result: the batch axis comes to lie at `axis`, the row's after it."""
    each = typeof(x).shape[axis] // (groups * size)
    if groups == 1:
        return split_axis(x, axis, (size, each))
    x = split_axis(x, axis, (groups, size, each))
    return merge_axes(move_axis(x, axis + 1, axis), axis + 1, 2)

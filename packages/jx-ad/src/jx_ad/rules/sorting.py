"""Differentiation of sorting: tangents take the places that their elements take."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import typeof
from jx_core.lax import (
    GatherDimensionNumbers,
    GatherScatterMode,
    approx_top_k_p,
    broadcast_in_dim_p,
    gather_p,
    iota_p,
    sort_p,
    top_k_p,
)

from ..tables import jvp_rules


def take_along(x: Any, indices: Any, axis: int) -> Any:
    """Elements of `x` at distinct `indices` along one axis, for each place on the others."""
    shape = typeof(indices).shape
    others = tuple(d for d in range(len(shape)) if d != axis)
    vectors = broadcast_in_dim_p.bind(
        indices, shape=(*shape, 1), broadcast_dimensions=tuple(range(len(shape)))
    )
    return gather_p.bind(
        x,
        vectors,
        dimension_numbers=GatherDimensionNumbers((), (axis,), (axis,), others, others),
        slice_sizes=(1,) * len(shape),
        indices_are_sorted=False,
        unique_indices=True,
        mode=GatherScatterMode.PROMISE_IN_BOUNDS,
        fill_value=None,
    )


def _sort(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    """Sort the elements' numbers along with them."""
    axis = params["dimension"]
    numbers = iota_p.bind(dtype=_INT32, shape=typeof(primals[0]).shape, dimension=axis)
    *outs, order = sort_p.bind(*primals, numbers, **params)
    return outs, [None if t is None else take_along(t, order, axis) for t in tangents]


def _top_k(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    out, order = top_k_p.bind(*primals, **params)
    return [out, order], [take_along(tangents[0], order, params["axis"]), None]


def _approx_top_k(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    out, order = approx_top_k_p.bind(*primals, **params)
    axis = params["reduction_dimension"]
    return [out, order], [take_along(tangents[0], order, axis), None]


_INT32 = np.dtype(np.int32)

jvp_rules.define(sort_p)(_sort)
jvp_rules.define(top_k_p)(_top_k)
jvp_rules.define(approx_top_k_p)(_approx_top_k)

"""Differentiation of slices, gathers and scatters.

Reading a part of an array is linear, and its transpose adds cotangents where they were read.
Indices have no derivative. Where a scatter writes one element several times: `scatter` passes
derivatives to the update that stayed, `scatter_min` and `scatter_max` share them among ties.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import ClosedJaxpr, Primitive, typeof
from jx_core.lax import (
    GatherDimensionNumbers,
    GatherScatterMode,
    ScatterDimensionNumbers,
    add_p,
    div_p,
    dynamic_slice_p,
    dynamic_update_slice_p,
    eq_p,
    full,
    gather_p,
    gt_p,
    iota_p,
    mul_p,
    neg_p,
    pad_p,
    reduce_max,
    reshape_p,
    scatter_add_p,
    scatter_apply_p,
    scatter_max_p,
    scatter_min_p,
    scatter_mul_p,
    scatter_p,
    scatter_sub_p,
    select_n_p,
    slice_p,
)
from jx_core.ops.control_flow.while_loop import while_loop
from jx_core.ops.indexing.scatter import block_sizes
from jx_core.ops.reduction.programs import run_on_arrays

from ..forward import jvp_flat
from ..tables import defjvp, deflinear, deftranspose, instantiate, jvp_rules
from ..tangents import zeros
from .kit import aval_of, beside, define_unary_linear, is_complex, known, mask, where

Shape = tuple[int, ...]

mul, div, eq, gt, neg, select_n = (
    mul_p.bind, div_p.bind, eq_p.bind, gt_p.bind, neg_p.bind, select_n_p.bind,
)  # fmt: skip

# --- slices ---


def _slice_transpose(
    ct: Any, x: Any, start_indices: Shape, limit_indices: Shape, strides: Shape | None
) -> Any:
    shape = aval_of(x).shape
    steps = (1,) * len(shape) if strides is None else strides
    config = tuple(
        # After the last element read lie those that the stride stepped over.
        (start, n - start - (1 + (size - 1) * step if size else 0), step - 1)
        for start, step, n, size in zip(
            start_indices, steps, shape, typeof(ct).shape, strict=True
        )
    )
    return pad_p.bind(ct, beside(ct, 0), padding_config=config)


define_unary_linear(slice_p, _slice_transpose)


def _dynamic_slice_transpose(ct: Any, x: Any, *starts: Any, slice_sizes: Shape) -> list[Any]:
    if not known(x):
        ct = dynamic_update_slice_p.bind(zeros(x.aval), ct, *starts)
    return [ct, *[None] * len(starts)]


def _dynamic_update_slice_transpose(ct: Any, x: Any, update: Any, *starts: Any) -> list[Any]:
    ct_x = ct_update = None
    if not known(x):
        ct_x = dynamic_update_slice_p.bind(ct, zeros(aval_of(update)), *starts)
    if not known(update):
        ct_update = dynamic_slice_p.bind(ct, *starts, slice_sizes=update.aval.shape)
    return [ct_x, ct_update, *[None] * len(starts)]


deflinear(dynamic_slice_p, _dynamic_slice_transpose, operands=1)
deflinear(dynamic_update_slice_p, _dynamic_update_slice_transpose, operands=2)

# --- gather ---


def _gather_tangent(t: Any, out: Any, x: Any, indices: Any, **params: Any) -> Any:
    if params["mode"] is GatherScatterMode.FILL_OR_DROP:
        params["fill_value"] = 0  # what is read out of bounds does not depend on x
    return gather_p.bind(t, indices, **params)


def _gather_transpose(
    ct: Any,
    x: Any,
    indices: Any,
    dimension_numbers: GatherDimensionNumbers,
    indices_are_sorted: bool,
    unique_indices: bool,
    mode: GatherScatterMode,
    **params: Any,
) -> list[Any]:
    summed = scatter_add_p.bind(
        zeros(x.aval),
        indices,
        ct,
        dimension_numbers=ScatterDimensionNumbers(*dimension_numbers),
        indices_are_sorted=indices_are_sorted,
        unique_indices=unique_indices,
        mode=mode,
    )
    return [summed, None]


defjvp(gather_p)(_gather_tangent, None)
deftranspose(gather_p)(_gather_transpose)

# --- scatter ---

_NUMBERING = np.dtype(np.uint32)


def read_back(
    x: Any,
    indices: Any,
    updates_shape: Shape,
    dimension_numbers: ScatterDimensionNumbers,
    indices_are_sorted: bool,
    unique_indices: bool,
    mode: GatherScatterMode,
) -> Any:
    """The blocks of `x` that a scatter with these params writes to, 0 for those it drops."""
    return gather_p.bind(
        x,
        indices,
        dimension_numbers=GatherDimensionNumbers(*map(tuple, dimension_numbers)),
        slice_sizes=block_sizes(typeof(x).shape, updates_shape, dimension_numbers),
        indices_are_sorted=indices_are_sorted,
        unique_indices=unique_indices,
        mode=mode,
        fill_value=0 if mode is GatherScatterMode.FILL_OR_DROP else None,
    )


def _kept_updates(shape: Shape, indices: Any, updates: Shape, params: dict[str, Any]) -> Any:
    """Which elements of the updates of a `scatter` are in its result, or None for all.

    The scatter is repeated with numbers in place of the updates. It is not specified which of
    several updates stays, but it is the same every time.
    """
    if params["unique_indices"]:
        return None
    size = 1
    for n in updates:
        size *= n
    numbers = iota_p.bind(dtype=_NUMBERING, shape=(size,), dimension=0)
    numbers = add_p.bind(numbers, beside(numbers, 1))  # 0 is for elements that got no update
    numbers = reshape_p.bind(numbers, new_sizes=updates, dimensions=None)
    written = scatter_p.bind(full(shape, 0, _NUMBERING), indices, numbers, **params)
    return eq(read_back(written, indices, updates, **params), numbers)


def _scatter_transpose(ct: Any, x: Any, indices: Any, updates: Any, **params: Any) -> list[Any]:
    ct_x = ct_updates = None
    block = aval_of(updates)
    if not known(x):
        ct_x = scatter_p.bind(ct, indices, zeros(block), **params)
    if not known(updates):
        ct_updates = read_back(ct, indices, block.shape, **params)
        kept = _kept_updates(typeof(ct).shape, indices, block.shape, params)
        if kept is not None:
            ct_updates = where(kept, ct_updates)
    return [ct_x, None, ct_updates]


def _scatter(primitive: Primitive) -> Any:
    """The rule of a scatter that is linear in operand and updates jointly."""

    def rule(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
        x, indices, updates = primals
        t_x, _, t_updates = tangents
        out = primitive.bind(x, indices, updates, **params)
        if t_x is None and t_updates is None:
            return out, None
        if t_updates is None and primitive is not scatter_p:
            return out, t_x
        t_x, t_updates = instantiate(t_x, x), instantiate(t_updates, updates)
        return out, primitive.bind(t_x, indices, t_updates, **params)

    return rule


def _scatter_add_transpose(
    ct: Any, x: Any, indices: Any, updates: Any, **params: Any
) -> list[Any]:
    ct_updates = None
    if not known(updates):
        ct_updates = read_back(ct, indices, updates.aval.shape, **params)
    return [None if known(x) else ct, None, ct_updates]


def _scatter_sub_transpose(
    ct: Any, x: Any, indices: Any, updates: Any, **params: Any
) -> list[Any]:
    ct_x, _, ct_updates = _scatter_add_transpose(ct, x, indices, updates, **params)
    return [ct_x, None, None if ct_updates is None else neg(ct_updates)]


for _p in (scatter_p, scatter_add_p, scatter_sub_p):
    jvp_rules.define(_p)(_scatter(_p))
deftranspose(scatter_p)(_scatter_transpose)
deftranspose(scatter_add_p)(_scatter_add_transpose)
deftranspose(scatter_sub_p)(_scatter_sub_transpose)

# --- scatter_mul ---


def _product_of_others(x: Any, indices: Any, updates: Any, params: dict[str, Any]) -> Any:
    """For each update, the product of all else that its element of the result is made of."""
    block = typeof(updates).shape
    if params["unique_indices"]:
        return read_back(x, indices, block, **params)
    # Dividing the whole product by an update would fail where that is zero.
    is_zero = eq(updates, beside(updates, 0))
    nonzero = select_n(is_zero, updates, beside(updates, 1))
    zero = mask(is_zero, updates)
    product = scatter_mul_p.bind(x, indices, nonzero, **params)
    zeros_there = scatter_add_p.bind(zeros(typeof(x)), indices, zero, **params)
    among_others = eq(read_back(zeros_there, indices, block, **params), zero)
    return where(among_others, div(read_back(product, indices, block, **params), nonzero))


def _scatter_mul_by_updates(
    t: Any, out: Any, x: Any, indices: Any, updates: Any, **params: Any
) -> Any:
    slopes = _product_of_others(x, indices, updates, params)
    return scatter_add_p.bind(zeros(typeof(x)), indices, mul(t, slopes), **params)


def _scatter_mul_transpose(
    ct: Any, x: Any, indices: Any, updates: Any, **params: Any
) -> list[Any]:
    if known(x):  # linear in the updates, so they are unique
        factor = mul(ct, x)
        return [None, None, read_back(factor, indices, updates.aval.shape, **params)]
    return [scatter_mul_p.bind(ct, indices, updates, **params), None, None]


defjvp(scatter_mul_p)(
    lambda t, out, x, indices, updates, **params: scatter_mul_p.bind(
        t, indices, updates, **params
    ),
    None,
    _scatter_mul_by_updates,
)
deftranspose(scatter_mul_p)(_scatter_mul_transpose)

# --- scatter_min, scatter_max ---


def _scatter_extremum(primitive: Primitive) -> Any:
    """The rule of a scatter that keeps one of the values that meet; equal ones share."""

    def rule(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
        x, indices, updates = primals
        t_x, _, t_updates = tangents
        out = primitive.bind(x, indices, updates, **params)
        if t_x is None and t_updates is None:
            return out, None
        stayed = mask(eq(x, out), out)
        reached = read_back(out, indices, typeof(updates).shape, **params)
        won = mask(eq(updates, reached), out)
        count = scatter_add_p.bind(stayed, indices, won, **params)
        total = zeros(typeof(x)) if t_x is None else mul(t_x, stayed)
        if t_updates is not None:
            total = scatter_add_p.bind(total, indices, mul(t_updates, won), **params)
        return out, div(total, count)

    return rule


for _p in (scatter_min_p, scatter_max_p):
    jvp_rules.define(_p)(_scatter_extremum(_p))

# --- scatter_apply ---


def _slope(closed: ClosedJaxpr, y: Any) -> tuple[Any, Any]:
    """A scalar function and its derivative at each element of an array."""
    one = full(typeof(y).shape, 1, typeof(y).dtype)
    (value,), (slope,) = jvp_flat(lambda v: run_on_arrays(closed, v), [y], [one])
    return value, zeros(typeof(y)) if slope is None else slope


def _scatter_apply(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    """By the chain rule, the function's slope as often as an element is pointed to.

    The slopes are values, so the loop over them is none over tangents.
    """
    x, indices = primals
    if is_complex(x):
        raise TypeError(
            "scatter_apply of complex numbers is not differentiable: its function need not be "
            "holomorphic. Gather the elements, apply the function and scatter the results"
        )
    closed, shape = params["update_jaxpr"], typeof(x).shape
    where_to = {
        k: params[k]
        for k in ("dimension_numbers", "indices_are_sorted", "unique_indices", "mode")
    }
    once = full(params["update_shape"], 1, np.int32)
    count = scatter_add_p.bind(full(shape, 0, np.int32), indices, once, **where_to)

    def apply(j: Any, y: Any, total: Any) -> tuple[Any, Any]:
        value, slope = _slope(closed, y)
        hit = gt(count, j)
        return select_n(hit, y, value), select_n(hit, total, mul(total, slope))

    start = full(shape, 1, typeof(x).dtype)
    if params["unique_indices"]:
        _, total = apply(np.int32(0), x, start)
    else:
        most = reduce_max(count, tuple(range(len(shape)))) if 0 not in shape else np.int32(0)
        _, _, total = while_loop(
            lambda state: gt(most, state[0]),
            lambda state: (add_p.bind(state[0], np.int32(1)), *apply(*state)),
            (np.int32(0), x, start),
        )
    out = scatter_apply_p.bind(x, indices, **params)
    return out, mul(tangents[0], total)


jvp_rules.define(scatter_apply_p)(_scatter_apply)

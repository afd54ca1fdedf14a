"""Differentiation of operations that move elements about: all are linear.

A result's element that comes from one operand's element passes its cotangent back; one that
is repeated sums them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import typeof
from jx_core.lax import (
    broadcast_in_dim_p,
    concatenate_p,
    dim_as_value_p,
    empty_p,
    iota_p,
    pad_p,
    reduce_sum_p,
    reshape_p,
    rev_p,
    slice_p,
    split_p,
    squeeze_p,
    stack_p,
    sub_p,
    tile_p,
    transpose_p,
    unstack_p,
)

from ..tables import deflinear, defnondiff, deftranspose, instantiate, jvp_rules
from .kit import aval_of, beside, cotangents, define_unary_linear, known

Shape = tuple[int, ...]


def reshape(x: Any, shape: Shape) -> Any:
    """`x` in another shape of as many elements."""
    if typeof(x).shape == shape:
        return x
    return reshape_p.bind(x, new_sizes=shape, dimensions=None)


def reduce_sum(x: Any, axes: Shape) -> Any:
    """`x` summed over `axes`."""
    return reduce_sum_p.bind(x, axes=axes) if axes else x


def take(x: Any, axis: int, start: int, stop: int, step: int = 1) -> Any:
    """The elements `start:stop:step` along one axis of `x`."""
    shape = typeof(x).shape
    begin, end, strides = [0] * len(shape), list(shape), [1] * len(shape)
    begin[axis], end[axis], strides[axis] = start, stop, step
    return slice_p.bind(
        x,
        start_indices=tuple(begin),
        limit_indices=tuple(end),
        strides=None if step == 1 else tuple(strides),
    )


def permuted(x: Any, permutation: Shape) -> Any:
    """`x` with its axes in the order `permutation`."""
    if permutation == tuple(range(len(permutation))):
        return x
    return transpose_p.bind(x, permutation=permutation)


def inverse(permutation: Shape) -> Shape:
    """The permutation that undoes another."""
    return tuple(int(i) for i in np.argsort(permutation))


# --- repeating ---


def _broadcast_transpose(ct: Any, x: Any, shape: Shape, broadcast_dimensions: Shape) -> Any:
    """Sum over the axes that are new, and over those that the operand has with length 1."""
    own = aval_of(x).shape
    kept = {
        d for d, n in zip(broadcast_dimensions, own, strict=True) if n == shape[d]
    }
    summed = reduce_sum(ct, tuple(d for d in range(len(shape)) if d not in kept))
    order = sorted(range(len(own)), key=broadcast_dimensions.__getitem__)
    if order != list(range(len(own))):
        summed = reshape(summed, tuple(own[i] for i in order))
        return permuted(summed, inverse(tuple(order)))
    return reshape(summed, own)


def _tile_transpose(ct: Any, x: Any, reps: Shape) -> Any:
    own = aval_of(x).shape
    split = tuple(n for pair in zip(reps, own, strict=True) for n in pair)
    return reduce_sum(reshape(ct, split), tuple(range(0, 2 * len(own), 2)))


define_unary_linear(broadcast_in_dim_p, _broadcast_transpose)
define_unary_linear(tile_p, _tile_transpose)

# --- rearranging ---


def _reshape_transpose(ct: Any, x: Any, new_sizes: Shape, dimensions: Shape | None) -> Any:
    own = aval_of(x).shape
    if dimensions is None:
        return reshape(ct, own)
    return permuted(reshape(ct, tuple(own[d] for d in dimensions)), inverse(dimensions))


define_unary_linear(reshape_p, _reshape_transpose)
define_unary_linear(squeeze_p, lambda ct, x, dimensions: reshape(ct, aval_of(x).shape))
define_unary_linear(
    transpose_p, lambda ct, x, permutation: permuted(ct, inverse(permutation))
)
define_unary_linear(rev_p, lambda ct, x, dimensions: rev_p.bind(ct, dimensions=dimensions))

# --- joining and taking apart ---


def _concatenate_transpose(ct: Any, *operands: Any, dimension: int) -> list[Any]:
    parts: list[Any] = []
    start = 0
    for x in operands:
        stop = start + aval_of(x).shape[dimension]
        parts.append(None if known(x) else take(ct, dimension, start, stop))
        start = stop
    return parts


def _stack_transpose(ct: Any, *operands: Any, axis: int) -> list[Any]:
    parts = unstack_p.bind(ct, axis=axis)
    return [None if known(x) else part for x, part in zip(operands, parts, strict=True)]


deflinear(concatenate_p, _concatenate_transpose)
deflinear(stack_p, _stack_transpose)


def _linear_list(primitive: Any) -> Any:
    """The rule of a linear primitive of one operand and several results."""

    def rule(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
        return primitive.bind(*primals, **params), primitive.bind(*tangents, **params)

    return rule


jvp_rules.define(split_p)(_linear_list(split_p))
jvp_rules.define(unstack_p)(_linear_list(unstack_p))
deftranspose(split_p)(
    lambda cts, x, sizes, axis: [concatenate_p.bind(*cotangents(cts), dimension=axis)]
)
deftranspose(unstack_p)(lambda cts, x, axis: [stack_p.bind(*cotangents(cts), axis=axis)])

# --- padding ---


def _pad(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    (x, value), (t, t_value) = primals, tangents
    out = pad_p.bind(x, value, **params)
    t_value = beside(x, 0) if t_value is None else t_value
    return out, pad_p.bind(instantiate(t, x), t_value, **params)


def _pad_transpose(ct: Any, x: Any, value: Any, padding_config: Any) -> list[Any]:
    inner = unpad(ct, padding_config)
    ct_value = None
    if not known(value):
        axes = tuple(range(len(padding_config)))
        ct_value = sub_p.bind(reduce_sum(ct, axes), reduce_sum(inner, axes))
    return [None if known(x) else inner, ct_value]


def unpad(ct: Any, padding_config: Any) -> Any:
    """What of the cotangent of a padded array belongs to the array itself."""
    if any(low < 0 or high < 0 for low, high, _ in padding_config):
        # A negative width cut elements off: zeros stand for their cotangents.
        back = tuple((max(-low, 0), max(-high, 0), 0) for low, high, _ in padding_config)
        ct = pad_p.bind(ct, beside(ct, 0), padding_config=back)
    shape = typeof(ct).shape
    steps = tuple(interior + 1 for _, _, interior in padding_config)
    return slice_p.bind(
        ct,
        start_indices=tuple(max(low, 0) for low, _, _ in padding_config),
        limit_indices=tuple(
            n - max(high, 0) for n, (_, high, _) in zip(shape, padding_config, strict=True)
        ),
        strides=None if all(step == 1 for step in steps) else steps,
    )


jvp_rules.define(pad_p)(_pad)
deftranspose(pad_p)(_pad_transpose)

# --- made of nothing ---

defnondiff("no operands", iota_p, empty_p, dim_as_value_p)

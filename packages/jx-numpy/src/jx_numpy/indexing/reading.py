"""Reading: `x[index]`, and the read behind `x.at[index].get()`.

An index that takes one block of the operand is read by `slice` or `dynamic_slice`, others
by `gather`. Eagerly a read is one compiled dispatch, in which places are arguments, so that
`x[0]` and `x[1]`, or `x[0:2]` and `x[3:5]`, share a program.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from jx_core import compiled, dtypes, lax
from jx_core.errors import TracerIntegerConversionError, concrete_or_error
from jx_core.ops.elementwise.conversion import convert_ndarray
from jx_core.ops.indexing import (
    GatherDimensionNumbers,
    GatherScatterMode,
    dynamic_slice_p,
    gather_p,
    slice_p,
)
from jx_core.ops.indexing.gather import default_fill
from jx_core.ops.shape import rev_p, squeeze_p
from jx_core.state import state
from jx_core.symbolic import DimExpr
from jx_core.trace import EVAL

from .places import block_spans, block_starts, index_vectors, mode_of, takes_one_block
from .plan import BLOCK, WHOLE, Plan, plan_of

_FILL = GatherScatterMode.FILL_OR_DROP
_PROMISE = GatherScatterMode.PROMISE_IN_BOUNDS


def getitem(x: Any, index: Any) -> Any:
    """`x[index]`, with NumPy's basic and advanced indexing.

    Args:
        x: an array.
        index: integers, slices, None, `...`, arrays of integers or booleans, or a tuple of
            those. Masks must be concrete, as must the bounds of slices.

    Returns:
        A new array. Places out of bounds read the nearest one inside.

    Raises:
        IndexError: too many indices, a mask of a wrong shape, a place on an empty axis.
        TypeError: an index of a type or dtype that can't index; a list.
        NonConcreteBooleanIndexError: a traced mask.

    >>> x = jnp.arange(12).reshape(3, 4)
    >>> x[-1, ::2].tolist()
    [8, 10]
    """
    if state.trace is not EVAL:
        return read(x, index)
    kind = type(index)
    if kind is int or getattr(getattr(index, "dtype", None), "kind", "") in _INTEGERS:
        return _read_one(x, index)
    shape = x.shape
    if kind is slice and shape:
        start, stop, step = _bounds(index, shape[0])
        if step == 1 and start < stop:
            return _read_span(x, start, stop - start)
    plan, operands = plan_of(index, shape, clamp=True)
    return _read_plan(x, operands, plan)


_INTEGERS = ("i", "u")


def read(x: Any, index: Any) -> Any:
    """`x[index]`, for use while something is traced and inside of compiled functions."""
    shape = x.shape
    kind = type(index)
    if kind is int and shape and type(shape[0]) is int and shape[0]:
        size, *rest = shape
        start = min(max(index + size if index < 0 else index, 0), size - 1)
        return squeeze_p.bind(_span(x, start, start + 1, rest), dimensions=(0,))
    if kind is slice and shape and type(shape[0]) is int:
        size, *rest = shape
        start, stop, step = _bounds(index, size)
        if step == 1 and start < stop:
            return x if stop - start == size else _span(x, start, stop, rest)
    plan, operands = plan_of(index, shape, clamp=True)
    return read_plan(x, operands, plan)


def _bounds(index: slice, size: int) -> tuple[int, int, int]:
    """The bounds of a slice on an axis; (0, 0, 0) where they are not known."""
    try:
        return index.indices(size)
    except (TracerIntegerConversionError, TypeError):
        return 0, 0, 0


def _span(x: Any, start: int, stop: int, rest: list[int]) -> Any:
    """Places `start` up to `stop` on the first axis; `rest` is the others' lengths."""
    return slice_p.bind(
        x,
        start_indices=(start, *[0] * len(rest)),
        limit_indices=(stop, *rest),
        strides=None,
    )


@partial(compiled, static_argnames=("size",))
def _read_span(x: Any, start: Any, size: int) -> Any:
    """`size` places from a place on the first axis that is known to lie inside."""
    zeros = [0] * (x.ndim - 1)
    return dynamic_slice_p.bind(x, start, *zeros, slice_sizes=(size, *x.shape[1:]))


def read_plan(
    x: Any,
    operands: Sequence[Any],
    plan: Plan,
    mode: GatherScatterMode | None = None,
    fill_value: Any = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    wrap: bool = True,
) -> Any:
    """What a plan takes of `x`.

    Args:
        x: an array of the shape that the plan is for.
        operands: the plan's places.
        plan: made with `clamp`, unless the mode is FILL_OR_DROP.
        mode: what places out of bounds read; None is as CLIP.
        fill_value: what they read under FILL_OR_DROP, a number; None for the dtype's default.
        indices_are_sorted, unique_indices: promises on the index arrays.
        wrap: whether negative entries of index arrays count from the end.
    """
    if plan.expand:
        x = lax.expand_dims(x, plan.expand)
    if takes_one_block(plan, mode):
        out = _block(x, operands, plan, wrap)
    else:
        out = _gathered(
            x, operands, plan, mode, fill_value, indices_are_sorted, unique_indices, wrap
        )
    return _arranged(out, plan)


def _block(x: Any, operands: Sequence[Any], plan: Plan, wrap: bool) -> Any:
    """The one block that a plan takes, in the order of the operand, points squeezed out."""
    if not operands:
        return x
    shape = x.shape
    starts = block_starts(plan, operands, shape, wrap)
    spans = block_spans(plan, shape)
    steps = tuple([a.step for a in plan.axes])
    plain = max(steps) == 1
    if all(type(s) is int or type(s) is DimExpr for s in starts):
        limits = tuple([s + n for s, n in zip(starts, spans)])
        x = slice_p.bind(
            x,
            start_indices=tuple(starts),
            limit_indices=limits,
            strides=None if plain else steps,
        )
    else:
        x = dynamic_slice_p.bind(x, *starts, slice_sizes=spans)
        if not plain:
            x = slice_p.bind(x, start_indices=(0,) * len(shape), limit_indices=spans, strides=steps)
    points = tuple([i for i, a in enumerate(plan.axes) if a.kind not in (WHOLE, BLOCK)])
    return squeeze_p.bind(x, dimensions=points) if points else x


def _gathered(
    x: Any,
    operands: Sequence[Any],
    plan: Plan,
    mode: GatherScatterMode | None,
    fill_value: Any,
    indices_are_sorted: bool,
    unique_indices: bool,
    wrap: bool,
) -> Any:
    """What a plan takes, as a gather; axes in the result's order."""
    places = index_vectors(plan, operands, x.shape, wrap)
    if 0 in x.shape and 0 in places.shape:
        return lax.reshape(x, places.shape)  # a gather has no room for places on empty axes
    fills = mode is _FILL
    if fills and fill_value is None:
        fill_value = default_fill(x.dtype)
    return gather_p.bind(
        x,
        places.vectors,
        dimension_numbers=GatherDimensionNumbers(places.window, places.collapsed, places.axes),
        slice_sizes=places.sizes,
        indices_are_sorted=indices_are_sorted or places.sorted_and_unique,
        unique_indices=unique_indices or places.sorted_and_unique,
        mode=_PROMISE if mode is None else mode,
        fill_value=fill_value if fills else None,
    )


def _arranged(out: Any, plan: Plan) -> Any:
    """The elements taken, with axes reversed and put in as the plan says."""
    reverse, new = plan.arrangement(len(out.shape))
    if reverse:
        out = rev_p.bind(out, dimensions=reverse)
    return lax.expand_dims(out, new) if new else out


_read_one = compiled(read)
_STATIC = ("plan", "mode", "fill_value", "indices_are_sorted", "unique_indices", "wrap")
_read_plan = compiled(read_plan, static_argnames=_STATIC)


def read_at(
    x: Any,
    index: Any,
    mode: Any,
    fill_value: Any,
    indices_are_sorted: bool,
    unique_indices: bool,
    wrap: bool,
) -> Any:
    """`x.at[index].get(...)`.

    Raises:
        ValueError: `fill_value` is no scalar, or the mode is unknown.
        ConcretizationTypeError: `fill_value` is traced.
    """
    mode = mode_of(mode)
    if fill_value is not None:
        fill_value = _number(fill_value, x.dtype)
    plan, operands = plan_of(index, x.shape, clamp=mode is not _FILL, wrap=wrap)
    options = (plan, mode, fill_value, bool(indices_are_sorted), bool(unique_indices), wrap)
    if state.trace is EVAL:
        return _read_plan(x, operands, *options)
    return read_plan(x, operands, *options)


def _number(fill_value: Any, dtype: Any) -> Any:
    """A fill value as a Python number that goes into `dtype`."""
    known = concrete_or_error(fill_value, "the fill_value argument to indexed get()")
    if np.ndim(known):
        raise ValueError(
            f"fill_value argument to indexed get() must be a scalar, got shape {np.shape(known)}"
        )
    if isinstance(dtype, dtypes.ExtendedDType):
        dtype = np.dtype(np.uint32)  # what each word of a typed key is to be
    number = convert_ndarray(np.asarray(known), dtype)
    if dtypes.issubdtype(dtype, np.inexact):
        return complex(number) if dtype.kind == "c" else float(number)
    return bool(number) if dtype == np.bool_ else int(number)

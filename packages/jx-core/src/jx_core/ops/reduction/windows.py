"""Reduction of windows that slide over an array, as in pooling.

`window_shapes` says where windows lie; `selection` picks one element of each.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import dtypes, tree
from ...aval import ShapedArray, typeof
from ...jaxpr.ir import ClosedJaxpr
from ...primitive import Primitive
from ..kit import check_kind, number, orderable
from ..shape import broadcast_in_dim
from .general import fold
from .monoids import identity, wide
from .programs import (
    check_operands,
    flat_operands,
    is_identity,
    operation_of,
    run_on_arrays,
    trace_computation,
)
from .window_shapes import (
    Window,
    canonical_window,
    check_window,
    elements_at,
    padded,
    windows_of,
)

__all__ = [
    "reduce_window",
    "reduce_window_max_p",
    "reduce_window_min_p",
    "reduce_window_p",
    "reduce_window_sum_p",
]


def _monoid(name: str, operation: str, kinds: Sequence[str], ufunc: np.ufunc) -> Primitive:
    """The primitive that reduces windows by one operation, padding being its identity."""

    def abstract(operand: ShapedArray, **params: Any) -> ShapedArray:
        window = Window(**params)
        check_kind(name, operand, kinds)
        check_window(name, operand.shape, window)
        return ShapedArray(window.counts(operand.shape), operand.dtype, operand.weak_type)

    def reference(x: np.ndarray, **params: Any) -> np.ndarray:
        values = wide(x)
        start = np.asarray(identity(operation, x.dtype)).astype(values.dtype)[()]
        views = windows_of(values, Window(**params), start)
        axes = tuple(range(x.ndim, 2 * x.ndim))
        result = ufunc.reduce(views, axis=axes, dtype=values.dtype, initial=start)
        return np.asarray(result).astype(x.dtype)

    return Primitive(name, abstract=abstract, reference=reference)


# Params of each: those of `Window`.
reduce_window_sum_p = _monoid("reduce_window_sum", "add", number, np.add)
reduce_window_max_p = _monoid("reduce_window_max", "max", orderable, np.maximum)
reduce_window_min_p = _monoid("reduce_window_min", "min", orderable, np.minimum)

_MONOIDS = {"add": reduce_window_sum_p, "max": reduce_window_max_p, "min": reduce_window_min_p}


# --- any function ---


def _type(*operands: ShapedArray, jaxpr: ClosedJaxpr, **params: Any) -> list[ShapedArray]:
    window = Window(**params)
    check_operands("reduce_window", operands)
    arrays = operands[: len(operands) // 2]
    check_window("reduce_window", arrays[0].shape, window)
    shape = window.counts(arrays[0].shape)
    return [ShapedArray(shape, a.dtype, a.weak_type) for a in arrays]


def _reference(*operands: Any, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
    """Element after element of each window, in row-major order; padding is `init_value`."""
    from ... import backend

    here = backend.current()
    n = len(operands) // 2
    window, types = Window(**params), _type(*map(typeof, operands), jaxpr=jaxpr, **params)
    places = list(window.places())

    def elements(x: Any, init: Any) -> Callable[[int], np.ndarray]:
        views = windows_of(np.asarray(here.get(x)), window, here.get(init))
        return lambda k: views[(Ellipsis, *places[k])]  # type: ignore[arg-type]

    parts = list(map(elements, operands[:n], operands[n:]))
    return fold(jaxpr, operands[n:], parts, len(places), types)


def _decompose(*operands: Any, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
    """Windows reduced along one axis after another, the last one first.

    That keeps the elements in row-major order, so an associative function is all it takes.
    """
    n = len(operands) // 2
    window, inits = Window(**params), operands[n:]
    xs = [padded(x, window, init) for x, init in zip(operands[:n], inits, strict=True)]
    if 0 in typeof(xs[0]).shape or 0 in window.counts(typeof(operands[0]).shape):
        shape = window.counts(typeof(operands[0]).shape)
        return [broadcast_in_dim(init, shape, ()) for init in inits]
    for axis in reversed(range(typeof(xs[0]).ndim)):
        xs = _along(jaxpr, xs, axis, window)
    totals = [broadcast_in_dim(init, typeof(xs[0]).shape, ()) for init in inits]
    return run_on_arrays(jaxpr, *totals, *xs)


def _along(jaxpr: ClosedJaxpr, xs: list[Any], axis: int, window: Window) -> list[Any]:
    """Windows that extend along `axis` alone, element after element or, if long, doubling."""
    shape = typeof(xs[0]).shape
    length, step = window.window_dimensions[axis], window.window_strides[axis]
    hole = window.window_dilation[axis]

    def line(length: int, step: int) -> Window:
        ones = [1] * len(shape)
        sizes, steps, holes = (list(ones) for _ in range(3))
        sizes[axis], steps[axis], holes[axis] = length, step, hole
        pads = ((0, 0),) * len(shape)
        return Window(tuple(sizes), tuple(steps), pads, tuple(ones), tuple(holes))

    def at(arrays: list[Any], step: int, start: int, count: int) -> list[Any]:
        counts = (*shape[:axis], count, *shape[axis + 1 :])
        place = tuple([start if d == axis else 0 for d in range(len(shape))])
        return [elements_at(x, line(1, step), place, counts) for x in arrays]

    count = line(length, step).counts(shape)[axis]
    if length <= 2 * step * length.bit_length():
        totals = at(xs, step, 0, count)
        for k in range(1, length):
            totals = run_on_arrays(jaxpr, *totals, *at(xs, step, k, count))
        return totals
    # `powers` holds the totals of 1, 2, 4, ... elements from each one on; those of which the
    # binary digits of the length speak, one after the other, make up a window.
    powers, done, size, result = xs, 0, 1, None
    while True:
        if length & size:
            part = at(powers, step, done, count)
            result = part if result is None else run_on_arrays(jaxpr, *result, *part)
            done += size
        if done == length:
            assert result is not None
            return result
        room = typeof(powers[0]).shape[axis] - size * hole
        powers = run_on_arrays(jaxpr, *at(powers, 1, 0, room), *at(powers, 1, size, room))
        size *= 2


# Operands: n arrays, then n initial values. Params: jaxpr, the closed program that takes n
# totals and n elements to n totals; those of `Window`.
reduce_window_p = Primitive(
    "reduce_window",
    abstract=_type,
    reference=_reference,
    decompose=_decompose,
    multiple_results=True,
    higher_order=True,
)


def reduce_window(
    operand: Any,
    init_value: Any,
    computation: Callable[..., Any],
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None = None,
    padding: str | Sequence[tuple[int, int]] = "VALID",
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Any:
    """The elements of windows that slide over an array, combined by a function.

    Args:
        operand: an array, or a pytree of arrays of one shape that are reduced together.
        init_value: a scalar for each operand, of its dtype (a Python number adopts it); an
            identity of `computation`. It stands in padding and in holes as well.
        computation: takes two scalars (pytrees of them, like `operand`) and returns one. It
            must be associative. Sums, maxima and minima have fast code.
        window_dimensions: the size of a window along each axis of the operand.
        window_strides: the steps between windows along each axis; 1 if left out.
        padding: (low, high) pairs, negative ones cutting off; or `"SAME"`, `"SAME_LOWER"` or
            `"VALID"`, as `padtype_to_pads` reads them.
        base_dilation: how far the operand's elements are to be put apart; 1 if left out.
        window_dilation: how far apart the elements of a window are; 1 if left out.

    Returns:
        A pytree like `operand`, of arrays with an element for each window; their shape is that
        of `reduce_window_shape_tuple`.

    Raises:
        ShapeError: shapes differ, an initial value is no scalar, or the windows don't fit.
        TypeError: dtypes differ, or `computation` returns other types than it takes.
        ValueError: `operand` and `init_value` are not alike, or there are none; an unknown
            name for padding.

    >>> from jx_core import lax
    >>> reduce_window(np.array([1, 5, 2, 4]), -9, lambda a, b: lax.max(a, b) + 0, (2,))
    Array([5, 5, 4], dtype=int32)
    """
    name = "reduce_window"
    arrays, inits, structure = flat_operands(name, operand, init_value)
    window = canonical_window(
        name,
        typeof(arrays[0]).shape,
        window_dimensions,
        window_strides,
        padding,
        base_dilation,
        window_dilation,
    )
    closed = trace_computation(name, computation, [typeof(x) for x in arrays], structure)
    params = window._asdict()
    check_operands(name, [typeof(x) for x in itertools.chain(arrays, inits)])
    monoid = _monoid_of(closed, inits)
    if monoid is not None:
        results = [monoid.bind(arrays[0], **params)]
    else:
        results = reduce_window_p.bind(*arrays, *inits, jaxpr=closed, **params)
    return tree.unflatten(structure, results)


def _monoid_of(closed: ClosedJaxpr, inits: Sequence[Any]) -> Primitive | None:
    """The primitive that reduces as a program does from these initial values, if one does."""
    operation = operation_of(closed.jaxpr)
    if operation not in _MONOIDS or not is_identity(inits[0], operation):
        return None
    # Complex numbers have sums, but no maxima by which derivatives could be picked.
    if operation != "add" and dtypes.issubdtype(typeof(inits[0]).dtype, np.complexfloating):
        return None
    return _MONOIDS[operation]

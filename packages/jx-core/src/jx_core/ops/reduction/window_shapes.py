"""Where the windows of a reduction lie: shapes, padding, holes, and cutting windows apart.

What is done with the elements of a window is said in `windows` and `selection`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...aval import typeof
from ...errors import ShapeError
from ...symbolic.bounds import compare
from ...symbolic.expressions import is_symbolic_shape
from ..axes import integers
from ..contraction.conv_shapes import dilated, pad_pairs, padtype_to_pads, strided
from ..elementwise import add, bitwise_and, convert, eq, ge, lt, mul, rem
from ..indexing.slicing import slice as slice_
from ..shape import broadcast_in_dim, dim_as_value, iota, pad

__all__ = ["reduce_window_shape_tuple"]

Shape = tuple[int, ...]
Place = tuple[int, ...]


class Window(NamedTuple):
    """The params that the primitives of windows share; each has an entry for every axis.

    Attributes:
        window_dimensions: how many elements a window has.
        window_strides: how far it is from one window to the next.
        padding: how many elements are added before and after; negative numbers cut off.
        base_dilation: how far apart the operand's elements are put.
        window_dilation: how far apart the elements of a window are.
    """

    window_dimensions: Shape
    window_strides: Shape
    padding: tuple[tuple[int, int], ...]
    base_dilation: Shape
    window_dilation: Shape

    @property
    def size(self) -> int:
        """How many elements a window has."""
        return math.prod(self.window_dimensions)

    def places(self) -> Iterator[Place]:
        """The places in a window, in row-major order."""
        return itertools.product(*map(range, self.window_dimensions))

    def padded_shape(self, shape: Shape) -> Shape:
        """The shape of an operand of `shape` with holes and padding."""
        sizes = map(dilated, shape, self.base_dilation)
        return tuple([n + lo + hi for n, (lo, hi) in zip(sizes, self.padding, strict=True)])

    def counts(self, shape: Shape) -> Shape:
        """How many windows there are in an operand of `shape`."""
        spans = map(dilated, self.window_dimensions, self.window_dilation)
        return tuple(map(strided, self.padded_shape(shape), spans, self.window_strides))

    def starts(self, place: Place) -> Shape:
        """Where in the padded operand the elements at `place` begin."""
        return tuple([p * h for p, h in zip(place, self.window_dilation, strict=True)])


def check_window(name: str, shape: Shape, window: Window) -> None:
    """Raise a ShapeError unless a window's params fit an operand of `shape`."""
    for what, values in window._asdict().items():
        if len(values) != len(shape):
            raise ShapeError(
                f"{name}: {what} must have an entry for each axis of the operand, got {values} "
                f"for shape {shape}"
            )
        if what != "padding" and any(v < 1 for v in values):
            raise ShapeError(f"{name}: {what} must be positive, got {values}")
    if any(n < 0 for n in window.padded_shape(shape)):
        raise ShapeError(
            f"{name}: negative padding {window.padding} cuts off more than an operand of shape "
            f"{shape} has"
        )


def canonical_window(
    name: str,
    shape: Shape,
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None,
    padding: str | Sequence[tuple[int, int]],
    base_dilation: Sequence[int] | None,
    window_dilation: Sequence[int] | None,
) -> Window:
    """The params from what a user wrote, checked against an operand's shape.

    Raises:
        ShapeError: one has the wrong length, or is out of range.
        TypeError: one is no sequence of integers.
        ValueError: an unknown name for padding.
    """
    ones = (1,) * len(shape)
    dims = integers(name, window_dimensions, "window_dimensions")
    strides, holes, spread = (
        ones if v is None else integers(name, v, what)
        for v, what in (
            (window_strides, "window_strides"),
            (base_dilation, "base_dilation"),
            (window_dilation, "window_dilation"),
        )
    )
    none = ((0, 0),) * len(shape)
    if not isinstance(padding, str):
        pads = pad_pairs(name, padding, len(shape))
        return _checked(name, shape, Window(dims, strides, pads, holes, spread))
    _checked(name, shape, Window(dims, strides, none, holes, spread))
    spans = list(map(dilated, dims, spread))
    named = padtype_to_pads(shape, spans, strides, padding)
    return Window(dims, strides, tuple(named), holes, spread)


def _checked(name: str, shape: Shape, window: Window) -> Window:
    check_window(name, shape, window)
    return window


def reduce_window_shape_tuple(
    operand_shape: Sequence[int],
    window_dimensions: Sequence[int],
    window_strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Shape:
    """The shape of what `reduce_window` gives.

    Args:
        operand_shape: the operand's shape.
        window_dimensions, window_strides: the sizes of windows, and the steps between them.
        padding: (low, high) pairs.
        base_dilation, window_dilation: how far the operand's elements, and those of a window,
            are apart; 1 if left out.

    Raises:
        ShapeError: one has the wrong length, or is out of range.

    >>> reduce_window_shape_tuple((8, 9), (2, 3), (2, 2), [(0, 0), (1, 1)])
    (4, 5)
    """
    name, shape = "reduce_window_shape_tuple", integers(
        "reduce_window_shape_tuple", operand_shape, "operand_shape"
    )
    window = canonical_window(
        name, shape, window_dimensions, window_strides, padding, base_dilation, window_dilation
    )
    return window.counts(shape)


# --- cutting windows apart, in NumPy ---


def windows_of(x: np.ndarray, window: Window, filler: Any) -> np.ndarray:
    """Every window of `x`: an array of the windows' counts, then of their dimensions.

    `filler` stands in padding and in holes.
    """
    counts = window.counts(x.shape)
    if 0 in counts:
        return np.empty((*counts, *window.window_dimensions), x.dtype)
    if not counts:
        return x
    base = window.base_dilation
    spread = np.full(tuple(map(dilated, x.shape, base)), filler, x.dtype)
    spread[tuple([slice(None, None, h) for h in base])] = x
    grown = [(max(lo, 0), max(hi, 0)) for lo, hi in window.padding]
    whole = np.pad(spread, grown, constant_values=np.asarray(filler, x.dtype))
    kept = zip(window.padding, whole.shape, strict=True)
    whole = whole[tuple([slice(max(-lo, 0), n - max(-hi, 0)) for (lo, hi), n in kept])]
    spans = tuple(map(dilated, window.window_dimensions, window.window_dilation))
    views = np.lib.stride_tricks.sliding_window_view(whole, spans)
    steps = (*window.window_strides, *window.window_dilation)
    return views[tuple([slice(None, None, s) for s in steps])]


def inside(shape: Shape, window: Window) -> np.ndarray:
    """Which elements of the windows are the operand's own, as `windows_of` gives them."""
    return windows_of(np.ones(shape, np.bool_), window, False)


# --- cutting windows apart, by lax functions ---


def padded(x: Any, window: Window, filler: Any) -> Any:
    """The operand with `filler` in padding and holes."""
    config = [
        (lo, hi, h - 1)
        for (lo, hi), h in zip(window.padding, window.base_dilation, strict=True)
    ]
    return pad(x, filler, config) if any(n != 0 for c in config for n in c) else x


def elements_at(whole: Any, window: Window, place: Place, counts: Shape) -> Any:
    """What all windows of the padded operand have at one place."""
    starts = window.starts(place) if 0 not in counts else (0,) * len(counts)
    steps = window.window_strides
    stops = [
        a + (n - 1) * s + 1 if type(n) is not int or n else a
        for a, n, s in zip(starts, counts, steps, strict=True)
    ]
    return slice_(whole, starts, stops, None if all(s == 1 for s in steps) else steps)


def inside_at(shape: Shape, window: Window, place: Place, counts: Shape) -> Any:
    """For which windows of an operand of `shape` one place is the operand's own element.

    None where it is for all.
    """
    result = None
    for axis, start in enumerate(window.starts(place)):
        low, hole = window.padding[axis][0], window.base_dilation[axis]
        if is_symbolic_shape((shape[axis], counts[axis], low)):
            flags = _symbolic_inside(shape[axis], window, axis, start, counts)
            if flags is not None:
                result = flags if result is None else bitwise_and(result, flags)
            continue
        at = start - low + window.window_strides[axis] * np.arange(counts[axis])
        own = (at >= 0) & (at < dilated(shape[axis], hole)) & (at % hole == 0)
        if not own.all():
            flags = broadcast_in_dim(own, counts, (axis,))
            result = flags if result is None else bitwise_and(result, flags)
    return result


def _symbolic_inside(size: Any, window: Window, axis: int, start: int, counts: Shape) -> Any:
    """As `inside_at`, along an axis of symbolic length."""
    low, hole = window.padding[axis][0], window.base_dilation[axis]
    stride, count, end = window.window_strides[axis], counts[axis], dilated(size, hole)
    first = start - low
    if hole == 1 and compare(first, 0, ">=") and compare(first + stride * (count - 1), end, "<"):
        return None
    at = add(mul(iota(np.int32, count), np.int32(stride)), _int32(first))
    own = bitwise_and(ge(at, np.int32(0)), lt(at, _int32(end)))
    if hole != 1:
        own = bitwise_and(own, eq(rem(at, np.int32(hole)), np.int32(0)))
    return broadcast_in_dim(own, counts, (axis,))


def _int32(dim: Any) -> Any:
    return convert(dim_as_value(dim), np.dtype(np.int32)) if type(dim) is not int else np.int32(dim)


def spread_to(x: Any, shape: Shape, window: Window, place: Place, filler: Any) -> Any:
    """What windows have at one place, put where in an operand of `shape` it comes from.

    The other elements are `filler`. It is the transpose of `elements_at` after `padded`, for
    operands without holes.
    """
    counts = typeof(x).shape
    config = []
    for axis, start in enumerate(window.starts(place)):
        step = window.window_strides[axis]
        low = start - window.padding[axis][0]
        config.append((low, shape[axis] - low - dilated(counts[axis], step), step - 1))
    return pad(x, filler, config)

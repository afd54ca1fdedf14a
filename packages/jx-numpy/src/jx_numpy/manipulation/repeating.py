"""Elements repeated, reversed, or moved around."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jx_core import lax, operators
from jx_core.errors import concrete_or_error

from ..functions import array_function, plain
from ..indexing import take
from ..operands import (
    Array,
    ArrayLike,
    a_shape,
    an_integer,
    as_operand,
    is_integer,
    one_axis,
    refuse_sharding,
    some_axes,
    typeof,
)
from ..sorting import search

__all__ = ["flip", "fliplr", "flipud", "repeat", "resize", "roll", "rot90", "tile"]


@array_function("reps")
def tile(A: ArrayLike, reps: Any) -> Array:
    """Copies of an array laid side by side.

    Args:
        A: an array.
        reps: how many copies along each axis, counted from the last; or one number, for the
            last axis.

    Raises:
        ValueError: a number is negative.

    >>> jnp.tile(jnp.array([1, 2]), (2, 2))
    Array([[1, 2, 1, 2],
           [1, 2, 1, 2]], dtype=int32)
    """
    x = as_operand("tile", A)
    counts = a_shape("tile", reps, "reps")
    x = lax.broadcast_to_rank(x, len(counts))
    counts = (1,) * (typeof(x).ndim - len(counts)) + counts
    if all(n == 1 for n in counts):
        return x
    return lax.tile(x, counts)


def repeat(
    a: ArrayLike,
    repeats: ArrayLike,
    axis: int | None = None,
    *,
    total_repeat_length: int | None = None,
    out_sharding: None = None,
) -> Array:
    """Each element, or slice along an axis, repeated.

    Args:
        a: an array.
        repeats: how often: an integer, or one for each element along the axis. It must be
            known now, unless `total_repeat_length` is given.
        axis: the axis; the array is flattened if None.
        total_repeat_length: the result's length along the axis. What is too much is left
            out, and what is missing filled with the last slice.
        out_sharding: must be None.

    Raises:
        ConcretizationTypeError: `repeats` is traced, and `total_repeat_length` None.
        TypeError: `repeats` is a list, or not of integers.
        ValueError: `repeats` does not fit the axis, or is negative.

    >>> jnp.repeat(jnp.array([1, 2]), jnp.array([1, 3]))
    Array([1, 2, 2, 2], dtype=int32)
    """
    refuse_sharding("repeat", out_sharding)
    repeats = as_operand("repeat", repeats, 1)
    aval = typeof(repeats)
    if not is_integer(aval.dtype) and aval.size:
        raise TypeError(f"jnp.repeat: repeats must be integers, got dtype {aval.dtype.name}")
    if total_repeat_length is not None:
        total = an_integer("repeat", total_repeat_length, "total_repeat_length")
        return _repeat_to_length(a, repeats, axis, total)
    known = np.asarray(
        concrete_or_error(
            repeats,
            "the argument repeats of jnp.repeat, which decides a shape; pass "
            "total_repeat_length to give that shape beforehand",
        )
    )
    if known.size and known.min() < 0:
        raise ValueError(f"jnp.repeat: repeats must be non-negative, got {known}")
    if known.size == 1:
        return _repeat_each(a, int(known.reshape(())), axis)
    x, place = _rows("repeat", a, axis)
    length = typeof(x).shape[place]
    _check_repeats(known.shape, length)
    # NumPy's own function takes no uint64.
    places = np.repeat(np.arange(length, dtype=np.int32), known.astype(np.int64))
    return take(x, places, axis=place, mode="clip")


def _rows(name: str, a: Any, axis: Any) -> tuple[Any, int]:
    x = as_operand(name, a)
    if axis is None:
        return lax.reshape(x, (typeof(x).size,)), 0
    return x, one_axis(name, axis, typeof(x).ndim)


def _check_repeats(shape: tuple[int, ...], length: int) -> None:
    if shape not in ((length,), (1,), ()):
        raise ValueError(
            f"jnp.repeat: repeats must be an integer or have an entry for each of the {length} "
            f"elements along the axis, got shape {shape}"
        )


@array_function("repeats", "axis")
def _repeat_each(a: Any, repeats: int, axis: int | None) -> Array:
    x, place = _rows("repeat", a, axis)
    shape = typeof(x).shape
    wide = (*shape[: place + 1], repeats, *shape[place + 1 :])
    kept = tuple([i for i in range(len(wide)) if i != place + 1])
    x = lax.broadcast_in_dim(x, wide, kept)
    return lax.reshape(x, (*shape[:place], shape[place] * repeats, *shape[place + 1 :]))


@array_function("axis", "total")
def _repeat_to_length(a: Any, repeats: Any, axis: int | None, total: int) -> Array:
    x, place = _rows("repeat", a, axis)
    length = typeof(x).shape[place]
    _check_repeats(typeof(repeats).shape, length)
    ends = lax.cumsum(lax.broadcast_in_dim(
        lax.reshape(lax.convert_element_type(repeats, np.int32), (typeof(repeats).size,)),
        (length,), (0,),
    ))  # fmt: skip
    # A slice appears until as many have passed as the slices up to it have repeats.
    source = search(ends, lax.iota(np.dtype(np.int32), total), "right")
    return take(x, lax.min(source, np.int32(length - 1)), axis=place, mode="clip")


@array_function("axis")
def flip(m: ArrayLike, axis: Any = None) -> Array:
    """An array with the elements along axes in reverse order.

    Args:
        m: an array.
        axis: an axis, or a tuple of them; all if None.

    Raises:
        ShapeError: an axis is out of range or repeated.

    >>> jnp.flip(jnp.array([[1, 2], [3, 4]]), axis=1)
    Array([[2, 1],
           [4, 3]], dtype=int32)
    """
    x = as_operand("flip", m)
    return lax.rev(x, some_axes("flip", axis, typeof(x).ndim))


def flipud(m: ArrayLike) -> Array:
    """An array upside down: reversed along its first axis.

    >>> jnp.flipud(jnp.array([[1, 2], [3, 4]]))
    Array([[3, 4],
           [1, 2]], dtype=int32)
    """
    return flip(m, 0)


def fliplr(m: ArrayLike) -> Array:
    """An array mirrored: reversed along its second axis.

    >>> jnp.fliplr(jnp.array([[1, 2], [3, 4]]))
    Array([[2, 1],
           [4, 3]], dtype=int32)
    """
    return flip(m, 1)


@array_function("k", "axes")
def rot90(m: ArrayLike, k: int = 1, axes: Any = (0, 1)) -> Array:
    """An array turned by quarter turns in the plane of two axes, from the first to the second.

    Args:
        m: an array of two axes at least.
        k: how many quarter turns.
        axes: the two axes.

    Raises:
        ShapeError: an axis is out of range, or both are the same.
        ValueError: there are not two axes.

    >>> jnp.rot90(jnp.array([[1, 2], [3, 4]]))
    Array([[2, 4],
           [1, 3]], dtype=int32)
    """
    x = as_operand("rot90", m)
    ndim = typeof(x).ndim
    plane = some_axes("rot90", axes, ndim, "axes")
    if len(plane) != 2:
        raise ValueError(f"jnp.rot90: axes must be two, got {axes}")
    first, second = plane
    turns = k % 4
    if turns == 0:
        return x
    if turns == 2:
        return lax.rev(x, plane)
    order = list(range(ndim))
    order[first], order[second] = second, first
    if turns == 1:
        return lax.transpose(lax.rev(x, (second,)), order)
    return lax.rev(lax.transpose(x, order), (second,))


def roll(a: ArrayLike, shift: Any, axis: Any = None) -> Array:
    """An array with its elements moved along axes, those pushed out coming in again.

    Args:
        a: an array.
        shift: how far: an integer, or one for each axis; they may be traced.
        axis: an axis, or a sequence of them; the array is flattened, and has its shape again
            afterwards, if None.

    Raises:
        ShapeError: an axis is out of range.
        ValueError: `shift` and `axis` are not equally many.

    >>> jnp.roll(jnp.arange(5), 2)
    Array([3, 4, 0, 1, 2], dtype=int32)
    """
    shift = tuple(shift) if isinstance(shift, (list, tuple)) else shift
    numbers = shift if isinstance(shift, tuple) else (shift,)
    if all(isinstance(s, (int, np.integer)) for s in numbers):
        return _roll_by_known(a, shift, axis)
    return _roll(a, shift, axis)


@array_function("axis")
def _roll(a: Any, shift: Any, axis: Any) -> Array:
    x = as_operand("roll", a)
    shape = typeof(x).shape
    if axis is None:
        flat = lax.reshape(x, (typeof(x).size,))
        return lax.reshape(_roll(flat, shift, 0), shape)
    axes = [
        one_axis("roll", i, len(shape)) for i in ((axis,) if hasattr(axis, "__index__") else axis)
    ]
    if isinstance(shift, tuple):
        shifts = list(shift)
    else:
        shift = as_operand("roll", shift, 1)
        shifts = list(lax.unstack(shift, 0)) if typeof(shift).ndim else [shift]
    if len(shifts) == 1:
        shifts *= len(axes)
    if len(axes) == 1:
        axes *= len(shifts)
    if len(shifts) != len(axes):
        raise ValueError(
            f"jnp.roll: shift and axis must be equally many, got {len(shifts)} and {len(axes)}"
        )
    for place, distance in zip(axes, shifts, strict=True):
        x = _roll_one(x, distance, place)
    return x


_roll_by_known = array_function("shift", "axis")(plain(_roll))


def _roll_one(x: Array, distance: Any, place: int) -> Array:
    n = typeof(x).shape[place]
    if n == 0:
        return x
    if isinstance(distance, (int, np.integer)):
        k = int(distance) % n
        if type(k) is int and k == 0:
            return x
        back = lax.slice_in_dim(x, n - k, n, axis=place)
        return lax.concatenate([back, lax.slice_in_dim(x, 0, n - k, axis=place)], place)
    start = operators.remainder(operators.negative(distance), n)
    return lax.dynamic_slice_in_dim(lax.concatenate([x, x], place), start, n, axis=place)


@array_function("new_shape")
def resize(a: ArrayLike, new_shape: Any) -> Array:
    """The elements of an array in another shape, repeated or cut off to fill it.

    Args:
        a: an array.
        new_shape: the shape; zeros fill it if `a` is empty.

    Raises:
        ShapeError: a length is negative.

    >>> jnp.resize(jnp.array([1, 2, 3]), (2, 2))
    Array([[1, 2],
           [3, 1]], dtype=int32)
    """
    x = as_operand("resize", a)
    shape = a_shape("resize", new_shape, "new_shape")
    size = math.prod(shape)
    have = typeof(x).size
    if not have:
        return lax.full(shape, 0, typeof(x).dtype)
    flat = lax.reshape(x, (have,))
    if size > have:
        flat = lax.tile(flat, (-(-size // have),))
    return lax.reshape(lax.slice_in_dim(flat, 0, size), shape)

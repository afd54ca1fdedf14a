"""Axes and shapes as arguments: made canonical, checked, and complained about in one way.

`canonical_*` serve the `lax` functions, which take what a user wrote; `check_*` serve the
shape rules of primitives, whose axes are canonical already: non-negative Python integers.
All sit on the road of every traced operation, so what is right costs one cache lookup.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from operator import index
from typing import Any

from ..aval import Shape as Shape
from ..aval import as_dimension
from ..errors import (
    AxisError,
    InconclusiveDimensionOperation,
    ShapeError,
    TracerIntegerConversionError,
)
from ..symbolic.bounds import bounds
from ..symbolic.expressions import DimExpr
from ..trace import Tracer


def canonical_axis(name: str, axis: Any, ndim: int, argument: str = "axis") -> int:
    """`axis` as a non-negative integer below `ndim`; negative ones count from the end.

    Args:
        name: the function the user called, for the message.
        axis: an integer, or what has an `__index__`.
        ndim: how many axes there are.
        argument: what the user knows the axis as.

    Raises:
        AxisError: it is out of range.
        TypeError: it is no integer.

    >>> canonical_axis("squeeze", -1, 3)
    2
    """
    try:
        i = index(axis)
    except TypeError:
        raise _not_integers(name, axis, argument, "an integer") from None
    if -ndim <= i < ndim:
        return i + ndim if i < 0 else i
    raise _out_of_bounds(name, i, ndim, argument)


def canonical_axes(
    name: str, axes: Iterable[Any], ndim: int, argument: str = "axes"
) -> tuple[int, ...]:
    """`axes` as distinct non-negative integers below `ndim`, in the order given.

    Raises:
        ShapeError: an axis is out of range (an `AxisError`), or occurs twice.
        TypeError: they are no sequence of integers.

    >>> canonical_axes("squeeze", [-1, 0], 3)
    (2, 0)
    """
    try:
        key = tuple(axes)
    except TypeError:
        raise _not_integers(name, axes, argument, "a sequence of integers") from None
    try:
        return _canonical_axes(name, key, ndim, argument)
    except TypeError:  # an axis that can't be hashed, or is no integer: the plain road says
        return _canonical_axes.__wrapped__(name, key, ndim, argument)


@functools.lru_cache(maxsize=4096)
def _canonical_axes(name: str, axes: tuple[Any, ...], ndim: int, argument: str) -> tuple[int, ...]:
    result = tuple([canonical_axis(name, a, ndim, argument) for a in axes])
    if len(set(result)) != len(result):
        raise ShapeError(
            f"{name}: {argument} must be distinct, got {axes} for an array of dimension {ndim}"
        )
    return result


def integers(name: str, values: Iterable[Any], argument: str) -> tuple[int, ...]:
    """`values` as a tuple of Python integers.

    Raises:
        TypeError: they are not a sequence of integers that are known now.
    """
    try:
        return tuple(map(index, values))
    except TypeError:
        return _symbolic_shape(name, values, argument)


def _symbolic_shape(name: str, values: Any, argument: str) -> Shape:
    """`values` that are not all integers as a shape: some may be symbolic dimensions."""
    try:
        if iter(values) is not values:  # an iterator has lost its first values by now
            return tuple(map(as_dimension, values))
    except TypeError:
        pass
    raise _not_integers(name, values, argument, "a sequence of integers")


def canonical_shape(name: str, shape: Any, argument: str = "shape") -> Shape:
    """`shape` as a tuple of Python integers; a lone integer is a shape of one axis.

    Raises:
        TypeError: it is not a sequence of integers that are known now.

    >>> canonical_shape("full", 3)
    (3,)
    """
    try:
        return tuple(map(index, shape))
    except TypeError:
        try:
            return (as_dimension(shape),)
        except TypeError:
            return _symbolic_shape(name, shape, argument)


def check_sizes(name: str, sizes: Sequence[int], argument: str = "shape") -> None:
    """Raise a ShapeError if a size is negative."""
    if sizes and least(sizes) < 0:
        raise ShapeError(
            f"{name}: {argument} must be non-negative integers, got {tuple(sizes)}. (lax works "
            f"no size out: jx.numpy.reshape takes -1)"
        )


def least(sizes: Sequence[int]) -> int:
    """The least size; of symbolic ones, only what is certain of them counts.

    >>> least((3, -1))
    -1
    """
    try:
        return min(sizes)
    except InconclusiveDimensionOperation:
        highest = [d if type(d) is int else bounds(d)[1] for d in sizes]
        return min(highest)


def narrow(sizes: Iterable[Any]) -> bool:
    """Whether places on axes of these lengths fit 32 bits, as is taken for granted of symbolic
    ones."""
    return all(type(n) is DimExpr or n < 2**31 for n in sizes)


def check_axis(name: str, axis: int, shape: Shape, argument: str = "axis") -> None:
    """Raise a ShapeError unless `axis` is one of a shape's, counted from the front."""
    if not 0 <= axis < len(shape):
        raise ShapeError(
            f"{name}: {argument} must be in [0, {len(shape)}) for an operand of shape {shape}, "
            f"got {axis}.{_from_the_end((axis,), len(shape))}"
        )


def check_axes(name: str, axes: Sequence[int], shape: Shape, argument: str = "axes") -> None:
    """Raise a ShapeError unless `axes` are distinct axes of a shape, counted from the front."""
    n = len(shape)
    if axes and not 0 <= min(axes) <= max(axes) < n:
        raise ShapeError(
            f"{name}: {argument} must be in [0, {n}) for an operand of shape {shape}, got "
            f"{tuple(axes)}.{_from_the_end(axes, n)}"
        )
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{name}: {argument} must be distinct, got {tuple(axes)}")


def check_permutation(name: str, permutation: Sequence[int], shape: Shape, argument: str) -> None:
    """Raise a ShapeError unless every axis of `shape` occurs once in `permutation`."""
    if sorted(permutation) != list(range(len(shape))):
        raise ShapeError(
            f"{name}: {argument} must be a permutation of the operand's axes "
            f"{tuple(range(len(shape)))}, got {tuple(permutation)} for an operand of shape {shape}"
        )


def refuse_sharding(name: str, argument: str, value: Any) -> None:
    """Raise a TypeError: the result's sharding is not an argument here.

    Raises:
        TypeError: always.
    """
    raise TypeError(
        f"lax.{name}: {argument} is for meshes with explicit axes, got {value!r}; leave it None, "
        f"and say with lax.with_sharding_constraint how the result is to lie on devices"
    )


def _from_the_end(axes: Sequence[int], ndim: int) -> str:
    """The cure where axes are negative but would be in range."""
    if any(-ndim <= a < 0 for a in axes):
        return " lax counts axes from the front here; jx.numpy functions take negative ones"
    return ""


def _out_of_bounds(name: str, axis: int, ndim: int, argument: str) -> AxisError:
    expected = f"an integer in [{-ndim}, {ndim})" if ndim else "no axis, for it has none"
    return AxisError(
        f"{name}: {argument} {axis} is out of bounds for array of dimension {ndim}; "
        f"expected {expected}"
    )


def _not_integers(name: str, value: Any, argument: str, expected: str) -> TypeError:
    try:
        parts = list(value)
    except TypeError:
        parts = [value]
    for x in parts:
        if isinstance(x, Tracer):
            context = f"It is in the argument {argument} of {name}, which decides a shape."
            return TracerIntegerConversionError(x, context)
    return TypeError(f"{name}: {argument} must be {expected}, got {value!r:.200}")

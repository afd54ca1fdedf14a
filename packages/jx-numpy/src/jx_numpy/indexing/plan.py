"""What an index means: from what a user writes in brackets to a plan of reads or writes.

A `Plan` is static and hashable: it says for each axis what is taken of it, and how the
axes of the result are ordered. The places themselves (a start, an index, an array of
indices) are its operands, so that one compiled program serves all of them. NumPy's rules
are in https://numpy.org/doc/stable/user/basics.indexing.html. Nothing is read or written
here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np

from jx_core import dtypes, lax
from jx_core.clashes import marked
from jx_core.errors import (
    NonConcreteBooleanIndexError,
    ShapeError,
    TracerArrayConversionError,
    TracerIntegerConversionError,
)
from jx_core.ops.shape import broadcast_shapes
from jx_core.symbolic import DimExpr, maximum, minimum, slice_indices
from jx_core.symbolic.bounds import compare
from jx_core.trace import to_concrete

from .block import Slice

# What is taken of an axis.
WHOLE = "whole"  # all of it; no operand
BLOCK = "block"  # every `step`-th of a part; operand: its lowest place
POINT = "point"  # one place, known to lie in bounds (unless Plan.inside is False)
SCALAR = "scalar"  # one place, an integer array without axes: perhaps negative, or outside
ARRAY = "array"  # the places in an integer array, as for SCALAR

# Axes of the result that are no axis of the operand.
NEW = -1  # from None: of length 1
BATCH = -2  # the broadcast axes of all index arrays


class Axis(NamedTuple):
    """What is taken of one axis of the operand.

    Attributes:
        kind: WHOLE, BLOCK, POINT, SCALAR or ARRAY.
        size, step, reverse: of a BLOCK: how many places, how far apart, in which order.
    """

    kind: str
    size: int = 0
    step: int = 1
    reverse: bool = False


class Plan(NamedTuple):
    """What an index means for an array of a given shape.

    Attributes:
        axes: what is taken of each axis of the operand, those in `expand` included.
        result: the axes of the result: numbers of the operand's axes, NEW or BATCH.
        expand: axes of length 1 to put into the operand first, on which the index arrays
            that stand for the indices True and False are.
        inside: False where a place that is known lies out of bounds.
    """

    axes: tuple[Axis, ...]
    result: tuple[int, ...]
    expand: tuple[int, ...] = ()
    inside: bool = True

    @property
    def has_arrays(self) -> bool:
        """Whether there are index arrays, so that the result has BATCH axes."""
        return BATCH in self.result

    def arrangement(self, ndim: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """How a result without NEW axes becomes the whole one.

        Args:
            ndim: its rank.

        Returns:
            The axes to reverse, and then the places in the whole result of the NEW axes.
        """
        batch = ndim - sum([a >= 0 for a in self.result])
        reverse: list[int] = []
        new: list[int] = []
        position = 0
        for token in self.result:
            if token == NEW:
                new.append(position + len(new))
            elif token == BATCH:
                position += batch
            else:
                if self.axes[token].reverse:
                    reverse.append(position)
                position += 1
        return tuple(reverse), tuple(new)


_WHOLE = Axis(WHOLE)
_POINT = Axis(POINT)
_SCALAR = Axis(SCALAR)
_ARRAY = Axis(ARRAY)


class _Flag(NamedTuple):
    """The index True or False: a new axis of length 1 or 0."""

    value: bool


# --- the elements of an index ---

_ONE_AXIS = frozenset((int, slice, Slice, DimExpr))  # types of elements that take one axis


def elements_of(index: Any) -> tuple[list[Any], int]:
    """The elements of an index, checked.

    Returns:
        The elements, each an int, a slice, a `Slice`, None, Ellipsis, an integer array, a
        concrete boolean ndarray or a `_Flag`; and how many axes of the operand they take.

    Raises:
        TypeError: an element is of a type or dtype that can't index.
        IndexError: it is no index at all.
        NonConcreteBooleanIndexError: a mask is traced.
    """
    parts = index if type(index) is tuple else (_alone(index),)
    elements: list[Any] = []
    taken = 0
    for part in parts:
        if type(part) in _ONE_AXIS:
            taken += 1
        elif part is not None and part is not Ellipsis:
            part = _array_element(part)
            if type(part) is np.ndarray and part.dtype == np.bool_:
                taken += part.ndim
            elif type(part) is not _Flag:
                taken += 1
        elements.append(part)
    return elements, taken


def _alone(index: Any) -> Any:
    """An index that is no tuple; lists are refused, as NumPy once read them in two ways."""
    if isinstance(index, (list, set, range)) or (
        isinstance(index, Sequence) and not isinstance(index, (str, tuple))
    ):
        raise TypeError(
            "Using a non-tuple sequence for multidimensional indexing is not allowed: use "
            f"x[jnp.array(seq)] to gather, or x[tuple(seq)] to index axes; got {index!r:.100}"
        )
    return index


def _array_element(part: Any) -> Any:
    """An element that is no int, slice, None or Ellipsis."""
    if isinstance(part, (bool, np.bool_)):
        return _Flag(bool(part))
    if isinstance(part, np.integer):
        return int(part)
    if isinstance(part, str):
        raise TypeError(
            f"Arrays have no fields, so there is no string indexing; got idx={part!r}. A dict "
            f"holds arrays by name"
        )
    if isinstance(part, (list, tuple)):
        part = _array_of(part)
    unwrap = getattr(part, "__jax_array__", None)
    if unwrap is not None:
        part = unwrap()
    dtype = getattr(part, "dtype", None)
    if dtype is None or not hasattr(part, "ndim"):
        return _integer_of(part)
    if dtype == np.bool_:
        return _mask(part)
    if not dtypes.issubdtype(dtype, np.integer):
        raise _bad_dtype(dtype)
    return int(part) if isinstance(part, np.ndarray) and not part.ndim else part


def _integer_of(part: Any) -> Any:
    if isinstance(part, (float, complex)):
        raise _bad_dtype(np.asarray(part).dtype)
    if hasattr(part, "__index__") and not isinstance(part, type):
        return part.__index__()
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), newaxis (`None`) and integer or boolean "
        f"arrays are valid indices. Got {part!r:.100}"
    )


def _bad_dtype(dtype: Any) -> TypeError:
    return TypeError(
        f"Indexer must have integer or boolean type, got indexer with type {dtype}. "
        f"x.astype(int) makes integers of it"
    )


def _array_of(part: Any) -> Any:
    """The array that a list inside of an index stands for."""
    try:
        array = np.asarray(part)
    except TracerArrayConversionError:
        rows = [_array_of(p) if isinstance(p, (list, tuple)) else p for p in part]
        return lax.stack([lax.convert_element_type(r, np.int32) for r in rows], 0)
    except ValueError:
        raise TypeError(f"a list in an index must not be ragged, got {part!r:.100}") from None
    return array if array.size else array.astype(np.int32)


def _mask(part: Any) -> Any:
    known = to_concrete(part)
    if known is None:
        raise NonConcreteBooleanIndexError(part)
    mask = np.asarray(known)
    return mask if mask.ndim else _Flag(bool(mask))


# --- the plan ---


def plan_of(
    index: Any, shape: tuple[int, ...], *, clamp: bool, wrap: bool = True, note: bool = False
) -> tuple[Plan, list[Any]]:
    """What `index` means for an array of `shape`.

    Args:
        index: what is in the brackets.
        shape: the operand's shape.
        clamp: move known places that lie out of bounds to the nearest one inside.
        wrap: whether negative known places count from the end; slices always do.
        note: have `checkify` know of places that are moved inside.

    Returns:
        The plan, and one operand for each axis that is not taken whole, in order: integers
        for places that are known, arrays for others. Negative entries of arrays have not
        been wrapped.

    Raises:
        IndexError: too many indices, two ellipses, a mask of a wrong shape, a place on an
            axis of length 0, a slice with bounds that are not known.
        TypeError: an element of a type or dtype that can't index.
        NonConcreteBooleanIndexError: a traced mask.
    """
    elements, taken = elements_of(index)
    if taken > len(shape):
        raise IndexError(
            f"Too many indices: array is {len(shape)}-dimensional, but {taken} were indexed; its "
            f"shape is {shape}"
        )
    parser = _Parser(shape, clamp, wrap, note)
    parser.missing = len(shape) - taken
    for position, element in enumerate(elements):
        parser.add(position, element)
    return parser.finish()


class _Parser:
    """Builds a plan, element by element."""

    __slots__ = (
        "axes", "clamp", "done", "expand", "first", "has_array", "inside", "members", "missing",
        "note", "operands", "result", "seen_ellipsis", "shape", "wrap",
    )  # fmt: skip

    def __init__(self, shape: tuple[int, ...], clamp: bool, wrap: bool, note: bool) -> None:
        self.shape = shape
        self.note = note
        self.clamp = clamp
        self.wrap = wrap
        self.done = 0  # axes of `shape` dealt with so far
        self.missing = 0  # axes that no element is for
        self.axes: list[Axis] = []
        self.operands: list[Any] = []
        self.result: list[int] = []
        self.expand: list[int] = []
        self.inside = True
        self.seen_ellipsis = False
        self.has_array = False
        self.members: list[int] = []  # positions of integers and index arrays
        self.first = 0  # how many axes the result has before the first of them

    def add(self, position: int, element: Any) -> None:
        kind = type(element)
        if kind is int or kind is DimExpr:
            self._member(position)
            self._place(element)
        elif kind is slice:
            self._slice(element, position)
        elif kind is Slice:
            self._block(element)
        elif element is None:
            self.result.append(NEW)
        elif element is Ellipsis:
            if self.seen_ellipsis:
                raise IndexError("an index can only have a single ellipsis ('...')")
            self.seen_ellipsis = True
            self._whole(self.missing)
        elif kind is _Flag:
            self._member(position)
            self.expand.append(len(self.axes))
            self._array(np.zeros(int(element.value), np.int32))
        elif element.dtype == np.bool_:
            self._mask(element, position)
        else:
            self._member(position)
            self._check_nonempty(element)
            self.done += 1
            if element.ndim:
                self._array(element)
            else:
                self.axes.append(_SCALAR)
                self.operands.append(element)

    def finish(self) -> tuple[Plan, list[Any]]:
        if not self.seen_ellipsis:
            self._whole(self.missing)
        if self.has_array:
            # Index arrays side by side put their axes where they stand, others in front.
            together = self.members[-1] - self.members[0] == len(self.members) - 1
            self.result.insert(self.first if together else 0, BATCH)
        plan = Plan(tuple(self.axes), tuple(self.result), tuple(self.expand), self.inside)
        return plan, self.operands

    def _member(self, position: int) -> None:
        if not self.members:
            self.first = len(self.result)
        self.members.append(position)

    def _whole(self, count: int) -> None:
        for _ in range(count):
            self.result.append(len(self.axes))
            self.axes.append(_WHOLE)
        self.done += count

    def _array(self, array: Any) -> None:
        self.has_array = True
        self.axes.append(_ARRAY)
        self.operands.append(array)

    def _check_nonempty(self, element: Any) -> None:
        if not self.shape[self.done] and 0 not in element.shape:
            raise _empty_axis(self.done)

    def _place(self, place: int) -> None:
        size = self.shape[self.done]
        if type(size) is DimExpr or type(place) is DimExpr:
            self._symbolic_place(place, size)
            return
        if place < 0 and self.wrap:
            place += size
        if not 0 <= place < size:
            if not size:
                raise _empty_axis(self.done)
            if self.clamp:
                if self.note:
                    note_out_of_bounds(self.shape, self.done, place)
                place = 0 if place < 0 else size - 1
            else:
                self.inside = False
                place = min(place, 2**31 - 1) if place >= 0 else -(2**31)
        self.axes.append(_POINT)
        self.operands.append(place)
        self.done += 1

    def _symbolic_place(self, place: Any, size: Any) -> None:
        """A known place on an axis of symbolic length, or a symbolic one."""
        if self.wrap and compare(place, 0, "<"):
            place = place + size
        inside = compare(place, 0, ">=") and compare(place, size, "<")
        self.done += 1
        if inside or self.clamp:
            self.axes.append(_POINT)
            self.operands.append(maximum(minimum(place, size - 1), 0))
            return
        # Whether it lies inside is known when the program runs.
        from jx_core import lax

        self.axes.append(_SCALAR)
        self.operands.append(lax.convert_element_type(lax.dim_as_value(place), np.int32))

    def _slice(self, element: slice, position: int) -> None:
        size = self.shape[self.done]
        try:
            if type(size) is DimExpr or DimExpr in (type(element.start), type(element.stop)):
                start, stop, step, count = slice_indices(element, size)
            else:
                start, stop, step = element.indices(size)
                count = len(range(start, stop, step))
        except TracerIntegerConversionError:
            _traced_slice(element, position)
        self.done += 1
        self.result.append(len(self.axes))
        if count == size and step == 1:
            self.axes.append(_WHOLE)
            return
        if not isinstance(count, int):  # of symbolic length
            lowest = start + (count - 1) * step if step < 0 else start
            self.axes.append(Axis(BLOCK, count, abs(step), step < 0))
            self.operands.append(lowest)
            return
        reverse = step < 0 and count > 1
        lowest = start + (count - 1) * step if reverse else start
        step = abs(step) if count > 1 else 1
        self.axes.append(Axis(BLOCK, count, step, reverse))
        self.operands.append(lowest if count else 0)

    def _block(self, element: Slice) -> None:
        size, count, step = self.shape[self.done], element.size, element.stride
        reach = (count - 1) * step + 1 if count else 0
        if reach > size:
            raise IndexError(
                f"a block of {count} places {step} apart reaches over {reach}, and axis "
                f"{self.done} has {size}"
            )
        start = element.start  # an array's number is not read: that would wait for it
        if self.wrap:
            start = _from_the_end(start, size)
        if type(start) is int and self.clamp:
            start = min(max(start, 0), size - reach)
        # Where it is not known to fit, updates go a way that can drop them.
        self.inside &= type(start) is int and 0 <= start <= size - reach
        self.result.append(len(self.axes))
        self.axes.append(Axis(BLOCK, count, step if count > 1 else 1, False))
        self.operands.append(start)
        self.done += 1

    def _mask(self, mask: np.ndarray, position: int) -> None:
        if not _mask_fits(mask.shape, self.shape[self.done : self.done + mask.ndim]):
            raise _no_mask(mask.shape, self.shape, self.done, position)
        self._member(position)
        for places, size in zip(np.nonzero(mask), mask.shape, strict=True):
            self._array(places.astype(np.int32) if size < 2**31 else places)
        self.done += mask.ndim


def _from_the_end(start: Any, size: int) -> Any:
    """`start`, counted from the end of an axis of length `size` where it is negative."""
    if type(start) is int:
        return start + size if start < 0 else start
    if dtypes.issubdtype(start.dtype, np.unsignedinteger):
        return start
    return lax.select(lax.lt(start, 0), lax.add(start, size), start)


def note_out_of_bounds(shape: tuple[int, ...], axis: int, place: int) -> None:
    """Have `checkify` know of a known place that lies outside; without it nothing is done."""
    from jx_core.checkify.checks import note_out_of_bounds

    note_out_of_bounds(shape, axis, place)


def _empty_axis(axis: int) -> IndexError:
    return IndexError(f"index is out of bounds for axis {axis} with size 0")


def _traced_slice(element: slice, position: int) -> NoReturn:
    raise IndexError(
        f"Slice entries must be static integers. Got {element} at position {position}: the length "
        f"of the result would depend on values that are not known while tracing. Use "
        f"lax.dynamic_slice for a block of known length at a traced start"
    ) from None


def check_mask_shape(mask: Any, shape: tuple[int, ...]) -> None:
    """Raise an IndexError unless `mask` fits the first axes of an array of `shape`."""
    if mask.ndim > len(shape):
        raise IndexError(
            f"Too many indices: array is {len(shape)}-dimensional, but {mask.ndim} were indexed; "
            f"its shape is {shape}, the mask's {tuple(mask.shape)}"
        )
    if not _mask_fits(tuple(mask.shape), shape[: mask.ndim]):
        raise _no_mask(tuple(mask.shape), shape, 0, 0)


def _mask_fits(mask: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether a mask fits axes of `shape`, as one of length 0, which selects nothing, does."""
    return mask == shape or (
        len(mask) == len(shape) and all(m in (0, n) for m, n in zip(mask, shape, strict=True))
    )


def _no_mask(
    mask: tuple[int, ...], shape: tuple[int, ...], done: int, position: int
) -> IndexError:
    expected = shape[done : done + len(mask)]
    axes = [done + i for i, (a, b) in enumerate(zip(mask, expected)) if a not in (0, b)]
    why = f"; axis {axes[0]} of the array has length {shape[axes[0]]}" if axes else ""
    return IndexError(
        f"boolean index did not match shape of indexed array in index {position}: got "
        f"{mask}, expected {expected}, for an array of shape {shape}{why}"
    )


def batch_shape(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The common shape of index arrays.

    Raises:
        ShapeError: they do not broadcast.
    """
    try:
        return broadcast_shapes(*shapes)
    except ShapeError:
        raise ShapeError(
            f"Incompatible shapes for broadcasting: index arrays have shapes {list(shapes)}:\n"
            f"{marked(shapes)}"
        ) from None

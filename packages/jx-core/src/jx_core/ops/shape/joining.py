"""Several arrays made one, one made several, and one put in a frame: concatenate to pad."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from ...aval import ShapedArray, as_dimension, typeof
from ...clashes import marked
from ...errors import ShapeError
from ...primitive import Primitive
from ..axes import canonical_axis, check_axis, check_sizes, integers, least
from ..kit import check_same_dtype, scalar_like
from .broadcasting import expand_dims
from .rearranging import squeeze

__all__ = [
    "concatenate",
    "concatenate_p",
    "pad",
    "pad_p",
    "split",
    "split_p",
    "stack",
    "stack_p",
    "unstack",
    "unstack_p",
]

PaddingConfig = tuple[tuple[int, int, int], ...]


def _shapes(avals: Sequence[ShapedArray]) -> str:
    return ", ".join(str(a.shape) for a in avals)


def _concatenate_type(*operands: ShapedArray, dimension: int) -> ShapedArray:
    first = operands[0]
    check_same_dtype("concatenate", operands)
    if any(a.ndim != first.ndim for a in operands):
        raise ShapeError(
            f"concatenate: operands must have equally many axes, got shapes {_shapes(operands)}; "
            f"lax.expand_dims or lax.reshape adds axes"
        )
    check_axis("concatenate", dimension, first.shape, "dimension")
    rests = {a.shape[:dimension] + a.shape[dimension + 1 :] for a in operands}
    if len(rests) > 1:
        raise ShapeError(
            f"concatenate: shapes may differ along dimension {dimension} only, got "
            f"{_shapes(operands)}:\n{marked([a.shape for a in operands], (dimension,))}"
        )
    sizes = list(first.shape)
    sizes[dimension] = sum([a.shape[dimension] for a in operands])
    return ShapedArray(tuple(sizes), first.dtype, all(a.weak_type for a in operands))


def _concatenate(*xs: np.ndarray, dimension: int) -> np.ndarray:
    return np.concatenate(xs, dimension)


# Params: dimension, the axis along which the operands lie one after another.
concatenate_p = Primitive("concatenate", abstract=_concatenate_type, reference=_concatenate)


def concatenate(operands: Any, dimension: int) -> Any:
    """Arrays laid one after another along an axis they have.

    Args:
        operands: a non-empty sequence of arrays of one dtype, whose shapes are equal but
            for their lengths along `dimension`.
        dimension: that axis, non-negative.

    Raises:
        ShapeError: shapes don't fit, or the axis is out of range.
        TypeError: dtypes differ.
        ValueError: there are no operands.

    >>> concatenate([np.array([1, 2]), np.array([3])], 0)
    Array([1, 2, 3], dtype=int32)
    """
    operands = tuple(operands)
    if not operands:
        raise ValueError("concatenate: operands must be a non-empty sequence of arrays, got ()")
    if len(operands) == 1 and hasattr(operands[0], "aval"):
        check_axis("concatenate", index(dimension), operands[0].aval.shape, "dimension")
        return operands[0]
    return concatenate_p.bind(*operands, dimension=index(dimension))


def _stack_type(*operands: ShapedArray, axis: int) -> ShapedArray:
    first = operands[0]
    check_same_dtype("stack", operands)
    if any(a.shape != first.shape for a in operands):
        raise ShapeError(f"stack: operands must have equal shapes, got {_shapes(operands)}")
    shape = first.shape
    new = (*shape[:axis], len(operands), *shape[axis:])
    check_axis("stack", axis, new)
    return ShapedArray(new, first.dtype, all(a.weak_type for a in operands))


def _stack(*xs: np.ndarray, axis: int) -> np.ndarray:
    return np.stack(xs, axis)


def _stack_of_others(*operands: Any, axis: int) -> Any:
    return concatenate([expand_dims(x, (axis,)) for x in operands], axis)


# Params: axis, the new one in the result.
stack_p = Primitive("stack", abstract=_stack_type, reference=_stack, decompose=_stack_of_others)


def stack(operands: Any, axis: int = 0) -> Any:
    """Arrays of one shape laid one after another along a new axis.

    Args:
        operands: a non-empty sequence of arrays of one shape and dtype.
        axis: where the new axis is in the result; negative ones count from its end.

    Raises:
        ShapeError: shapes differ, or the axis is out of range.
        TypeError: dtypes differ.
        ValueError: there are no operands.

    >>> stack([np.zeros(3), np.ones(3)], axis=1).shape
    (3, 2)
    """
    operands = tuple(operands)
    if not operands:
        raise ValueError("stack: operands must be a non-empty sequence of arrays, got ()")
    axis = canonical_axis("stack", axis, typeof(operands[0]).ndim + 1)
    return stack_p.bind(*operands, axis=axis)


def _unstack_type(x: ShapedArray, *, axis: int) -> list[ShapedArray]:
    check_axis("unstack", axis, x.shape)
    part = ShapedArray(x.shape[:axis] + x.shape[axis + 1 :], x.dtype, x.weak_type)
    return [part] * x.shape[axis]


def _unstack(x: np.ndarray, *, axis: int) -> list[np.ndarray]:
    return list(np.moveaxis(x, axis, 0))


def _unstack_of_others(x: Any, *, axis: int) -> list[Any]:
    parts = split(x, (1,) * typeof(x).shape[axis], axis)
    return [squeeze(part, (axis,)) for part in parts]


# Params: axis, the one that is taken apart.
unstack_p = Primitive(
    "unstack",
    abstract=_unstack_type,
    reference=_unstack,
    decompose=_unstack_of_others,
    multiple_results=True,
)


def unstack(x: Any, axis: int = 0) -> tuple[Any, ...]:
    """The arrays that lie one after another along an axis, without that axis.

    Args:
        x: an array of any dtype.
        axis: the axis to take apart; negative ones count from the end.

    Raises:
        ShapeError: the axis is out of range.

    >>> [part.shape for part in unstack(np.zeros((2, 3)))]
    [(3,), (3,)]
    """
    return tuple(unstack_p.bind(x, axis=canonical_axis("unstack", axis, typeof(x).ndim)))


def _split_type(operand: ShapedArray, *, sizes: tuple[int, ...], axis: int) -> list[ShapedArray]:
    shape = operand.shape
    check_axis("split", axis, shape)
    check_sizes("split", sizes, "sizes")
    if sum(sizes) != shape[axis]:
        raise ShapeError(
            f"split: sizes must add up to the operand's length {shape[axis]} along axis {axis}, "
            f"got sizes {sizes} (sum {sum(sizes)}) for shape {shape}"
        )
    return [
        ShapedArray((*shape[:axis], n, *shape[axis + 1 :]), operand.dtype, operand.weak_type)
        for n in sizes
    ]


def _split(x: np.ndarray, *, sizes: tuple[int, ...], axis: int) -> list[np.ndarray]:
    ends = np.cumsum(sizes, dtype=np.int64)
    return np.split(x, ends[:-1], axis)[: len(sizes)]


# Params: sizes, the lengths of the parts; axis.
split_p = Primitive("split", abstract=_split_type, reference=_split, multiple_results=True)


def split(operand: Any, sizes: Sequence[int], axis: int = 0) -> list[Any]:
    """The operand cut into parts along an axis.

    Args:
        operand: an array of any dtype.
        sizes: the lengths of the parts; they add up to the operand's.
        axis: the axis to cut along; negative ones count from the end.

    Returns:
        A list with an array for each of `sizes`.

    Raises:
        ShapeError: the axis is out of range, or the sizes don't add up.

    >>> [part.shape for part in split(np.zeros((5, 2)), (1, 4))]
    [(1, 2), (4, 2)]
    """
    axis = canonical_axis("split", axis, typeof(operand).ndim)
    return split_p.bind(  # type: ignore[no-any-return]
        operand, sizes=integers("split", sizes, "sizes"), axis=axis
    )


def _pad_type(
    operand: ShapedArray, padding_value: ShapedArray, *, padding_config: PaddingConfig
) -> ShapedArray:
    shape = operand.shape
    if operand.dtype != padding_value.dtype:
        raise TypeError(
            f"pad: operand and padding_value must have one dtype, got {operand.dtype.name} and "
            f"{padding_value.dtype.name}; lax.convert_element_type converts"
        )
    if padding_value.shape:
        raise ShapeError(f"pad: padding_value must be a scalar, got shape {padding_value.shape}")
    if len(padding_config) != len(shape):
        raise ShapeError(
            f"pad: padding_config must have one (low, high, interior) triple for each of the "
            f"operand's {len(shape)} axes, got {padding_config} for shape {shape}"
        )
    if any(interior < 0 for _, _, interior in padding_config):
        raise ShapeError(
            f"pad: interior padding must be non-negative, got padding_config {padding_config}"
        )
    sizes = [
        n + low + high + (max(n - 1, 0) * interior if interior else 0)
        for n, (low, high, interior) in zip(shape, padding_config, strict=True)
    ]
    if sizes and least(sizes) < 0:
        raise ShapeError(
            f"pad: negative padding takes away more than there is: padding_config "
            f"{padding_config} would make shape {shape} {tuple(sizes)}"
        )
    return ShapedArray(tuple(sizes), operand.dtype, operand.weak_type and padding_value.weak_type)


def _pad(x: np.ndarray, value: np.ndarray, *, padding_config: PaddingConfig) -> np.ndarray:
    spread = [n + max(n - 1, 0) * c for n, (_, _, c) in zip(x.shape, padding_config, strict=True)]
    lows = [max(low, 0) for low, _, _ in padding_config]
    highs = [max(high, 0) for _, high, _ in padding_config]
    frame = np.empty(np.add(spread, np.add(lows, highs)).astype(int), x.dtype)
    frame[...] = value
    places = zip(lows, spread, padding_config, strict=True)
    frame[tuple([slice(low, low + n, c + 1) for low, n, (_, _, c) in places])] = x
    # Negative padding cuts off the ends of what positive padding has made.
    cuts = zip(frame.shape, padding_config, strict=True)
    return frame[tuple([slice(max(-lo, 0), n - max(-hi, 0)) for n, (lo, hi, _) in cuts])]


# Params: padding_config, (low, high, interior) for each axis.
pad_p = Primitive("pad", abstract=_pad_type, reference=_pad)


def pad(operand: Any, padding_value: Any, padding_config: Sequence[tuple[int, int, int]]) -> Any:
    """The operand framed and spread out with copies of a value.

    Args:
        operand: an array of any dtype.
        padding_value: a scalar of its dtype; a Python number adopts it.
        padding_config: for each axis a triple (low, high, interior): how many copies to put
            before it, after it, and between each two neighbours. Negative `low` and `high`
            take elements away.

    Raises:
        ShapeError: not one triple an axis, a negative interior, or less than nothing left.
        TypeError: dtypes differ.

    >>> pad(np.array([1, 2, 3]), 0, [(2, -1, 1)])
    Array([0, 0, 1, 0, 2, 0], dtype=int32)
    """
    try:
        low_high_interior = [
            (as_dimension(a), as_dimension(b), index(c)) for a, b, c in padding_config
        ]
    except (TypeError, ValueError):
        raise TypeError(
            f"pad: padding_config must hold a triple (low, high, interior) of integers for each "
            f"axis, got {padding_config!r:.200}"
        ) from None
    if type(padding_value) in (bool, int, float, complex):  # NumPy scalars have dtypes of their own
        padding_value = scalar_like(padding_value, typeof(operand).dtype, "pad")
    return pad_p.bind(operand, padding_value, padding_config=tuple(low_high_interior))

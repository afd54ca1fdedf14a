"""Sorting along an axis by one or several keys."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...primitive import Primitive
from ..axes import canonical_axis, check_axis
from ..kit import any_dtype, check_kind

__all__ = ["sort", "sort_key_val", "sort_p"]


def _sort_type(
    *operands: ShapedArray, dimension: int, is_stable: bool, num_keys: int
) -> list[ShapedArray]:
    shape = operands[0].shape
    if any(a.shape != shape for a in operands):
        shapes = ", ".join(str(a.shape) for a in operands)
        raise ShapeError(f"sort: operands must have equal shapes, got {shapes}")
    check_axis("sort", dimension, shape, "dimension")
    if not 1 <= num_keys <= len(operands):
        raise ValueError(
            f"sort: num_keys must be between 1 and the number of operands {len(operands)}, "
            f"got {num_keys}"
        )
    for a in operands[:num_keys]:
        check_kind("sort (as a key)", a, any_dtype)
    return list(operands)


def _sort(*xs: np.ndarray, dimension: int, is_stable: bool, num_keys: int) -> list[np.ndarray]:
    keys = [part for x in xs[:num_keys] for part in _comparable(x)]
    if len(xs) == len(keys) == 1 and keys[0] is xs[0]:
        return [np.sort(xs[0], dimension, kind="stable")]
    order = np.lexsort(keys[::-1], dimension)  # its last key counts first
    return [np.take_along_axis(x, order, dimension) for x in xs]


def _comparable(x: np.ndarray) -> list[np.ndarray]:
    """Arrays of NumPy's own dtypes that sort as `x` does, the most significant first."""
    if dtypes.issubdtype(x.dtype, np.complexfloating):
        return [x.real, x.imag]
    if dtypes.issubdtype(x.dtype, np.floating) and x.dtype.itemsize < 4:
        return [x.astype(np.float32)]
    return [x.astype(np.int32)] if x.dtype.kind == "V" else [x]


# Params: dimension, the axis; is_stable, whether equal keys keep their order; num_keys, how
# many of the operands are keys, the first of them the most significant.
sort_p = Primitive("sort", abstract=_sort_type, reference=_sort, multiple_results=True)


def sort(operand: Any, dimension: int = -1, is_stable: bool = True, num_keys: int = 1) -> Any:
    """Arrays in ascending order of their elements along an axis.

    Floats are in the order of their values, with -0 equal to 0 and NaNs equal to each other
    and greater than all else; complex numbers are ordered by real part, then by imaginary
    part.

    Args:
        operand: an array, or a sequence of arrays of one shape that are rearranged alike.
        dimension: the axis to sort along; negative ones count from the end.
        is_stable: whether equal elements keep their order.
        num_keys: how many of the operands decide the order, the first of them the most.

    Returns:
        The sorted array, or a tuple of as many as there were.

    Raises:
        ShapeError: shapes differ, or the axis is out of range.
        TypeError: a key's dtype has no order, or there are no operands.
        ValueError: `num_keys` is not between 1 and the number of operands.

    >>> sort((np.array([2, 1, 2]), np.array([7, 8, 9])))
    (Array([1, 2, 2], dtype=int32), Array([8, 7, 9], dtype=int32))
    """
    operands = tuple(operand) if isinstance(operand, Sequence) else (operand,)
    if not operands:
        raise TypeError("sort: operand must be an array or a non-empty sequence, got none")
    axis = canonical_axis("sort", dimension, typeof(operands[0]).ndim, "dimension")
    results = sort_p.bind(
        *operands, dimension=axis, is_stable=bool(is_stable), num_keys=index(num_keys)
    )
    return tuple(results) if isinstance(operand, Sequence) else results[0]


def sort_key_val(
    keys: Any, values: Any, dimension: int = -1, is_stable: bool = True
) -> tuple[Any, Any]:
    """Keys in ascending order along an axis, and values rearranged with them.

    Args:
        keys: an array whose elements have an order.
        values: an array of the same shape, of any dtype.
        dimension: the axis to sort along; negative ones count from the end.
        is_stable: whether values with equal keys keep their order.

    Raises:
        ShapeError: shapes differ, or the axis is out of range.

    >>> sort_key_val(np.array([3, 1]), np.array([0.5, 1.5]))
    (Array([1, 3], dtype=int32), Array([1.5, 0.5], dtype=float32))
    """
    sorted_keys, sorted_values = sort((keys, values), dimension=dimension, is_stable=is_stable)
    return sorted_keys, sorted_values

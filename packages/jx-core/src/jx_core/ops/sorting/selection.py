"""Single elements of the sorted order, where not all of it is wanted.

A back end may count instead of sorting, in time proportional to the number of elements.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...primitive import Primitive
from ..elementwise.arithmetic import add
from ..elementwise.arithmetic import min as least_of
from ..indexing import GatherDimensionNumbers, GatherScatterMode, gather
from ..kit import check_kind, orderable
from ..shape import expand_dims
from .order import sort

__all__ = ["order_statistics", "order_statistics_p"]


def _statistics_type(operand: ShapedArray, place: ShapedArray) -> list[ShapedArray]:
    check_kind("order_statistics", operand, orderable)
    if not operand.shape or not operand.shape[-1]:
        raise ShapeError(
            f"order_statistics: operand must have a last axis that is not empty, got shape "
            f"{operand.shape}"
        )
    if place.shape != operand.shape[:-1]:
        raise ShapeError(
            f"order_statistics: place must have the shape {operand.shape[:-1]} of the rows of an "
            f"operand of shape {operand.shape}, got {place.shape}"
        )
    if place.dtype != np.int32:
        raise TypeError(f"order_statistics: place must be int32, got {place.dtype.name}")
    result = ShapedArray(place.shape, operand.dtype, operand.weak_type)
    return [result, result]


def by_sorting(operand: Any, place: Any) -> list[Any]:
    """Sort the rows and look at both places."""
    *rows, n = typeof(operand).shape
    last = len(rows)
    ordered = sort(operand, last)
    numbers = GatherDimensionNumbers(
        offset_dims=(),
        collapsed_slice_dims=(last,),
        start_index_map=(last,),
        operand_batching_dims=tuple(range(last)),
        start_indices_batching_dims=tuple(range(last)),
    )
    after = least_of(add(place, np.int32(1)), np.int32(n - 1))
    return [
        gather(
            ordered,
            expand_dims(at, (last,)),
            numbers,
            (1,) * (last + 1),
            mode=GatherScatterMode.PROMISE_IN_BOUNDS,
        )
        for at in (place, after)
    ]


# No params: rows of elements, and the place asked for in each.
order_statistics_p = Primitive(
    "order_statistics", abstract=_statistics_type, decompose=by_sorting, multiple_results=True
)


def order_statistics(operand: Any, place: Any) -> list[Any]:
    """An element of the sorted order of each row, and the one after it.

    The order is that of `sort`: -0 is equal to 0, and a NaN is greater than all else.

    Args:
        operand: rows of booleans, integers or floats, of shape (..., n), with n > 0.
        place: int32 places from 0 to n - 1, of shape (...).

    Returns:
        A list of two arrays of the shape of `place`: the elements at it, and those at the
        next place; the greatest ones where there is no next.

    Raises:
        ShapeError: the operand has no row that is not empty, or the shapes don't fit.
        TypeError: the dtype has no order, or `place` is not int32.

    >>> order_statistics(np.array([5, 9, 7]), np.int32(1))
    [Array(7, dtype=int32), Array(9, dtype=int32)]
    """
    return order_statistics_p.bind(operand, place)  # type: ignore[no-any-return]

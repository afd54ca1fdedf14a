"""Python's slices of axes of symbolic length."""

from __future__ import annotations

import operator
from typing import Any

from .expressions import DimExpr, DimSize, add, floordiv, maximum, minimum, subtract


def slice_indices(index: slice, size: DimSize) -> tuple[Any, Any, int, Any]:
    """As `index.indices(size)`, where sizes and bounds may be symbolic.

    Args:
        index: a slice whose step is an integer.
        size: the axis' length.

    Returns:
        Start, stop and step, and how many places that takes.

    Raises:
        InconclusiveDimensionOperation: whether a bound counts from the end can't be decided.
        TypeError: a bound is neither None, an integer nor a dimension.

    >>> from jx_core.symbolic import symbolic_shape
    >>> (b,) = symbolic_shape("b")
    >>> slice_indices(slice(1, None), b)
    (1, b, 1, b - 1)
    """
    if not any(isinstance(x, DimExpr) for x in (size, index.start, index.stop)):
        start, stop, step = index.indices(operator.index(size))  # type: ignore[arg-type]
        return start, stop, step, len(range(start, stop, step))
    step = slice(None, None, index.step).indices(1)[2]
    first, last = (0, size) if step > 0 else (subtract(size, 1), -1)
    low, high = (0, size) if step > 0 else (-1, subtract(size, 1))
    begin = first if index.start is None else _bound(index.start, size, low, high)
    end = last if index.stop is None else _bound(index.stop, size, low, high)
    distance = subtract(end, begin) if step > 0 else subtract(begin, end)
    count = floordiv(add(distance, abs(step) - 1), abs(step))
    return begin, end, step, maximum(count, 0)


def _bound(bound: Any, size: DimSize, low: DimSize, high: DimSize) -> Any:
    if not isinstance(bound, DimExpr):
        bound = operator.index(bound)
    if bound < 0:
        return maximum(add(bound, size), low)
    return minimum(bound, high)

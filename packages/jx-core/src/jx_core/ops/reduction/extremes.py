"""Where the greatest and the least elements are."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray
from ...errors import ShapeError
from ...primitive import Primitive
from ..axes import check_axes
from ..kit import check_kind, orderable
from .monoids import reduced, wide

__all__ = ["argmax", "argmax_p", "argmin", "argmin_p"]


def _position(name: str, find: Callable[..., Any]) -> Primitive:
    """The primitive that finds an index along one axis by `find(x, axis)`."""

    def abstract(operand: ShapedArray, *, axes: tuple[int, ...], index_dtype: Any) -> ShapedArray:
        check_kind(name, operand, orderable)
        check_axes(name, axes, operand.shape)
        if len(axes) != 1:
            raise ShapeError(f"{name}: axes must hold one axis, got {axes}")
        if operand.shape[axes[0]] == 0:
            raise ShapeError(
                f"{name}: the axis must not be empty, got axis {axes[0]} for an operand of shape "
                f"{operand.shape}"
            )
        if not dtypes.issubdtype(index_dtype, np.integer):
            raise TypeError(f"{name}: index_dtype must be an integer dtype, got {index_dtype}")
        return ShapedArray(reduced(operand, axes), index_dtype)

    def reference(x: np.ndarray, *, axes: tuple[int, ...], index_dtype: Any) -> np.ndarray:
        return np.asarray(find(wide(x), axes[0])).astype(index_dtype)

    # Params: axes, a tuple of one axis; index_dtype.
    return Primitive(name, abstract=abstract, reference=reference)


argmax_p = _position("argmax", np.argmax)
argmin_p = _position("argmin", np.argmin)


def argmax(operand: Any, axis: int, index_dtype: Any) -> Any:
    """The index of the greatest element along an axis: of the first, where it is repeated.

    Args:
        operand: an array of booleans, integers or floats. NaN is greater than all else.
        axis: the axis, non-negative and not empty.
        index_dtype: the integer dtype of the result.

    Raises:
        ShapeError: the axis is out of range or empty.
        TypeError: the operand is complex, or `index_dtype` is no integer dtype.

    >>> argmax(np.array([1.0, 3.0, 3.0]), 0, np.int32)
    Array(1, dtype=int32)
    """
    dtype = dtypes.requested_dtype(index_dtype, "argmax")
    return argmax_p.bind(operand, axes=(index(axis),), index_dtype=dtype)


def argmin(operand: Any, axis: int, index_dtype: Any) -> Any:
    """The index of the least element along an axis: of the first, where it is repeated.

    Args:
        operand: an array of booleans, integers or floats. NaN is less than all else.
        axis: the axis, non-negative and not empty.
        index_dtype: the integer dtype of the result.

    Raises:
        ShapeError: the axis is out of range or empty.
        TypeError: the operand is complex, or `index_dtype` is no integer dtype.

    >>> argmin(np.array([2.0, 1.0, 1.0]), 0, np.int32)
    Array(1, dtype=int32)
    """
    dtype = dtypes.requested_dtype(index_dtype, "argmin")
    return argmin_p.bind(operand, axes=(index(axis),), index_dtype=dtype)

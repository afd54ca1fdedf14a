"""Running totals: each element combined with all before it (or, in reverse, after it)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import numpy as np

from ...aval import ShapedArray
from ...primitive import Primitive
from ..axes import check_axis
from ..kit import check_kind, inexact, number
from .monoids import wide

__all__ = [
    "cumlogsumexp",
    "cumlogsumexp_p",
    "cummax",
    "cummax_p",
    "cummin",
    "cummin_p",
    "cumprod",
    "cumprod_p",
    "cumsum",
    "cumsum_p",
]


def _cumulative(
    name: str, kinds: Sequence[str], accumulate: Callable[[np.ndarray, int], np.ndarray]
) -> Primitive:
    """The primitive of a running total, forward along an axis or in reverse."""

    def abstract(operand: ShapedArray, *, axis: int, reverse: bool) -> ShapedArray:
        check_kind(name, operand, kinds)
        check_axis(name, axis, operand.shape)
        return operand

    def reference(x: np.ndarray, *, axis: int, reverse: bool) -> np.ndarray:
        values = np.flip(wide(x), axis) if reverse else wide(x)
        result = accumulate(values, axis)
        return (np.flip(result, axis) if reverse else result).astype(x.dtype)

    # Params: axis; reverse, whether to start from the end.
    return Primitive(name, abstract=abstract, reference=reference)


def _with(ufunc: np.ufunc) -> Callable[[np.ndarray, int], np.ndarray]:
    return lambda x, axis: ufunc.accumulate(x, axis, dtype=x.dtype)


def _logsumexp(x: np.ndarray, axis: int) -> np.ndarray:
    """log(sum(exp(x[:k+1]))) for each k, with the greatest element so far factored out."""
    result = np.empty_like(x)
    rows, out = np.moveaxis(x, axis, 0), np.moveaxis(result, axis, 0)
    greatest = np.full(rows.shape[1:], -np.inf, rows.real.dtype)
    total = np.zeros(rows.shape[1:], x.dtype)  # of exp(x - scale)
    scale = np.zeros_like(greatest)
    for k, row in enumerate(rows):
        greatest = np.maximum(greatest, row.real)
        new = np.where(np.isfinite(greatest), greatest, 0)  # an infinity can't be factored out
        total = total * np.exp(scale - new) + np.exp(row - new)
        scale = new
        out[k] = scale + np.log(total)
    return result


cumsum_p = _cumulative("cumsum", number, _with(np.add))
cumprod_p = _cumulative("cumprod", number, _with(np.multiply))
cummax_p = _cumulative("cummax", number, _with(np.maximum))
cummin_p = _cumulative("cummin", number, _with(np.minimum))
cumlogsumexp_p = _cumulative("cumlogsumexp", inexact, _logsumexp)


def cumsum(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
    """The sums of the elements up to and with each one, along an axis.

    Args:
        operand: an array of numbers; integers wrap around.
        axis: the axis, non-negative.
        reverse: sum from the end instead.

    Returns:
        An array of the operand's shape and dtype.

    Raises:
        ShapeError: the axis is out of range.
        TypeError: the operand is boolean.

    >>> cumsum(np.array([1, 2, 3]))
    Array([1, 3, 6], dtype=int32)
    """
    return cumsum_p.bind(operand, axis=index(axis), reverse=bool(reverse))


def cumprod(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
    """The products of the elements up to and with each one, along an axis.

    Args:
        operand: an array of numbers; integers wrap around.
        axis: the axis, non-negative.
        reverse: multiply from the end instead.

    Raises:
        ShapeError: the axis is out of range.
        TypeError: the operand is boolean.

    >>> cumprod(np.array([1, 2, 3]), reverse=True)
    Array([6, 6, 3], dtype=int32)
    """
    return cumprod_p.bind(operand, axis=index(axis), reverse=bool(reverse))


def cummax(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
    """The greatest of the elements up to and with each one, along an axis.

    Args:
        operand: an array of numbers; from a NaN on, all are NaN.
        axis: the axis, non-negative.
        reverse: look from the end instead.

    Raises:
        ShapeError: the axis is out of range.
        TypeError: the operand is boolean.

    >>> cummax(np.array([1, 3, 2]))
    Array([1, 3, 3], dtype=int32)
    """
    return cummax_p.bind(operand, axis=index(axis), reverse=bool(reverse))


def cummin(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
    """The least of the elements up to and with each one, along an axis.

    Args:
        operand: an array of numbers; from a NaN on, all are NaN.
        axis: the axis, non-negative.
        reverse: look from the end instead.

    Raises:
        ShapeError: the axis is out of range.
        TypeError: the operand is boolean.

    >>> cummin(np.array([3, 1, 2]), reverse=True)
    Array([1, 1, 2], dtype=int32)
    """
    return cummin_p.bind(operand, axis=index(axis), reverse=bool(reverse))


def cumlogsumexp(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
    """log(sum(exp(...))) of the elements up to and with each one, without overflow.

    Args:
        operand: an array of floating or complex numbers.
        axis: the axis, non-negative.
        reverse: sum from the end instead.

    Raises:
        ShapeError: the axis is out of range.
        TypeError: the operand is boolean or integer.

    >>> cumlogsumexp(np.array([1000.0, 1000.0], np.float32))
    Array([1000.    , 1000.6932], dtype=float32)
    """
    return cumlogsumexp_p.bind(operand, axis=index(axis), reverse=bool(reverse))

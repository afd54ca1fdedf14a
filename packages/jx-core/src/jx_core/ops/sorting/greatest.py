"""The k greatest elements along an axis; and about the k greatest or least, where that is faster.

The approximation is of Chern, Hechtman, Davis, Guo, Majnemer and Kumar, "TPU-KNN: K nearest
neighbor search at peak FLOP/s" (2022): elements are dealt into bins, of which only the best of
each is kept, so many of them that the recall is as high as wanted. Only TPUs gain by that;
everywhere else the result is exact.
"""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray, as_dimension, typeof
from ...errors import ShapeError
from ...primitive import Primitive
from ..axes import canonical_axis, check_axis
from ..elementwise.arithmetic import neg
from ..elementwise.comparison import ne, select
from ..kit import check_kind, floating, orderable
from ..shape import full

__all__ = ["approx_max_k", "approx_min_k", "approx_top_k_p", "top_k", "top_k_p"]


def _top_k_type(operand: ShapedArray, *, k: int, axis: int) -> list[ShapedArray]:
    shape = operand.shape
    check_kind("top_k", operand, orderable)
    check_axis("top_k", axis, shape)
    if not 0 <= k <= shape[axis]:
        raise ShapeError(
            f"top_k: k must be between 0 and the length {shape[axis]} of axis {axis}, got {k} for "
            f"an operand of shape {shape}"
        )
    new = (*shape[:axis], k, *shape[axis + 1 :])
    return [ShapedArray(new, operand.dtype, operand.weak_type), ShapedArray(new, np.int32)]


def _top_k(x: np.ndarray, *, k: int, axis: int) -> list[np.ndarray]:
    descending = ~_total_order(x)  # the complement turns the order around, without overflow
    order = np.argsort(descending, axis, kind="stable")
    first = np.take(order, np.arange(k), axis)
    return [np.take_along_axis(x, first, axis), first.astype(np.int32)]


def _total_order(x: np.ndarray) -> np.ndarray:
    """Integers in the total order of IEEE 754: -NaN, -inf, ..., -0, 0, ..., inf, NaN."""
    if not dtypes.issubdtype(x.dtype, np.floating):
        return x.astype(np.int32) if x.dtype.kind == "V" else x
    if x.dtype.itemsize < 4:
        x = x.astype(np.float32)
    bits = x.view(np.dtype(f"i{x.dtype.itemsize}"))
    # A negative float's magnitude bits count downwards.
    return np.where(bits < 0, bits ^ np.iinfo(bits.dtype).max, bits)


# Params: k, how many; axis.
top_k_p = Primitive("top_k", abstract=_top_k_type, reference=_top_k, multiple_results=True)


def top_k(operand: Any, k: int, *, axis: int = -1) -> list[Any]:
    """The `k` greatest elements along an axis, in descending order, and their indices.

    Of equal elements the first comes first. Floats are in IEEE 754's total order: a NaN
    is greater than all else, -0 less than 0.

    Args:
        operand: an array of booleans, integers or floats.
        k: how many elements, at most the axis's length.
        axis: the axis; negative ones count from the end.

    Returns:
        A list of two arrays in which `axis` has length `k`: elements, and int32 indices.

    Raises:
        ShapeError: `k` or the axis is out of range.
        TypeError: the dtype has no order.

    >>> top_k(np.array([5, 9, 7]), 2)
    [Array([9, 7], dtype=int32), Array([1, 2], dtype=int32)]
    """
    axis = canonical_axis("top_k", axis, typeof(operand).ndim)
    return top_k_p.bind(operand, k=as_dimension(k), axis=axis)  # type: ignore[no-any-return]


# --- approximately ---


def _approximate_size(
    size: int, rank: int, k: int, recall: float, override: int, aggregate: bool
) -> int:
    """How many elements are left of `size`, as XLA has it for its TPU instruction.

    One of each bin; there are (1 - k) / log(recall) bins at least, and as many times fewer than
    elements as a power of two says. The bins fill whole tiles of the chip's registers.
    """
    tile = 1024 if rank == 1 else 128
    if aggregate:
        return k
    if size <= tile or recall == 1:
        return size
    if k == 1:
        return tile
    bins = max(int((1 - k) / math.log(recall)), tile)
    halvings = (max(override, size) // bins).bit_length() - 1
    if halvings <= 0:
        return size
    halvings = min(halvings, (size // tile - 1).bit_length())
    tiles = -(-size // tile)
    return int(-(-tiles // 2**halvings) * tile)


def _approx_type(
    operand: ShapedArray,
    *,
    k: int,
    reduction_dimension: int,
    recall_target: float,
    is_max_k: bool,
    reduction_input_size_override: int,
    aggregate_to_topk: bool,
) -> list[ShapedArray]:
    name, shape = "approx_max_k" if is_max_k else "approx_min_k", operand.shape
    check_kind(name, operand, floating)
    check_axis(name, reduction_dimension, shape, "reduction_dimension")
    size = shape[reduction_dimension]
    if not 1 <= k <= size:
        raise ShapeError(
            f"{name}: k must be between 1 and the length {size} of axis {reduction_dimension}, "
            f"got {k} for an operand of shape {shape}"
        )
    if not 0 < recall_target <= 1:
        raise ValueError(f"{name}: recall_target must be in (0, 1], got {recall_target}")
    if 0 <= reduction_input_size_override < size:
        raise ValueError(
            f"{name}: reduction_input_size_override must be at least the length {size} of axis "
            f"{reduction_dimension}, or negative for that length, got "
            f"{reduction_input_size_override}"
        )
    kept = _approximate_size(
        size, len(shape), k, recall_target, reduction_input_size_override, aggregate_to_topk
    )
    new = (*shape[:reduction_dimension], kept, *shape[reduction_dimension + 1 :])
    return [ShapedArray(new, operand.dtype, operand.weak_type), ShapedArray(new, np.int32)]


def _approx_by_top_k(operand: Any, **params: Any) -> list[Any]:
    """The best elements exactly, NaN counting as greater than all else, whatever its sign."""
    aval, axis = typeof(operand), params["reduction_dimension"]
    values, _ = _approx_type(aval, **params)
    sign = 1.0 if params["is_max_k"] else -1.0
    greatest = np.asarray(np.copysign(np.nan, sign)).astype(aval.dtype)[()]
    keys = operand if params["is_max_k"] else neg(operand)
    keys = select(ne(operand, operand), full(aval.shape, greatest), keys)
    best, order = top_k_p.bind(keys, k=values.shape[axis], axis=axis)
    return [best if params["is_max_k"] else neg(best), order]


# Params: k, how many; reduction_dimension, the axis; recall_target, which share of the k best
# is to be among the results; is_max_k, whether the best are the greatest;
# reduction_input_size_override, the length of an axis of which this one is a part, or -1;
# aggregate_to_topk, whether to pick k of what the bins have left.
approx_top_k_p = Primitive(
    "approx_top_k", abstract=_approx_type, decompose=_approx_by_top_k, multiple_results=True
)


def _approx(
    name: str,
    is_max_k: bool,
    operand: Any,
    k: int,
    reduction_dimension: int,
    recall_target: float,
    reduction_input_size_override: int,
    aggregate_to_topk: bool,
) -> list[Any]:
    axis = canonical_axis(name, reduction_dimension, typeof(operand).ndim, "reduction_dimension")
    return approx_top_k_p.bind(  # type: ignore[no-any-return]
        operand,
        k=index(k),
        reduction_dimension=axis,
        recall_target=float(recall_target),
        is_max_k=is_max_k,
        reduction_input_size_override=index(reduction_input_size_override),
        aggregate_to_topk=bool(aggregate_to_topk),
    )


def approx_max_k(
    operand: Any,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
) -> list[Any]:
    """About the `k` greatest elements along an axis, in descending order, and their indices.

    Exact but on TPUs, where each of the `k` greatest is found with probability `recall_target`.

    Args:
        operand: an array of floats. NaN is greater than all else.
        k: how many elements, from 1 to the axis's length.
        reduction_dimension: the axis; negative ones count from the end.
        recall_target: the expected share of the `k` greatest among the results, in (0, 1].
        reduction_input_size_override: where the operand is one part of a longer axis, that
            one's length, for which the recall is to be kept.
        aggregate_to_topk: whether to give `k` elements. Otherwise all that the bins have left,
            at least `k` of them, for the caller to join with those of other parts.

    Returns:
        A list of two arrays: elements, and int32 indices.

    Raises:
        ShapeError: `k` or the axis is out of range.
        TypeError: the operand is not of floats.
        ValueError: `recall_target` or the override is out of range.

    >>> approx_max_k(np.array([5.0, 9.0, 7.0]), 2)
    [Array([9., 7.], dtype=float32), Array([1, 2], dtype=int32)]
    """
    return _approx(
        "approx_max_k",
        True,
        operand,
        k,
        reduction_dimension,
        recall_target,
        reduction_input_size_override,
        aggregate_to_topk,
    )


def approx_min_k(
    operand: Any,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
) -> list[Any]:
    """About the `k` least elements along an axis, in ascending order, and their indices.

    As `approx_max_k`, which describes the arguments and the errors raised.

    >>> approx_min_k(np.array([5.0, 9.0, 7.0]), 2)
    [Array([5., 7.], dtype=float32), Array([0, 2], dtype=int32)]
    """
    return _approx(
        "approx_min_k",
        False,
        operand,
        k,
        reduction_dimension,
        recall_target,
        reduction_input_size_override,
        aggregate_to_topk,
    )

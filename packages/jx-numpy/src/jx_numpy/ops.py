"""`jx.ops`: reductions of the segments of an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jx_core import dtypes, lax, typeof
from jx_core.errors import ConcretizationTypeError, ShapeError
from jx_core.ops.indexing import GatherScatterMode, ScatterDimensionNumbers
from jx_core.trace import to_concrete

from .indexing.places import mode_of
from .operands import Array, ArrayLike, as_operand, refuse_sharding

__all__ = ["segment_max", "segment_min", "segment_prod", "segment_sum"]


def _least(dtype: Any) -> Any:
    if dtypes.issubdtype(dtype, np.inexact):
        return -np.inf
    return False if dtype == np.bool_ else int(dtypes.iinfo(dtype).min)


def _greatest(dtype: Any) -> Any:
    if dtypes.issubdtype(dtype, np.inexact):
        return np.inf
    return True if dtype == np.bool_ else int(dtypes.iinfo(dtype).max)


def _count(name: str, ids: Any, num_segments: Any) -> int:
    if num_segments is not None:
        count = int(num_segments)
        if count < 0:
            raise ValueError(f"{name}: num_segments must be non-negative, got {count}")
        return count
    known = to_concrete(ids)
    if known is None:
        raise ConcretizationTypeError(
            ids,
            f"{name}: the number of segments decides the result's shape, so it must be known "
            f"while tracing: pass num_segments",
        )
    known = np.asarray(known)
    return int(known.max()) + 1 if known.size else 0


def _segments(
    name: str,
    scatter: Callable[..., Any],
    combine: Callable[[Any, tuple[int, ...]], Any],
    identity: Callable[[Any], Any],
    data: ArrayLike,
    segment_ids: ArrayLike,
    num_segments: int | None,
    indices_are_sorted: bool,
    unique_indices: bool,
    bucket_size: int | None,
    mode: Any,
    out_sharding: Any,
) -> Any:
    refuse_sharding(name, out_sharding)
    data, ids = as_operand(name, data), as_operand(name, segment_ids, 1)
    aval = typeof(data)
    if not dtypes.issubdtype(typeof(ids).dtype, np.integer):
        raise TypeError(f"{name}: segment_ids must be integers, got {typeof(ids).str_short()}")
    if not aval.shape or typeof(ids).shape != aval.shape[:1]:
        raise ShapeError(
            f"{name}: segment_ids must have one entry for each row of data, shape "
            f"{aval.shape[:1]}, got {typeof(ids).shape} for data of shape {aval.shape}"
        )
    mode = mode_of(mode) or GatherScatterMode.FILL_OR_DROP
    count = _count(name, segment_ids, num_segments)
    options = {
        "indices_are_sorted": indices_are_sorted, "unique_indices": unique_indices, "mode": mode
    }  # fmt: skip

    def reduced(data: Any, ids: Any) -> Any:
        start = lax.full((count, *aval.shape[1:]), identity(aval.dtype), aval.dtype)
        dims = ScatterDimensionNumbers(tuple(range(1, aval.ndim)), (0,), (0,))
        return scatter(start, lax.expand_dims(ids, (1,)), data, dims, **options)

    if bucket_size is None:
        return reduced(data, ids)
    rows, buckets = aval.shape[0], max(-(-aval.shape[0] // bucket_size), 1)
    parts = []
    for i in range(buckets):
        stop = min((i + 1) * bucket_size, rows)
        cut = [lax.slice_in_dim(x, i * bucket_size, stop, axis=0) for x in (data, ids)]
        parts.append(lax.expand_dims(reduced(*cut), (0,)))
    return combine(lax.concatenate(parts, 0), (0,))


_DOC = """{summary}

    Args:
        data: an array whose first axis has the values.
        segment_ids: integers, one for each: the segment that it belongs to. Values with an id
            that is negative or not below `num_segments` are dropped.
        num_segments: how many segments there are; by default the greatest id and one, which
            must be known.
        indices_are_sorted: promises that ids ascend.
        unique_indices: promises that ids differ.
        bucket_size: reduce that many values at a time, and then the results: sums then round
            less.
        mode: what becomes of ids out of bounds, as for `x.at[]`.
        out_sharding: must be None.

    Returns:
        An array of shape (num_segments, *data.shape[1:]).

    Raises:
        ValueError: the shapes don't fit.
        TypeError: the ids are no integers.
        ConcretizationTypeError: `num_segments` is not given and the ids are traced.

    >>> import jx
    >>> jx.ops.{name}(np.array([1, 2, 3]), np.array([0, 0, 1])).tolist()
    {example}
    """


def _reduction(
    name: str, scatter: Any, combine: Any, identity: Any, summary: str, example: str
) -> Callable[..., Array]:
    """The public function that reduces segments by one operation."""

    def reduce_segments(
        data: ArrayLike,
        segment_ids: ArrayLike,
        num_segments: int | None = None,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        bucket_size: int | None = None,
        mode: Any = None,
        out_sharding: Any = None,
    ) -> Array:
        return _segments(
            name, scatter, combine, identity, data, segment_ids, num_segments,
            indices_are_sorted, unique_indices, bucket_size, mode, out_sharding,
        )  # fmt: skip

    reduce_segments.__name__ = reduce_segments.__qualname__ = name
    reduce_segments.__doc__ = _DOC.format(name=name, summary=summary, example=example)
    return reduce_segments


segment_sum = _reduction(
    "segment_sum", lax.scatter_add, lax.reduce_sum, lambda _: 0,
    "The sums of the segments of an array; 0 where a segment is empty.", "[3, 3]",
)  # fmt: skip
segment_prod = _reduction(
    "segment_prod", lax.scatter_mul, lax.reduce_prod, lambda _: 1,
    "The products of the segments of an array; 1 where a segment is empty.", "[2, 3]",
)  # fmt: skip
segment_max = _reduction(
    "segment_max", lax.scatter_max, lax.reduce_max, _least,
    "The greatest elements of the segments of an array; the dtype's least value if empty.",
    "[2, 3]",
)  # fmt: skip
segment_min = _reduction(
    "segment_min", lax.scatter_min, lax.reduce_min, _greatest,
    "The least elements of the segments of an array; the dtype's greatest value if empty.",
    "[1, 3]",
)  # fmt: skip

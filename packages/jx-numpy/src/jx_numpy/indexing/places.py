"""The places of a plan as operands of primitives: starts of blocks, vectors of indices.

`block_starts` is for plans that take one block of the operand; `index_vectors` is for all,
in the form that `gather` and `scatter` take.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jx_core import dtypes, lax
from jx_core.aval import typeof
from jx_core.ops.axes import narrow
from jx_core.ops.elementwise import add_p, convert, lt_p, mul_p, select_n_p
from jx_core.ops.indexing import GatherScatterMode
from jx_core.ops.shape import broadcast_in_dim_p, concatenate_p, iota_p
from jx_core.symbolic import DimExpr, maximum

from .plan import ARRAY, BATCH, BLOCK, NEW, POINT, SCALAR, WHOLE, Plan, batch_shape

_INT32 = np.dtype(np.int32)
_INT64 = np.dtype(np.int64)

Shape = tuple[int, ...]


def mode_of(mode: Any) -> GatherScatterMode | None:
    """The mode that a user names; None stays None, which reads and writes take differently.

    Raises:
        ValueError: there is no such mode, or not for indexing.
    """
    if mode is None or type(mode) is GatherScatterMode:
        found = mode
    else:
        try:
            found = GatherScatterMode.from_any(mode)
        except ValueError:
            found = GatherScatterMode.ONE_HOT
    if found is GatherScatterMode.ONE_HOT:
        raise ValueError(
            f"Unknown gather mode {mode!r}: expected None, 'clip', 'fill' (or 'drop'), "
            f"'promise_in_bounds', or a lax.GatherScatterMode of these"
        )
    return found


def index_dtype(operands: Sequence[Any], shape: Shape) -> np.dtype:
    """The dtype that index arithmetic is done in: int32 where everything fits."""
    for operand in operands:
        if type(operand) not in _KNOWN and dtypes.canonicalize_dtype(operand.dtype).itemsize == 8:
            return _INT64
    return _INT32 if narrow(shape) else _INT64


def place_of(operand: Any, size: int, dtype: np.dtype, wrap: bool) -> Any:
    """Places on an axis of length `size`, with negative ones counted from the end.

    Args:
        operand: integers, as a Python int (known, and wrapped before), ndarray or array.
        size: the axis' length.
        dtype: the dtype of the result, int32 or int64.
        wrap: whether to count from the end.
    """
    if type(operand) in _KNOWN:
        return operand
    if type(size) is DimExpr and isinstance(operand, np.ndarray):
        if not (operand < 0).any():
            wrap = False  # what is known of it says that nothing counts from the end
        if not wrap:
            return place_of(operand, 0, dtype, False)
        operand = lax.convert_element_type(operand, dtype)
    if isinstance(operand, np.ndarray):
        bound = np.iinfo(dtype).max
        if operand.dtype == np.uint64:
            operand = np.minimum(operand, np.uint64(bound))
        known = np.clip(operand.astype(np.int64), -bound, bound).astype(dtype)
        return np.where(known < 0, known + dtype.type(size), known) if wrap else known
    own = operand.dtype
    if own != dtype or operand.aval.weak_type:
        if own.name in ("uint32", "uint64"):
            operand = lax.min(operand, own.type(np.iinfo(dtype).max))
        operand = convert(operand, dtype)
    if not wrap or dtypes.issubdtype(own, np.unsignedinteger):
        return operand
    negative = lt_p.bind(operand, _literal(0, dtype))
    return select_n_p.bind(negative, operand, add_p.bind(operand, _literal(size, dtype)))


def _literal(value: Any, dtype: np.dtype) -> Any:
    """A known integer beside arrays of `dtype`: a Python number where that is its dtype."""
    if type(value) is DimExpr:
        return convert(lax.dim_as_value(value), dtype)
    return value if dtype == typeof(0).dtype else dtype.type(value)


_KNOWN = (int, DimExpr)  # the types of places that are known as numbers or as dimensions


# --- one block ---


def takes_one_block(plan: Plan, mode: GatherScatterMode | None) -> bool:
    """Whether the plan's places, under a mode that clips, are the block at `block_starts`."""
    if mode is GatherScatterMode.FILL_OR_DROP:
        return plan.inside and all(a.kind in (WHOLE, BLOCK, POINT) for a in plan.axes)
    return not plan.has_arrays


def block_starts(plan: Plan, operands: Sequence[Any], shape: Shape, wrap: bool) -> list[Any]:
    """The first place on every axis: all Python integers, or all of one integer dtype."""
    dtype = index_dtype(operands, shape)
    rest = iter(operands)
    starts = [
        0 if a.kind == WHOLE else place_of(next(rest), size, dtype, wrap and a.kind == SCALAR)
        for a, size in zip(plan.axes, shape, strict=True)
    ]
    if all(type(s) in _KNOWN for s in starts):
        return starts
    return [_literal(s, dtype) if type(s) in _KNOWN else s for s in starts]


def block_spans(plan: Plan, shape: Shape) -> tuple[int, ...]:
    """How far the block reaches on every axis, the places between its steps included."""
    return tuple(
        size if a.kind == WHOLE
        else a.size if a.kind == BLOCK and a.step == 1
        else maximum((a.size - 1) * a.step + 1, 0) if type(a.size) is DimExpr
        else (a.size - 1) * a.step + 1 if a.kind == BLOCK and a.size
        else 0 if a.kind == BLOCK
        else 1
        for a, size in zip(plan.axes, shape, strict=True)
    )  # fmt: skip


# --- vectors of indices ---


class Places(NamedTuple):
    """The places of a plan, as `gather` and `scatter` take them.

    Attributes:
        vectors: integers of shape (*batch, k).
        axes: the operand's axis for each of the k entries.
        collapsed: the axes along which one place is taken per vector, increasing.
        sizes: the size of a block on every axis of the operand.
        window: the axes of the result (without NEW ones) that run inside of a block.
        shape: the shape of the result (without NEW ones).
        sorted_and_unique: whether the vectors are known to ascend and to differ.
    """

    vectors: Any
    axes: tuple[int, ...]
    collapsed: tuple[int, ...]
    sizes: Shape
    window: tuple[int, ...]
    shape: Shape
    sorted_and_unique: bool


def index_vectors(plan: Plan, operands: Sequence[Any], shape: Shape, wrap: bool) -> Places:
    """The places of a plan as vectors of indices.

    Args:
        plan: what an index means.
        operands: its places.
        shape: the operand's shape, with the plan's `expand` axes.
        wrap: whether negative places that are not known count from the end.
    """
    kinds = [a.kind for a in plan.axes]
    common = batch_shape([np.shape(x) for x in operands if type(x) not in _KNOWN and np.shape(x)])
    batch: list[int] = []
    window: list[int] = []
    result: list[int] = []
    batch_axis: dict[int, int] = {}  # where in the batch a strided axis, or BATCH, begins
    for token in plan.result:
        if token == BATCH:
            batch_axis[BATCH] = len(batch)
            batch += common
            result += common
        elif token != NEW:
            axis = plan.axes[token]
            size = axis.size if axis.kind == BLOCK else shape[token]
            if axis.step > 1:
                batch_axis[token] = len(batch)
                batch.append(size)
            else:
                window.append(len(result))
            result.append(size)
    dtype = index_dtype(operands, shape)
    columns = []
    rest = iter(operands)
    axes = tuple([i for i, kind in enumerate(kinds) if kind != WHOLE])
    for i in axes:
        place = place_of(next(rest), shape[i], dtype, wrap and kinds[i] in (ARRAY, SCALAR))
        if kinds[i] == ARRAY:
            rank = np.ndim(place)
            last = batch_axis[BATCH] + len(common)
            columns.append(_column(place, range(last - rank, last), batch, dtype))
        elif plan.axes[i].step > 1:
            steps = _steps(place, plan.axes[i].size, plan.axes[i].step, dtype)
            columns.append(_column(steps, (batch_axis[i],), batch, dtype))
        else:
            columns.append(_column(place, (), batch, dtype))
    vectors = (
        columns[0] if len(columns) == 1 else concatenate_p.bind(*columns, dimension=len(batch))
    )
    in_window = {i for i, a in enumerate(plan.axes) if a.kind in (WHOLE, BLOCK) and a.step == 1}
    return Places(
        vectors=vectors,
        axes=axes,
        collapsed=tuple([i for i in axes if i not in in_window]),
        sizes=tuple(
            a.size if a.kind == BLOCK and a.step == 1 else size if a.kind == WHOLE else 1
            for a, size in zip(plan.axes, shape, strict=True)
        ),
        window=tuple(window),
        shape=tuple(result),
        sorted_and_unique=not plan.has_arrays,
    )


def _steps(start: Any, size: int, step: int, dtype: np.dtype) -> Any:
    """`start`, `start + step`, ...: `size` of them."""
    count = iota_p.bind(dtype=dtype, shape=(size,), dimension=0)
    start = dtype.type(start) if type(start) is int else convert(_literal(start, dtype), dtype)
    return add_p.bind(mul_p.bind(count, dtype.type(step)), start)


def _column(place: Any, along: Any, batch: Sequence[int], dtype: np.dtype) -> Any:
    """Places as one entry of the index vectors: of shape (*batch, 1)."""
    if type(place) is int:
        place = dtype.type(place)
    elif type(place) is DimExpr:
        place = _literal(place, dtype)
    shape = (*batch, 1)
    return broadcast_in_dim_p.bind(place, shape=shape, broadcast_dimensions=tuple(along))

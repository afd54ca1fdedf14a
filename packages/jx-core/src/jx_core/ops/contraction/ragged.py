"""Products whose rows belong to groups of different sizes: `ragged_dot_general` and its kin.

The sizes of the groups are data, the number of groups is not; a mixture of experts multiplies
the tokens of each expert with that expert's weights in this way. Holds the primitive, which
axes play which part (`ragged_axes`, for the rules of other layers) and the `lax` functions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ... import dtypes
from ...aval import ShapedArray
from ...errors import ShapeError
from ...primitive import Primitive
from ..axes import refuse_sharding
from .dot import (
    DotDimensionNumbers,
    canonical_preferred,
    dot_general_p,
    product_dtype,
    working_dtype,
)
from .precision import CanonicalPrecision, PrecisionLike, canonical_precision

__all__ = ["RaggedDotDimensionNumbers", "ragged_dot", "ragged_dot_general", "ragged_dot_general_p"]

_Axes = tuple[int, ...]


@dataclass(frozen=True)
class RaggedDotDimensionNumbers:
    """Which axes of a ragged product play which part.

    Attributes:
        dot_dimension_numbers: `((lhs_contracting, rhs_contracting), (lhs_batch, rhs_batch))`,
            as for `dot_general`.
        lhs_ragged_dimensions: the one axis of lhs that is divided into groups.
        rhs_group_dimensions: the axis of rhs along which the groups' matrices lie, where the
            ragged axis is neither contracted nor a batch; otherwise none.

    >>> RaggedDotDimensionNumbers((((1,), (1,)), ((), ())), [0], [0]).lhs_ragged_dimensions
    (0,)
    """

    dot_dimension_numbers: DotDimensionNumbers
    lhs_ragged_dimensions: Sequence[int]
    rhs_group_dimensions: Sequence[int]

    def __post_init__(self) -> None:
        numbers = tuple(tuple(map(tuple, pair)) for pair in self.dot_dimension_numbers)
        object.__setattr__(self, "dot_dimension_numbers", numbers)
        object.__setattr__(self, "lhs_ragged_dimensions", tuple(self.lhs_ragged_dimensions))
        object.__setattr__(self, "rhs_group_dimensions", tuple(self.rhs_group_dimensions))


class RaggedAxes(NamedTuple):
    """The axes of a ragged product by the part they play, all in the order of the result's.

    Attributes:
        mode: `"free"`, `"contracting"` or `"batch"`: what the ragged axis is.
        ragged: the ragged axis of lhs.
        lhs_batch, rhs_batch, lhs_contracting, rhs_contracting: as given.
        lhs_free, rhs_free: the other axes; of rhs without that of the groups.
        group: the axis of rhs along which groups lie, or None.
        prefix: the axes of lhs before the ragged one in the order (batch, then free or
            contracting), each element of which may have group sizes of its own.
    """

    mode: str
    ragged: int
    lhs_batch: _Axes
    rhs_batch: _Axes
    lhs_contracting: _Axes
    rhs_contracting: _Axes
    lhs_free: _Axes
    rhs_free: _Axes
    group: int | None
    prefix: _Axes


def ragged_axes(
    numbers: RaggedDotDimensionNumbers, lhs_ndim: int, rhs_ndim: int
) -> RaggedAxes:
    """The axes that `numbers` speak of, by the part they play.

    Raises:
        ShapeError: not one ragged axis, or not the axis of groups that its mode needs.
    """
    contracting, batch = numbers.dot_dimension_numbers
    lhs_contracting, rhs_contracting = map(tuple, contracting)
    lhs_batch, rhs_batch = map(tuple, batch)
    if len(numbers.lhs_ragged_dimensions) != 1:
        raise ShapeError(
            f"ragged_dot_general: lhs must have one ragged dimension, got lhs_ragged_dimensions "
            f"{numbers.lhs_ragged_dimensions}"
        )
    (ragged,) = numbers.lhs_ragged_dimensions
    if not 0 <= ragged < lhs_ndim:
        raise ShapeError(
            f"ragged_dot_general: lhs_ragged_dimensions must lie in [0, {lhs_ndim}), got {ragged}"
        )
    groups = tuple(numbers.rhs_group_dimensions)
    lhs_free = _others(lhs_ndim, lhs_contracting, lhs_batch)
    rhs_free = _others(rhs_ndim, rhs_contracting, rhs_batch, groups)
    if ragged in lhs_batch:
        mode, prefix = "batch", lhs_batch[: lhs_batch.index(ragged)]
    elif ragged in lhs_contracting:
        mode = "contracting"
        prefix = (*lhs_batch, *lhs_contracting[: lhs_contracting.index(ragged)])
    else:
        mode, prefix = "free", (*lhs_batch, *lhs_free[: lhs_free.index(ragged)])
    if len(groups) != (mode == "free"):
        wanted = "one axis" if mode == "free" else "no axis"
        raise ShapeError(
            f"ragged_dot_general: rhs_group_dimensions must name {wanted} where the ragged "
            f"dimension of lhs is a {mode} one, got {groups}"
        )
    group = groups[0] if groups else None
    if group is not None and (
        not 0 <= group < rhs_ndim or group in rhs_batch or group in rhs_contracting
    ):
        raise ShapeError(
            f"ragged_dot_general: the rhs group dimension must lie in [0, {rhs_ndim}) and be "
            f"neither contracting nor batch, got {group}"
        )
    return RaggedAxes(
        mode, ragged, lhs_batch, rhs_batch, lhs_contracting, rhs_contracting,
        lhs_free, rhs_free, group, prefix,
    )  # fmt: skip


def _others(ndim: int, *taken: _Axes) -> _Axes:
    used = {a for axes in taken for a in axes}
    return tuple(a for a in range(ndim) if a not in used)


def _ragged_type(
    lhs: ShapedArray,
    rhs: ShapedArray,
    group_sizes: ShapedArray,
    *,
    ragged_dot_dimension_numbers: RaggedDotDimensionNumbers,
    precision: CanonicalPrecision,
    preferred_element_type: Any,
) -> ShapedArray:
    name = "ragged_dot_general"
    axes = ragged_axes(ragged_dot_dimension_numbers, lhs.ndim, rhs.ndim)
    if not dtypes.issubdtype(group_sizes.dtype, np.integer):
        raise TypeError(f"{name}: group_sizes must be integers, got {group_sizes.dtype.name}")
    if not group_sizes.ndim:
        raise ShapeError(f"{name}: group_sizes must have a last axis of groups, got a scalar")
    count = group_sizes.shape[-1]
    wanted = (*(lhs.shape[a] for a in axes.prefix), count)
    if group_sizes.ndim > 1 and group_sizes.shape != wanted:
        raise ShapeError(
            f"{name}: group_sizes must have shape {(count,)} or {wanted} (the axes outer to the "
            f"ragged one, then the groups), got {group_sizes.shape} for lhs shape {lhs.shape}"
        )
    if axes.group is not None:
        if rhs.shape[axes.group] != count:
            raise ShapeError(
                f"{name}: the group dimension of rhs must have the size of the last axis of "
                f"group_sizes, got {rhs.shape[axes.group]} and {count}"
            )
        rhs = rhs.update(shape=tuple(n for a, n in enumerate(rhs.shape) if a != axes.group))
    numbers = ragged_dot_dimension_numbers.dot_dimension_numbers
    out: ShapedArray = dot_general_p.abstract(
        lhs,
        rhs,
        dimension_numbers=_without(numbers, axes.group),
        precision=precision,
        preferred_element_type=preferred_element_type,
    )
    return out.update(shape=(count, *out.shape)) if axes.mode == "contracting" else out


def _without(numbers: Any, group: int | None) -> Any:
    """The dimension numbers of the product with one group's part of rhs."""
    if group is None:
        return numbers
    (lhs_contracting, rhs_contracting), (lhs_batch, rhs_batch) = numbers

    def closed_up(axes: _Axes) -> _Axes:
        return tuple(a - (a > group) for a in axes)

    return (lhs_contracting, closed_up(rhs_contracting)), (lhs_batch, closed_up(rhs_batch))


# --- the reference meaning ---


def _ragged(
    lhs: np.ndarray,
    rhs: np.ndarray,
    group_sizes: np.ndarray,
    *,
    ragged_dot_dimension_numbers: RaggedDotDimensionNumbers,
    precision: CanonicalPrecision,
    preferred_element_type: Any,
) -> np.ndarray:
    axes = ragged_axes(ragged_dot_dimension_numbers, lhs.ndim, rhs.ndim)
    if axes.mode == "batch":
        out: np.ndarray = dot_general_p.reference(  # type: ignore[misc]
            lhs,
            rhs,
            dimension_numbers=ragged_dot_dimension_numbers.dot_dimension_numbers,
            precision=precision,
            preferred_element_type=preferred_element_type,
        )
        return out
    dtype = preferred_element_type or product_dtype(lhs.dtype, rhs.dtype)
    working = working_dtype(lhs.dtype, rhs.dtype, dtype)
    compute = _free_rows if axes.mode == "free" else _contracted_rows
    return compute(lhs.astype(working), rhs.astype(working), group_sizes, axes).astype(dtype)


def _sizes(x: np.ndarray, axes: _Axes) -> _Axes:
    return tuple(x.shape[a] for a in axes)


def _groups(lhs: np.ndarray, group_sizes: np.ndarray, axes: RaggedAxes) -> Any:
    """For each place in front of the ragged axis and each group: (place, batch, group, slice)."""
    prefix = _sizes(lhs, axes.prefix)
    n_batch = len(axes.lhs_batch)
    each = np.broadcast_to(group_sizes, (*prefix, group_sizes.shape[-1]))
    for place in np.ndindex(*prefix):
        ends = np.cumsum(each[place].astype(np.int64))
        for g, (size, end) in enumerate(zip(each[place], ends, strict=True)):
            yield place, place[:n_batch], g, slice(int(end) - int(size), int(end))


def _free_rows(
    lhs: np.ndarray, rhs: np.ndarray, group_sizes: np.ndarray, axes: RaggedAxes
) -> np.ndarray:
    """Each row times the matrix of its group; zero for the rows of none."""
    assert axes.group is not None
    batch, rows, columns = (
        _sizes(lhs, axes.lhs_batch), _sizes(lhs, axes.lhs_free), _sizes(rhs, axes.rhs_free)
    )  # fmt: skip
    k, n = math.prod(_sizes(lhs, axes.lhs_contracting)), math.prod(columns)
    left = lhs.transpose(*axes.lhs_batch, *axes.lhs_free, *axes.lhs_contracting)
    right = rhs.transpose(axes.group, *axes.rhs_batch, *axes.rhs_contracting, *axes.rhs_free)
    left = left.reshape(*batch, *rows, k)
    right = right.reshape(right.shape[0], *batch, k, n)
    out = np.zeros((*batch, *rows, n), lhs.dtype)
    for place, b, g, part in _groups(lhs, group_sizes, axes):
        out[place][part] = left[place][part] @ right[(g, *b)]
    return out.reshape(*batch, *rows, *columns)


def _contracted_rows(
    lhs: np.ndarray, rhs: np.ndarray, group_sizes: np.ndarray, axes: RaggedAxes
) -> np.ndarray:
    """For each group, the sum over its own part of the contracted axis."""
    batch, rows, columns = (
        _sizes(lhs, axes.lhs_batch), _sizes(lhs, axes.lhs_free), _sizes(rhs, axes.rhs_free)
    )  # fmt: skip
    m, n = math.prod(rows), math.prod(columns)
    summed = _sizes(lhs, axes.lhs_contracting)
    left = lhs.transpose(*axes.lhs_batch, *axes.lhs_contracting, *axes.lhs_free)
    right = rhs.transpose(*axes.rhs_batch, *axes.rhs_contracting, *axes.rhs_free)
    left, right = left.reshape(*batch, *summed, m), right.reshape(*batch, *summed, n)
    out = np.zeros((group_sizes.shape[-1], *batch, m, n), lhs.dtype)
    for place, b, g, part in _groups(lhs, group_sizes, axes):
        x, y = left[place][part], right[place][part]
        count = math.prod(x.shape[:-1])
        out[(g, *b)] += x.reshape(count, m).T @ y.reshape(count, n)
    return out.reshape(out.shape[0], *batch, *rows, *columns)


# Params: ragged_dot_dimension_numbers (RaggedDotDimensionNumbers), precision (see
# CanonicalPrecision), preferred_element_type (a np.dtype or None).
ragged_dot_general_p = Primitive("ragged_dot_general", abstract=_ragged_type, reference=_ragged)


# --- lax functions ---


def ragged_dot_general(
    lhs: Any,
    rhs: Any,
    group_sizes: Any,
    ragged_dot_dimension_numbers: RaggedDotDimensionNumbers,
    precision: PrecisionLike = None,
    preferred_element_type: Any = None,
    group_offset: Any = None,
    out_sharding: Any = None,
) -> Any:
    """A product in which an axis of lhs is divided into groups whose sizes are data.

    What happens depends on the part that the ragged axis plays. With g groups, batch axes b,
    free axes m and n, contracted axes k:

    - free: `[b, m, k], [g, b, k, n] -> [b, m, n]`: each row of lhs is multiplied with the
      matrix of its group. Rows after the last group give zero.
    - contracting: `[b, m, k], [b, k, n] -> [g, b, m, n]`: each group gives a product of its
      own, which sums over its part of k.
    - batch: `[b, m, k], [b, k, n] -> [b, m, n]`: the groups only divide the batch, and the
      result is that of `dot_general`.

    Groups lie one after the other from the beginning of the axis.

    Args:
        lhs, rhs: arrays.
        group_sizes: integers of shape (g,), or with the axes outer to the ragged one in front:
            the batch axes, then the free or contracted axes before it.
        ragged_dot_dimension_numbers: which axes are which.
        precision, preferred_element_type: as for `dot_general`.
        group_offset: must be None.
        out_sharding: how the result lies on a mesh's explicit axes.

    Returns:
        An array with the axes of `dot_general`'s result, after one of groups where the ragged
        axis is contracted.

    Raises:
        ShapeError: axes or sizes that don't fit.
        TypeError: group sizes that are not integers; dtypes as for `dot_general`.
        NotImplementedError: a `group_offset`.

    >>> numbers = RaggedDotDimensionNumbers((((0,), (0,)), ((), ())), [0], [])
    >>> x, y = np.arange(4.0)[:, None], np.ones((4, 1))
    >>> ragged_dot_general(x, y, np.array([1, 3]), numbers).ravel().tolist()
    [0.0, 6.0]
    """
    name = "ragged_dot_general"
    if out_sharding is not None:
        refuse_sharding(name, "out_sharding", out_sharding)
    if group_offset is not None:
        raise NotImplementedError(
            f"{name}: group_offset must be None, got {group_offset!r}. To start at a later "
            f"group, slice lhs, rhs and group_sizes"
        )
    if not isinstance(ragged_dot_dimension_numbers, RaggedDotDimensionNumbers):
        raise TypeError(
            f"{name}: ragged_dot_dimension_numbers must be a lax.RaggedDotDimensionNumbers, got "
            f"{ragged_dot_dimension_numbers!r}"
        )
    return ragged_dot_general_p.bind(
        lhs,
        rhs,
        group_sizes,
        ragged_dot_dimension_numbers=ragged_dot_dimension_numbers,
        precision=canonical_precision(name, precision),
        preferred_element_type=canonical_preferred(name, preferred_element_type),
    )


_ROWS = RaggedDotDimensionNumbers((((1,), (1,)), ((), ())), (0,), (0,))


def ragged_dot(
    lhs: Any,
    rhs: Any,
    group_sizes: Any,
    precision: PrecisionLike = None,
    preferred_element_type: Any = None,
    group_offset: Any = None,
    out_sharding: Any = None,
) -> Any:
    """Each row of a matrix times the matrix of the group that the row belongs to.

    Args:
        lhs: an array of shape (m, k).
        rhs: an array of shape (g, k, n), a matrix for each group.
        group_sizes: integers of shape (g,): how many rows, one after the other, each group has.
        precision, preferred_element_type: as for `dot_general`.
        group_offset: must be None.
        out_sharding: how the result lies on a mesh's explicit axes.

    Returns:
        An array of shape (m, n); rows after the last group are zero.

    Raises:
        ShapeError, TypeError, NotImplementedError: as for `ragged_dot_general`.

    >>> x, y = np.ones((3, 1)), np.array([[[1.0]], [[10.0]]])
    >>> ragged_dot(x, y, np.array([1, 1])).ravel().tolist()
    [1.0, 10.0, 0.0]
    """
    return ragged_dot_general(
        lhs, rhs, group_sizes, _ROWS, precision, preferred_element_type, group_offset, out_sharding
    )

"""Products of arrays that sum over axes: `dot_general` and what is made of it.

Holds the primitive, its dtype rule (which the convolutions share in part) and the `lax`
functions. `einsum` and `matmul` are built on it in jx-numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...primitive import Primitive
from ..axes import refuse_sharding
from .precision import (
    CanonicalPrecision,
    DotAlgorithm,
    DotAlgorithmPreset,
    PrecisionLike,
    canonical_precision,
)

__all__ = ["DotDimensionNumbers", "batch_matmul", "dot", "dot_general", "dot_general_p"]

DotDimensionNumbers = tuple[
    tuple[Sequence[int], Sequence[int]], tuple[Sequence[int], Sequence[int]]
]
_Axes = tuple[int, ...]
_Numbers = tuple[tuple[_Axes, _Axes], tuple[_Axes, _Axes]]


# --- dtypes ---


def _breadth(dtype: Any) -> tuple[int, ...]:
    """Orders dtypes by what they can hold: complex numbers, range, precision, width, sign."""
    if dtype == np.bool_:
        return 0, -1, -1, 1, 1
    if dtypes.issubdtype(dtype, np.integer):
        signed = not dtypes.issubdtype(dtype, np.unsignedinteger)
        return 0, -1, -1, _bits(dtype), int(signed)
    info = dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
    is_complex = dtypes.issubdtype(dtype, np.complexfloating)
    return int(is_complex), int(info.maxexp), int(info.nmant), int(info.bits), 1


def _bits(dtype: Any) -> int:
    """How many bits hold a number of `dtype`."""
    if dtypes.issubdtype(dtype, np.integer):
        return int(dtypes.iinfo(dtype).bits)  # type: ignore[no-untyped-call]
    return 1 if dtype == np.bool_ else 8 * int(dtype.itemsize)


def product_dtype(lhs: Any, rhs: Any) -> Any:
    """The dtype of a product whose element type nobody asked for: the broader operand's."""
    if lhs == rhs:
        return lhs
    return rhs if _breadth(rhs) > _breadth(lhs) else lhs


def working_dtype(lhs: Any, rhs: Any, result: Any) -> Any:
    """The dtype that the reference multiplies and sums in.

    Sums of narrow floats are kept in float32, as matrix units keep them; narrow integers
    that NumPy can't multiply are computed in int32, and wrap around when they are stored.
    """
    working = product_dtype(product_dtype(lhs, rhs), result)
    if dtypes.issubdtype(working, np.floating) and working.itemsize < 4:
        return np.dtype(np.float32)
    if working.kind == "V":  # int2, int4 and their unsigned kin
        return np.dtype(np.int32)
    return working


def requested_result(name: str, dtype: Any, preferred: Any, precision: Any) -> Any:
    """The result's dtype: `preferred`, checked against the product's own, or that.

    Raises:
        TypeError: a narrower dtype was asked for than that of the operands, which are not
            floats; or a real one for complex operands.
    """
    if preferred is None or preferred == dtype:
        return dtype
    is_complex = dtypes.issubdtype(dtype, np.complexfloating)
    if is_complex and not dtypes.issubdtype(preferred, np.complexfloating):
        raise TypeError(
            f"{name}: preferred_element_type must be complex for complex operands, got "
            f"{preferred.name} for {dtype.name}. Take lax.real or lax.imag of the result"
        )
    by_name = isinstance(precision, (DotAlgorithm, DotAlgorithmPreset))
    is_float = dtypes.issubdtype(dtype, np.floating)
    if not by_name and not is_float and _bits(preferred) < _bits(dtype):
        raise TypeError(
            f"{name}: preferred_element_type must not be narrower than the operands' dtype, "
            f"got preferred_element_type {preferred.name} for {dtype.name}"
        )
    return preferred


# --- dot_general ---


def _check_axes(side: str, operand: ShapedArray, contracting: _Axes, batch: _Axes) -> None:
    for what, axes in (("contracting", contracting), ("batch", batch)):
        if any(not 0 <= a < operand.ndim for a in axes):
            raise ShapeError(
                f"dot_general: {side} {what} dimensions must lie in [0, {operand.ndim}), got "
                f"{axes} for {side} of shape {operand.shape}"
            )
        if len(set(axes)) != len(axes):
            raise ShapeError(f"dot_general: {side} {what} dimensions must be distinct, got {axes}")
    if set(contracting) & set(batch):
        raise ShapeError(
            f"dot_general: {side} batch dimensions must be disjoint from contracting ones, got "
            f"batch {batch} and contracting {contracting}"
        )


def _check_sizes(
    what: str, lhs: ShapedArray, rhs: ShapedArray, lhs_axes: _Axes, rhs_axes: _Axes
) -> None:
    if len(lhs_axes) != len(rhs_axes):
        raise ShapeError(
            f"dot_general requires as many {what} dimensions of lhs as of rhs, got {lhs_axes} "
            f"and {rhs_axes}"
        )
    for a, b in zip(lhs_axes, rhs_axes, strict=True):
        if lhs.shape[a] != rhs.shape[b]:
            raise ShapeError(
                f"dot_general requires {what} dimensions to have the same size, got size "
                f"{lhs.shape[a]} of dimension {a} of lhs and size {rhs.shape[b]} of dimension {b} "
                f"of rhs (lhs shape {lhs.shape}, rhs shape {rhs.shape}, {what} dimensions "
                f"{lhs_axes} and {rhs_axes})"
            )


def _free(ndim: int, *taken: _Axes) -> _Axes:
    used = {a for axes in taken for a in axes}
    return tuple(a for a in range(ndim) if a not in used)


def _dot_general_type(
    lhs: ShapedArray,
    rhs: ShapedArray,
    *,
    dimension_numbers: _Numbers,
    precision: CanonicalPrecision,
    preferred_element_type: Any,
) -> ShapedArray:
    for side, operand in (("lhs", lhs), ("rhs", rhs)):
        if isinstance(operand.dtype, dtypes.ExtendedDType):
            raise TypeError(f"dot_general: {side} has dtype {operand.dtype.name}; keys are opaque")
    (lhs_contracting, rhs_contracting), (lhs_batch, rhs_batch) = dimension_numbers
    _check_axes("lhs", lhs, lhs_contracting, lhs_batch)
    _check_axes("rhs", rhs, rhs_contracting, rhs_batch)
    _check_sizes("contracting", lhs, rhs, lhs_contracting, rhs_contracting)
    _check_sizes("batch", lhs, rhs, lhs_batch, rhs_batch)
    shape = (
        *(lhs.shape[a] for a in lhs_batch),
        *(lhs.shape[a] for a in _free(lhs.ndim, lhs_contracting, lhs_batch)),
        *(rhs.shape[a] for a in _free(rhs.ndim, rhs_contracting, rhs_batch)),
    )
    dtype = product_dtype(lhs.dtype, rhs.dtype)
    weak = preferred_element_type is None and lhs.weak_type and rhs.weak_type
    return ShapedArray(
        shape, requested_result("dot_general", dtype, preferred_element_type, precision), weak
    )


def _dot_general(
    lhs: np.ndarray,
    rhs: np.ndarray,
    *,
    dimension_numbers: _Numbers,
    precision: CanonicalPrecision,
    preferred_element_type: Any,
) -> np.ndarray:
    (lhs_contracting, rhs_contracting), (lhs_batch, rhs_batch) = dimension_numbers
    dtype = preferred_element_type or product_dtype(lhs.dtype, rhs.dtype)
    working = working_dtype(lhs.dtype, rhs.dtype, dtype)
    lhs_free = _free(lhs.ndim, lhs_contracting, lhs_batch)
    rhs_free = _free(rhs.ndim, rhs_contracting, rhs_batch)
    batch = tuple(lhs.shape[a] for a in lhs_batch)
    rows = tuple(lhs.shape[a] for a in lhs_free)
    columns = tuple(rhs.shape[a] for a in rhs_free)
    k = _product(lhs.shape[a] for a in lhs_contracting)
    left = lhs.transpose(*lhs_batch, *lhs_free, *lhs_contracting)
    right = rhs.transpose(*rhs_batch, *rhs_contracting, *rhs_free)
    result: np.ndarray = np.matmul(
        left.reshape(*batch, _product(rows), k).astype(working),
        right.reshape(*batch, k, _product(columns)).astype(working),
    )
    return result.reshape((*batch, *rows, *columns)).astype(dtype)


def _product(sizes: Any) -> int:
    n = 1
    for size in sizes:
        n *= size
    return n


# Params: dimension_numbers ((lhs_contracting, rhs_contracting), (lhs_batch, rhs_batch)) as
# tuples; precision (see CanonicalPrecision); preferred_element_type (a np.dtype or None).
dot_general_p = Primitive("dot_general", abstract=_dot_general_type, reference=_dot_general)


def canonical_preferred(name: str, preferred: Any) -> Any:
    """The argument `preferred_element_type` as a dtype, or None."""
    return None if preferred is None else dtypes.requested_dtype(preferred, name)


def dot_general(
    lhs: Any,
    rhs: Any,
    dimension_numbers: DotDimensionNumbers,
    precision: PrecisionLike = None,
    preferred_element_type: Any = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """Sums of products of two arrays over any axes, batched over any axes.

    `result[b, i, j] = sum over k of lhs[b, i, k] * rhs[b, k, j]`, where each of b, i, j, k
    stands for any number of axes.

    Args:
        lhs, rhs: arrays.
        dimension_numbers: `((lhs_contracting, rhs_contracting), (lhs_batch, rhs_batch))`,
            each a sequence of axes: those that are summed over, pairwise, and those that are
            walked along together.
        precision: how exactly to compute; a `Precision`, its name, a pair of either (one for
            each operand), a `DotAlgorithmPreset` or its name, or a `DotAlgorithm`. None is
            the option `default_matmul_precision`.
        preferred_element_type: the dtype to sum in and to return; by default the operands'.
        out_sharding: how the result lies on a mesh's explicit axes.

    Returns:
        An array whose axes are the batch axes, then lhs's others, then rhs's others.

    Raises:
        ShapeError: axes out of range or used twice; pairs of axes of different sizes.
        TypeError: integers wanted that are narrower than the operands'.

    >>> x, y = np.arange(6).reshape(2, 3), np.arange(12).reshape(3, 4)
    >>> dot_general(x, y, (((1,), (0,)), ((), ()))).tolist()
    [[20, 23, 26, 29], [56, 68, 80, 92]]
    """
    if out_sharding is not None:
        refuse_sharding("dot_general", "out_sharding", out_sharding)
    try:
        (lhs_contracting, rhs_contracting), (lhs_batch, rhs_batch) = dimension_numbers
        numbers = (
            (tuple(lhs_contracting), tuple(rhs_contracting)),
            (tuple(lhs_batch), tuple(rhs_batch)),
        )
    except (TypeError, ValueError):
        raise TypeError(
            "dot_general: dimension_numbers must be ((lhs_contracting, rhs_contracting), "
            f"(lhs_batch, rhs_batch)), each a sequence of axes; got {dimension_numbers!r}"
        ) from None
    if preferred_element_type is not None:
        preferred_element_type = canonical_preferred("dot_general", preferred_element_type)
    return dot_general_p.bind(
        lhs,
        rhs,
        dimension_numbers=numbers,
        precision=canonical_precision("dot_general", precision),
        preferred_element_type=preferred_element_type,
    )


def dot(
    lhs: Any,
    rhs: Any,
    *,
    dimension_numbers: DotDimensionNumbers | None = None,
    precision: PrecisionLike = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Any:
    """The product of vectors and matrices, or `dot_general` where dimensions are given.

    Args:
        lhs, rhs: arrays of rank 1 or 2, whose last and first axis are summed over; of any
            rank with `dimension_numbers`.
        dimension_numbers, precision, preferred_element_type, out_sharding: as for
            `dot_general`.

    Raises:
        ShapeError: other ranks, or sizes that differ.

    >>> dot(np.array([1, 2, 3]), np.array([4, 5, 6])).tolist()
    32
    """
    if dimension_numbers is None:
        a, b = typeof(lhs).shape, typeof(rhs).shape
        if not (1 <= len(a) <= 2 and 1 <= len(b) <= 2 and a[-1] == b[0]):
            raise ShapeError(
                f"lax.dot takes vectors and matrices where the last axis of lhs has the size of "
                f"the first of rhs, got lhs shape {a} and rhs shape {b}. Give dimension_numbers "
                f"for other products; jx.numpy.matmul broadcasts"
            )
        dimension_numbers = (((len(a) - 1,), (0,)), ((), ()))
    return dot_general(
        lhs, rhs, dimension_numbers, precision, preferred_element_type, out_sharding=out_sharding
    )


def batch_matmul(lhs: Any, rhs: Any, precision: PrecisionLike = None) -> Any:
    """The products of matrices in the last two axes, over equal leading axes.

    Args:
        lhs: an array of shape (*batch, n, k).
        rhs: an array of shape (*batch, k, m).
        precision: as for `dot_general`.

    Raises:
        ShapeError: ranks differ or are below 2, or sizes differ.

    >>> batch_matmul(np.ones((3, 2, 4)), np.ones((3, 4, 5))).shape
    (3, 2, 5)
    """
    a, b = typeof(lhs).shape, typeof(rhs).shape
    if len(a) != len(b) or len(a) < 2:
        raise ShapeError(
            f"Arguments to batch_matmul must have the same rank, at least 2, got lhs shape {a} and "
            f"rhs shape {b}"
        )
    n = len(a)
    batch = tuple(range(n - 2))
    return dot_general(lhs, rhs, (((n - 1,), (n - 2,)), (batch, batch)), precision)

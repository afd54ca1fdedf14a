"""Reductions by an associative operation with an identity: sums, products, extremes, bits.

Elements of less than 32 bits are summed in 32 and rounded once, which is the most exact
result; compiled programs may round on the way.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from ... import dtypes
from ...aval import ShapedArray, typeof
from ...config import allow_f16_reductions
from ...errors import KeyTypeError
from ...primitive import Primitive
from ..axes import check_axes, integers, refuse_sharding
from ..kit import any_dtype, boolean_or_integer, check_kind, keys_refused, number

__all__ = [
    "reduce_and",
    "reduce_and_p",
    "reduce_max",
    "reduce_max_p",
    "reduce_min",
    "reduce_min_p",
    "reduce_or",
    "reduce_or_p",
    "reduce_prod",
    "reduce_prod_p",
    "reduce_sum",
    "reduce_sum_p",
    "reduce_xor",
    "reduce_xor_p",
]


@functools.cache
def identity(operation: str, dtype: Any) -> Any:
    """The scalar that leaves every element as it is, as a NumPy scalar of `dtype`.

    Args:
        operation: `add`, `mul`, `max`, `min`, `and`, `or` or `xor`.
        dtype: a boolean or numeric dtype.

    Raises:
        KeyTypeError: it is that of typed keys.

    >>> identity("max", np.dtype("int8"))
    np.int8(-128)
    """
    if isinstance(dtype, dtypes.ExtendedDType):
        raise KeyTypeError(keys_refused(f"the reduction by {operation}", dtype))
    if operation in ("max", "min"):
        return _bottom(dtype) if operation == "max" else _top(dtype)
    if operation == "and":
        ones = True if dtype == np.bool_ else -1
        return np.asarray(ones).astype(dtype)[()]
    return np.asarray(1 if operation == "mul" else 0).astype(dtype)[()]


def _bottom(dtype: Any) -> Any:
    """The least value of a dtype: -inf where it has one; with no imaginary part."""
    if dtype == np.bool_:
        return np.False_
    if dtypes.issubdtype(dtype, np.integer):
        return np.asarray(dtypes.iinfo(dtype).min).astype(dtype)[()]  # type: ignore[no-untyped-call]
    infinity = np.asarray(-np.inf, np.float32).astype(dtype)[()]
    return infinity if np.isinf(infinity) else ml_dtypes.finfo(dtype).min  # type: ignore[no-untyped-call]


def _top(dtype: Any) -> Any:
    """The greatest value of a dtype: inf where it has one; with no imaginary part."""
    if dtype == np.bool_:
        return np.True_
    if dtypes.issubdtype(dtype, np.integer):
        return np.asarray(dtypes.iinfo(dtype).max).astype(dtype)[()]  # type: ignore[no-untyped-call]
    infinity = np.asarray(np.inf, np.float32).astype(dtype)[()]
    return infinity if np.isinf(infinity) else ml_dtypes.finfo(dtype).max  # type: ignore[no-untyped-call]


def wide(x: np.ndarray) -> np.ndarray:
    """`x` with a dtype that NumPy itself computes in: floats below 32 bits as float32, the
    narrowest integers as int32."""
    if dtypes.issubdtype(x.dtype, np.floating) and x.dtype.itemsize < 4:
        return x.astype(np.float32)
    return x.astype(np.int32) if x.dtype.kind == "V" else x


def reduced(aval: ShapedArray, axes: Sequence[int]) -> tuple[int, ...]:
    """The shape of `aval` without `axes`."""
    return tuple([n for d, n in enumerate(aval.shape) if d not in axes])


def _reduction(
    name: str, operation: str, kinds: Sequence[str], compute: Callable[..., Any]
) -> Primitive:
    """The primitive that reduces by `compute(x, axis=, initial=)`, a NumPy function."""

    def abstract(operand: ShapedArray, *, axes: tuple[int, ...]) -> ShapedArray:
        check_kind(name, operand, kinds)
        check_axes(name, axes, operand.shape)
        return ShapedArray(reduced(operand, axes), operand.dtype, operand.weak_type)

    def reference(x: np.ndarray, *, axes: tuple[int, ...]) -> np.ndarray:
        start = identity(operation, x.dtype)
        values = wide(x)
        start = np.asarray(start).astype(values.dtype)[()]
        result = compute(values, axis=axes, dtype=values.dtype, initial=start)
        return np.asarray(result).astype(x.dtype)

    # Params of each: axes, those that disappear, non-negative and distinct.
    return Primitive(name, abstract=abstract, reference=reference)


reduce_sum_p = _reduction("reduce_sum", "add", number, np.add.reduce)
reduce_prod_p = _reduction("reduce_prod", "mul", number, np.multiply.reduce)
reduce_max_p = _reduction("reduce_max", "max", any_dtype, np.maximum.reduce)
reduce_min_p = _reduction("reduce_min", "min", any_dtype, np.minimum.reduce)
reduce_and_p = _reduction("reduce_and", "and", boolean_or_integer, np.bitwise_and.reduce)
reduce_or_p = _reduction("reduce_or", "or", boolean_or_integer, np.bitwise_or.reduce)
reduce_xor_p = _reduction("reduce_xor", "xor", boolean_or_integer, np.bitwise_xor.reduce)


def reduce_sum(operand: Any, axes: Iterable[int], *, out_sharding: Any = None) -> Any:
    """The sum of the elements along axes; 0 where there are none.

    Args:
        operand: an array of numbers; integers wrap around.
        axes: the axes to sum over, non-negative and distinct; none leaves all as it is.
        out_sharding: must be None.

    Returns:
        An array of the operand's dtype, without `axes`.

    Raises:
        ShapeError: an axis is out of range or repeated.
        TypeError: the operand is boolean.
        ValueError: 16-bit floats while the option `allow_f16_reductions` is off.

    >>> reduce_sum(np.array([[1, 2], [3, 4]]), (0,))
    Array([4, 6], dtype=int32)
    """
    if out_sharding is not None:
        refuse_sharding("reduce_sum", "out_sharding", out_sharding)
    if not allow_f16_reductions.value:
        _refuse_16_bits(typeof(operand))
    return reduce_sum_p.bind(operand, axes=integers("reduce_sum", axes, "axes"))


def _refuse_16_bits(aval: ShapedArray) -> None:
    if aval.dtype.name in ("float16", "bfloat16"):
        raise ValueError(
            f"reduce_sum on operand {aval.str_short()} is not allowed when "
            f"allow_f16_reductions=False: sum in float32, as in "
            f"lax.reduce_sum(x.astype('float32'), axes)"
        )


def reduce_prod(operand: Any, axes: Iterable[int]) -> Any:
    """The product of the elements along axes; 1 where there are none.

    Args:
        operand: an array of numbers; integers wrap around.
        axes: the axes to reduce, non-negative and distinct.

    Raises:
        ShapeError: an axis is out of range or repeated.
        TypeError: the operand is boolean.

    >>> reduce_prod(np.array([[1, 2], [3, 4]]), (0,))
    Array([3, 8], dtype=int32)
    """
    return reduce_prod_p.bind(operand, axes=integers("reduce_prod", axes, "axes"))


def reduce_max(operand: Any, axes: Iterable[int]) -> Any:
    """The greatest element along axes; the dtype's least value where there are none.

    Args:
        operand: a boolean or numeric array. NaN is greater than all else; complex numbers
            are ordered by real part, then by imaginary part.
        axes: the axes to reduce, non-negative and distinct.

    Raises:
        ShapeError: an axis is out of range or repeated.

    >>> reduce_max(np.array([[1, 2], [4, 3]]), (1,))
    Array([2, 4], dtype=int32)
    """
    return reduce_max_p.bind(operand, axes=integers("reduce_max", axes, "axes"))


def reduce_min(operand: Any, axes: Iterable[int]) -> Any:
    """The least element along axes; the dtype's greatest value where there are none.

    Args:
        operand: a boolean or numeric array. NaN is less than all else; complex numbers are
            ordered by real part, then by imaginary part.
        axes: the axes to reduce, non-negative and distinct.

    Raises:
        ShapeError: an axis is out of range or repeated.

    >>> reduce_min(np.array([[1, 2], [4, 3]]), (1,))
    Array([1, 3], dtype=int32)
    """
    return reduce_min_p.bind(operand, axes=integers("reduce_min", axes, "axes"))


def reduce_and(operand: Any, axes: Iterable[int]) -> Any:
    """The bitwise `and` of the elements along axes; all ones (True) where there are none.

    Args:
        operand: a boolean or integer array.
        axes: the axes to reduce, non-negative and distinct.

    Raises:
        ShapeError: an axis is out of range or repeated.
        TypeError: the operand is neither boolean nor integer.

    >>> reduce_and(np.array([[True, False], [True, True]]), (0,))
    Array([ True, False], dtype=bool)
    """
    return reduce_and_p.bind(operand, axes=integers("reduce_and", axes, "axes"))


def reduce_or(operand: Any, axes: Iterable[int]) -> Any:
    """The bitwise `or` of the elements along axes; 0 (False) where there are none.

    Args:
        operand: a boolean or integer array.
        axes: the axes to reduce, non-negative and distinct.

    Raises:
        ShapeError: an axis is out of range or repeated.
        TypeError: the operand is neither boolean nor integer.

    >>> reduce_or(np.array([1, 2, 8]), (0,))
    Array(11, dtype=int32)
    """
    return reduce_or_p.bind(operand, axes=integers("reduce_or", axes, "axes"))


def reduce_xor(operand: Any, axes: Iterable[int]) -> Any:
    """The bitwise exclusive `or` of the elements along axes; 0 (False) where there are none.

    Args:
        operand: a boolean or integer array.
        axes: the axes to reduce, non-negative and distinct.

    Raises:
        ShapeError: an axis is out of range or repeated.
        TypeError: the operand is neither boolean nor integer.

    >>> reduce_xor(np.array([1, 3, 8]), (0,))
    Array(10, dtype=int32)
    """
    return reduce_xor_p.bind(operand, axes=integers("reduce_xor", axes, "axes"))

"""Comparison, and choosing elements by its outcome."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray
from ...errors import ShapeError
from ...primitive import Primitive
from ..kit import (
    Array,
    ArrayLike,
    any_dtype,
    any_or_key,
    boolean,
    check_kind,
    check_same_dtype,
    elementwise,
    floating,
    match_dtypes,
    orderable,
    pair,
    result_shape,
    widened,
)

__all__ = [
    "clamp", "clamp_p", "eq", "eq_p", "eq_to_p", "ge", "ge_p", "gt", "gt_p", "is_finite",
    "is_finite_p", "le", "le_p", "le_to_p", "lt", "lt_p", "lt_to_p", "ne", "ne_p", "select",
    "select_n", "select_n_p",
]  # fmt: skip


# Reference meanings that are not NumPy's own.


def _eq(x: np.ndarray, y: np.ndarray) -> Any:
    return x == y  # np.equal does not know the opaque items that stand for typed keys


def _ne(x: np.ndarray, y: np.ndarray) -> Any:
    return x != y


def _total_order_rank(x: np.ndarray) -> np.ndarray:
    """Integers in the order of IEEE 754's totalOrder: -nan < -inf < -0 < 0 < inf < nan."""
    if x.dtype.kind != "f":
        return x
    bits = x.view(np.dtype(f"i{x.dtype.itemsize}"))
    return np.where(bits < 0, bits ^ np.iinfo(bits.dtype).max, bits)


def _total(compare: Any) -> Any:
    return widened(lambda x, y: compare(_total_order_rank(x), _total_order_rank(y)))


@widened
def _clamp(low: np.ndarray, x: np.ndarray, high: np.ndarray) -> Any:
    return np.minimum(np.maximum(low, x), high)


def _select_n(which: np.ndarray, *cases: np.ndarray) -> Any:
    if len(cases) == 1:
        return np.broadcast_to(cases[0], np.broadcast_shapes(which.shape, cases[0].shape))
    index = np.clip(which.astype(np.int64), 0, len(cases) - 1)
    chosen = cases[0]
    for i, case in enumerate(cases[1:], 1):
        chosen = np.where(index == i, case, chosen)
    return chosen


# The primitives.

eq_p = elementwise("eq", any_or_key, _eq, result=boolean)
ne_p = elementwise("ne", any_or_key, _ne, result=boolean)
lt_p = elementwise("lt", orderable, widened(np.less), result=boolean)
le_p = elementwise("le", orderable, widened(np.less_equal), result=boolean)
gt_p = elementwise("gt", orderable, widened(np.greater), result=boolean)
ge_p = elementwise("ge", orderable, widened(np.greater_equal), result=boolean)
# The same in the total order of floats, in which -0 < 0 and NaNs have places at the ends.
eq_to_p = elementwise("eq_to", orderable, _total(np.equal), result=boolean)
lt_to_p = elementwise("lt_to", orderable, _total(np.less), result=boolean)
le_to_p = elementwise("le_to", orderable, _total(np.less_equal), result=boolean)
is_finite_p = elementwise("is_finite", floating, widened(np.isfinite), result=boolean)


def _clamp_type(low: ShapedArray, x: ShapedArray, high: ShapedArray) -> ShapedArray:
    bounds = {"min": low, "max": high}
    check_kind("clamp", x, any_dtype)
    check_same_dtype("clamp", (low, x, high))
    for name, bound in bounds.items():
        if bound.shape and bound.shape != x.shape:
            raise ShapeError(
                f"clamp requires {name}.shape == operand.shape or {name}.shape == (), got "
                f"{name}.shape={bound.shape}, operand.shape={x.shape}"
            )
    return ShapedArray(x.shape, x.dtype, low.weak_type and x.weak_type and high.weak_type)


clamp_p = Primitive("clamp", abstract=_clamp_type, reference=_clamp)


def _select_n_type(which: ShapedArray, *cases: ShapedArray) -> ShapedArray:
    if not cases:
        raise TypeError("select_n must have at least one case")
    boolean = which.dtype == np.bool_
    if not boolean and not dtypes.issubdtype(which.dtype, np.integer):
        raise TypeError(
            f"select_n: `which` must be boolean or integer type, got {which.dtype.name}"
        )
    if boolean and len(cases) > 2:
        raise TypeError(f"select_n with boolean `which` cannot have > 2 cases, got {len(cases)}")
    check_same_dtype("select_n", cases)
    check_kind("select_n", cases[0], any_or_key)
    shape = result_shape("select_n", (which, *cases))
    return ShapedArray(shape, cases[0].dtype, all(c.weak_type for c in cases))


# A zero-dimensional operand, `which` or a case, goes with any shape.
select_n_p = Primitive("select_n", abstract=_select_n_type, reference=_select_n)


# The functions.


def eq(x: ArrayLike, y: ArrayLike) -> Array:
    """Whether `x == y`, element by element; NaN is not equal to itself.

    Args:
        x, y: arrays of one dtype (any, typed keys included) and one shape; either may be
            a scalar.

    Returns:
        A boolean array of the operands' shape.

    Raises:
        TypeError: the dtypes differ.
        ShapeError: the shapes differ.

    >>> eq(np.array([1, 2]), 2)
    Array([False,  True], dtype=bool)
    """
    x, y = pair("eq", x, y)
    return eq_p.bind(x, y)


def ne(x: ArrayLike, y: ArrayLike) -> Array:
    """Whether `x != y`, element by element. Operands and errors as for `eq`.

    >>> ne(np.array([1, 2]), 2)
    Array([ True, False], dtype=bool)
    """
    x, y = pair("ne", x, y)
    return ne_p.bind(x, y)


def lt(x: ArrayLike, y: ArrayLike) -> Array:
    """Whether `x < y`, element by element. As `eq`, without complex numbers and keys.

    >>> lt(np.array([1, 2, 3]), 2)
    Array([ True, False, False], dtype=bool)
    """
    x, y = pair("lt", x, y)
    return lt_p.bind(x, y)


def le(x: ArrayLike, y: ArrayLike) -> Array:
    """Whether `x <= y`, element by element. As `eq`, without complex numbers and keys.

    >>> le(np.array([1, 2, 3]), 2)
    Array([ True,  True, False], dtype=bool)
    """
    x, y = pair("le", x, y)
    return le_p.bind(x, y)


def gt(x: ArrayLike, y: ArrayLike) -> Array:
    """Whether `x > y`, element by element. As `eq`, without complex numbers and keys.

    >>> gt(np.array([1, 2, 3]), 2)
    Array([False, False,  True], dtype=bool)
    """
    x, y = pair("gt", x, y)
    return gt_p.bind(x, y)


def ge(x: ArrayLike, y: ArrayLike) -> Array:
    """Whether `x >= y`, element by element. As `eq`, without complex numbers and keys.

    >>> ge(np.array([1, 2, 3]), 2)
    Array([False,  True,  True], dtype=bool)
    """
    x, y = pair("ge", x, y)
    return ge_p.bind(x, y)


def is_finite(x: ArrayLike) -> Array:
    """Whether each of the floats `x` is neither infinite nor NaN.

    >>> is_finite(np.float32([1, np.inf, np.nan]))
    Array([ True, False, False], dtype=bool)
    """
    return is_finite_p.bind(x)


def clamp(min: ArrayLike, x: ArrayLike, max: ArrayLike) -> Array:
    """`x` limited to the range from `min` to `max`; where these cross, `max`.

    Args:
        min, max: the bounds, scalars or arrays of the shape of `x`, and of its dtype.
        x: an array of booleans or numbers.

    Raises:
        TypeError: the dtypes differ.
        ShapeError: a bound's shape is not that of `x`.

    >>> clamp(0, np.array([-2, 2, 7]), 5)
    Array([0, 2, 5], dtype=int32)
    """
    return clamp_p.bind(*match_dtypes("clamp", min, x, max))


def select_n(which: ArrayLike, *cases: ArrayLike) -> Array:
    """For each element, the one of the case whose number is in `which`.

    Args:
        which: booleans (two cases at most, False selecting the first) or integers, which
            are limited to the numbers of the cases; a scalar selects one case whole.
        cases: arrays of one dtype and of one shape, that of `which`; scalars go with any.

    Raises:
        TypeError: `which` is of another dtype, or the dtypes of the cases differ.
        ShapeError: the shapes differ.

    >>> select_n(np.array([False, True]), np.array([1, 2]), np.array([10, 20]))
    Array([ 1, 20], dtype=int32)
    """
    if len(cases) == 2:
        return select_n_p.bind(which, *pair("select_n", *cases))
    return select_n_p.bind(which, *match_dtypes("select_n", *cases))


def select(pred: ArrayLike, on_true: ArrayLike, on_false: ArrayLike) -> Array:
    """The elements of `on_true` where `pred`, a boolean array, is true, else of `on_false`.

    Operands and errors as for `select_n`.

    >>> select(np.array([False, True]), np.array([1, 2]), np.array([10, 20]))
    Array([10,  2], dtype=int32)
    """
    on_false, on_true = pair("select", on_false, on_true)
    return select_n_p.bind(pred, on_false, on_true)

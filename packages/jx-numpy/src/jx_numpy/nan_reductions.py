"""Reductions that leave NaN out: each as the one without `nan` in its name."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import lax, operators
from jx_core.ops.elementwise import convert

from . import means, reductions
from .functions import array_function, plain
from .operands import (
    INEXACT,
    Array,
    ArrayLike,
    as_operand,
    broadcast_to,
    is_complex,
    refuse_out,
    typeof,
)

__all__ = [
    "nanargmax", "nanargmin", "nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum",
    "nanvar",
]  # fmt: skip

Axes = int | tuple[int, ...] | None


def _numbers(name: str, a: Any, where: Any) -> tuple[Any, Any]:
    """The array, and which of its elements count: those that `where` says and are no NaN."""
    x = as_operand(name, a)
    if typeof(x).dtype not in INEXACT:
        return x, where
    is_number = lax.eq(x, x)
    if where is not None:
        is_number = operators.bitwise_and(is_number, operators.not_equal(where, 0))
    return x, is_number


@array_function("axis", "dtype", "keepdims")
def nansum(
    a: ArrayLike,
    axis: Axes = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Array:
    """The sum of the elements that are not NaN, along axes. Arguments as for `sum`.

    >>> jnp.nansum(jnp.array([1.0, jnp.nan, 3.0]))
    Array(4., dtype=float32)
    """
    refuse_out("nansum", out)
    x, where = _numbers("nansum", a, where)
    return plain(reductions.sum)(x, axis, dtype, None, keepdims, initial, where)


@array_function("axis", "dtype", "keepdims")
def nanprod(
    a: ArrayLike,
    axis: Axes = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Array:
    """The product of the elements that are not NaN, along axes. Arguments as for `prod`.

    >>> jnp.nanprod(jnp.array([2.0, jnp.nan, 3.0]))
    Array(6., dtype=float32)
    """
    refuse_out("nanprod", out)
    x, where = _numbers("nanprod", a, where)
    return plain(reductions.prod)(x, axis, dtype, None, keepdims, initial, where)


def _extreme(
    name: str, fun: Any, worst: float, a: Any, axis: Any, keepdims: bool, initial: Any, where: Any
) -> Array:
    """`max` or `min` with NaN taken for the value that never wins; NaN where there is no other."""
    x = as_operand(name, a)
    if typeof(x).dtype not in INEXACT:
        return plain(fun)(x, axis, None, keepdims, initial, where)
    is_nan = lax.ne(x, x)
    loser = complex(worst, worst) if is_complex(typeof(x).dtype) else worst
    replaced = lax.select(is_nan, np.asarray(loser).astype(typeof(x).dtype)[()], x)
    result = plain(fun)(replaced, axis, None, keepdims, initial, where)
    if initial is not None:
        return result
    none = plain(reductions.all)(is_nan, axis, None, keepdims, where=where)
    return lax.select(none, lax.full_like(result, np.nan), result)


@array_function("axis", "keepdims")
def nanmax(
    a: ArrayLike,
    axis: Axes = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Array:
    """The greatest element that is not NaN, along axes; NaN if all are. Arguments as for `max`.

    >>> jnp.nanmax(jnp.array([1.0, jnp.nan, 3.0]))
    Array(3., dtype=float32)
    """
    refuse_out("nanmax", out)
    return _extreme("nanmax", reductions.max, -np.inf, a, axis, keepdims, initial, where)


@array_function("axis", "keepdims")
def nanmin(
    a: ArrayLike,
    axis: Axes = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Array:
    """The least element that is not NaN, along axes; NaN if all are. Arguments as for `min`.

    >>> jnp.nanmin(jnp.array([1.0, jnp.nan, 3.0]))
    Array(1., dtype=float32)
    """
    refuse_out("nanmin", out)
    return _extreme("nanmin", reductions.min, np.inf, a, axis, keepdims, initial, where)


@array_function("axis", "dtype", "keepdims")
def nanmean(
    a: ArrayLike,
    axis: Axes = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    where: ArrayLike | None = None,
) -> Array:
    """The mean of the elements that are not NaN, along axes. Arguments as for `mean`.

    >>> jnp.nanmean(jnp.array([1.0, jnp.nan, 3.0]))
    Array(2., dtype=float32)
    """
    refuse_out("nanmean", out)
    x, where = _numbers("nanmean", a, where)
    return plain(means.mean)(x, axis, dtype, None, keepdims, where=where)


@array_function("axis", "dtype", "ddof", "keepdims")
def nanvar(
    a: ArrayLike,
    axis: Axes = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    where: ArrayLike | None = None,
    mean: ArrayLike | None = None,
) -> Array:
    """The variance of the elements that are not NaN, along axes. Arguments as for `var`.

    >>> jnp.nanvar(jnp.array([1.0, jnp.nan, 3.0]))
    Array(1., dtype=float32)
    """
    refuse_out("nanvar", out)
    x, where = _numbers("nanvar", a, where)
    result, dtype = means.variance("nanvar", x, axis, dtype, ddof, keepdims, where, mean, None)
    return convert(result, dtype)


@array_function("axis", "dtype", "ddof", "keepdims")
def nanstd(
    a: ArrayLike,
    axis: Axes = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    where: ArrayLike | None = None,
    mean: ArrayLike | None = None,
) -> Array:
    """The standard deviation of the elements that are not NaN. Arguments as for `std`.

    >>> jnp.nanstd(jnp.array([1.0, jnp.nan, 3.0]))
    Array(1., dtype=float32)
    """
    refuse_out("nanstd", out)
    x, where = _numbers("nanstd", a, where)
    result, dtype = means.variance("nanstd", x, axis, dtype, ddof, keepdims, where, mean, None)
    return convert(means.deviation(result), dtype)


def _place(name: str, fun: Any, worst: float, a: Any, axis: Any, keepdims: bool | None) -> Array:
    x = as_operand(name, a)
    if typeof(x).dtype not in INEXACT:
        return plain(fun)(x, axis, None, keepdims)
    is_nan = lax.ne(x, x)
    result = plain(fun)(lax.select(is_nan, worst, x), axis, None, keepdims)
    none = plain(reductions.all)(is_nan, axis, None, bool(keepdims))
    return lax.select(broadcast_to(none, typeof(result).shape), lax.full_like(result, -1), result)


@array_function("axis", "keepdims")
def nanargmax(
    a: ArrayLike, axis: int | None = None, out: None = None, keepdims: bool | None = None
) -> Array:
    """The index of the greatest element that is not NaN; -1 if all are. As `argmax`.

    >>> jnp.nanargmax(jnp.array([1.0, jnp.nan, 3.0]))
    Array(2, dtype=int32)
    """
    refuse_out("nanargmax", out)
    return _place("nanargmax", reductions.argmax, -np.inf, a, axis, keepdims)


@array_function("axis", "keepdims")
def nanargmin(
    a: ArrayLike, axis: int | None = None, out: None = None, keepdims: bool | None = None
) -> Array:
    """The index of the least element that is not NaN; -1 if all are. As `argmin`.

    >>> jnp.nanargmin(jnp.array([1.0, jnp.nan, 3.0]))
    Array(0, dtype=int32)
    """
    refuse_out("nanargmin", out)
    return _place("nanargmin", reductions.argmin, np.inf, a, axis, keepdims)

"""Running totals along an axis, and those that skip NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jx_core import lax
from jx_core.dtypes import python_scalar_dtype
from jx_core.ops.elementwise import convert

from .functions import array_function
from .operands import (
    INEXACT,
    Array,
    ArrayLike,
    a_dtype,
    as_operand,
    one_axis,
    refuse_out,
    typeof,
)
from .reductions import total_dtype

__all__ = [
    "cumprod", "cumsum", "cumulative_prod", "cumulative_sum", "nancumprod", "nancumsum",
]  # fmt: skip

_BOOL = np.dtype(np.bool_)


def _cumulative(
    name: str, accumulate: Callable[..., Array], a: Any, axis: Any, dtype: Any, skip: int | None
) -> Array:
    """A running total by a `lax` function; `skip` takes the place of NaN where given."""
    x = as_operand(name, a)
    if skip is not None and typeof(x).dtype in INEXACT:
        x = lax.select(lax.ne(x, x), lax.full_like(x, skip), x)
    if dtype is not None:
        dtype = a_dtype(name, dtype)
    else:
        dtype = typeof(x).dtype
    if axis is None:
        x, axis = lax.reshape(x, (typeof(x).size,)), 0
    place = one_axis(name, axis, typeof(x).ndim)
    inner = python_scalar_dtype(int) if dtype == _BOOL else dtype
    return accumulate(convert(x, inner), place)


@array_function("axis", "dtype")
def cumsum(a: ArrayLike, axis: int | None = None, dtype: Any = None, out: None = None) -> Array:
    """The sums of all elements up to each, along an axis.

    Args:
        a: an array.
        axis: the axis; the array is flattened if None.
        dtype: the dtype to sum in; that of `a` if None, an integer one for booleans.
        out: must be None.

    Raises:
        ShapeError: the axis is out of range.

    >>> jnp.cumsum(jnp.array([1, 2, 3]))
    Array([1, 3, 6], dtype=int32)
    """
    refuse_out("cumsum", out)
    return _cumulative("cumsum", lax.cumsum, a, axis, dtype, None)


@array_function("axis", "dtype")
def cumprod(a: ArrayLike, axis: int | None = None, dtype: Any = None, out: None = None) -> Array:
    """The products of all elements up to each, along an axis. Arguments as for `cumsum`.

    >>> jnp.cumprod(jnp.array([1, 2, 3]))
    Array([1, 2, 6], dtype=int32)
    """
    refuse_out("cumprod", out)
    return _cumulative("cumprod", lax.cumprod, a, axis, dtype, None)


@array_function("axis", "dtype")
def nancumsum(a: ArrayLike, axis: int | None = None, dtype: Any = None, out: None = None) -> Array:
    """As `cumsum`, with NaN counting as 0.

    >>> jnp.nancumsum(jnp.array([1.0, jnp.nan, 3.0]))
    Array([1., 1., 4.], dtype=float32)
    """
    refuse_out("nancumsum", out)
    return _cumulative("nancumsum", lax.cumsum, a, axis, dtype, 0)


@array_function("axis", "dtype")
def nancumprod(a: ArrayLike, axis: int | None = None, dtype: Any = None, out: None = None) -> Array:
    """As `cumprod`, with NaN counting as 1.

    >>> jnp.nancumprod(jnp.array([2.0, jnp.nan, 3.0]))
    Array([2., 2., 6.], dtype=float32)
    """
    refuse_out("nancumprod", out)
    return _cumulative("nancumprod", lax.cumprod, a, axis, dtype, 1)


def _standard(
    name: str, accumulate: Any, first: int, x: Any, axis: Any, dtype: Any, include_initial: bool
) -> Array:
    """The functions of the array API, which may begin with `first`, the total of nothing."""
    x = as_operand(name, x)
    ndim = typeof(x).ndim
    if ndim == 0:
        raise ValueError(f"jnp.{name} takes an array of one axis at least, got a scalar")
    if axis is None:
        if ndim > 1:
            raise ValueError(
                f"jnp.{name}: axis may be left out for one-dimensional arrays only, got an array "
                f"of shape {typeof(x).shape}"
            )
        axis = 0
    place = one_axis(name, axis, ndim)
    dtype = total_dtype(typeof(x).dtype, True) if dtype is None else a_dtype(name, dtype)
    result = accumulate(convert(x, dtype), place)
    if include_initial:
        edges = [(1 if i == place else 0, 0, 0) for i in range(ndim)]
        result = lax.pad(result, np.asarray(first).astype(dtype)[()], edges)
    return result


@array_function("axis", "dtype", "include_initial")
def cumulative_sum(
    x: ArrayLike, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Array:
    """The sums of all elements up to each, along an axis, as the array API has them.

    Args:
        x: an array of one axis at least.
        axis: the axis; it may be left out if there is but one.
        dtype: the dtype to sum in; as for `sum` if None.
        include_initial: whether to begin with the sum of no elements, 0.

    Raises:
        ValueError: `axis` is left out for an array of several, or `x` is a scalar.

    >>> jnp.cumulative_sum(jnp.array([1, 2, 3]), include_initial=True)
    Array([0, 1, 3, 6], dtype=int32)
    """
    return _standard("cumulative_sum", lax.cumsum, 0, x, axis, dtype, include_initial)


@array_function("axis", "dtype", "include_initial")
def cumulative_prod(
    x: ArrayLike, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Array:
    """The products of all elements up to each, along an axis. As `cumulative_sum`.

    >>> jnp.cumulative_prod(jnp.array([1, 2, 3]))
    Array([1, 2, 6], dtype=int32)
    """
    return _standard("cumulative_prod", lax.cumprod, 1, x, axis, dtype, include_initial)

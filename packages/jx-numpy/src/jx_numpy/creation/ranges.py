"""Numbers at regular distances or ratios."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import compiled, dtypes, lax, operators
from jx_core.dtypes import python_scalar_dtype
from jx_core.errors import concrete_or_error
from jx_core.ops.elementwise import convert
from jx_core.ops.kit import real_dtype
from jx_core.state import state
from jx_core.symbolic import DimExpr, maximum
from jx_core.trace import EVAL

from ..functions import array_function
from ..operands import (
    INEXACT,
    Array,
    ArrayLike,
    a_dtype,
    accumulation_dtype,
    an_integer,
    as_operand,
    broadcast_shapes,
    broadcast_to,
    is_integer,
    one_axis,
    promote_dtypes_inexact,
    typeof,
)
from .conversion import asarray, placed

__all__ = ["arange", "geomspace", "linspace", "logspace"]


def _count(dtype: Any, size: int) -> Array:
    return lax.iota(dtype, size)


_compiled_count = compiled(_count, static_argnames=("dtype", "size"))


def arange(
    start: ArrayLike,
    stop: ArrayLike | None = None,
    step: ArrayLike | None = None,
    dtype: Any = None,
    *,
    device: Any = None,
    out_sharding: Any = None,
) -> Array:
    """The numbers from `start` up to but not including `stop`, `step` apart.

    `arange(stop)` begins at 0.

    Args:
        start, stop, step: numbers that are known now; `step` is 1 if None.
        dtype: the result's dtype; the one that the arguments promote to if None.
        device: the device, or the sharding, to put it on.
        out_sharding: as `device`.

    Raises:
        ConcretizationTypeError: an argument is traced, so that the length is not known.
        TypeError: an argument is no number.
        ZeroDivisionError: `step` is 0.

    >>> jnp.arange(3), jnp.arange(1, 2, 0.25)
    (Array([0, 1, 2], dtype=int32), Array([1.  , 1.25, 1.5 , 1.75], dtype=float32))
    """
    place = device if device is not None else out_sharding
    if stop is None and step is None and type(start) is int:
        dtype = python_scalar_dtype(int) if dtype is None else a_dtype("arange", dtype)
        if dtype.kind in "iuf":
            return placed(_counted(dtype, max(start, 0)), place)
    if DimExpr in (type(start), type(stop), type(step)):
        return placed(_symbolic_range(start, stop, step, dtype), place)
    given = {"start": start, "stop": stop, "step": step}
    ends = {k: _known(k, v) for k, v in given.items() if v is not None}
    if dtype is None:
        dtype = dtypes.result_type(*ends.values())
    else:
        dtype = a_dtype("arange", dtype)
    if stop is None:
        ends["stop"] = ends["start"]
        ends["start"] = 0
    values = _numbers(ends, dtype)
    return asarray(values, dtype, device=place)


def _symbolic_range(start: Any, stop: Any, step: Any, dtype: Any) -> Array:
    """`arange` with bounds that are symbolic dimensions."""
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    for argument, x in (("start", start), ("stop", stop), ("step", step)):
        if not isinstance(x, (int, np.integer, DimExpr)):
            raise TypeError(
                f"jnp.arange: {argument} must be an integer or a dimension where others are "
                f"symbolic dimensions, got {x!r:.100}"
            )
    if step == 0:
        raise ZeroDivisionError("jnp.arange: step must not be 0")
    dtype = python_scalar_dtype(int) if dtype is None else a_dtype("arange", dtype)
    up = step > 0
    distance, stride = (stop - start, step) if up else (start - stop, -step)
    size = maximum((distance + stride - 1) // stride, 0)
    count = lax.iota(dtype, size)
    for operation, x, neutral in ((lax.mul, step, 1), (lax.add, start, 0)):
        if type(x) is DimExpr or x != neutral:
            count = operation(count, convert(lax.dim_as_value(x), dtype))
    return count


def _counted(dtype: Any, size: int) -> Array:
    return _count(dtype, size) if state.trace is not EVAL else _compiled_count(dtype, size)


def _known(argument: str, x: Any) -> Any:
    """An argument of `arange` as a number that NumPy knows."""
    x = concrete_or_error(x, f"the argument {argument} of jnp.arange, which decides a length")
    if isinstance(x, (int, float, complex)):
        return x
    x = as_operand("arange", x)
    if typeof(x).shape:
        raise TypeError(
            f"jnp.arange: {argument} must be a scalar, got an array of shape {typeof(x).shape}"
        )
    return np.asarray(x)[()]


def _numbers(ends: dict[str, Any], dtype: Any) -> np.ndarray:
    """The numbers of `arange` in double precision or wide integers, then converted once."""
    start, stop, step = ends["start"], ends["stop"], ends.get("step", 1)
    if step == 0:
        raise ZeroDivisionError("jnp.arange: step must not be 0")
    plain = [v.item() if isinstance(v, np.generic) else v for v in (start, stop, step)]
    return np.arange(*plain).astype(dtype)


def _points_and_step(
    name: str, start: Any, stop: Any, num: int, endpoint: bool, dtype: Any, axis: int
) -> tuple[Array, Array]:
    """The points of `linspace`, and the step between them."""
    ends = [as_operand(name, x) for x in (start, stop)]
    start, stop = promote_dtypes_inexact(name, start, stop)
    own = typeof(start).dtype
    dtype = own if dtype is None else dtype
    inner = dtypes.promote_types(own, dtype) if dtype in INEXACT else own
    inner = accumulation_dtype(inner)
    shape = broadcast_shapes(name, typeof(start).shape, typeof(stop).shape)
    start = broadcast_to(convert(start, inner), shape)
    stop = broadcast_to(convert(stop, inner), shape)
    divisions = num - 1 if endpoint else num
    if divisions > 0:
        step = operators.divide(operators.subtract(stop, start), lax.dim_as_float(divisions))
        count = lax.iota(real_dtype(inner), divisions)
        t = convert(operators.divide(count, lax.dim_as_float(divisions)), inner)
        t = lax.broadcast_in_dim(t, (divisions, *shape), (0,))
        start, stop = (lax.expand_dims(x, (0,)) for x in (start, stop))
        from_start = operators.multiply(start, operators.subtract(1.0, t))
        points = operators.add(from_start, operators.multiply(stop, t))
        if is_integer(dtype):
            points = _rounded_down(points, start, stop)
        if endpoint:
            points = lax.concatenate([points, stop], 0)
    else:
        step = lax.full_like(start, np.nan)
        points = lax.broadcast(start, (num,))
    if is_integer(dtype):
        points = lax.floor(points)
        if divisions > 0 and all(is_integer(typeof(x).dtype) for x in ends):
            points = _between_integers(ends, shape, divisions, endpoint)
    place = one_axis(name, axis, len(shape) + 1)
    order = list(range(1, len(shape) + 1))
    order.insert(place, 0)
    return convert(lax.transpose(points, order), dtype), convert(step, own)


def _between_integers(
    ends: list[Array], shape: tuple[int, ...], divisions: int, endpoint: bool
) -> Array:
    """The points between integers, rounded down, in exact arithmetic."""
    wide = dtypes.promote_types(dtypes.python_scalar_dtype(int), typeof(ends[0]).dtype)
    wide = dtypes.promote_types(wide, typeof(ends[1]).dtype)
    wide = wide if is_integer(wide) else dtypes.python_scalar_dtype(int)  # uint64 with int64
    start, stop = (broadcast_to(convert(x, wide), (1, *shape)) for x in ends)
    span = operators.subtract(stop, start)
    ones = range(1, typeof(span).ndim)
    count = lax.expand_dims(lax.iota(typeof(span).dtype, divisions), ones)
    quotient, rest = operators.divmod(span, divisions)
    # The product of the rest stays below divisions**2, that of the whole span might overflow.
    within = operators.floor_divide(operators.multiply(count, rest), divisions)
    points = operators.add(operators.add(start, operators.multiply(count, quotient)), within)
    return lax.concatenate([points, stop], 0) if endpoint else points


def _rounded_down(points: Array, start: Array, stop: Array) -> Array:
    """The floor of each point, of those a rounding error below a whole number that number."""
    nearest = lax.round(points, lax.RoundingMethod.TO_NEAREST_EVEN)
    scale = lax.max(lax.abs(start), lax.abs(stop))
    error = operators.multiply(scale, 2 * float(dtypes.finfo(typeof(scale).dtype).eps))
    close = operators.less_equal(lax.abs(lax.sub(points, nearest)), error)
    return lax.select(close, nearest, lax.floor(points))


@array_function("num", "endpoint", "retstep", "dtype", "axis")
def _linspace(
    start: Any, stop: Any, num: int, endpoint: bool, retstep: bool, dtype: Any, axis: int
) -> Any:
    """What `linspace` returns: an array more takes a dispatch longer, so the step is on demand."""
    both = _points_and_step("linspace", start, stop, num, endpoint, dtype, axis)
    return both if retstep else both[0]


def _sampled(name: str, num: Any) -> int:
    num = an_integer(name, num, "num")
    if num < 0:
        raise ValueError(f"jnp.{name}: num must be non-negative, got {num}")
    return num


def linspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """`num` points at equal distances from `start` to `stop`, both of them exact.

    Args:
        start, stop: numbers or arrays, broadcast with each other.
        num: how many points.
        endpoint: whether `stop` is the last point, or the first one left out.
        retstep: whether to return the distance as well.
        dtype: the result's dtype; the float one that the arguments promote to if None.
            Integers are rounded down.
        axis: where the new axis is in the result.
        device: the device, or the sharding, to put it on.

    Returns:
        The points, or a pair of them and the distance (NaN where there is none).

    Raises:
        ValueError: `num` is negative.
        ShapeError: the shapes don't broadcast.

    >>> jnp.linspace(0, 1, 5)
    Array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    num = _sampled("linspace", num)
    dtype = None if dtype is None else a_dtype("linspace", dtype)
    result = _linspace(start, stop, num, bool(endpoint), bool(retstep), dtype, axis)
    if device is None:
        return result
    return (placed(result[0], device), result[1]) if retstep else placed(result, device)


@array_function("num", "endpoint", "dtype", "axis")
def _logspace(
    start: Any, stop: Any, num: int, endpoint: bool, base: Any, dtype: Any, axis: int
) -> Array:
    points, _ = _points_and_step("logspace", start, stop, num, endpoint, None, axis)
    result = operators.power(base, points)
    return convert(result, typeof(result).dtype if dtype is None else dtype)


def logspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    base: ArrayLike = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Array:
    """Numbers at equal ratios, from `base**start` to `base**stop`.

    Args:
        start, stop: the first and last exponents, broadcast with each other.
        num: how many numbers.
        endpoint: whether `base**stop` is the last, or the first one left out.
        base: the base.
        dtype: the result's dtype; the float one that the arguments promote to if None.
        axis: where the new axis is in the result.

    Raises:
        ValueError: `num` is negative.

    >>> jnp.logspace(0, 2, 3)
    Array([  1.,  10., 100.], dtype=float32)
    """
    num = _sampled("logspace", num)
    dtype = None if dtype is None else a_dtype("logspace", dtype)
    return _logspace(start, stop, num, bool(endpoint), base, dtype, axis)


@array_function("num", "endpoint", "dtype", "axis")
def _geomspace(start: Any, stop: Any, num: int, endpoint: bool, dtype: Any, axis: int) -> Array:
    start, stop = promote_dtypes_inexact("geomspace", start, stop)
    own = typeof(start).dtype
    shape = broadcast_shapes("geomspace", typeof(start).shape, typeof(stop).shape)
    start, stop = (broadcast_to(convert(x, own), shape) for x in (start, stop))
    # Dividing by the sign leaves positive numbers, or numbers on a spiral that begins at one.
    sign = lax.sign(start)
    logs = [lax.log(operators.divide(x, sign)) for x in (start, stop)]
    points, _ = _points_and_step("geomspace", logs[0], logs[1], num, endpoint, None, 0)
    points = operators.multiply(lax.exp(points), lax.expand_dims(sign, (0,)))
    if num:
        ends = [lax.expand_dims(start, (0,)), lax.slice_in_dim(points, 1, num)]
        if endpoint and num > 1:
            last = lax.expand_dims(stop, (0,))
            ends = [ends[0], lax.slice_in_dim(points, 1, num - 1), last]
        points = lax.concatenate(ends, 0)
    order = list(range(1, len(shape) + 1))
    order.insert(one_axis("geomspace", axis, len(shape) + 1), 0)
    return convert(lax.transpose(points, order), own if dtype is None else dtype)


def geomspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Array:
    """Numbers at equal ratios from `start` to `stop`, both of them exact.

    Args:
        start, stop: numbers or arrays of the same sign, or complex; broadcast with each other.
        num: how many numbers.
        endpoint: whether `stop` is the last, or the first one left out.
        dtype: the result's dtype; the float one that the arguments promote to if None.
        axis: where the new axis is in the result.

    Raises:
        ValueError: `num` is negative.

    >>> jnp.geomspace(1, 16, 3).round(3)
    Array([ 1.,  4., 16.], dtype=float32)
    """
    num = _sampled("geomspace", num)
    dtype = None if dtype is None else a_dtype("geomspace", dtype)
    return _geomspace(start, stop, num, bool(endpoint), dtype, axis)

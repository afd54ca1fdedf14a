"""Numbers at regular distances, and the grids they span."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from jx_core import compiled, dtypes, lax, operators
from jx_core.dtypes import python_scalar_dtype
from jx_core.errors import concrete_or_error
from jx_core.state import state
from jx_core.trace import EVAL

from ..functions import array_function
from ..operands import (
    Array,
    ArrayLike,
    INEXACT,
    a_dtype,
    a_shape,
    an_integer,
    as_operand,
    is_complex,
    is_integer,
    one_axis,
    promote_dtypes_inexact,
    promote_shapes,
    to_dtype,
    to_inexact,
    typeof,
)
from .conversion import asarray, placed

__all__ = [
    "arange", "fromfunction", "geomspace", "indices", "linspace", "logspace", "meshgrid",
    "mgrid", "ogrid",
]  # fmt: skip


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
    given = {"start": start, "stop": stop, "step": step}
    ends = {k: _known(k, v) for k, v in given.items() if v is not None}
    if dtype is None:
        dtype = dtypes.result_type(*ends.values())
    else:
        dtype = a_dtype("arange", dtype)
    if stop is None:
        ends = {"start": type(ends["start"])(0), "stop": ends["start"], **_without_start(ends)}
    values = _numbers(ends, dtype)
    return asarray(values, dtype, device=place)


def _without_start(ends: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in ends.items() if k == "step"}


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


def _points(
    name: str, start: Any, stop: Any, num: int, endpoint: bool, dtype: Any, axis: int
) -> tuple[Array, Any, Any]:
    """The points of `linspace` in the dtype they are computed in, that dtype, and the step."""
    start, stop = promote_dtypes_inexact(name, start, stop)
    inner = typeof(start).dtype
    if dtype is not None and dtype in INEXACT and not is_complex(inner):
        inner = to_inexact(operators_result(inner, dtype))
    start, stop = promote_shapes(name, to_dtype(start, inner), to_dtype(stop, inner))
    shape = lax.broadcast_shapes(typeof(start).shape, typeof(stop).shape)
    axis = one_axis(name, axis, len(shape) + 1)
    divisions = num - 1 if endpoint else num
    start = lax.convert_element_type(start, inner)
    stop = lax.convert_element_type(stop, inner)
    if divisions < 1:
        one = lax.broadcast_in_dim(
            start, (*shape[:axis], num, *shape[axis:]) if num else
            (*shape[:axis], 0, *shape[axis:]),
            tuple([i for i in range(len(shape) + 1) if i != axis][-typeof(start).ndim:])
            if typeof(start).ndim else (),
        )
        step = operators.subtract(stop, start) if divisions == 0 and endpoint is False else np.nan
        return one, inner, step
    raise AssertionError


def operators_result(a: Any, b: Any) -> Any:
    return dtypes.promote_types(a, b)

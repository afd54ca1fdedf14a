"""Arrays made of Python numbers, nested lists, NumPy arrays and other arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import ShapedArray, backend, compiled, dtypes, lax
from jx_core.aval import typeof
from jx_core.dtypes import ExtendedDType, python_scalar_dtype
from jx_core.ops.elementwise import convert
from jx_core.state import state
from jx_core.symbolic import DimExpr
from jx_core.trace import EVAL, Tracer, to_concrete

from ..operands import Array, ArrayLike, a_dtype, as_operand, is_complex, to_dtype

__all__ = ["array", "asarray", "astype", "copy"]

_NUMBERS = frozenset((bool, int, float, complex))
_BOOL = np.dtype(np.bool_)


def array(
    object: Any,
    dtype: Any = None,
    *,
    copy: bool = True,
    order: str | None = "K",
    ndmin: int = 0,
    device: Any = None,
    out_sharding: Any = None,
) -> Array:
    """An array of a number, nested lists of them, a NumPy array, or another array.

    Args:
        object: numbers and arrays, in lists and tuples to any depth, or anything that NumPy
            makes an array of.
        dtype: the result's dtype. If None, the one that all elements promote to; it is weak
            for a Python number alone.
        copy: whether an array is copied even if nothing is to be changed.
        order: must be `K` (or what amounts to it): arrays have no memory order.
        ndmin: the least number of axes; new ones of length 1 come in front.
        device: the device, or the sharding, to put it on.
        out_sharding: as `device`.

    Raises:
        ValueError: lists are ragged (the message says where), or None is among the elements.
        TypeError: an element is no number.
        OverflowError: an integer does not fit the dtype.

    >>> jnp.array([[1, 2], [3, 4.5]])
    Array([[1. , 2. ],
           [3. , 4.5]], dtype=float32)
    """
    _check_order("array", order)
    result = _as_array("array", object, dtype, copy, device if device is not None else out_sharding)
    ndim = result.ndim
    if ndim < ndmin:
        result = lax.broadcast_in_dim(
            result, (1,) * (ndmin - ndim) + result.shape, range(ndmin - ndim, ndmin)
        )
    return result


def asarray(
    a: Any,
    dtype: Any = None,
    order: str | None = None,
    *,
    copy: bool | None = None,
    device: Any = None,
    out_sharding: Any = None,
) -> Array:
    """As `array`, but an array that needs no change is returned as it is.

    Args:
        a: what `array` takes.
        dtype: the result's dtype; as in `array` if None.
        order: must be None or what amounts to it.
        copy: True to copy always; False to raise where a copy is needed.
        device: the device, or the sharding, to put it on.
        out_sharding: as `device`.

    Raises:
        ValueError: as for `array`, and where `copy` is False and a copy is needed.
        TypeError: as for `array`.

    >>> jnp.asarray([1, 2, 3])
    Array([1, 2, 3], dtype=int32)
    """
    if order is not None:
        _check_order("asarray", order)
    where = device if device is not None else out_sharding
    if copy is False:
        return _without_copy(a, dtype, where)
    return _as_array("asarray", a, dtype, bool(copy), where)


def _without_copy(a: Any, dtype: Any, where: Any) -> Array:
    """`a` as an array that shares its memory.

    Raises:
        ValueError: it can't be shared.
    """
    result = a
    if not hasattr(a, "aval"):
        lend = getattr(backend.current(), "from_dlpack", None)
        why = f"a {type(a).__name__} can't become an array without one"
        if lend is None or not hasattr(a, "__dlpack__"):
            raise ValueError(f"jnp.asarray: copy=False, but {why}")
        try:
            result = lend(a, device=where, copy=False)
        except (BufferError, ValueError) as error:
            raise ValueError(f"jnp.asarray: copy=False, but {why}: {error}") from error
    aval = typeof(result)
    if dtype is not None and a_dtype("asarray", dtype) != aval.dtype:
        raise ValueError(
            f"jnp.asarray: copy=False, but an array of dtype {aval.dtype.name} can't become one of "
            f"{a_dtype('asarray', dtype).name} without one"
        )
    return _of_array(result, aval, None, False, where)


def _check_order(name: str, order: Any) -> None:
    if order not in ("K", "C", "A", "F", None):
        raise ValueError(f"jnp.{name}: order must be 'K', 'A', 'C' or 'F', got {order!r}")
    if order == "F":
        raise NotImplementedError(
            f"jnp.{name}: order='F' is not supported: arrays have no memory order"
        )


def _as_array(name: str, x: Any, dtype: Any, copy: bool, place: Any) -> Array:
    if dtype is not None:
        dtype = a_dtype(name, dtype)
    aval = getattr(x, "aval", None)
    if aval is not None and hasattr(x, "dtype"):
        return _of_array(x, aval, dtype, copy, place)
    kind = type(x)
    if kind in _NUMBERS:
        aval = typeof(x)
        if dtype is not None:
            return _put(_number(x, dtype), ShapedArray((), dtype), place)
        if kind is int:
            to_dtype(x, aval.dtype)  # complains of one too large
        return _put(x, aval, place)
    if kind is np.ndarray or isinstance(x, (np.ndarray, np.generic)):
        return _of_ndarray(name, np.asarray(x), dtype, place)
    if isinstance(x, (list, tuple)):
        return _of_sequence(name, x, dtype, place)
    return _of_other(name, x, dtype, copy, place)


def _number(x: Any, dtype: Any) -> np.ndarray:
    """A Python number as an ndarray of a dtype that was asked for."""
    if isinstance(dtype, ExtendedDType):
        raise TypeError(f"a number can't become an array of dtype {dtype.name}")
    if type(x) is complex and not is_complex(dtype):
        raise TypeError(f"the complex number {x} does not go into dtype {dtype.name}")
    if dtypes.issubdtype(dtype, np.integer) and type(x) is float:
        x = int(x)
    return np.asarray(x).astype(dtype) if type(x) is not int else np.asarray(x, dtype)


def _put(value: Any, aval: ShapedArray, place: Any = None) -> Array:
    return backend.current().put(value, aval, place)


_copy = compiled(lambda x: lax.copy_p.bind(x))


def _of_array(x: Any, aval: ShapedArray, dtype: Any, copy: bool, place: Any) -> Array:
    """An array of an array or tracer."""
    here = x
    if not isinstance(x, Tracer) and type(x) not in backend.current().array_types:
        here = _put(x, aval)
    if dtype is not None and (dtype != aval.dtype or aval.weak_type):
        here = convert(here, dtype)
    elif copy:
        here = lax.copy_p.bind(here) if state.trace is not EVAL else _copy(here)
    return placed(here, place)


def placed(x: Array, place: Any) -> Array:
    """The array on the device, or with the sharding, that was asked for; as it is if None."""
    if place is None:
        return x
    if isinstance(x, Tracer):
        source = getattr(to_concrete(x), "sharding", None)  # where its cotangent goes back to
        return lax.device_put_p.bind(x, device=place, src=source)
    return _put(x, typeof(x), place)


def _of_ndarray(name: str, x: np.ndarray, dtype: Any, place: Any) -> Array:
    if x.dtype.kind in "US" and dtype is not None and not isinstance(dtype, ExtendedDType):
        x = np.asarray(x.tolist(), dtype)  # what the strings say, as in NumPy
    if not dtypes.is_supported(x.dtype):
        raise TypeError(
            f"Value of dtype {x.dtype} is not a valid array type: jnp.{name} takes booleans and "
            f"numbers, got {x!r:.100}"
        )
    own = dtypes.canonicalize_dtype(x.dtype)
    if dtype is None or dtype == own:
        return _put(x, ShapedArray(x.shape, own), place)
    from jx_core.ops.elementwise.conversion import convert_ndarray

    return _put(convert_ndarray(x, dtype), ShapedArray(x.shape, dtype), place)


# Nested sequences.


def _of_sequence(name: str, x: Sequence[Any], dtype: Any, place: Any) -> Array:
    leaves: list[Any] = []
    shape = _shape_of(name, x, leaves, "")
    element = _element_dtype(leaves)
    target = element if dtype is None else dtype
    if any(isinstance(v, Tracer) for v in leaves) or isinstance(element, ExtendedDType):
        result = _stacked(x, target)
        return placed(result, place)
    if isinstance(target, ExtendedDType):
        raise TypeError(f"jnp.{name}: numbers can't become an array of dtype {target.name}")
    if set(map(type, leaves)) <= _NUMBERS:
        if target.kind in "iu" and element.kind not in "iub":
            value = np.asarray(x).astype(target)
        else:
            value = np.array(x, target)
    else:
        parts = [np.asarray(v).astype(target) for v in leaves]
        value = np.concatenate([p.reshape(-1) for p in parts])
    return _put(value.reshape(shape), ShapedArray(shape, target), place)


def _shape_of(name: str, x: Any, leaves: list[Any], path: str) -> tuple[int, ...]:
    """The shape of a nested sequence, whose leaves are added to `leaves` in order.

    Raises:
        ValueError: it is ragged, or holds None.
        TypeError: it holds what is no array or number.
    """
    if not isinstance(x, (list, tuple)):
        leaf = _leaf(name, x, path)
        leaves.append(leaf)
        return np.shape(leaf) if not hasattr(leaf, "aval") else leaf.aval.shape
    kinds = set(map(type, x))
    if kinds <= _NUMBERS:
        leaves.extend(x)
        return (len(x),)
    first: tuple[int, ...] | None = None
    for i, item in enumerate(x):
        shape = _shape_of(name, item, leaves, f"{path}[{i}]")
        if first is None:
            first = shape
        elif shape != first:
            raise ValueError(
                f"jnp.{name}: the nested sequence is ragged: element {path}[{i}] has shape "
                f"{shape}, but element {path}[0] has shape {first}. An array needs rows of equal "
                f"lengths; pad them, or keep a list of arrays"
            )
    return (len(x), *(first or ()))


def _leaf(name: str, x: Any, path: str) -> Any:
    if x is None:
        raise ValueError(f"None is not a valid value for jnp.{name}: found at {path or 'the top'}")
    if type(x) in _NUMBERS or hasattr(x, "aval"):
        return x
    if type(x) is DimExpr:
        return lax.dim_as_value(x)
    if hasattr(x, "__jax_array__"):
        return _leaf(name, x.__jax_array__(), path)
    try:
        x = as_operand(name, x)
    except TypeError:
        if hasattr(x, "__array__") or hasattr(x, "__array_interface__"):
            return np.asarray(x)
        raise TypeError(
            f"jnp.{name}: the element at {path} is {x!r:.100} of type {type(x).__name__}; only "
            f"booleans, numbers and arrays of them can be elements"
        ) from None
    return x


def _element_dtype(leaves: list[Any]) -> Any:
    """The dtype that all leaves promote to."""
    kinds = set(map(type, leaves))
    if kinds <= _NUMBERS:
        for python in (complex, float, int, bool):
            if python in kinds:
                return python_scalar_dtype(python)
        return python_scalar_dtype(float)
    typed = {dtypes.dtype_and_weak(x) for x in leaves}
    return dtypes.lattice_result_type(*typed)[0]


def _stacked(x: Any, dtype: Any) -> Array:
    """A nested sequence, some of whose leaves are traced, as one array."""
    if not isinstance(x, (list, tuple)):
        x = lax.dim_as_value(x) if type(x) is DimExpr else x
        x = x.__jax_array__() if hasattr(x, "__jax_array__") else x
        value = x if hasattr(x, "aval") else np.asarray(x)
        if isinstance(dtype, ExtendedDType):
            return value
        return convert(value, dtype)
    return lax.stack([_stacked(item, dtype) for item in x], 0)


# Other objects.


def _of_other(name: str, x: Any, dtype: Any, copy: bool, place: Any) -> Array:
    if x is None:
        raise ValueError(f"None is not a valid value for jnp.{name}")
    unwrap = getattr(x, "__jax_array__", None)
    if unwrap is not None:
        return _as_array(name, unwrap(), dtype, copy, place)
    if type(x) is DimExpr:
        return _as_array(name, lax.dim_as_value(x), dtype, copy, place)
    if isinstance(x, (str, bytes)):
        if dtype is not None and not isinstance(dtype, ExtendedDType):
            return _of_ndarray(name, np.asarray(x), dtype, place)
        raise TypeError(
            f"Value {x!r:.100} is not a valid array type: jnp.{name} takes booleans and numbers"
        )
    if isinstance(x, (bool, int, float, complex)):  # subclasses, such as an IntEnum's members
        return _of_ndarray(name, np.asarray(x), dtype, place)
    if isinstance(x, range):
        return _of_sequence(name, list(x), dtype, place)
    if hasattr(x, "__array__") or hasattr(x, "__array_interface__") or _is_buffer(x):
        return _of_ndarray(name, np.asarray(x), dtype, place)
    raise TypeError(
        f"Value {x!r:.100} of type {type(x).__name__} is not a valid array type: jnp.{name} takes "
        f"numbers, arrays, and lists and tuples of them"
    )


def _is_buffer(x: Any) -> bool:
    try:
        memoryview(x)
    except TypeError:
        return False
    return True


def copy(a: ArrayLike, order: str | None = None) -> Array:
    """A copy of an array.

    Args:
        a: what `array` takes.
        order: must be None or what amounts to it.

    >>> jnp.copy(jnp.array([1, 2]))
    Array([1, 2], dtype=int32)
    """
    return array(a, copy=True, order=order)


def astype(x: ArrayLike, dtype: Any, /, *, copy: bool = False, device: Any = None) -> Array:
    """The elements of an array as another dtype.

    Floats become integers by truncation, limited to the range of the dtype; complex numbers
    lose their imaginary part.

    Args:
        x: an array.
        dtype: the dtype; the default float one if None.
        copy: whether to copy even if nothing is to be changed.
        device: the device, or the sharding, to put the result on.

    Raises:
        TypeError: `x` is no array, or `dtype` no dtype.

    >>> jnp.astype(jnp.array([1.7, -1.7]), jnp.int32)
    Array([ 1, -1], dtype=int32)
    """
    operand = as_operand("astype", x)
    dtype = python_scalar_dtype(float) if dtype is None else a_dtype("astype", dtype)
    source = typeof(operand).dtype
    if is_complex(source) and not is_complex(dtype) and dtype != _BOOL:
        operand = lax.real(operand)
    result = convert(operand, dtype)
    if copy and result is x:
        result = _of_array(result, typeof(result), None, True, None)
    return placed(result, device)

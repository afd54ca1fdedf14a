"""Reading arrays on the host: as NumPy arrays, as text, as Python numbers, as bytes.

Everything here waits for the array to be computed. What is read is remembered
where it had to be copied, and never writable: arrays are immutable.

Not here: exchange without copies (`dlpack`); making arrays (`placement`).
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from . import lookups
from .arrays import check_alive, distinct_parts, install, shards_of
from .shardings import SingleDeviceSharding

__all__ = ["host_value"]


def host_value(array: Any) -> np.ndarray:
    """The elements as a read-only ndarray; on the CPU a view of them where possible.

    Raises:
        DonatedArrayError: the array's buffer was donated or freed.
        RuntimeError: parts of it are on devices of other processes only.
    """
    check_alive(array)
    value = array._npy_value
    if value is not None:
        return value  # type: ignore[no-any-return]
    sharding = array._sharding
    if type(sharding) is SingleDeviceSharding or (
        sharding.is_fully_replicated and sharding.has_addressable_devices
    ):
        value, copied = _of_one_device(array)
    else:
        value, copied = _gather(array), True
    value.flags.writeable = False
    if copied:
        array._npy_value = value
    return value  # type: ignore[no-any-return]


def _of_one_device(array: Any) -> tuple[np.ndarray, bool]:
    """The elements, and whether they are a copy.

    jaxlib's own way asks for a name of JAX's each time (see `lookups`), which costs more than
    all the rest: the buffer protocol goes first.
    """
    try:
        return np.asarray(memoryview(array)), False
    except (BufferError, RuntimeError):  # a dtype without a letter there, or a device's memory
        with lookups.answered():
            return array._single_device_array_to_np_array_did_copy()  # type: ignore[no-any-return]


def _gather(array: Any) -> np.ndarray:
    aval, sharding = array.aval, array._sharding
    parts = distinct_parts(sharding, aval.shape)
    if not sharding.is_fully_addressable:
        held = sum(
            int(np.prod([len(range(*s.indices(n))) for s, n in zip(index, aval.shape)]))
            for _, index in parts
        )
        if held < aval.size:
            raise RuntimeError(
                f"an array of type {aval.str_short()} lies on devices of several processes, and "
                f"this one holds only a part of it. Read its parts with .addressable_shards, or "
                f"gather it into every process first."
            )
    shards = shards_of(array)
    with lookups.answered():
        for position, _ in parts:
            shards[position]._copy_single_device_array_to_host_async()
    value = np.empty(aval.shape, aval.dtype)
    for position, index in parts:
        value[index] = _of_one_device(shards[position])[0]
    return value


def _is_readable(array: Any) -> bool:
    sharding = array._sharding
    return sharding.is_fully_addressable or (
        sharding.is_fully_replicated and sharding.has_addressable_devices
    )


# NumPy


def _array(
    self: Any, dtype: Any = None, context: Any = None, copy: bool | None = None
) -> np.ndarray:
    """NumPy's protocol: a read-only view where it can be had and ``copy`` allows it."""
    value = host_value(self)
    if dtype is None and not copy:
        return value
    return np.array(value, dtype=dtype, copy=copy)


def _tolist(self: Any) -> Any:
    """The elements as nested lists of Python numbers.

    >>> jnp.array([[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    """
    return host_value(self).tolist()


def _tobytes(self: Any, order: str = "C") -> bytes:
    """The elements' bytes."""
    return host_value(self).tobytes(order)  # type: ignore[arg-type]


def _item(self: Any, *args: int) -> Any:
    """One element as a Python number; an array of one element needs no index.

    >>> jnp.array([[1.5, 2.5]]).item(0, 1)
    2.5
    """
    return host_value(self).item(*args)


# Text


def _repr(self: Any) -> str:
    aval = self.aval
    kind = f"dtype={aval.dtype.name}" + (", weak_type=True" if aval.weak_type else "")
    if self.is_deleted():
        return f"Array(<deleted>, shape={aval.shape}, {kind})"
    if not _is_readable(self) or _is_partial_sum(self._sharding):
        return f"Array(shape={aval.shape}, {kind}, sharding={self._sharding})"
    width = np.get_printoptions()["linewidth"]
    if aval.size == 0:
        body = f"[], shape={aval.shape}"
    else:
        body = np.array2string(
            host_value(self), prefix="Array(", suffix=",", separator=", ", max_line_width=width
        )
    last_line = len(("Array(" + body).rsplit("\n", 1)[-1])
    fits = last_line + len(f", {kind})") <= width
    separator = " " if fits else "\n" + " " * len("Array(")
    return f"Array({body},{separator}{kind})"


def _is_partial_sum(sharding: Any) -> bool:
    return bool(getattr(getattr(sharding, "spec", None), "unreduced", ()))


def _str(self: Any) -> str:
    if self.is_deleted() or not _is_readable(self):
        return _repr(self)
    return str(host_value(self))


def _format(self: Any, spec: str) -> str:
    if self.is_deleted() or not _is_readable(self):
        return _repr(self)
    value = host_value(self)
    return format(value if value.ndim else value[()], spec)


# Python numbers


def _bool(self: Any) -> bool:
    size = self.aval.size
    if size != 1:
        many = "an array with more than one element" if size else "an empty array"
        raise ValueError(
            f"The truth value of {many} is ambiguous: got shape {self.aval.shape}. "
            f"Use .any() or .all()."
        )
    return bool(host_value(self))


def _only_scalar(array: Any) -> np.ndarray:
    if array.aval.shape:
        raise TypeError(
            f"Only scalar arrays can be converted to Python scalars; got an array of shape "
            f"{array.aval.shape}. Use .item() or index it first."
        )
    return host_value(array)


def _index(self: Any) -> int:
    aval = self.aval
    if aval.shape or not (aval.dtype.kind in "iu" or aval.dtype.name in _SMALL_INTEGERS):
        raise TypeError(
            f"Only integer scalar arrays can be converted to a scalar index; got "
            f"{aval.dtype.name}[{','.join(map(str, aval.shape))}]"
        )
    return operator.index(host_value(self)[()].item())


_SMALL_INTEGERS = {"int1", "int2", "int4", "uint1", "uint2", "uint4"}


# Copies


def _rebuild(value: np.ndarray, weak_type: bool) -> Any:
    """An array out of a pickle: on the default device, free to move."""
    from jx_core.aval import ShapedArray

    from .clients import default_device
    from .placement import put

    aval = ShapedArray(value.shape, value.dtype, weak_type)
    return put(value, aval, default_device(), committed=False)


def _reduce(self: Any) -> Any:
    return _rebuild, (np.asarray(host_value(self)), self.aval.weak_type)


def _copy(self: Any) -> Any:
    from .placement import copy

    return copy(self)


def _deepcopy(self: Any, memo: Any) -> Any:
    return _copy(self)


_MEMBERS = {
    "__array__": _array,
    "tolist": _tolist,
    "tobytes": _tobytes,
    "item": _item,
    "_value": property(host_value),
    "__repr__": _repr,
    "__str__": _str,
    "__format__": _format,
    "__bool__": _bool,
    "__int__": lambda self: int(_only_scalar(self)),
    "__float__": lambda self: float(_only_scalar(self)),
    "__complex__": lambda self: complex(_only_scalar(self)),
    "__index__": _index,
    "__reduce__": _reduce,
    "__copy__": _copy,
    "__deepcopy__": _deepcopy,
}
for _name, _member in _MEMBERS.items():
    install(_name, _member)

"""`Array`, the class that every array and tracer counts as an instance of."""

from __future__ import annotations

from typing import Any

from . import backend
from .trace import Tracer


class _ArrayMeta(type):
    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, Tracer) or any(
            isinstance(x, b.array_types) for b in backend.registered().values()
        )

    def __subclasscheck__(cls, kind: type) -> bool:
        if super().__subclasscheck__(kind):
            return True
        known = backend.registered().values() if cls is Array else ()
        return any(issubclass(kind, b.array_types) for b in known)


class Array(metaclass=_ArrayMeta):
    """For `isinstance(x, Array)` and annotations: any back end's array, or a tracer.

    The classes of back ends' arrays are subclasses of it, for `functools.singledispatch`.

    It is not constructed; `jx.numpy.array` and `device_put` make arrays.

    >>> from jx_core import lax
    >>> isinstance(lax.add(1.0, 2.0), Array)
    True
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("jx.Array is not constructed directly: use jx.numpy.array")

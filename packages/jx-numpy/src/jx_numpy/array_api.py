"""What the array API standard lets programs ask about a namespace (version 2024.12).

The functions of the standard are spread over the other modules under their own names; the
array's part of the protocol, `__array_namespace__`, is in `methods`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import ShapedArray, backend, dtypes

__all__ = ["__array_api_version__", "__array_namespace_info__"]

__array_api_version__ = "2024.12"

_NAMES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32",
    "float64", "complex64", "complex128",
)  # fmt: skip
_MAX_NDIM = 64  # of NumPy's arrays, through which values come and go


class ArrayNamespaceInfo:
    """Answers about capabilities, devices and dtypes; `__array_namespace_info__()` gives one.

    >>> jnp.__array_namespace_info__().default_dtypes()["integral"]
    dtype('int32')
    """

    def capabilities(self) -> dict[str, Any]:
        """What the namespace can do that not every library can.

        Returns:
            A dictionary. Boolean indexing and shapes that depend on values are said not to be
            there: arrays have both, but programs that are compiled or batched have not.

        >>> jnp.__array_namespace_info__().capabilities()["max dimensions"]
        64
        """
        return {
            "boolean indexing": False,
            "data-dependent shapes": False,
            "max dimensions": _MAX_NDIM,
        }

    def default_device(self) -> Any:
        """The device on which arrays are made where none is named.

        >>> jnp.__array_namespace_info__().default_device() == jnp.zeros(3).device
        True
        """
        return backend.current().put(0, ShapedArray((), np.dtype(np.int32))).device

    def devices(self) -> list[Any]:
        """The devices there are, each of them good for the argument `device` of functions.

        >>> jnp.zeros(3).device in jnp.__array_namespace_info__().devices()
        True
        """
        return list(backend.current().devices())

    def default_dtypes(self, *, device: Any = None) -> dict[str, np.dtype[Any]]:
        """The dtype of each kind that arrays have where none is named.

        Args:
            device: of no effect: all devices have the same.

        Returns:
            A dictionary from `real floating`, `complex floating`, `integral` and `indexing`;
            with `enable_x64` the dtypes have 64 bits a part, else 32.

        >>> jnp.__array_namespace_info__().default_dtypes()["real floating"]
        dtype('float32')
        """
        integer = dtypes.python_scalar_dtype(int)
        return {
            "real floating": dtypes.python_scalar_dtype(float),
            "complex floating": dtypes.python_scalar_dtype(complex),
            "integral": integer,
            "indexing": integer,
        }

    def dtypes(
        self, *, device: Any = None, kind: str | tuple[str, ...] | None = None
    ) -> dict[str, np.dtype[Any]]:
        """The standard's dtypes that arrays can have now.

        Args:
            device: of no effect: all devices have the same.
            kind: a kind of dtypes as for `isdtype`, several of them, or None for all.

        Returns:
            A dictionary from names to dtypes; those of 64 bits are there with `enable_x64`.

        Raises:
            ValueError: `kind` is no kind.

        >>> sorted(jnp.__array_namespace_info__().dtypes(kind="signed integer"))
        ['int16', 'int32', 'int8']
        """
        named = {name: np.dtype(name) for name in _NAMES}
        here = {name: d for name, d in named.items() if dtypes.canonicalize_dtype(d) == d}
        if kind is None:
            return here
        return {name: d for name, d in here.items() if dtypes.isdtype(d, kind)}


def __array_namespace_info__() -> ArrayNamespaceInfo:
    """The object that answers the array API standard's questions about this namespace.

    >>> "float32" in jnp.__array_namespace_info__().dtypes()
    True
    """
    return ArrayNamespaceInfo()

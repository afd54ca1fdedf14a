"""`jx.dlpack`: arrays shared with other libraries without copies."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import dtypes

from .runtime import dlpack as _dlpack

__all__ = ["from_dlpack", "is_supported_dtype"]

_DTYPES = frozenset(
    [
        "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
        "float16", "bfloat16", "float32", "float64", "complex64", "complex128",
    ]
)  # fmt: skip


def from_dlpack(external_array: Any, device: Any = None, copy: bool | None = None) -> Any:
    """An array that shares memory with another library's.

    Args:
        external_array: has `__dlpack__` and `__dlpack_device__`, as arrays of NumPy, PyTorch
            and CuPy have. Must not change while the result is in use.
        device: where the result shall be, a device or a sharding on one; by default where
            the data is.
        copy: True always copies, False never does, None does where it must.

    64-bit dtypes become 32-bit unless `enable_x64` is on.

    Raises:
        TypeError: the argument does not speak DLPack.
        ValueError: a copy is needed and `copy` is False; or the sharding has many devices.

    >>> import numpy as np
    >>> from_dlpack(np.arange(3, dtype=np.float32))
    Array([0., 1., 2.], dtype=float32)
    """
    return _dlpack.from_dlpack(external_array, device=device, copy=copy)


def is_supported_dtype(dtype: Any) -> bool:
    """Whether arrays of this dtype can be shared with DLPack.

    >>> is_supported_dtype("float32"), is_supported_dtype("int4")
    (True, False)
    """
    return not isinstance(dtype, dtypes.ExtendedDType) and np.dtype(dtype).name in _DTYPES

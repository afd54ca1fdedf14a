"""`jx.typing`: types for annotations of functions that take arrays."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np

from jx_core import Array

__all__ = ["ArrayLike", "DTypeLike"]


class _HasDType(Protocol):
    @property
    def dtype(self) -> np.dtype[Any]: ...


# What converts to an array without being a sequence: functions refuse lists, as JAX's do.
ArrayLike: TypeAlias = Array | np.ndarray | np.bool_ | np.number | bool | int | float | complex

# What names a dtype: a string, a Python or NumPy type, a dtype, or an object that has one.
DTypeLike: TypeAlias = str | type[Any] | np.dtype[Any] | _HasDType

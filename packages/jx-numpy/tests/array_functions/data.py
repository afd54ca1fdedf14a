"""Operands for the calls: distinct values, away from zero and from whole numbers.

So that derivatives exist where they are checked: no ties, no kinks, no steps nearby.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

BF16 = np.dtype(ml_dtypes.bfloat16)


def reals(*shape: int, dtype: Any = np.float64, low: float = -2.3, high: float = 2.7) -> Any:
    """Distinct values from `low` to `high`, in a fixed random order."""
    values = np.linspace(low, high, max(int(np.prod(shape)), 2))[: int(np.prod(shape))]
    return np.random.default_rng(7).permutation(values).reshape(shape).astype(dtype)


def complexes(*shape: int, dtype: Any = np.complex128, scale: float = 1.0) -> Any:
    """Distinct values on a spiral around zero, off the axes."""
    n = int(np.prod(shape))
    k = np.random.default_rng(8).permutation(n) + 1
    z = (0.4 + 1.2 * k / max(n, 1)) * np.exp(1j * (0.35 + 2.1 * k))
    return (scale * z).reshape(shape).astype(dtype)


def ints(*shape: int, dtype: Any = np.int32, low: int = -5, high: int = 8) -> Any:
    """Whole numbers from `low` to `high`, with repetitions."""
    low = max(low, 0) if np.dtype(dtype).kind in "ub" else low
    return np.random.default_rng(9).integers(low, high, shape, endpoint=True).astype(dtype)


def bools(*shape: int) -> Any:
    return np.random.default_rng(10).integers(0, 2, shape).astype(bool)


def empty(*shape: int, dtype: Any = np.float32) -> Any:
    return np.zeros(shape, dtype)


def widened(function: Any) -> Any:
    """An oracle that computes in double precision what it is given as integers or booleans.

    NumPy takes the sine of an int8 in half precision.
    """

    def oracle(*args: Any, **kwargs: Any) -> Any:
        def wide(x: Any) -> Any:
            small = isinstance(x, np.ndarray) and x.dtype.kind in "bui"
            return x.astype(np.float64) if small else x

        return function(*map(wide, args), **{k: wide(v) for k, v in kwargs.items()})

    return oracle

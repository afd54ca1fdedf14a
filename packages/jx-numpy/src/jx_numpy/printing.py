"""Arrays as text."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["array_repr", "array_str"]


def array_repr(
    arr: Any,
    max_line_width: int | None = None,
    precision: int | None = None,
    suppress_small: bool | None = None,
) -> str:
    """An array as NumPy's `array_repr` writes it, as `Array(...)`.

    Args:
        arr: an array whose values are known.
        max_line_width, precision, suppress_small: as for `numpy.array_repr`.

    >>> jnp.array_repr(jnp.array([1.23456]), precision=2)
    'Array([1.23], dtype=float32)'
    """
    body = np.array2string(
        np.asarray(arr),
        max_line_width=max_line_width,
        precision=precision,
        suppress_small=suppress_small,
        separator=", ",
        prefix="Array(",
    )
    return f"Array({body}, dtype={arr.dtype.name})"


def array_str(
    a: Any,
    max_line_width: int | None = None,
    precision: int | None = None,
    suppress_small: bool | None = None,
) -> str:
    """An array's elements as NumPy's `array_str` writes them.

    Args:
        a: an array whose values are known.
        max_line_width, precision, suppress_small: as for `numpy.array_str`.

    >>> jnp.array_str(jnp.array([1, 2]))
    '[1 2]'
    """
    return np.array_str(np.asarray(a), max_line_width, precision, suppress_small)

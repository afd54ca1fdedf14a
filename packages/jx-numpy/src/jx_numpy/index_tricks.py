"""Indices by other means: grids of them, masks, and objects that are indexed themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import lax

from .creation import arange, asarray, linspace
from .functions import array_function
from .indexing import nonzero
from .manipulation import concatenate
from .operands import Array, ArrayLike, as_operand, to_dtype, typeof

__all__ = ["c_", "fill_diagonal", "index_exp", "ix_", "mask_indices", "r_", "s_"]


def ix_(*args: ArrayLike) -> tuple[Array, ...]:
    """Vectors of indices shaped so that together they index a grid.

    Args:
        args: vectors of integers, or of booleans, which stand for the places that are true.

    Raises:
        ValueError: an argument is no vector.

    >>> jnp.arange(9).reshape(3, 3)[jnp.ix_([0, 2], [1])]
    Array([[1],
           [7]], dtype=int32)
    """
    result = []
    for i, arg in enumerate(args):
        x = asarray(arg)
        if x.ndim != 1:
            raise ValueError(f"jnp.ix_ takes vectors, got shape {x.shape} at position {i}")
        if x.dtype == np.bool_:
            (x,) = nonzero(x)
        elif not x.size:
            x = asarray(x, np.int32)
        shape = (1,) * i + x.shape + (1,) * (len(args) - i - 1)
        result.append(lax.reshape(x, shape))
    return tuple(result)


def mask_indices(
    n: int, mask_func: Any, k: Any = 0, *, size: int | None = None
) -> tuple[Array, Array]:
    """The indices of what a function such as `triu` keeps of an (n, n) matrix.

    Args:
        n: the number of rows and columns.
        mask_func: a function of a matrix and of `k`.
        k: its second argument.
        size: how many indices to return, as in `nonzero`; all if None.

    >>> jnp.mask_indices(2, jnp.triu)
    (Array([0, 0, 1], dtype=int32), Array([0, 1, 1], dtype=int32))
    """
    return nonzero(mask_func(asarray(np.ones((n, n), np.bool_)), k), size=size)


def fill_diagonal(
    a: ArrayLike, val: ArrayLike, wrap: bool = False, *, inplace: bool = True
) -> Array:
    """An array with values on its main diagonal.

    Args:
        a: an array of two axes at least; all of one length if there are more than two.
        val: the values, repeated as often as needed.
        wrap: whether the diagonal of a tall matrix begins again below its end.
        inplace: must be False, since arrays are immutable.

    Raises:
        NotImplementedError: `inplace` is True.
        ValueError: `a` has less than two axes, or more of different lengths.

    >>> jnp.fill_diagonal(jnp.zeros((2, 2)), 5.0, inplace=False)
    Array([[5., 0.],
           [0., 5.]], dtype=float32)
    """
    if inplace:
        raise NotImplementedError(
            "jnp.fill_diagonal can't change an array: pass inplace=False and use the result"
        )
    return _fill_diagonal(a, val, bool(wrap))


@array_function("wrap")
def _fill_diagonal(a: Any, val: Any, wrap: bool) -> Array:
    x, values = as_operand("fill_diagonal", a), as_operand("fill_diagonal", val, 1)
    shape = typeof(x).shape
    if len(shape) < 2:
        raise ValueError(f"jnp.fill_diagonal takes two axes at least, got shape {shape}")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise ValueError(f"jnp.fill_diagonal: lengths of all axes must be equal, got {shape}")
    flat = np.zeros(int(np.prod(shape)), bool)
    step = int(sum(np.prod(shape[i + 1 :], dtype=np.int64) for i in range(len(shape))))
    end = len(flat) if wrap or len(shape) > 2 else shape[1] * shape[1]
    places = np.arange(len(flat))[:end:step]
    values = to_dtype(values, typeof(x).dtype)
    if typeof(values).ndim:
        values = lax.reshape(values, (typeof(values).size,))
        spread = np.zeros(len(flat), np.int32)
        spread[places] = np.arange(len(places)) % typeof(values).size
        values = lax.convert_element_type(values, typeof(x).dtype)[spread.reshape(shape)]
    flat[places] = True
    return lax.select(flat.reshape(shape), values, x)


class _IndexExpression:
    """`s_` and `index_exp`: what is written in the brackets, as an object."""

    def __init__(self, name: str, maketuple: bool) -> None:
        self.__name__ = name
        self._maketuple = maketuple
        self.__doc__ = (
            "The index written in the brackets, as an object to index with later.\n\n"
            f"    >>> jnp.arange(5)[jnp.{name}[1:3]]\n    Array([1, 2], dtype=int32)\n    "
        )

    def __getitem__(self, index: Any) -> Any:
        return (index,) if self._maketuple and not isinstance(index, tuple) else index

    def __repr__(self) -> str:
        return f"jnp.{self.__name__}"


s_ = _IndexExpression("s_", maketuple=False)
index_exp = _IndexExpression("index_exp", maketuple=True)


class _Joiner:
    """`r_` and `c_`: arrays, numbers and slices in the brackets, joined along an axis."""

    def __init__(self, name: str, axis: int, ndmin: int, trans1d: int, doc: str) -> None:
        self.__name__ = name
        self._defaults = (axis, ndmin, trans1d)
        self.__doc__ = doc

    def __repr__(self) -> str:
        return f"jnp.{self.__name__}"

    def __getitem__(self, key: Any) -> Array:
        parts = list(key) if isinstance(key, tuple) else [key]
        axis, ndmin, trans1d = self._defaults
        matrix = None
        if parts and isinstance(parts[0], str):
            axis, ndmin, trans1d, matrix = self._directive(parts.pop(0))
        if not parts:
            raise ValueError(f"jnp.{self.__name__} takes at least one array, number or slice")
        arrays = [self._raised(part, ndmin, trans1d) for part in parts]
        result = concatenate(arrays, axis)
        if matrix is not None and result.ndim == 1:
            shape = (1, result.size) if matrix == "r" else (result.size, 1)
            result = lax.reshape(result, shape)
        return result

    def _directive(self, text: str) -> tuple[int, int, int, str | None]:
        """What a leading string such as "0,2" asks for."""
        axis, ndmin, trans1d = self._defaults
        if text in ("r", "c"):
            return axis, ndmin, trans1d, text
        try:
            numbers = [int(n) for n in text.split(",")]
        except ValueError:
            numbers = []
        if not 1 <= len(numbers) <= 3:
            raise ValueError(
                f"jnp.{self.__name__}: a leading string is 'r', 'c' or up to three integers, got "
                f"{text!r}"
            )
        fields = [axis, ndmin, trans1d]
        fields[: len(numbers)] = numbers
        return fields[0], fields[1], fields[2], None

    def _raised(self, part: Any, ndmin: int, trans1d: int) -> Array:
        """One part as an array of `ndmin` axes at least, its own where `trans1d` says."""
        if isinstance(part, slice):
            x = self._points(part)
        elif isinstance(part, str):
            raise ValueError(f"jnp.{self.__name__}: a string must come first, got {part!r}")
        else:
            x = asarray(part)
        missing = ndmin - x.ndim
        if missing <= 0:
            return x
        if x.ndim == 0:
            place = missing
        else:  # negative ones count from the last place that there is
            place = trans1d + missing + 1 if trans1d < 0 else trans1d
        shape = (1,) * place + x.shape + (1,) * (missing - place)
        return lax.reshape(x, shape)

    @staticmethod
    def _points(part: slice) -> Array:
        start = 0 if part.start is None else part.start
        step = 1 if part.step is None else part.step
        if isinstance(step, complex):
            return linspace(start, part.stop, int(abs(step)))
        return arange(start, part.stop, step)


r_ = _Joiner(
    "r_",
    0,
    1,
    -1,
    """Arrays, numbers and slices joined along the first axis.

    A leading string of integers says the axis, how many axes there are at least, and where
    the parts' own come among these; `r` and `c` make a row or a column of the result.

    >>> jnp.r_[jnp.array([1, 2]), 0, 4:6]
    Array([1, 2, 0, 4, 5], dtype=int32)
    """,
)
c_ = _Joiner(
    "c_",
    -1,
    2,
    0,
    """Arrays, numbers and slices side by side; vectors are columns.

    >>> jnp.c_[jnp.array([1, 2]), jnp.array([3, 4])]
    Array([[1, 3],
           [2, 4]], dtype=int32)
    """,
)

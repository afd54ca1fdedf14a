"""`ufunc`: elementwise functions with ways to be applied along axes.

The binary functions of arithmetic, logic and extremes are instances; `frompyfunc` makes
more of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from jx_core import compiled, lax, operators
from jx_core.ops.elementwise import convert
from jx_core.state import state
from jx_core.trace import EVAL

from ..creation import asarray
from ..functional import vectorize
from ..manipulation import broadcast_to, moveaxis
from ..operands import (
    Array,
    ArrayLike,
    a_dtype,
    an_integer,
    as_operand,
    one_axis,
    refuse_out,
    some_axes,
    to_dtype,
    typeof,
)

__all__ = ["frompyfunc", "ufunc"]

Reduction = Callable[..., Array]


class ufunc:
    """An elementwise function, and what can be made of it by applying it repeatedly.

    Args:
        fun: the plain function of scalars or arrays.
        name: what it is called.
        nin, nout: how many operands and results it has.
        identity: the value that leaves the other operand as it is, or None.
        reduction: a function `(a, axis, dtype, keepdims, initial, where)` that does what
            `reduce` does by one operation; None where there is none.
        accumulation: likewise `(a, axis, dtype)` for `accumulate`.
        scatter: the name of the method of `x.at[indices]` that does what `at` does.
        logical: whether operands are taken for truth values.

    >>> jnp.add.reduce(jnp.array([[1, 2], [3, 4]]))
    Array([4, 6], dtype=int32)
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        name: str,
        *,
        nin: int = 2,
        nout: int = 1,
        identity: Any = None,
        reduction: Reduction | None = None,
        accumulation: Reduction | None = None,
        scatter: str | None = None,
        logical: bool = False,
    ) -> None:
        self._fun = fun
        self._compiled = compiled(fun)
        self.__name__ = self.__qualname__ = name
        self.__module__ = "jx_numpy"
        self.__doc__ = fun.__doc__
        self.nin, self.nout, self.nargs = nin, nout, nin + nout
        self.identity = identity
        self._reduction = reduction
        self._accumulation = accumulation
        self._scatter = scatter
        self._logical = logical

    def __call__(self, *args: Any, out: None = None, where: None = None) -> Any:
        if out is not None or where is not None:
            given = "out" if out is not None else "where"
            raise NotImplementedError(
                f"The {given!r} argument to jnp.{self.__name__} is not supported: arrays are "
                f"immutable; jnp.where chooses among results"
            )
        if state.trace is not EVAL:
            return self._fun(*args)
        return self._compiled(*args)

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        return self._fun

    def __getattr__(self, name: str) -> Any:
        # Asked for by help(), which is no reason to make signatures on import.
        if name == "__signature__":
            return _signature(self._fun)
        if name == "spec":  # how it is staged, for export
            return self._compiled.spec
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"<jnp.ufunc '{self.__name__}'>"

    def __hash__(self) -> int:
        return hash((self._fun, self.__name__))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ufunc)
            and other._fun is self._fun
            and other.identity == self.identity
            and (other.nin, other.nout) == (self.nin, self.nout)
        )

    def _check_binary(self, method: str) -> None:
        if (self.nin, self.nout) != (2, 1):
            raise ValueError(
                f"jnp.{self.__name__}.{method} takes a ufunc of two operands and one result; "
                f"this one has {self.nin} and {self.nout}"
            )

    def _operand(self, method: str, a: Any, dtype: Any) -> Any:
        """The array that a method acts on, in the dtype it computes in."""
        name = f"{self.__name__}.{method}"
        x = as_operand(name, a)
        if dtype is not None:
            x = convert(x, a_dtype(name, dtype))
        return operators.not_equal(x, 0) if self._logical else x

    def reduce(
        self,
        a: ArrayLike,
        axis: Any = 0,
        dtype: Any = None,
        out: None = None,
        keepdims: bool = False,
        initial: ArrayLike | None = None,
        where: ArrayLike | None = None,
    ) -> Array:
        """The elements along axes combined, from the first to the last.

        Args:
            a: an array.
            axis: an axis, a tuple of them, or None for all.
            dtype: the dtype to compute in; that of `a` if None.
            out: must be None.
            keepdims: keep the reduced axes, with length 1.
            initial: a value to begin with.
            where: an array of booleans that says which elements count.

        Raises:
            ValueError: the axis is empty and there is nothing to begin with, or `where` is
                given and there is not.

        >>> jnp.multiply.reduce(jnp.array([2, 3, 4]))
        Array(24, dtype=int32)
        """
        self._check_binary("reduce")
        refuse_out(f"{self.__name__}.reduce", out)
        if self._reduction is not None:
            return self._reduction(
                a, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where
            )
        return _reduce(self, a, axis, dtype, keepdims, initial, where)

    def accumulate(self, a: ArrayLike, axis: int = 0, dtype: Any = None, out: None = None) -> Array:
        """The elements along an axis combined with all that come before.

        Args:
            a: an array with at least one axis.
            axis: the axis.
            dtype: the dtype to compute in; that of `a` if None.
            out: must be None.

        >>> jnp.maximum.accumulate(jnp.array([2, 1, 4, 3]))
        Array([2, 2, 4, 4], dtype=int32)
        """
        self._check_binary("accumulate")
        refuse_out(f"{self.__name__}.accumulate", out)
        if self._accumulation is not None:
            return self._accumulation(a, axis=axis, dtype=dtype)
        return _accumulate(self, a, axis, dtype)

    def outer(self, A: ArrayLike, B: ArrayLike, /) -> Array:
        """The function of every pair of an element of `A` and one of `B`.

        >>> jnp.add.outer(jnp.array([1, 2]), jnp.array([10, 20]))
        Array([[11, 21],
               [12, 22]], dtype=int32)
        """
        self._check_binary("outer")
        return _outer(self, A, B)

    def at(
        self, a: Any, indices: Any, b: ArrayLike | None = None, *, inplace: bool = True
    ) -> Array:
        """`a` with the function applied at places, once for each time a place is listed.

        Args:
            a: an array.
            indices: where, as in `a[indices]`.
            b: the second operand; left out for a ufunc of one operand.
            inplace: must be False, since arrays are immutable.

        Raises:
            NotImplementedError: `inplace` is True.

        >>> jnp.add.at(jnp.zeros(3), jnp.array([0, 0, 2]), 1.0, inplace=False)
        Array([2., 0., 1.], dtype=float32)
        """
        if inplace:
            raise NotImplementedError(
                f"jnp.{self.__name__}.at can't change an array: pass inplace=False and use the "
                f"result, or write a.at[indices].add(b) and the like"
            )
        a = asarray(as_operand(f"{self.__name__}.at", a))
        a = operators.not_equal(a, 0) if self._logical else a
        if b is None:
            return a.at[indices].apply(self._fun)
        if self._scatter is not None:
            if self._scatter in ("min", "max"):  # of integers and floats they are floats
                a, b = operators.promote_dtypes(f"{self.__name__}.at", a, b)
                a = convert(a, typeof(a).dtype)
            return getattr(a.at[indices], self._scatter)(b)
        return _at(self, a, indices, b)

    def reduceat(
        self, a: ArrayLike, indices: Any, axis: int = 0, dtype: Any = None, out: None = None
    ) -> Array:
        """The reductions of the slices between one index and the next.

        Args:
            a: an array.
            indices: a one-dimensional array of integers. Where one is not below the next,
                the result is the element at it.
            axis: the axis.
            dtype: the dtype to compute in; that of `a` if None.
            out: must be None.

        >>> jnp.add.reduceat(jnp.arange(5), jnp.array([0, 2]))
        Array([1, 9], dtype=int32)
        """
        self._check_binary("reduceat")
        refuse_out(f"{self.__name__}.reduceat", out)
        return _reduceat(self, a, indices, axis, dtype)


def _signature(fun: Callable[..., Any]) -> Any:
    """The parameters of a ufunc: its function's by position alone, and what all ufuncs take."""
    import inspect

    operands = list(inspect.signature(fun).parameters.values())
    operands = [
        p if p.kind == p.VAR_POSITIONAL else p.replace(kind=p.POSITIONAL_ONLY)
        for p in operands
        if p.kind not in (p.KEYWORD_ONLY, p.VAR_KEYWORD)
    ]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
        for name in ("out", "where")
    ]
    return inspect.Signature([*operands, *options])


def _reduce(
    fun: ufunc, a: Any, axis: Any, dtype: Any, keepdims: bool, initial: Any, where: Any
) -> Array:
    """`reduce` by folding slices one at a time, in a loop."""
    x = fun._operand("reduce", a, dtype)
    begin = fun.identity if initial is None else initial
    if where is not None and begin is None:
        raise ValueError(
            f"jnp.{fun.__name__}.reduce has no identity, so a where mask needs initial="
        )
    aval = typeof(x)
    axes = some_axes(f"{fun.__name__}.reduce", axis, aval.ndim)
    rest = [i for i in range(aval.ndim) if i not in axes]
    length = math.prod(aval.shape[i] for i in axes)
    shape = tuple([aval.shape[i] for i in rest])
    order = (*axes, *rest)
    rows = lax.reshape(lax.transpose(x, order), (length, *shape))
    mask = None
    if where is not None:
        mask = broadcast_to(where, aval.shape)
        mask = lax.reshape(lax.transpose(mask, order), (length, *shape))
    if length == 0 and begin is None:
        raise ValueError(
            f"zero-size array to reduction operation {fun.__name__} which has no identity"
        )
    result = _fold(fun._fun, rows, mask, begin)
    if keepdims:
        result = lax.reshape(
            result, tuple([1 if i in axes else n for i, n in enumerate(aval.shape)])
        )
    return result


def _fold(fun: Callable[..., Any], rows: Array, mask: Array | None, initial: Any) -> Array:
    """The rows combined one after the other, beginning with `initial` if there is one."""
    aval = typeof(rows)
    row_shape = aval.shape[1:]
    if not aval.shape[0]:
        return lax.full(row_shape, to_dtype(initial, aval.dtype), aval.dtype)
    if initial is not None:
        total = lax.full(row_shape, to_dtype(initial, aval.dtype), aval.dtype)
        start = 0
    else:
        total, start = lax.index_in_dim(rows, 0, keepdims=False), 1

    def body(i: Any, total: Any) -> Any:
        row = lax.dynamic_index_in_dim(rows, i, keepdims=False)
        combined = to_dtype(fun(total, row), aval.dtype)
        if mask is None:
            return combined
        return lax.select(lax.dynamic_index_in_dim(mask, i, keepdims=False), combined, total)

    return lax.fori_loop(start, aval.shape[0], body, total)


def _accumulate(fun: ufunc, a: Any, axis: Any, dtype: Any) -> Array:
    x = fun._operand("accumulate", a, dtype)
    aval = typeof(x)
    i = one_axis(f"{fun.__name__}.accumulate", axis, aval.ndim)
    if aval.shape[i] == 0:
        return x
    order = (i, *[k for k in range(aval.ndim) if k != i])
    rows = lax.transpose(x, order)
    first = lax.slice_in_dim(rows, 0, 1)

    def step(total: Any, row: Any) -> tuple[Any, Any]:
        total = to_dtype(fun._fun(total, row), aval.dtype)
        return total, total

    rest = lax.slice_in_dim(rows, 1, aval.shape[i])
    _, totals = lax.scan(step, lax.squeeze(first, (0,)), rest)
    result = lax.concatenate([first, totals], 0)
    return lax.transpose(result, tuple(np.argsort(order).tolist()))


def _outer(fun: ufunc, a: Any, b: Any) -> Array:
    a, b = as_operand(f"{fun.__name__}.outer", a), as_operand(f"{fun.__name__}.outer", b, 1)
    return fun(lax.reshape(a, typeof(a).shape + (1,) * typeof(b).ndim), b)


def _at(fun: ufunc, a: Any, indices: Any, b: Any) -> Array:
    """`at` for a function that no scatter does: one place after another."""
    a = asarray(a)
    places = asarray(np.arange(typeof(a).size).reshape(typeof(a).shape))[indices]
    values = lax.reshape(broadcast_to(b, typeof(places).shape), (typeof(places).size,))
    places = lax.reshape(places, (typeof(places).size,))
    flat = lax.reshape(a, (typeof(a).size,))

    def body(i: Any, flat: Any) -> Any:
        place = places[i]
        return flat.at[place].set(to_dtype(fun._fun(flat[place], values[i]), typeof(a).dtype))

    return lax.reshape(lax.fori_loop(0, typeof(places).size, body, flat), typeof(a).shape)


def _reduceat(fun: ufunc, a: Any, indices: Any, axis: Any, dtype: Any) -> Array:
    """`reduceat` by folding one slice after another."""
    name = f"{fun.__name__}.reduceat"
    x = fun._operand("reduceat", a, dtype)
    starts = asarray(indices, np.int32)
    if typeof(starts).ndim != 1:
        raise ValueError(
            f"jnp.{name}: indices must be one-dimensional, got shape {typeof(starts).shape}"
        )
    i = one_axis(name, axis, typeof(x).ndim)
    rows = moveaxis(x, i, 0)
    length = np.full((1,), typeof(rows).shape[0], np.int32)
    stops = lax.concatenate([lax.slice_in_dim(starts, 1, typeof(starts).size), length], 0)

    def fold_slice(ends: tuple[Any, Any]) -> Any:
        start, stop = ends
        first = lax.dynamic_index_in_dim(rows, start, keepdims=False)

        def body(k: Any, total: Any) -> Any:
            row = lax.dynamic_index_in_dim(rows, k, keepdims=False)
            return to_dtype(fun._fun(total, row), typeof(first).dtype)

        return lax.fori_loop(lax.add(start, 1), stop, body, first)

    return moveaxis(lax.map(fold_slice, (starts, stops)), 0, i)


def frompyfunc(func: Callable[..., Any], /, nin: int, nout: int, *, identity: Any = None) -> ufunc:
    """A ufunc made of a function of scalars.

    Args:
        func: takes `nin` scalars and returns `nout` of them; it is vectorised.
        nin, nout: how many operands and results it has.
        identity: the value that leaves the other operand as it is, for `reduce`.

    Raises:
        TypeError: `func` is not callable, or a number of operands is no integer.
        ValueError: `nin` is negative or `nout` not positive.

    >>> jnp.frompyfunc(lambda x, y: x + 2 * y, 2, 1)(jnp.array([1, 2]), 10)
    Array([21, 22], dtype=int32)
    """
    if not callable(func):
        raise TypeError(f"jnp.frompyfunc: func must be callable, got {func!r}")
    nin, nout = an_integer("frompyfunc", nin, "nin"), an_integer("frompyfunc", nout, "nout")
    if nin < 0 or nout < 1:
        raise ValueError(f"jnp.frompyfunc: nin must be >= 0 and nout >= 1, got {nin}, {nout}")
    name = getattr(func, "__name__", "function")
    return ufunc(vectorize(func), f"{name} (vectorized)", nin=nin, nout=nout, identity=identity)

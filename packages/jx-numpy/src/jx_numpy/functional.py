"""Functions of scalars or vectors applied throughout arrays."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

from jx_batching import vmap
from jx_core import lax
from jx_core.errors import ShapeError

from .creation import asarray
from .manipulation import expand_dims
from .operands import Array, ArrayLike, as_operand, one_axis, some_axes, typeof

__all__ = ["apply_along_axis", "apply_over_axes", "vectorize"]

Shape = tuple[int, ...]


def apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: ArrayLike, *args: Any, **kwargs: Any
) -> Any:
    """A function of vectors applied to all vectors along an axis.

    Args:
        func1d: takes a vector, and `args` and `kwargs`; it is mapped by `vmap`.
        axis: the axis.
        arr: the array.
        args, kwargs: further arguments of `func1d`.

    Returns:
        The results, their own axes in the place of `axis`.

    Raises:
        ShapeError: the axis is out of range.

    >>> jnp.apply_along_axis(lambda v: v.sum(), 1, jnp.array([[1, 2], [3, 4]]))
    Array([3, 7], dtype=int32)
    """
    x = as_operand("apply_along_axis", arr)
    ndim = typeof(x).ndim
    place = one_axis("apply_along_axis", axis, ndim)

    def fun(vector: Any) -> Any:
        return func1d(vector, *args, **kwargs)

    for _ in range(1, ndim - place):
        fun = vmap(fun, in_axes=-1, out_axes=-1)
    for _ in range(place):
        fun = vmap(fun, in_axes=0, out_axes=0)
    return fun(asarray(x))


def apply_over_axes(func: Callable[[Any, int], Any], a: ArrayLike, axes: Any) -> Array:
    """A reduction applied along one axis after another, keeping their number.

    Args:
        func: takes an array and an axis; its result has as many axes, or one less.
        a: the array.
        axes: the axes.

    Raises:
        ShapeError: an axis is out of range, or a result has another number of axes.

    >>> jnp.apply_over_axes(jnp.sum, jnp.ones((2, 3)), (0, 1))
    Array([[6.]], dtype=float32)
    """
    x = asarray(as_operand("apply_over_axes", a))
    ndim = typeof(x).ndim
    for axis in some_axes("apply_over_axes", axes, ndim, "axes"):
        result = func(x, axis)
        if result.ndim == ndim - 1:
            result = expand_dims(result, axis)
        elif result.ndim != ndim:
            raise ShapeError(
                f"jnp.apply_over_axes: func must keep the number of axes, or take one away; it "
                f"made shape {result.shape} of {typeof(x).shape}"
            )
        x = result
    return x


# vectorize.

_NAME = r"\w+"
_CORE = rf"\((?:{_NAME}(?:,{_NAME})*)?\)"
_SIGNATURE = re.compile(rf"^{_CORE}(?:,{_CORE})*->{_CORE}(?:,{_CORE})*$")


def _parsed(signature: str) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """The names of the core axes of each operand and result of `"(n,m),(m)->(n)"`."""
    text = re.sub(r"\s", "", signature)
    if not _SIGNATURE.match(text):
        raise ValueError(
            f"jnp.vectorize: not a valid signature: {signature!r}; one looks like '(n,m),(m)->(n)'"
        )
    sides = []
    for side in text.split("->"):
        cores = re.findall(_CORE, side)
        sides.append([tuple(re.findall(_NAME, core)) for core in cores])
    return sides[0], sides[1]


def vectorize(
    pyfunc: Callable[..., Any],
    *,
    excluded: Any = frozenset(),
    signature: str | None = None,
) -> Callable[..., Any]:
    """A function that broadcasts, made of one of scalars or of small arrays.

    Args:
        pyfunc: the function; it is mapped by `vmap`.
        excluded: positions and names of arguments that are passed on as they are.
        signature: the axes that `pyfunc` takes and returns, such as `(n,m),(m)->(n)`; scalars
            if None.

    Raises:
        TypeError: `excluded` has what is no position or name.
        ValueError: `signature` is malformed.

    >>> @jnp.vectorize
    ... def larger(x, y):
    ...     return jnp.where(x > y, x, y)
    >>> larger(jnp.array([1, 5]), jnp.array([[2], [6]]))
    Array([[2, 5],
           [6, 6]], dtype=int32)
    """
    if any(not isinstance(e, (str, int)) for e in excluded):
        raise TypeError(
            f"jnp.vectorize: excluded must have positions and names of arguments, got {excluded!r}"
        )
    if any(isinstance(e, int) and e < 0 for e in excluded):
        raise ValueError(f"jnp.vectorize: excluded has negative positions: {excluded!r}")
    cores = None if signature is None else _parsed(signature)

    @functools.wraps(pyfunc)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        fixed = {i: a for i, a in enumerate(args) if i in excluded or a is None}
        names = [k for k in kwargs if k not in excluded]
        mapped = [a for i, a in enumerate(args) if i not in fixed] + [kwargs[k] for k in names]

        def core(*values: Any) -> Any:
            rest = iter(values)
            positional = [fixed[i] if i in fixed else next(rest) for i in range(len(args))]
            named = {k: next(rest) for k in names}
            return pyfunc(*positional, **{**kwargs, **named})

        return _apply(core, mapped, cores)

    return vectorized


def _apply(fun: Callable[..., Any], args: Sequence[Any], cores: Any) -> Any:
    arrays = [asarray(a) for a in args]
    if cores is None:
        inputs, outputs = [()] * len(arrays), None
    else:
        inputs, outputs = cores
        if len(inputs) != len(arrays):
            raise TypeError(
                f"jnp.vectorize: the signature is for {len(inputs)} arguments, got {len(arrays)}"
            )
    sizes: dict[str, int] = {}
    loops = []
    for i, (x, names) in enumerate(zip(arrays, inputs, strict=True)):
        shape = typeof(x).shape
        if len(shape) < len(names):
            raise ShapeError(
                f"jnp.vectorize: argument {i} has shape {shape}, and the signature asks for the "
                f"axes {names}"
            )
        split = len(shape) - len(names)
        _note_sizes(names, shape[split:], sizes, f"argument {i}")
        loops.append(shape[:split])
    loop = lax.broadcast_shapes(*loops) if loops else ()
    checked = fun if outputs is None else _checking(fun, outputs, sizes)
    return _mapped(checked, arrays, loops, loop)


def _note_sizes(names: tuple[str, ...], lengths: Shape, sizes: dict[str, int], who: str) -> None:
    for name, length in zip(names, lengths, strict=True):
        expected = sizes.setdefault(name, length)
        if expected != length:
            raise ShapeError(
                f"jnp.vectorize: axis {name!r} has length {length} in {who}, and {expected} before"
            )


def _checking(fun: Callable[..., Any], outputs: list[Any], sizes: dict[str, int]) -> Any:
    """`fun` with its results checked against the signature."""

    def checked(*args: Any) -> Any:
        result = fun(*args)
        results = result if isinstance(result, (tuple, list)) else (result,)
        if len(results) != len(outputs):
            raise TypeError(
                f"jnp.vectorize: the signature has {len(outputs)} results, the function returned "
                f"{len(results)}"
            )
        for i, (x, names) in enumerate(zip(results, outputs, strict=True)):
            shape = typeof(x).shape
            if len(shape) != len(names):
                raise ShapeError(
                    f"jnp.vectorize: result {i} has shape {shape}, and the signature says {names}"
                )
            _note_sizes(names, shape, sizes, f"result {i}")
        return result

    return checked


def _mapped(fun: Callable[..., Any], arrays: list[Any], loops: list[Shape], loop: Shape) -> Any:
    """Map over the loop axes from the last to the first; those of length 1 are dropped."""
    squeezed = []
    axes_of: list[list[int | None]] = [[] for _ in arrays]
    for x, own, axes in zip(arrays, loops, axes_of, strict=True):
        missing = len(loop) - len(own)
        axes.extend([None] * missing)
        dropped = []
        for i, length in enumerate(own):
            repeats = length == 1 and loop[missing + i] != 1
            axes.append(None if repeats else 0)
            if repeats:
                dropped.append(i)
        squeezed.append(lax.squeeze(x, dropped))
    for level in reversed(range(len(loop))):
        in_axes = tuple(axes[level] for axes in axes_of)
        fun = vmap(fun, in_axes=in_axes)
    return fun(*squeezed)

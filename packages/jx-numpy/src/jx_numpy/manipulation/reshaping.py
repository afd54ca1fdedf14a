"""The same elements in another shape, order of axes, or broadcast."""

from __future__ import annotations

import functools
from typing import Any

from jx_core import lax
from jx_core.clashes import marked
from jx_core.errors import ShapeError
from jx_core.ops.axes import least
from jx_core.ops.shape import broadcast_to as _broadcast_to
from jx_core.symbolic import DimExpr

from ..functions import array_function
from ..operands import (
    Array,
    ArrayLike,
    Shape,
    a_shape,
    an_integer,
    as_operand,
    one_axis,
    refuse_sharding,
    some_axes,
    typeof,
)
from ..operands import broadcast_shapes as _common_shape

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_arrays", "broadcast_shapes",
    "broadcast_to", "expand_dims", "matrix_transpose", "moveaxis", "permute_dims", "ravel",
    "reshape", "rollaxis", "squeeze", "swapaxes", "transpose",
]  # fmt: skip

broadcast_shapes = lax.broadcast_shapes


def _integers(name: str, shape: Any) -> Shape:
    """A shape as the user writes it, where -1 may stand for one length."""
    if type(shape) is int or type(shape) is DimExpr:
        return (shape,)  # type: ignore[return-value]
    try:
        return tuple([n if type(n) is int else an_integer(name, n, "shape") for n in shape])
    except TypeError:
        if hasattr(shape, "__iter__") and getattr(shape, "ndim", 1) != 0:
            raise
        return (an_integer(name, shape, "shape"),)


@functools.lru_cache(maxsize=4096)
def _new_shape(old: Shape, wanted: Shape) -> Shape:
    """`wanted` with -1 replaced by what is left of the size of `old`.

    Raises:
        ShapeError: there are several -1, or the sizes differ.
    """
    size = 1
    for n in old:
        size *= n
    known = 1
    for n in wanted:
        known *= n if n != -1 else 1
    if wanted.count(-1) > 1:
        raise ShapeError(f"jnp.reshape: shape may have one -1 at most, got {wanted}")
    if -1 in wanted and known > 0 and size % known == 0:
        return tuple([size // known if n == -1 else n for n in wanted])
    if -1 in wanted or known != size or (wanted and least(wanted) < 0):
        raise ShapeError(
            f"cannot reshape array of shape {old} (size {size}) into shape {wanted} "
            f"(size {'a multiple of ' if -1 in wanted else ''}{known})"
        )
    return wanted


@array_function("shape", "order", "copy")
def reshape(
    a: ArrayLike,
    shape: Any,
    order: str = "C",
    *,
    copy: bool | None = None,
    out_sharding: None = None,
) -> Array:
    """The elements of an array, in their order, in another shape.

    Args:
        a: an array.
        shape: the new shape: a sequence of integers, or one. One of them may be -1, for what
            is left of the size.
        order: `C` to read and write the elements with the last index changing fastest, `F`
            with the first.
        copy: must not be False: whether the elements are copied is the compiler's business.
        out_sharding: must be None.

    Raises:
        ShapeError: the sizes differ, or there are several -1.
        TypeError: `shape` is not of integers that are known now.
        ValueError: `order` is neither, or `copy` is False.

    >>> jnp.reshape(jnp.arange(6), (2, -1))
    Array([[0, 1, 2],
           [3, 4, 5]], dtype=int32)
    """
    refuse_sharding("reshape", out_sharding)
    x = as_operand("reshape", a)
    old = typeof(x).shape
    if copy is False:
        raise ValueError("jnp.reshape: copy must not be False: arrays are never views")
    if order == "C":
        return lax.reshape(x, _new_shape(old, _integers("reshape", shape)))
    if order != "F":
        raise ValueError(f"jnp.reshape: order must be 'C' or 'F', got {order!r}")
    new = _new_shape(old, _integers("reshape", shape))
    backwards = lax.reshape(_reversed(x), new[::-1])
    return _reversed(backwards)


def _reversed(x: Array) -> Array:
    return lax.transpose(x, tuple(range(typeof(x).ndim))[::-1])


@array_function("order")
def ravel(a: ArrayLike, order: str = "C", *, out_sharding: None = None) -> Array:
    """The elements of an array in one axis.

    Args:
        a: an array.
        order: `C` to read the elements with the last index changing fastest, `F` with the
            first.
        out_sharding: must be None.

    Raises:
        ValueError: `order` is neither.

    >>> jnp.ravel(jnp.array([[1, 2], [3, 4]]))
    Array([1, 2, 3, 4], dtype=int32)
    """
    refuse_sharding("ravel", out_sharding)
    x = as_operand("ravel", a)
    if order not in ("C", "F", "A"):
        raise ValueError(f"jnp.ravel: order must be 'C' or 'F', got {order!r}")
    if order == "F":
        x = _reversed(x)
    return lax.reshape(x, (typeof(x).size,))


@array_function("axes")
def transpose(a: ArrayLike, axes: Any = None) -> Array:
    """An array with its axes in another order.

    Args:
        a: an array.
        axes: for each axis of the result, the one of `a` that it is; reversed if None.

    Raises:
        ShapeError: `axes` is no permutation of the array's axes.

    >>> jnp.transpose(jnp.array([[1, 2], [3, 4]]))
    Array([[1, 3],
           [2, 4]], dtype=int32)
    """
    x = as_operand("transpose", a)
    if axes is None:
        return _reversed(x)
    ndim = typeof(x).ndim
    order = some_axes("transpose", axes, ndim, "axes")
    if len(order) != ndim:
        raise ShapeError(
            f"jnp.transpose: axes must have an entry for each axis of the array, got {axes} for "
            f"shape {typeof(x).shape}"
        )
    return lax.transpose(x, order)


def permute_dims(a: ArrayLike, /, axes: Any) -> Array:
    """The same as `transpose`.

    >>> jnp.permute_dims(jnp.array([[1, 2], [3, 4]]), (1, 0))
    Array([[1, 3],
           [2, 4]], dtype=int32)
    """
    return transpose(a, axes)


@array_function()
def matrix_transpose(x: ArrayLike, /) -> Array:
    """A matrix, or a stack of them, with rows and columns exchanged.

    Args:
        x: an array of two axes at least.

    Raises:
        ShapeError: `x` has less than two axes.

    >>> jnp.matrix_transpose(jnp.array([[1, 2], [3, 4]]))
    Array([[1, 3],
           [2, 4]], dtype=int32)
    """
    x = as_operand("matrix_transpose", x)
    ndim = typeof(x).ndim
    if ndim < 2:
        raise ShapeError(
            f"jnp.matrix_transpose takes an array of two axes at least, got shape {typeof(x).shape}"
        )
    return lax.transpose(x, (*range(ndim - 2), ndim - 1, ndim - 2))


@array_function("axis1", "axis2")
def swapaxes(a: ArrayLike, axis1: int, axis2: int) -> Array:
    """An array with two axes exchanged.

    Args:
        a: an array.
        axis1, axis2: the axes.

    Raises:
        ShapeError: an axis is out of range.

    >>> jnp.swapaxes(jnp.zeros((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    x = as_operand("swapaxes", a)
    ndim = typeof(x).ndim
    i = one_axis("swapaxes", axis1, ndim, "axis1")
    j = one_axis("swapaxes", axis2, ndim, "axis2")
    order = list(range(ndim))
    order[i], order[j] = j, i
    return lax.transpose(x, tuple(order))


@array_function("source", "destination")
def moveaxis(a: ArrayLike, source: Any, destination: Any) -> Array:
    """An array with axes moved to other places; the rest stay in their order.

    Args:
        a: an array.
        source: an axis, or a sequence of them.
        destination: where each of them goes.

    Raises:
        ShapeError: an axis is out of range or repeated.
        ValueError: there are not as many destinations as sources.

    >>> jnp.moveaxis(jnp.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = as_operand("moveaxis", a)
    ndim = typeof(x).ndim
    sources = some_axes("moveaxis", source, ndim, "source")
    destinations = some_axes("moveaxis", destination, ndim, "destination")
    if len(sources) != len(destinations):
        raise ValueError(
            f"jnp.moveaxis: source and destination must be equally many, got {source} and "
            f"{destination}"
        )
    order = [i for i in range(ndim) if i not in sources]
    for place, i in sorted(zip(destinations, sources, strict=True)):
        order.insert(place, i)
    return lax.transpose(x, tuple(order))


@array_function("axis", "start")
def rollaxis(a: ArrayLike, axis: int, start: int = 0) -> Array:
    """An array with one axis moved back until it lies before another.

    Args:
        a: an array.
        axis: the axis to move.
        start: the axis to move it before; the number of axes for the end.

    Raises:
        ShapeError: an axis is out of range.

    >>> jnp.rollaxis(jnp.zeros((2, 3, 4)), 2).shape
    (4, 2, 3)
    """
    x = as_operand("rollaxis", a)
    ndim = typeof(x).ndim
    i = one_axis("rollaxis", axis, ndim)
    place = one_axis("rollaxis", start, ndim + 1, "start") if start >= 0 else start + ndim
    if not 0 <= place <= ndim:
        raise ShapeError(f"rollaxis: start {start} is out of bounds for array of dimension {ndim}")
    order = [k for k in range(ndim) if k != i]
    order.insert(place - (i < place), i)
    return lax.transpose(x, tuple(order))


@array_function("axis")
def expand_dims(a: ArrayLike, axis: Any) -> Array:
    """An array with axes of length 1 put in.

    Args:
        a: an array.
        axis: where the new axis is in the result, or a sequence of places.

    Raises:
        ShapeError: an axis is out of range (an `AxisError`) or repeated.

    >>> jnp.expand_dims(jnp.zeros(3), (0, 2)).shape
    (1, 3, 1)
    """
    x = as_operand("expand_dims", a)
    axes = (axis,) if hasattr(axis, "__index__") else tuple(axis)
    ndim = typeof(x).ndim + len(axes)
    return lax.expand_dims(x, [one_axis("expand_dims", a, ndim) for a in axes])


@array_function("axis")
def squeeze(a: ArrayLike, axis: Any = None) -> Array:
    """An array without its axes of length 1, or without some of them.

    Args:
        a: an array.
        axis: the axis to leave out, or a sequence of them; all of length 1 if None.

    Raises:
        ShapeError: an axis is out of range, repeated, or not of length 1.

    >>> jnp.squeeze(jnp.zeros((1, 3, 1))).shape
    (3,)
    """
    x = as_operand("squeeze", a)
    shape = typeof(x).shape
    if axis is None:
        axes = tuple([i for i, n in enumerate(shape) if n == 1])
    else:
        axes = some_axes("squeeze", axis, len(shape))
    return lax.squeeze(x, axes)


@array_function("shape")
def broadcast_to(array: ArrayLike, shape: Any, *, out_sharding: None = None) -> Array:
    """An array repeated to fill a shape, by NumPy's rule.

    Args:
        array: an array.
        shape: the shape; counted from the last axis, lengths must be equal or 1 in `array`.
        out_sharding: must be None.

    Raises:
        ShapeError: the array does not broadcast to the shape.

    >>> jnp.broadcast_to(jnp.array([1, 2]), (2, 2))
    Array([[1, 2],
           [1, 2]], dtype=int32)
    """
    refuse_sharding("broadcast_to", out_sharding)
    x = as_operand("broadcast_to", array)
    shape = a_shape("broadcast_to", shape)
    try:
        return _broadcast_to(x, shape)
    except ShapeError:
        raise ShapeError(
            f"Incompatible shapes for broadcasting: can't broadcast shape {typeof(x).shape} to "
            f"{shape}:\n{marked([typeof(x).shape, shape])}"
        ) from None


@array_function()
def broadcast_arrays(*args: ArrayLike) -> list[Array]:
    """Arrays broadcast to the shape that all of them fit.

    Args:
        args: arrays or numbers; their dtypes stay as they are.

    Raises:
        ShapeError: the shapes don't broadcast.

    >>> [x.shape for x in jnp.broadcast_arrays(jnp.zeros((2, 1)), jnp.zeros(3))]
    [(2, 3), (2, 3)]
    """
    arrays = [as_operand("broadcast_arrays", x, i) for i, x in enumerate(args)]
    shape = _common_shape("broadcast_arrays", *[typeof(x).shape for x in arrays])
    return [_broadcast_to(x, shape) for x in arrays]


def _of_each(name: str, fun: Any, arys: tuple[Any, ...]) -> Any:
    """What `atleast_*d` return: an array for one argument, a list for several."""
    results = [fun(as_operand(name, x, i)) for i, x in enumerate(arys)]
    return results[0] if len(results) == 1 else results


@array_function()
def atleast_1d(*arys: ArrayLike) -> Any:
    """Arrays of one axis at least: a number becomes an array of one element.

    Returns:
        An array for one argument, a list of them for several.

    >>> jnp.atleast_1d(3.0)
    Array([3.], dtype=float32, weak_type=True)
    """
    return _of_each("atleast_1d", lambda x: lax.broadcast_to_rank(x, 1), arys)


@array_function()
def atleast_2d(*arys: ArrayLike) -> Any:
    """Arrays of two axes at least: new ones come in front.

    Returns:
        An array for one argument, a list of them for several.

    >>> jnp.atleast_2d(jnp.array([1, 2])).shape
    (1, 2)
    """
    return _of_each("atleast_2d", lambda x: lax.broadcast_to_rank(x, 2), arys)


@array_function()
def atleast_3d(*arys: ArrayLike) -> Any:
    """Arrays of three axes at least: a vector's lies in the middle, a matrix's come first.

    Returns:
        An array for one argument, a list of them for several.

    >>> jnp.atleast_3d(jnp.array([1, 2])).shape
    (1, 2, 1)
    """

    def three(x: Any) -> Any:
        ndim = typeof(x).ndim
        if ndim >= 3:
            return x
        return lax.expand_dims(x, ((0, 1, 2), (0, 2), (2,))[ndim])

    return _of_each("atleast_3d", three, arys)

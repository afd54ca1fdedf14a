"""Images resampled: a matrix of weights for each axis, and products with them.

Sample number i of an axis covers the coordinates from i to i + 1, so its middle is at i + 1/2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import dtypes, lax, operators
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert

from ..functions import array_function, plain
from ..indexing import take
from ..operands import (
    Array,
    ArrayLike,
    Shape,
    a_shape,
    accumulation_dtype,
    inexact,
    promote_dtypes_inexact,
    some_axes,
    type_of,
    typeof,
)
from .kernels import KERNELS, Kernel, ResizeMethod

__all__ = ["resize", "scale_and_translate"]

# Sums of weights below this are taken for no weight at all.
_LEAST = 1000 * float(np.finfo(np.float32).eps)


def _method(name: str, method: Any) -> ResizeMethod:
    """The method, which may be a string.

    Raises:
        TypeError: it is neither.
        ValueError: there is none of that name.
    """
    if isinstance(method, str):
        return ResizeMethod.from_string(method)
    if isinstance(method, ResizeMethod):
        return method
    raise TypeError(
        f"jx.image.{name}: method must be a jx.image.ResizeMethod or its name, got {method!r}"
    )


def _output_shape(name: str, image: Any, shape: Any) -> Shape:
    """The shape asked for.

    Raises:
        ShapeError: it has not as many axes as the image.
    """
    new, old = a_shape(f"jx.image.{name}", shape), type_of(f"jx.image.{name}", image).shape
    if len(new) != len(old):
        raise ShapeError(
            f"jx.image.{name}: shape must have a length for each axis of the image, got {new} for "
            f"an image of shape {old}"
        )
    return new


def _normalized(weights: Array) -> Array:
    """The columns divided by their sums; zero where there is next to no weight."""
    total = lax.reduce_sum(weights, (0,))
    some = lax.gt(lax.abs(total), lax.full_like(total, _LEAST))
    safe = lax.select(some, total, lax.full_like(total, 1))
    shape = typeof(weights).shape

    def rows(x: Array) -> Array:
        return lax.broadcast_in_dim(x, shape, (1,))

    return lax.select(rows(some), lax.div(weights, rows(safe)), lax.full_like(weights, 0))


def _edges_repeated(weights: Array, beyond: int, n: int) -> Array:
    """The weights of samples beyond the edges, added to those at the edges."""
    columns = typeof(weights).shape[1]
    place = np.clip(np.arange(-beyond, n + beyond), 0, n - 1)
    collect = convert(place[None, :] == np.arange(n)[:, None], typeof(weights).dtype)
    if not columns:
        return lax.full((n, 0), 0, typeof(weights).dtype)
    return lax.dot(collect, weights, precision=lax.Precision.HIGHEST)


def _areas(n: int, size: int, inverse: Array, translation: Array, dtype: Any) -> Array:
    """How much of each sample lies within each new one: an array (n, size)."""
    new = operators.subtract(lax.iota(dtype, size), translation)
    left = lax.broadcast_in_dim(operators.multiply(new, inverse), (n, size), (1,))
    old = lax.broadcasted_iota(dtype, (n, size), 0)
    upper = lax.min(operators.add(left, inverse), operators.add(old, 1))
    return lax.max(lax.full_like(left, 0), lax.sub(upper, lax.max(left, old)))


def _weights(
    n: int, size: int, scale: Array, translation: Array, method: ResizeMethod, antialias: bool
) -> Array:
    """What each of n samples counts for each of `size` new ones: an array (n, size).

    Args:
        scale, translation: numbers; a new coordinate is the old one, scaled and then moved.
        method: any but NEAREST.
        antialias: whether new samples that are wider than old ones weight all that they cover.
    """
    dtype = typeof(scale).dtype
    inverse = operators.divide(1.0, scale)
    middles = operators.subtract(operators.add(lax.iota(dtype, size), 0.5), translation)
    at = operators.subtract(operators.multiply(middles, inverse), 0.5)
    beyond = 0
    if method is ResizeMethod.CUBIC_PYTORCH:
        if antialias:
            method = ResizeMethod.CUBIC
        else:
            beyond = KERNELS[method].radius
    if method is ResizeMethod.AREA:
        weights = _areas(n, size, inverse, translation, dtype)
    else:
        kernel: Kernel = KERNELS[method]
        samples = operators.subtract(
            lax.broadcasted_iota(dtype, (n + 2 * beyond, size), 0), float(beyond)
        )
        distance = lax.abs(lax.sub(lax.broadcast_in_dim(at, (n + 2 * beyond, size), (1,)), samples))
        if antialias:
            distance = operators.divide(distance, lax.max(inverse, lax.full_like(inverse, 1)))
        weights = kernel.weights(distance)
    if beyond:
        return _normalized(_edges_repeated(weights, beyond, n))
    weights = _normalized(weights)
    # Nothing is known of what lies outside the image.
    inside = lax.bitwise_and(
        lax.ge(at, lax.full_like(at, -0.5)), lax.le(at, lax.full_like(at, n - 0.5))
    )
    inside = lax.broadcast_in_dim(inside, (n, size), (1,))
    return lax.select(inside, weights, lax.full_like(weights, 0))


def _applied(x: Array, weights: dict[int, Array], precision: Any) -> Array:
    """The image with the matrix of each axis applied to it, those that shrink it most first."""
    dtype = typeof(x).dtype
    x = convert(x, accumulation_dtype(dtype))

    def growth(d: int) -> float:
        old, new = typeof(weights[d]).shape
        return new / max(old, 1)

    order = list(range(typeof(x).ndim))  # which axis of the image lies where
    for d in sorted(weights, key=growth):
        matrix = convert(weights[d], typeof(x).dtype)
        x = lax.dot_general(x, matrix, (((order.index(d),), (0,)), ((), ())), precision=precision)
        order.remove(d)
        order.append(d)
    places = tuple(map(int, np.argsort(order)))
    return convert(x if places == tuple(range(len(order))) else lax.transpose(x, places), dtype)


def _nearest(x: Array, shape: Shape) -> Array:
    for d, (old, new) in enumerate(zip(typeof(x).shape, shape, strict=True)):
        if old != new:
            places = ((2 * np.arange(new, dtype=np.int64) + 1) * old) // max(2 * new, 1)
            if new and not old:
                raise ShapeError(
                    f"jx.image.resize: axis {d} of an image of shape {typeof(x).shape} has no "
                    f"samples to make {new} of"
                )
            x = plain(take)(x, places.astype(np.int32), axis=d, mode="clip")
    return x


@array_function("shape", "method", "antialias", "precision")
def resize(
    image: ArrayLike,
    shape: Sequence[int],
    method: str | ResizeMethod,
    antialias: bool = True,
    precision: Any = lax.Precision.HIGHEST,
) -> Array:
    """An image made larger or smaller.

    Edges of the image stay edges: sample i of n covers the part from i/n to (i+1)/n of an axis.

    Args:
        image: an array of any number of axes; integers become floats, but for NEAREST.
        shape: the new length of each axis. Axes whose lengths don't change are left alone.
        method: how to interpolate, a `ResizeMethod` or its name, such as `"linear"`.
        antialias: whether to weight all samples that a new one covers, where there are fewer
            new ones; otherwise only those around its middle.
        precision: of products with the weights, as in `lax.dot_general`.

    Raises:
        ShapeError: `shape` has not as many lengths as the image has axes.
        TypeError, ValueError: an unknown method.

    >>> jx.image.resize(jnp.array([1.0, 2.0, 3.0, 4.0]), (2,), "linear")
    Array([1.7142857, 3.2857144], dtype=float32)
    >>> jx.image.resize(jnp.array([1, 2]), (4,), "nearest")
    Array([1, 1, 2, 2], dtype=int32)
    """
    shape = _output_shape("resize", image, shape)
    method = _method("resize", method)
    if method is ResizeMethod.NEAREST:
        return _nearest(image, shape)
    x = inexact("jx.image.resize", image)
    old = typeof(x).shape
    zero = convert(0.0, dtypes.python_scalar_dtype(float))
    weights = {
        d: _weights(
            old[d], n, convert(n / max(old[d], 1) if n else 1.0, typeof(zero).dtype), zero, method,
            antialias,
        )
        for d, n in enumerate(shape)
        if n != old[d]
    }  # fmt: skip
    return _applied(x, weights, precision)


@array_function("shape", "spatial_dims", "method", "antialias", "precision")
def scale_and_translate(
    image: ArrayLike,
    shape: Sequence[int],
    spatial_dims: Sequence[int],
    scale: ArrayLike,
    translation: ArrayLike,
    method: str | ResizeMethod,
    antialias: bool = True,
    precision: Any = lax.Precision.HIGHEST,
) -> Array:
    """An image scaled and moved.

    What is at the coordinate x of the image is at ``x * scale + translation`` in the result;
    coordinates are those of `resize`, with the middle of the first sample at 1/2. Where a sample
    of the result lies outside the image, it is zero.

    Args:
        image: an array of any number of axes; integers become floats.
        shape: the shape of the result.
        spatial_dims: the axes that are scaled; others must keep their lengths.
        scale, translation: vectors of a number for each of `spatial_dims`. The result can be
            differentiated with respect to them.
        method: any but NEAREST; with antialias and precision as for `resize`.
        antialias, precision: as for `resize`.

    Raises:
        ShapeError: lengths that don't fit.
        TypeError, ValueError: an unknown method, or NEAREST.

    >>> x = jnp.array([1.0, 2.0, 3.0])
    >>> jx.image.scale_and_translate(x, (3,), (0,), jnp.ones(1), jnp.array([1.0]), "linear")
    Array([0., 1., 2.], dtype=float32)
    """
    name = "jx.image.scale_and_translate"
    shape = _output_shape("scale_and_translate", image, shape)
    method = _method("scale_and_translate", method)
    if method is ResizeMethod.NEAREST:
        raise ValueError(
            f"{name}: NEAREST is for jx.image.resize only; use LINEAR or another method here"
        )
    x = inexact(name, image)
    axes = some_axes(name, tuple(spatial_dims), len(shape), "spatial_dims")
    scale, translation = promote_dtypes_inexact(name, scale, translation)
    for argument, value in (("scale", scale), ("translation", translation)):
        if typeof(value).shape != (len(axes),):
            raise ShapeError(
                f"{name}: {argument} must have a number for each of spatial_dims={axes}, got shape "
                f"{typeof(value).shape}"
            )
    for d, (old, new) in enumerate(zip(typeof(x).shape, shape, strict=True)):
        if old != new and d not in axes:
            raise ShapeError(
                f"{name}: axis {d} is not in spatial_dims={axes}, so its length must stay {old}; "
                f"got {new}"
            )

    def number(x: Array, i: int) -> Array:
        return lax.squeeze(lax.slice(x, (i,), (i + 1,)), (0,))

    weights = {
        d: _weights(
            typeof(x).shape[d], shape[d], number(scale, i), number(translation, i), method,
            antialias,
        )
        for i, d in enumerate(axes)
    }  # fmt: skip
    return _applied(x, weights, precision)

"""Initialisers: functions of a key, a shape and a dtype that make an array of weights.

`zeros` and `ones` are initialisers themselves; the other functions here make one. The
choices of variance go by names of their authors; all are cases of `variance_scaling`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, Protocol

import numpy as np

from jx_core import lax, operators
from jx_core.dtypes import python_scalar_dtype

from .. import random
from ..creation import full
from ..creation import ones as _ones
from ..creation import zeros as _zeros
from ..creation.conversion import placed
from ..functions import array_function
from ..operands import (
    Array,
    ArrayLike,
    Shape,
    a_dtype,
    a_shape,
    is_complex,
    some_axes,
    to_dtype,
)

__all__ = [
    "Initializer", "constant", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform",
    "kaiming_normal", "kaiming_uniform", "lecun_normal", "lecun_uniform", "normal", "ones",
    "truncated_normal", "uniform", "variance_scaling", "xavier_normal", "xavier_uniform", "zeros",
]  # fmt: skip

Mode = Literal["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]
Distribution = Literal["truncated_normal", "normal", "uniform"]
Axes = int | Sequence[int]


class Initializer(Protocol):
    """What makes an array of weights.

    Args:
        key: a random key.
        shape: the array's shape.
        dtype: its dtype; that given to the maker of the initialiser, or else the default
            float one, if None.
        out_sharding: how it lies on devices.
    """

    def __call__(
        self, key: Any, shape: Any, dtype: Any = None, out_sharding: Any = None
    ) -> Array: ...


def zeros(key: Any, shape: Any, dtype: Any = None, out_sharding: Any = None) -> Array:
    """An initialiser: zeros. The key is not used.

    >>> nn.initializers.zeros(random.key(0), (2,))
    Array([0., 0.], dtype=float32)
    """
    return _zeros(shape, dtype, out_sharding=out_sharding)


def ones(key: Any, shape: Any, dtype: Any = None, out_sharding: Any = None) -> Array:
    """An initialiser: ones. The key is not used.

    >>> nn.initializers.ones(random.key(0), (2,))
    Array([1., 1.], dtype=float32)
    """
    return _ones(shape, dtype, out_sharding=out_sharding)


def constant(value: ArrayLike, dtype: Any = None) -> Initializer:
    """An initialiser that gives one value everywhere.

    Args:
        value: a number, or an array that broadcasts to the shapes that will be asked for.
        dtype: the dtype where none is asked for; the default float one if None.

    >>> nn.initializers.constant(-7)(random.key(0), (2,))
    Array([-7., -7.], dtype=float32)
    """

    def init(
        key: Any, shape: Any, dtype: Any = dtype, out_sharding: Any = None
    ) -> Array:
        return full(shape, value, _dtype("constant", dtype), out_sharding=out_sharding)

    return init


def _dtype(name: str, dtype: Any) -> Any:
    return python_scalar_dtype(float) if dtype is None else a_dtype(name, dtype)


# Simple distributions. A call is one compiled program, which scales may change without
# being compiled again.


@array_function("shape", "dtype")
def _uniform(key: Any, scale: Any, shape: Shape, dtype: Any) -> Array:
    return lax.mul(random.uniform(key, shape, dtype), to_dtype(scale, dtype))


@array_function("shape", "dtype")
def _normal(key: Any, stddev: Any, shape: Shape, dtype: Any) -> Array:
    return lax.mul(random.normal(key, shape, dtype), to_dtype(stddev, dtype))


@array_function("shape", "dtype")
def _truncated(
    key: Any, stddev: Any, lower: Any, upper: Any, shape: Shape, dtype: Any
) -> Array:
    sample = random.truncated_normal(key, lower, upper, shape, dtype)
    return lax.mul(sample, to_dtype(stddev, dtype))


def uniform(scale: ArrayLike = 1e-2, dtype: Any = None) -> Initializer:
    """An initialiser that draws evenly from 0 (included) to `scale` (not included).

    Args:
        scale: the upper end.
        dtype: the float dtype where none is asked for; the default one if None.

    >>> nn.initializers.uniform(10.0)(random.key(0), (2, 3)).shape
    (2, 3)
    """

    def init(key: Any, shape: Any, dtype: Any = dtype, out_sharding: Any = None) -> Array:
        of = _dtype("uniform", dtype)
        return placed(_uniform(key, scale, a_shape("uniform", shape), of), out_sharding)

    return init


def normal(stddev: ArrayLike = 1e-2, dtype: Any = None) -> Initializer:
    """An initialiser that draws from the normal distribution around 0.

    Args:
        stddev: the standard deviation.
        dtype: the float or complex dtype where none is asked for; the default float one if None.

    >>> nn.initializers.normal(5.0)(random.key(0), (2, 3)).shape
    (2, 3)
    """

    def init(key: Any, shape: Any, dtype: Any = dtype, out_sharding: Any = None) -> Array:
        of = _dtype("normal", dtype)
        return placed(_normal(key, stddev, a_shape("normal", shape), of), out_sharding)

    return init


def truncated_normal(
    stddev: ArrayLike = 1e-2, dtype: Any = None, lower: ArrayLike = -2.0, upper: ArrayLike = 2.0
) -> Initializer:
    """An initialiser that draws from the normal distribution around 0 between two bounds.

    Args:
        stddev: the standard deviation that the distribution has before it is truncated.
        dtype: the float dtype where none is asked for; the default one if None.
        lower, upper: the bounds, in standard deviations.

    >>> weights = nn.initializers.truncated_normal(5.0)(random.key(0), (100,))
    >>> bool(jnp.all(jnp.abs(weights) < 10.0))
    True
    """

    def init(key: Any, shape: Any, dtype: Any = dtype, out_sharding: Any = None) -> Array:
        of = _dtype("truncated_normal", dtype)
        size = a_shape("truncated_normal", shape)
        return placed(_truncated(key, stddev, lower, upper, size, of), out_sharding)

    return init


# Scales that go with the shape.


def variance_scaling(
    scale: ArrayLike,
    mode: Mode,
    distribution: Distribution,
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    dtype: Any = None,
) -> Initializer:
    """An initialiser whose variance is `scale / n`, for n inputs or outputs.

    The number of inputs is the product of the lengths of the input axes and of all axes that
    are neither input, output nor batch axes (the window of a convolution); likewise that of
    outputs.

    Args:
        scale: what the variance is in proportion to, positive.
        mode: what n is: `"fan_in"`, the number of inputs; `"fan_out"`, of outputs; `"fan_avg"`,
            the mean of both; `"fan_geo_avg"`, their geometric mean.
        distribution: `"normal"`, `"truncated_normal"` (at two standard deviations, and scaled
            to have the variance after that), or `"uniform"` around 0. Complex numbers are
            drawn from a disk or from the plane, evenly in all directions.
        in_axis, out_axis, batch_axis: an axis or several.
        dtype: the float or complex dtype where none is asked for; the default float one if
            None.

    Raises (when the initialiser is called):
        ShapeError: an axis is out of range for the shape.
        ValueError: `mode` or `distribution` is none of these; n is 0.

    >>> init = nn.initializers.variance_scaling(2.0, "fan_in", "normal")
    >>> init(random.key(0), (3, 3, 16, 32)).shape
    (3, 3, 16, 32)
    """

    def init(key: Any, shape: Any, dtype: Any = dtype, out_sharding: Any = None) -> Array:
        size = a_shape("variance_scaling", shape)
        variance = operators.divide(scale, _fan(size, mode, in_axis, out_axis, batch_axis))
        return placed(
            _scaled(key, variance, distribution, size, _dtype("variance_scaling", dtype)),
            out_sharding,
        )

    return init

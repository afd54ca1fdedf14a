"""Initialisers: functions of a key, a shape and a dtype that make an array of weights.

`zeros` and `ones` are initialisers themselves; the other functions here make one. The
choices of variance go by names of their authors; all are cases of `variance_scaling`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from jx_core import lax
from jx_core.dtypes import finfo, python_scalar_dtype

from .. import random
from ..creation import full
from ..creation import ones as _ones
from ..creation import zeros as _zeros
from ..creation.conversion import placed
from ..manipulation import moveaxis
from ..operands import (
    Array,
    ArrayLike,
    Shape,
    a_dtype,
    a_shape,
    is_complex,
    one_axis,
    some_axes,
    to_dtype,
)

__all__ = [
    "Initializer", "constant", "delta_orthogonal", "glorot_normal", "glorot_uniform",
    "he_normal", "he_uniform", "kaiming_normal", "kaiming_uniform", "lecun_normal",
    "lecun_uniform", "normal", "ones", "orthogonal", "truncated_normal", "uniform",
    "variance_scaling", "xavier_normal", "xavier_uniform", "zeros",
]  # fmt: skip

Mode = Literal["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]
Distribution = Literal["truncated_normal", "normal", "uniform"]
Axes = int | Sequence[int]


@runtime_checkable
class Initializer(Protocol):
    """What makes an array of weights.

    Args:
        key: a random key.
        shape: the array's shape.
        dtype: its dtype; that given to the maker of the initialiser, or else the default
            float one, if None.
        out_sharding: how it lies on devices.

    >>> init = jx.nn.initializers.zeros
    >>> init(jx.random.key(0), (2,))
    Array([0., 0.], dtype=float32)
    """

    def __call__(
        self, key: Any, shape: Any, dtype: Any = None, out_sharding: Any = None
    ) -> Array: ...


def zeros(key: Any, shape: Any, dtype: Any = None, out_sharding: Any = None) -> Array:
    """An initialiser: zeros. The key is not used.

    >>> jx.nn.initializers.zeros(jx.random.key(0), (2,))
    Array([0., 0.], dtype=float32)
    """
    return _zeros(shape, dtype, out_sharding=out_sharding)


def ones(key: Any, shape: Any, dtype: Any = None, out_sharding: Any = None) -> Array:
    """An initialiser: ones. The key is not used.

    >>> jx.nn.initializers.ones(jx.random.key(0), (2,))
    Array([1., 1.], dtype=float32)
    """
    return _ones(shape, dtype, out_sharding=out_sharding)


def constant(value: ArrayLike, dtype: Any = None) -> Initializer:
    """An initialiser that gives one value everywhere.

    Args:
        value: a number, or an array that broadcasts to the shapes that will be asked for.
        dtype: the dtype where none is asked for; the default float one if None.

    >>> jx.nn.initializers.constant(-7)(jx.random.key(0), (2,))
    Array([-7., -7.], dtype=float32)
    """

    def init(key: Any, shape: Any, dtype: Any = dtype, out_sharding: Any = None) -> Array:
        return full(shape, value, _dtype("constant", dtype), out_sharding=out_sharding)

    return init


def _dtype(name: str, dtype: Any) -> Any:
    return python_scalar_dtype(float) if dtype is None else a_dtype(name, dtype)


# Simple distributions. Samples are scaled outside of the program that draws them, so that they
# are, to the last bit, multiples of what `jx.random` gives.


def uniform(scale: ArrayLike = 1e-2, dtype: Any = None) -> Initializer:
    """An initialiser that draws evenly from 0 (included) to `scale` (not included).

    Args:
        scale: the upper end.
        dtype: the float dtype where none is asked for; the default one if None.

    >>> jx.nn.initializers.uniform(10.0)(jx.random.key(0), (2, 3)).shape
    (2, 3)
    """

    def init(key: Any, shape: Any, dtype: Any = dtype, out_sharding: Any = None) -> Array:
        of = _dtype("uniform", dtype)
        sample = random.uniform(key, a_shape("uniform", shape), of)
        return placed(lax.mul(sample, to_dtype(scale, of)), out_sharding)

    return init


def normal(stddev: ArrayLike = 1e-2, dtype: Any = None) -> Initializer:
    """An initialiser that draws from the normal distribution around 0.

    Args:
        stddev: the standard deviation.
        dtype: the float or complex dtype where none is asked for; the default float one if None.

    >>> jx.nn.initializers.normal(5.0)(jx.random.key(0), (2, 3)).shape
    (2, 3)
    """

    def init(key: Any, shape: Any, dtype: Any = dtype, out_sharding: Any = None) -> Array:
        of = _dtype("normal", dtype)
        sample = random.normal(key, a_shape("normal", shape), of)
        return placed(lax.mul(sample, to_dtype(stddev, of)), out_sharding)

    return init


def truncated_normal(
    stddev: ArrayLike = 1e-2, dtype: Any = None, lower: ArrayLike = -2.0, upper: ArrayLike = 2.0
) -> Initializer:
    """An initialiser that draws from the normal distribution around 0 between two bounds.

    Args:
        stddev: the standard deviation that the distribution has before it is truncated.
        dtype: the float dtype where none is asked for; the default one if None.
        lower, upper: the bounds, in standard deviations.

    >>> weights = jx.nn.initializers.truncated_normal(5.0)(jx.random.key(0), (100,))
    >>> bool(jnp.all(jnp.abs(weights) < 10.0))
    True
    """

    def init(key: Any, shape: Any, dtype: Any = dtype, out_sharding: Any = None) -> Array:
        of = _dtype("truncated_normal", dtype)
        size = a_shape("truncated_normal", shape)
        sample = random.truncated_normal(key, lower, upper, size, of)
        return placed(lax.mul(sample, to_dtype(stddev, of)), out_sharding)

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
        ValueError: `mode` or `distribution` is none of these.

    >>> init = jx.nn.initializers.variance_scaling(2.0, "fan_in", "normal")
    >>> init(jx.random.key(0), (3, 3, 16, 32)).shape
    (3, 3, 16, 32)
    """

    def init(key: Any, shape: Any, dtype: Any = dtype, out_sharding: Any = None) -> Array:
        size = a_shape("variance_scaling", shape)
        variance = scale / _fan(size, mode, in_axis, out_axis, batch_axis)
        if distribution not in ("truncated_normal", "normal", "uniform"):
            raise ValueError(
                f"invalid distribution for variance scaling initializer: {distribution!r}, "
                f"expected 'truncated_normal', 'normal' or 'uniform'"
            )
        of = _dtype("variance_scaling", dtype)
        return placed(_scaled(key, variance, distribution, size, of), out_sharding)

    return init


def _fan(shape: Shape, mode: str, in_axis: Any, out_axis: Any, batch_axis: Any) -> float:
    """What the variance is divided by."""
    name = "variance_scaling"
    sizes = [
        math.prod(shape[i] for i in some_axes(name, axis, len(shape), argument))
        for argument, axis in (
            ("in_axis", in_axis), ("out_axis", out_axis), ("batch_axis", batch_axis)
        )
    ]  # fmt: skip
    n_in, n_out, batch = sizes
    if not math.prod(shape):
        return 1  # of no weights, any variance will do
    window = math.prod(shape) / (n_in * n_out * batch)
    fan_in, fan_out = n_in * window, n_out * window
    fans = {
        "fan_in": fan_in,
        "fan_out": fan_out,
        "fan_avg": (fan_in + fan_out) / 2,
        "fan_geo_avg": math.sqrt(fan_in * fan_out),
    }
    if mode not in fans:
        raise ValueError(
            f"invalid mode for variance scaling initializer: {mode!r}, expected one of "
            f"{', '.join(map(repr, fans))}"
        )
    return fans[mode]


# The standard deviation of a normal variable truncated at two standard deviations.
_TRUNCATED_STDDEV = 0.87962566103423978
# Its counterpart for complex numbers of size 2 at most: the root of E[|z|^2; |z| < 2], as in
# JAX, which does not divide by the probability of |z| < 2.
_TRUNCATED_COMPLEX_STDDEV = math.sqrt(1 - 5 * math.exp(-4))


def _scaled(key: Any, variance: Any, distribution: str, shape: Shape, dtype: Any) -> Array:
    """Numbers around 0 of the given variance."""
    whole = is_complex(dtype)
    part = finfo(dtype).dtype if whole else dtype
    variance = to_dtype(variance, part)
    if distribution == "normal":
        sample, factor = random.normal(key, shape, dtype), lax.sqrt(variance)
    elif distribution == "truncated_normal":
        factor = lax.div(
            lax.sqrt(variance), _TRUNCATED_COMPLEX_STDDEV if whole else _TRUNCATED_STDDEV
        )
        if not whole:
            return lax.mul(random.truncated_normal(key, -2, 2, shape, dtype), factor)
        sample = _in_all_directions(key, shape, part, _truncated_radius)
    elif whole:
        sample, factor = _in_all_directions(key, shape, part, _disk_radius), lax.sqrt(variance)
    else:
        sample = random.uniform(key, shape, dtype, -1)
        factor = lax.sqrt(lax.mul(variance, 3.0))
    return lax.mul(sample, lax.convert_element_type(factor, dtype))


def _disk_radius(u: Array) -> Array:
    """The distance from 0 in a disk of variance 1, evenly filled, of even numbers in [0, 1)."""
    return lax.sqrt(lax.mul(u, 2.0))


def _truncated_radius(u: Array) -> Array:
    """The size of a complex normal number of variance 1, given that it is below 2.

    The square of the size is distributed exponentially; this inverts its distribution.
    """
    return lax.sqrt(lax.neg(lax.log1p(lax.mul(u, math.expm1(-4.0)))))


def _in_all_directions(
    key: Any, shape: Shape, dtype: Any, radius: Callable[[Array], Array]
) -> Array:
    """Complex numbers of random direction, and of a size made of even random numbers."""
    keys = random.split(key)
    size = radius(random.uniform(keys[0], shape, dtype))
    angle = lax.mul(random.uniform(keys[1], shape, dtype), 2 * math.pi)
    return lax.complex(lax.mul(size, lax.cos(angle)), lax.mul(size, lax.sin(angle)))


# Orthogonal matrices.


def orthogonal(scale: ArrayLike = 1.0, column_axis: int = -1, dtype: Any = None) -> Initializer:
    """An initialiser that draws orthogonal matrices, uniformly.

    Args:
        scale: what to multiply them by.
        column_axis: the axis that has the columns; all others together have the rows. The columns
            are orthonormal, or the rows where there are fewer of them.
        dtype: the float or complex dtype where none is asked for; the default float one if None.

    Raises (when the initialiser is called):
        ValueError: the shape has fewer than two axes.

    See Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks" (2014), https://arxiv.org/abs/1312.6120.

    >>> w = jx.nn.initializers.orthogonal()(jx.random.key(0), (4, 3))
    >>> bool(jnp.allclose(w.T @ w, jnp.eye(3), atol=1e-5))
    True
    """

    def init(key: Any, shape: Any, dtype: Any = dtype, out_sharding: Any = None) -> Array:
        of = _dtype("orthogonal", dtype)
        size = a_shape("orthogonal", shape)
        if len(size) < 2:
            raise ValueError(
                f"orthogonal: the initialiser takes shapes of at least two axes, got {size}"
            )
        if 0 in size:
            return _zeros(size, of, out_sharding=out_sharding)
        axis = one_axis("orthogonal", column_axis, len(size), "column_axis")
        columns = size[axis]
        rest = size[:axis] + size[axis + 1 :]
        drawn = random.orthogonal(key, math.prod(rest), (), of, columns)
        drawn = moveaxis(lax.reshape(drawn, (*rest, columns)), -1, axis)
        return placed(lax.mul(to_dtype(scale, of), drawn), out_sharding)

    return init


def delta_orthogonal(
    scale: ArrayLike = 1.0, column_axis: int = -1, dtype: Any = None
) -> Initializer:
    """An initialiser of convolutions: an orthogonal matrix in the middle of the window, and zeros.

    Args:
        scale: what to multiply the matrix by.
        column_axis: its axis of columns.
        dtype: the float or complex dtype where none is asked for; the default float one if None.

    Raises (when the initialiser is called):
        ValueError: the shape is not (*window, inputs, outputs) with a window of one, two or three
            axes and at least as many outputs as inputs.

    See Xiao et al., "Dynamical isometry and a mean field theory of CNNs" (2018),
    https://arxiv.org/abs/1806.05393.

    >>> w = jx.nn.initializers.delta_orthogonal()(jx.random.key(0), (3, 2, 2))
    >>> w[0].tolist(), bool(jnp.allclose(w[1] @ w[1].T, jnp.eye(2), atol=1e-5))
    ([[0.0, 0.0], [0.0, 0.0]], True)
    """

    def init(key: Any, shape: Any, dtype: Any = dtype, out_sharding: Any = None) -> Array:
        of = _dtype("delta_orthogonal", dtype)
        size = a_shape("delta_orthogonal", shape)
        if len(size) not in (3, 4, 5) or size[-1] < size[-2]:
            raise ValueError(
                f"delta_orthogonal: the initialiser takes shapes (*window, inputs, outputs) with a "
                f"window of 1 to 3 axes and no more inputs than outputs, got {size}"
            )
        matrix = orthogonal(scale, column_axis, of)(key, size[-2:])
        around = [((k - 1) // 2, k - 1 - (k - 1) // 2, 0) for k in size[:-2]]
        matrix = lax.reshape(matrix, (*[1] * len(around), *size[-2:]))
        out = lax.pad(matrix, to_dtype(0, of), [*around, (0, 0, 0), (0, 0, 0)])
        return placed(out, out_sharding)

    return init


def _named(scale: float, mode: Mode, distribution: Distribution, name: str, doc: str) -> Any:
    """A maker of initialisers with the scale, mode and distribution that a name stands for."""

    def maker(
        in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None
    ) -> Initializer:
        return variance_scaling(scale, mode, distribution, in_axis, out_axis, batch_axis, dtype)

    maker.__name__ = maker.__qualname__ = name
    maker.__doc__ = _DOC.format(name=name, doc=doc, scale=scale, mode=mode, kind=distribution)
    return maker


_DOC = """{doc}

It is `variance_scaling({scale}, "{mode}", "{kind}")`.

Args:
    in_axis, out_axis, batch_axis: an axis or several, as for `variance_scaling`.
    dtype: the float or complex dtype where none is asked for; the default float one if None.

>>> jx.nn.initializers.{name}()(jx.random.key(0), (2, 3)).shape
(2, 3)
"""

_GLOROT = (
    "An initialiser of {}, by Glorot and Bengio: variance 1 over the mean of the numbers of "
    'inputs and outputs.\n\nSee "Understanding the difficulty of training deep feedforward neural '
    "networks\" (2010). Also called Xavier's."
)
_LECUN = (
    "An initialiser of {}, by LeCun: variance 1 over the number of inputs.\n\nSee LeCun, Bottou, "
    'Orr and Mueller, "Efficient BackProp" (1998).'
)
_HE = (
    "An initialiser of {}, by He: variance 2 over the number of inputs.\n\nSee He, Zhang, Ren and "
    'Sun, "Delving deep into rectifiers" (2015), https://arxiv.org/abs/1502.01852. Also called '
    "Kaiming's."
)
_EVEN, _NORMAL = "evenly distributed weights", "truncated normal weights"

glorot_uniform = _named(1.0, "fan_avg", "uniform", "glorot_uniform", _GLOROT.format(_EVEN))
glorot_normal = _named(1.0, "fan_avg", "truncated_normal", "glorot_normal", _GLOROT.format(_NORMAL))
lecun_uniform = _named(1.0, "fan_in", "uniform", "lecun_uniform", _LECUN.format(_EVEN))
lecun_normal = _named(1.0, "fan_in", "truncated_normal", "lecun_normal", _LECUN.format(_NORMAL))
he_uniform = _named(2.0, "fan_in", "uniform", "he_uniform", _HE.format(_EVEN))
he_normal = _named(2.0, "fan_in", "truncated_normal", "he_normal", _HE.format(_NORMAL))
xavier_uniform, xavier_normal = glorot_uniform, glorot_normal
kaiming_uniform, kaiming_normal = he_uniform, he_normal

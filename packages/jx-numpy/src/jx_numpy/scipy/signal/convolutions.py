"""Convolution and correlation of arrays of any number of dimensions.

The convolution of `x` and `y` has at n the sum over k of x[n - k] y[k]; it is as long as both
together, less one. "same" is the middle of it, as long as `x`, and "valid" the part in which
the smaller array lies within the other. A correlation is the convolution with the second
array turned round and conjugated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import lax
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert

from ...fft import fftn, ifftn, irfftn, rfftn
from ...functions import array_function, plain
from ...manipulation import pad
from ...operands import (
    Array,
    ArrayLike,
    Shape,
    accumulation_dtype,
    broadcast_shapes,
    broadcast_to,
    is_complex,
    promote_dtypes_inexact,
    some_axes,
    typeof,
)

__all__ = ["convolve", "convolve2d", "correlate", "correlate2d", "fftconvolve"]

_BOUNDARIES = {"fill": "constant", "wrap": "wrap", "symm": "symmetric"}


def _operands(name: str, in1: ArrayLike, in2: ArrayLike, mode: str) -> tuple[Array, Array]:
    """The arrays in one inexact dtype.

    Raises:
        ValueError: an unknown mode, different numbers of axes, an empty array, or arrays of
            which neither fits into the other, for `valid`.
    """
    if mode not in ("full", "same", "valid"):
        raise ValueError(
            f"jx.scipy.signal.{name}: mode must be 'full', 'same' or 'valid', got {mode!r}"
        )
    in1, in2 = promote_dtypes_inexact(name, in1, in2)
    first, second = typeof(in1), typeof(in2)
    if first.ndim != second.ndim:
        raise ShapeError(
            f"jx.scipy.signal.{name}: in1 and in2 must have the same number of dimensions, got "
            f"shapes {first.shape} and {second.shape}"
        )
    if not (first.size and second.size):
        raise ShapeError(
            f"jx.scipy.signal.{name}: in1 and in2 must not be empty, got shapes {first.shape} and "
            f"{second.shape}"
        )
    return in1, in2


def _second_is_larger(name: str, shape1: Shape, shape2: Shape) -> bool:
    """Whether it is the first array that slides within the second, in mode `valid`.

    Raises:
        ShapeError: neither fits into the other.
    """
    if all(a >= b for a, b in zip(shape1, shape2, strict=True)):
        return False
    if all(a <= b for a, b in zip(shape1, shape2, strict=True)):
        return True
    raise ShapeError(
        f"jx.scipy.signal.{name}: for mode 'valid' one input must be at least as large as the "
        f"other in every dimension, got shapes {shape1} and {shape2}"
    )


def _part(name: str, mode: str, shape1: Shape, shape2: Shape) -> tuple[Shape, Shape]:
    """Where in the full convolution the result starts, and its shape."""
    if mode == "full":
        return (0,) * len(shape1), tuple(a + b - 1 for a, b in zip(shape1, shape2, strict=True))
    if mode == "same":
        return tuple((b - 1) // 2 for b in shape2), shape1
    if _second_is_larger(name, shape1, shape2):
        shape1, shape2 = shape2, shape1
    return (
        tuple(b - 1 for b in shape2),
        tuple(a - b + 1 for a, b in zip(shape1, shape2, strict=True)),
    )


def _reversed(x: Array) -> Array:
    return lax.rev(x, tuple(range(typeof(x).ndim)))


def _conjugate(x: Array) -> Array:
    return lax.conj(x) if is_complex(typeof(x).dtype) else x


def _direct(name: str, x: Array, y: Array, mode: str, precision: Any) -> Array:
    """The convolution by its sum."""
    start, shape = _part(name, mode, typeof(x).shape, typeof(y).shape)
    return _summed(x, y, start, shape, precision)


def _summed(x: Array, y: Array, start: Shape, shape: Shape, precision: Any) -> Array:
    """The part of the full convolution of this shape that starts there."""
    if typeof(y).size > typeof(x).size:
        x, y = y, x  # the smaller one slides
    padding = []
    for begin, n, long, short in zip(start, shape, typeof(x).shape, typeof(y).shape, strict=True):
        before = short - 1 - begin
        padding.append((before, n + short - 1 - long - before))
    dtype = typeof(x).dtype
    result = lax.conv_general_dilated(
        lax.expand_dims(x, (0, 1)),
        lax.expand_dims(_reversed(y), (0, 1)),
        window_strides=(1,) * len(shape),
        padding=padding,
        precision=precision,
        preferred_element_type=accumulation_dtype(dtype),
    )
    return convert(lax.squeeze(result, (0, 1)), dtype)


def _by_fft(name: str, x: Array, y: Array, mode: str, axes: Shape) -> Array:
    """The convolution along `axes` by Fourier transforms; along others, arrays broadcast."""
    dtype = typeof(x).dtype
    x, y = (convert(a, accumulation_dtype(dtype)) for a in (x, y))
    shape1, shape2 = typeof(x).shape, typeof(y).shape
    start, part = _part(name, mode, tuple(shape1[d] for d in axes), tuple(shape2[d] for d in axes))
    lengths = tuple(shape1[d] + shape2[d] - 1 for d in axes)
    others = [d for d in range(len(shape1)) if d not in axes]
    along = broadcast_shapes(name, *[tuple(s[d] for d in others) for s in (shape1, shape2)])
    sizes, begins = list(shape1), [0] * len(shape1)
    for d, n in zip(others, along, strict=True):
        sizes[d] = n
    for d, begin, n in zip(axes, start, part, strict=True):
        sizes[d], begins[d] = n, begin
    # Axes along which one array has a single element need no transform.
    moving = [i for i, d in enumerate(axes) if shape1[d] != 1 and shape2[d] != 1]
    if moving:
        chosen, sizes_of = [axes[i] for i in moving], [lengths[i] for i in moving]
        product = _transformed_product(x, y, tuple(chosen), tuple(sizes_of))
    else:
        product = _multiplied(x, y)
    ends = [b + n for b, n in zip(begins, sizes, strict=True)]
    return convert(lax.slice(product, begins, ends), dtype)


def _multiplied(x: Array, y: Array) -> Array:
    shape = broadcast_shapes("multiply", typeof(x).shape, typeof(y).shape)
    return lax.mul(broadcast_to(x, shape), broadcast_to(y, shape))


def _transformed_product(x: Array, y: Array, axes: Shape, lengths: Shape) -> Array:
    """The inverse transform of the product of transforms of these lengths."""
    if not is_complex(typeof(x).dtype):
        x, y = (plain(rfftn)(a, lengths, axes) for a in (x, y))
        return plain(irfftn)(_multiplied(x, y), lengths, axes)  # type: ignore[no-any-return]
    x, y = (plain(fftn)(a, lengths, axes) for a in (x, y))
    return plain(ifftn)(_multiplied(x, y), lengths, axes)  # type: ignore[no-any-return]


def _by_method(name: str, x: Array, y: Array, mode: str, method: str, precision: Any) -> Array:
    if method == "fft":
        return _by_fft(name, x, y, mode, tuple(range(typeof(x).ndim)))
    if method in ("direct", "auto"):
        return _direct(name, x, y, mode, precision)
    raise ValueError(
        f"jx.scipy.signal.{name}: method must be 'auto', 'direct' or 'fft', got {method!r}"
    )


@array_function("mode", "axes")
def fftconvolve(
    in1: ArrayLike, in2: ArrayLike, mode: str = "full", axes: Sequence[int] | None = None
) -> Array:
    """The convolution of two arrays, by Fourier transforms.

    For large arrays it takes far fewer operations than the sum that `convolve` computes; its
    errors are relative to the largest elements.

    Args:
        in1, in2: arrays of the same number of axes; dtypes are promoted to inexact ones.
        mode: `"full"` for the whole convolution; `"same"` for the middle of it, of the shape
            of `in1`; `"valid"` for the part where one array lies within the other.
        axes: the axes to convolve along; all if None. Along others the arrays broadcast.

    Raises:
        ShapeError: the arrays differ in their numbers of axes, are empty, don't broadcast
            along the other axes, or neither fits into the other in mode `valid`.
        ValueError: an unknown mode.

    By the convolution theorem: see Oppenheim and Schafer, "Discrete-Time Signal Processing",
    section 8.7.

    >>> x, y = jnp.array([1.0, 2.0, 3.0]), jnp.array([1.0, 1.0])
    >>> jx.scipy.signal.fftconvolve(x, y).round(3)
    Array([1., 3., 5., 3.], dtype=float32)
    """
    x, y = _operands("fftconvolve", in1, in2, mode)
    chosen = some_axes("jx.scipy.signal.fftconvolve", axes, typeof(x).ndim, "axes")
    return _by_fft("fftconvolve", x, y, mode, chosen)


@array_function("mode", "method", "precision")
def convolve(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    method: str = "auto",
    precision: Any = None,
) -> Array:
    """The convolution of two arrays of any number of dimensions.

    Args:
        in1, in2: arrays of the same number of axes; dtypes are promoted to inexact ones.
        mode: `"full"` for the whole convolution; `"same"` for the middle of it, of the shape
            of `in1`; `"valid"` for the part where one array lies within the other.
        method: `"direct"` or `"auto"` for the sum, `"fft"` for Fourier transforms.
        precision: of the sum's products, as in `lax.conv_general_dilated`.

    Raises:
        ShapeError: the arrays differ in their numbers of axes, are empty, or neither fits into
            the other in mode `valid`.
        ValueError: an unknown mode or method.

    >>> x, y = jnp.array([1.0, 2.0, 3.0]), jnp.array([1.0, 1.0])
    >>> jx.scipy.signal.convolve(x, y, mode="same")
    Array([1., 3., 5.], dtype=float32)
    """
    x, y = _operands("convolve", in1, in2, mode)
    return _by_method("convolve", x, y, mode, method, precision)


@array_function("mode", "method", "precision")
def correlate(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    method: str = "auto",
    precision: Any = None,
) -> Array:
    """The cross-correlation of two arrays: the sum of in1[l] conj(in2[l - k]) at each shift k.

    Args:
        in1, in2, mode, method, precision: as for `convolve`. The first element of the full
            correlation is that of the most negative shift.

    Raises:
        ShapeError, ValueError: as for `convolve`.

    >>> x, y = jnp.array([1.0, 2.0, 3.0]), jnp.array([0.0, 1.0])
    >>> jx.scipy.signal.correlate(x, y)
    Array([1., 2., 3., 0.], dtype=float32)
    """
    x, y = _operands("correlate", in1, in2, mode)
    return _by_method("correlate", x, _conjugate(_reversed(y)), mode, method, precision)


def _planes(
    name: str, in1: ArrayLike, in2: ArrayLike, mode: str, boundary: str
) -> tuple[Array, Array]:
    """The two matrices.

    Raises:
        ShapeError, ValueError: as the public functions say.
    """
    if boundary not in _BOUNDARIES:
        raise ValueError(
            f"jx.scipy.signal.{name}: boundary must be 'fill', 'wrap' or 'symm', got {boundary!r}"
        )
    x, y = _operands(name, in1, in2, mode)
    if typeof(x).ndim != 2:
        raise ShapeError(
            f"jx.scipy.signal.{name}: in1 and in2 must be matrices, got shapes {typeof(x).shape} "
            f"and {typeof(y).shape}"
        )
    return x, y


def _extended(
    x: Array, y: Array, start: Shape, shape: Shape, boundary: str, value: Any, precision: Any
) -> Array:
    """A part of the full convolution, with `x` continued beyond its edges."""
    if boundary == "fill" and isinstance(value, (int, float)) and value == 0:
        return _summed(x, y, start, shape, precision)
    widths = [(n - 1, n - 1) for n in typeof(y).shape]
    options = {"constant_values": convert(value, typeof(x).dtype)} if boundary == "fill" else {}
    x = pad(x, widths, _BOUNDARIES[boundary], **options)
    start = tuple(b + n - 1 for b, n in zip(start, typeof(y).shape, strict=True))
    return _summed(x, y, start, shape, precision)


@array_function("mode", "boundary", "precision")
def _convolve2d(in1: Any, in2: Any, value: Any, mode: str, boundary: str, precision: Any) -> Array:
    x, y = _planes("convolve2d", in1, in2, mode, boundary)
    start, shape = _part("convolve2d", mode, typeof(x).shape, typeof(y).shape)
    if mode == "valid":  # within the larger one: its edges don't matter
        return _summed(x, y, start, shape, precision)
    return _extended(x, y, start, shape, boundary, value, precision)


@array_function("mode", "boundary", "precision")
def _correlate2d(in1: Any, in2: Any, value: Any, mode: str, boundary: str, precision: Any) -> Array:
    x, y = _planes("correlate2d", in1, in2, mode, boundary)
    shape1, shape2 = typeof(x).shape, typeof(y).shape
    start, shape = _part("correlate2d", mode, shape1, shape2)
    y = _conjugate(_reversed(y))
    if mode == "valid":
        result = _summed(x, y, start, shape, precision)
        # SciPy exchanges the two, which conjugates the sums.
        return _conjugate(result) if _second_is_larger("correlate2d", shape1, shape2) else result
    if mode == "same":
        start = tuple(n // 2 for n in shape2)
    return _extended(x, y, start, shape, boundary, value, precision)


def convolve2d(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    boundary: str = "fill",
    fillvalue: ArrayLike = 0,
    precision: Any = None,
) -> Array:
    """The convolution of two matrices, with a choice of what lies beyond the first one's edges.

    Args:
        in1, in2: matrices; dtypes are promoted to inexact ones.
        mode: `"full"`, `"same"` or `"valid"`, as for `convolve`.
        boundary: how `in1` continues: `"fill"` with `fillvalue`, `"wrap"` periodically, `"symm"`
            mirrored at the edges.
        fillvalue: a number.
        precision: as for `convolve`.

    Raises:
        ShapeError: the arrays are no matrices, are empty, or neither fits into the other in
            mode `valid`.
        ValueError: an unknown mode or boundary.

    >>> x = jnp.arange(4.0).reshape(2, 2)
    >>> jx.scipy.signal.convolve2d(x, jnp.ones((2, 2)), mode="same", boundary="wrap")
    Array([[6., 6.],
           [6., 6.]], dtype=float32)
    """
    return _convolve2d(in1, in2, fillvalue, mode, boundary, precision)  # type: ignore[no-any-return]


def correlate2d(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    boundary: str = "fill",
    fillvalue: ArrayLike = 0,
    precision: Any = None,
) -> Array:
    """The cross-correlation of two matrices.

    In mode `"same"` matrices of even lengths are aligned one element later than in
    `convolve2d`, and in mode `"valid"` sums are conjugated if it is `in2` that is larger, both as
    in SciPy.

    Args:
        in1, in2, mode, boundary, fillvalue, precision: as for `convolve2d`.

    Raises:
        ShapeError, ValueError: as for `convolve2d`.

    >>> x = jnp.arange(9.0).reshape(3, 3)
    >>> jx.scipy.signal.correlate2d(x, jnp.array([[0.0, 1.0], [2.0, 0.0]]), mode="valid")
    Array([[ 7., 10.],
           [16., 19.]], dtype=float32)
    """
    return _correlate2d(in1, in2, fillvalue, mode, boundary, precision)  # type: ignore[no-any-return]

"""`jx.numpy.fft`: discrete Fourier transforms along any axes, their frequencies and shifts.

The transforms themselves are `lax.fft`'s, over the last axes and in the convention of NumPy.
Here axes are chosen and brought to the end, padded or cut to the lengths asked for, and
results scaled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import dtypes, lax, operators
from jx_core.lax import FftType
from jx_core.ops.axes import canonical_shape
from jx_core.ops.elementwise import convert

from .creation.conversion import placed
from .functions import array_function
from .manipulation.repeating import roll
from .operands import (
    Array,
    ArrayLike,
    Shape,
    a_dtype,
    an_integer,
    as_operand,
    one_axis,
    some_axes,
    to_inexact,
    type_of,
    typeof,
)

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifft2", "ifftn", "ifftshift",
    "ihfft", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip

_NORMS = ("backward", "ortho", "forward")
# Transforms named for Hermitian arrays are computed by those of the opposite direction.
_OPPOSITE = {None: "forward", "backward": "forward", "forward": "backward"}


# --- what all transforms share ---


def _lengths(name: str, s: Any) -> Shape | None:
    """The lengths asked for; None where they are the array's own.

    Raises:
        TypeError: they are not integers.
        ValueError: one is not positive.
    """
    if s is None:
        return None
    lengths = canonical_shape(f"fft.{name}", s, "s")
    if any(n <= 0 for n in lengths):
        raise ValueError(f"jnp.fft.{name}: lengths must be positive, got {lengths}")
    return lengths


def _axes(name: str, ndim: int, s: Shape | None, axes: Any) -> Shape:
    """The axes to transform: those given, else the last ones that `s` has lengths for, or all.

    Raises:
        ShapeError: one is out of range or repeated, or there are more lengths than axes.
        ValueError: there are not as many axes as lengths.
    """
    if axes is None:
        axes = range(-ndim if s is None else -len(s), 0)
    chosen = some_axes(f"fft.{name}", axes, ndim, "axes")
    if s is not None and len(s) != len(chosen):
        raise ValueError(
            f"jnp.fft.{name}: s and axes must be equally long, got s={s} and axes={tuple(axes)}"
        )
    return chosen


def _scale(kind: FftType, norm: str | None, size: int) -> float:
    """What `norm` multiplies the transform of `kind` with, which is scaled "backward" itself."""
    if norm not in (None, *_NORMS):
        raise ValueError(
            f"Invalid norm value {norm!r}; should be one of {', '.join(map(repr, _NORMS))}, or None"
        )
    if norm in (None, "backward") or not size:
        return 1.0
    exact = math.sqrt(size) if norm == "ortho" else float(size)
    return exact if kind in (FftType.IFFT, FftType.IRFFT) else 1 / exact


def _resized(x: Array, axes: Shape, lengths: Shape) -> Array:
    """The array cut off, or filled up with zeros, to `lengths` along `axes`."""
    shape = list(typeof(x).shape)
    for axis, n in zip(axes, lengths, strict=True):
        shape[axis] = n
    old = typeof(x).shape
    if tuple(shape) == old:
        return x
    kept = [min(a, b) for a, b in zip(old, shape, strict=True)]
    x = lax.slice(x, (0,) * len(kept), kept)
    missing = [(0, n - k, 0) for n, k in zip(shape, kept, strict=True)]
    return lax.pad(x, np.zeros((), typeof(x).dtype)[()], missing)


def _over(x: Array, kind: FftType, axes: Shape, lengths: Shape) -> Array:
    """`lax.fft` over one to three axes, wherever they lie, which stay where they are."""
    if kind in (FftType.FFT, FftType.IFFT):
        ordered = sorted(zip(axes, lengths, strict=True))  # all alike: spare the transposition
        axes, lengths = (tuple(column) for column in zip(*ordered, strict=True))
    ndim = typeof(x).ndim
    order = (*[d for d in range(ndim) if d not in axes], *axes)
    if order == tuple(range(ndim)):
        return lax.fft(x, kind, lengths)
    out = lax.fft(lax.transpose(x, order), kind, lengths)
    return lax.transpose(out, tuple(int(d) for d in np.argsort(order)))


def _transformed(x: Array, kind: FftType, axes: Shape, lengths: Shape) -> Array:
    """The transform over any number of axes, at most three at a time; the last axis is the one
    of which a real transform leaves half out."""
    if not axes:
        return lax.fft(x, kind, ())
    rest, last = slice(None, -3), slice(-3, None)
    inner = {FftType.RFFT: FftType.FFT, FftType.IRFFT: FftType.IFFT}.get(kind, kind)
    if kind != FftType.IRFFT:
        x = _over(x, kind, axes[last], lengths[last])
    if axes[rest]:
        x = _transformed(x, inner, axes[rest], lengths[rest])
    return _over(x, kind, axes[last], lengths[last]) if kind == FftType.IRFFT else x


def _transform(name: str, kind: FftType, a: Any, s: Any, axes: Any, norm: Any) -> Array:
    """The transform that `jnp.fft.<name>` computes.

    Args:
        name: the function the user called.
        kind: the transform.
        a: the array.
        s: lengths along the axes, of the result for IRFFT; None for those of `a`.
        axes: the axes; None for the last ones, or all.
        norm: how it is scaled.
    """
    x = as_operand(f"fft.{name}", a)
    shape = typeof(x).shape
    lengths = _lengths(name, s)
    axes = _axes(name, len(shape), lengths, axes)
    if lengths is None:
        lengths = tuple(shape[d] for d in axes)
        if kind == FftType.IRFFT and axes:
            lengths = (*lengths[:-1], max(0, 2 * (lengths[-1] - 1)))
    scale = _scale(kind, norm, math.prod(lengths))
    taken = lengths
    if kind == FftType.IRFFT and axes:
        taken = (*lengths[:-1], lengths[-1] // 2 + 1 if lengths[-1] else shape[axes[-1]])
    out = _transformed(_resized(x, axes, taken), kind, axes, lengths)
    return out if scale == 1 else lax.mul(out, np.asarray(scale, typeof(out).dtype)[()])


def _one_axis(name: str, axis: Any) -> Any:
    """The argument `axes` for the argument `axis` of a transform of one.

    Raises:
        ValueError: there are several.
    """
    if isinstance(axis, (list, tuple)):
        several = f"; jnp.fft.{name}n takes several" if name[-4:] != "hfft" else ""
        raise ValueError(f"jnp.fft.{name} takes one axis, got axis={axis!r}{several}")
    return None if axis is None else (axis,)


def _one_length(name: str, n: Any) -> Any:
    return None if n is None else (an_integer(f"fft.{name}", n, "n"),)


def _along_one(name: str, kind: FftType, a: Any, n: Any, axis: Any, norm: Any) -> Array:
    return _transform(name, kind, a, _one_length(name, n), _one_axis(name, axis), norm)


def _along_two(name: str, kind: FftType, a: Any, s: Any, axes: Any, norm: Any) -> Array:
    if len(axes) != 2:
        raise ValueError(
            f"jnp.fft.{name} takes two axes, got axes={axes!r}; jnp.fft.{name[:-1]}n takes any "
            f"number"
        )
    return _transform(name, kind, a, s, axes, norm)


# --- complex transforms ---


@array_function("n", "axis", "norm")
def fft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The discrete Fourier transform along an axis.

    Element k of the result is the sum over j of ``a[j] * exp(-2 pi i j k / n)``.

    Args:
        a: an array.
        n: the length to cut or pad `a` to, with zeros; its own if None.
        axis: the axis.
        norm: which of the transform and its inverse is divided by `n`: the inverse for
            `"backward"` or None, the transform for `"forward"`, both by its root for `"ortho"`.

    Returns:
        A complex array, with length `n` along the axis; of 64-bit floats if `a` has them, else
        of 32-bit ones.

    Raises:
        ShapeError: the axis is out of range.
        ValueError: `n` is not positive, there are several axes, or an unknown `norm`.

    >>> jnp.fft.fft(jnp.array([1.0, 2.0, 3.0, 4.0]))
    Array([10.+0.j, -2.+2.j, -2.+0.j, -2.-2.j], dtype=complex64)
    """
    return _along_one("fft", FftType.FFT, a, n, axis, norm)


@array_function("n", "axis", "norm")
def ifft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The inverse of the discrete Fourier transform along an axis.

    Args and errors as for `fft`.

    >>> jnp.fft.ifft(jnp.array([10, -2 + 2j, -2, -2 - 2j]))
    Array([1.+0.j, 2.+0.j, 3.+0.j, 4.+0.j], dtype=complex64)
    """
    return _along_one("ifft", FftType.IFFT, a, n, axis, norm)


@array_function("s", "axes", "norm")
def fftn(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = None,
) -> Array:
    """The discrete Fourier transform along several axes, one after the other.

    Args:
        a: an array.
        s: the lengths to cut or pad `a` to along the axes; its own if None.
        axes: the axes; if None, the last ones that `s` has lengths for, or all.
        norm: as for `fft`, with the product of the lengths for `n`.

    Raises:
        ShapeError: an axis is out of range or repeated.
        ValueError: a length is not positive, `s` and `axes` are not equally long, or an
            unknown `norm`.

    >>> jnp.fft.fftn(jnp.array([[1.0, 2.0], [3.0, 4.0]]))
    Array([[10.+0.j, -2.+0.j],
           [-4.+0.j,  0.+0.j]], dtype=complex64)
    """
    return _transform("fftn", FftType.FFT, a, s, axes, norm)


@array_function("s", "axes", "norm")
def ifftn(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = None,
) -> Array:
    """The inverse of `fftn`. Args and errors as for it.

    >>> jnp.fft.ifftn(jnp.array([[10.0, -2.0], [-4.0, 0.0]]))
    Array([[1.+0.j, 2.+0.j],
           [3.+0.j, 4.+0.j]], dtype=complex64)
    """
    return _transform("ifftn", FftType.IFFT, a, s, axes, norm)


@array_function("s", "axes", "norm")
def fft2(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: str | None = None,
) -> Array:
    """The discrete Fourier transform along two axes: `fftn` with another default.

    Raises:
        ValueError: there are not two axes; else as for `fftn`.

    >>> jnp.fft.fft2(jnp.ones((3, 2, 2))).shape
    (3, 2, 2)
    """
    return _along_two("fft2", FftType.FFT, a, s, axes, norm)


@array_function("s", "axes", "norm")
def ifft2(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: str | None = None,
) -> Array:
    """The inverse of `fft2`. Args and errors as for it.

    >>> jnp.fft.ifft2(jnp.array([[4.0, 0.0], [0.0, 0.0]]))
    Array([[1.+0.j, 1.+0.j],
           [1.+0.j, 1.+0.j]], dtype=complex64)
    """
    return _along_two("ifft2", FftType.IFFT, a, s, axes, norm)


# --- transforms of real numbers ---


@array_function("n", "axis", "norm")
def rfft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The discrete Fourier transform of real numbers along an axis: the first half of it.

    The rest is the mirrored conjugate of what is given.

    Args:
        a: an array of real numbers.
        n, axis, norm: as for `fft`.

    Returns:
        A complex array, with length ``n // 2 + 1`` along the axis.

    Raises:
        ValueError: `a` is complex; else as for `fft`.

    >>> jnp.fft.rfft(jnp.array([1.0, 2.0, 3.0, 4.0]))
    Array([10.+0.j, -2.+2.j, -2.+0.j], dtype=complex64)
    """
    return _along_one("rfft", FftType.RFFT, a, n, axis, norm)


@array_function("n", "axis", "norm")
def irfft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The inverse of `rfft`: real numbers from the first half of their transform.

    Args:
        a: an array. The imaginary part of its first element along the axis counts for
            nothing, nor, for even `n`, does that of the last.
        n: the length of the result along the axis; if None, ``2 * (m - 1)`` for a length `m`
            of `a`. Give it for results of odd lengths.
        axis, norm: as for `fft`.

    Returns:
        A real array.

    Raises:
        ShapeError, ValueError: as for `fft`.

    >>> jnp.fft.irfft(jnp.array([10, -2 + 2j, -2]))
    Array([1., 2., 3., 4.], dtype=float32)
    """
    return _along_one("irfft", FftType.IRFFT, a, n, axis, norm)


@array_function("s", "axes", "norm")
def rfftn(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = None,
) -> Array:
    """The discrete Fourier transform of real numbers along several axes.

    Args and errors as for `fftn` and `rfft`; of the last of `axes` the first half is given.

    >>> jnp.fft.rfftn(jnp.ones((2, 4))).shape
    (2, 3)
    """
    return _transform("rfftn", FftType.RFFT, a, s, axes, norm)


@array_function("s", "axes", "norm")
def irfftn(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = None,
) -> Array:
    """The inverse of `rfftn`. Args and errors as for `fftn` and `irfft`.

    >>> x = jnp.arange(6.0).reshape(2, 3)
    >>> bool(jnp.allclose(jnp.fft.irfftn(jnp.fft.rfftn(x), x.shape), x, atol=1e-6))
    True
    """
    return _transform("irfftn", FftType.IRFFT, a, s, axes, norm)


@array_function("s", "axes", "norm")
def rfft2(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: str | None = None,
) -> Array:
    """The discrete Fourier transform of real numbers along two axes: see `rfftn`.

    >>> jnp.fft.rfft2(jnp.array([[1.0, 2.0], [3.0, 4.0]]))
    Array([[10.+0.j, -2.+0.j],
           [-4.+0.j,  0.+0.j]], dtype=complex64)
    """
    return _along_two("rfft2", FftType.RFFT, a, s, axes, norm)


@array_function("s", "axes", "norm")
def irfft2(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: str | None = None,
) -> Array:
    """The inverse of `rfft2`: see `irfftn`.

    >>> jnp.fft.irfft2(jnp.array([[10.0, -2.0], [-4.0, 0.0]]))
    Array([[1., 2.],
           [3., 4.]], dtype=float32)
    """
    return _along_two("irfft2", FftType.IRFFT, a, s, axes, norm)


@array_function("n", "axis", "norm")
def hfft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The transform, which is real, of an array of which the first half is given.

    The rest of the array is the mirrored conjugate of that half.

    Args:
        a: the first half.
        n: the length of the whole array, and of the result; ``2 * (m - 1)`` for a length `m`
            of `a` if None.
        axis, norm: as for `fft`.

    Raises:
        ShapeError, ValueError: as for `fft`.

    >>> jnp.fft.hfft(jnp.array([1.0, 2.0, 3.0]))
    Array([ 8., -2.,  0., -2.], dtype=float32)
    """
    x = lax.conj(lax.fft(as_operand("fft.hfft", a), FftType.FFT, ()))
    return _along_one("hfft", FftType.IRFFT, x, n, axis, _OPPOSITE.get(norm, norm))


@array_function("n", "axis", "norm")
def ihfft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The inverse of `hfft`: the first half of the inverse transform of real numbers.

    Args:
        a: an array of real numbers.
        n, axis, norm: as for `fft`.

    Raises:
        ValueError: `a` is complex; else as for `fft`.

    >>> jnp.fft.ihfft(jnp.array([8.0, -2.0, 0.0, -2.0]))
    Array([1.-0.j, 2.-0.j, 3.-0.j], dtype=complex64)
    """
    return lax.conj(_along_one("ihfft", FftType.RFFT, a, n, axis, _OPPOSITE.get(norm, norm)))


# --- frequencies and shifts ---


def _frequencies(
    name: str, n: Any, d: Any, dtype: Any, device: Any, size: int, first: int
) -> Array:
    """The integers from 0 up to `first`, then on from there less `n`, over `n` times `d`."""
    out = typeof(0.0).dtype if dtype is None else a_dtype(f"fft.{name}", dtype)
    if isinstance(d, (list, tuple)):
        raise ValueError(f"jnp.fft.{name}: d must be a number, got {d!r}")
    real = dtypes.finfo(to_inexact(out)).dtype
    counts = lax.iota(np.int32, size)
    if first < size:
        counts = lax.select(lax.ge(counts, first), lax.sub(counts, size), counts)
    span = d * n if isinstance(d, (int, float)) else operators.multiply(d, n)
    result = operators.divide(convert(counts, real), convert(span, real))
    return placed(convert(result, out), device)


def fftfreq(n: int, d: ArrayLike = 1.0, *, dtype: Any = None, device: Any = None) -> Array:
    """The frequencies of the elements of a transform, in cycles per unit of `d`.

    Args:
        n: the number of elements.
        d: the distance between two samples.
        dtype: the result's dtype; the default float dtype if None.
        device: the device, or the sharding, to put it on.

    Returns:
        An array of length `n`: 0, 1, ... up to the middle, then negative numbers up to -1,
        divided by ``d * n``.

    Raises:
        TypeError: `n` is not an integer that is known now.
        ValueError: `d` is a list.

    >>> jnp.fft.fftfreq(5, 0.5)
    Array([ 0. ,  0.4,  0.8, -0.8, -0.4], dtype=float32)
    """
    n = max(an_integer("fft.fftfreq", n, "n"), 0)
    return _frequencies("fftfreq", n, d, dtype, device, n, (n + 1) // 2)


def rfftfreq(n: int, d: ArrayLike = 1.0, *, dtype: Any = None, device: Any = None) -> Array:
    """The frequencies of the elements of `rfft`, in cycles per unit of `d`.

    Args:
        n: the number of elements transformed.
        d, dtype, device: as for `fftfreq`.

    Returns:
        An array of length ``n // 2 + 1``: 0, 1, ... divided by ``d * n``.

    Raises:
        TypeError, ValueError: as for `fftfreq`.

    >>> jnp.fft.rfftfreq(5, 0.5)
    Array([0. , 0.4, 0.8], dtype=float32)
    """
    n = max(an_integer("fft.rfftfreq", n, "n"), 0)
    return _frequencies("rfftfreq", n, d, dtype, device, n // 2 + 1, n // 2 + 1)


def _shifted(name: str, x: ArrayLike, axes: Any, sign: int) -> Array:
    shape = type_of(f"fft.{name}", x).shape
    chosen = (
        range(len(shape)) if axes is None
        else [one_axis(f"fft.{name}", d, len(shape), "axes") for d in (
            (axes,) if hasattr(axes, "__index__") else axes
        )]
    )  # fmt: skip
    halves = [shape[d] // 2 if sign > 0 else -(shape[d] // 2) for d in chosen]
    return roll(x, tuple(halves), tuple(chosen)) if halves else as_operand(f"fft.{name}", x)


@array_function("axes")
def fftshift(x: ArrayLike, axes: int | Sequence[int] | None = None) -> Array:
    """An array with the elements of frequency zero moved to the middle.

    Args:
        x: an array in the order of `fftfreq`.
        axes: an axis, or a sequence of them; all if None.

    Raises:
        ShapeError: an axis is out of range.

    >>> jnp.fft.fftshift(jnp.fft.fftfreq(5))
    Array([-0.4, -0.2,  0. ,  0.2,  0.4], dtype=float32)
    """
    return _shifted("fftshift", x, axes, 1)


@array_function("axes")
def ifftshift(x: ArrayLike, axes: int | Sequence[int] | None = None) -> Array:
    """The inverse of `fftshift`. Args and errors as for it.

    >>> jnp.fft.ifftshift(jnp.array([-0.4, -0.2, 0.0, 0.2, 0.4]))
    Array([ 0. ,  0.2,  0.4, -0.4, -0.2], dtype=float32)
    """
    return _shifted("ifftshift", x, axes, -1)

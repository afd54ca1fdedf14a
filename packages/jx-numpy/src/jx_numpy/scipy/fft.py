"""`jx.scipy.fft`: discrete cosine transforms of types 1 to 4, along any axes.

Each is a Fourier transform of real numbers of the length of its period, of which only the
part that is not a mirror image is read or written. The types are those of Ahmed, Natarajan and
Rao, "Discrete cosine transform", IEEE Trans. Comput. C-23 (1974), as numbered by Wang and
Hunt, "The discrete W transform" (1985); the factors are SciPy's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import lax, operators
from jx_core.errors import ShapeError
from jx_core.lax import FftType
from jx_core.ops.elementwise import convert

from ..functions import array_function
from ..operands import (
    Array,
    ArrayLike,
    accumulation_dtype,
    an_integer,
    inexact,
    is_complex,
    one_axis,
    some_axes,
    typeof,
)

__all__ = ["dct", "dctn", "idct", "idctn"]

_INVERSE = {1: 1, 2: 3, 3: 2, 4: 4}


def _checked(name: str, type: Any, norm: Any) -> None:
    """
    Raises:
        ValueError: an unknown type or norm.
    """
    if type not in _INVERSE:
        raise ValueError(f"jx.scipy.fft.{name}: type must be 1, 2, 3 or 4, got {type!r}")
    if norm not in (None, "backward", "ortho", "forward"):
        raise ValueError(
            f"jx.scipy.fft.{name}: norm must be None, 'backward', 'ortho' or 'forward', got "
            f"{norm!r}"
        )


def _resized(name: str, x: Array, lengths: dict[int, Any]) -> Array:
    """The array cut off, or filled up with zeros, to these lengths of axes."""
    shape = typeof(x).shape
    for d, n in lengths.items():
        if n is not None and n < 1:
            raise ValueError(f"jx.scipy.fft.{name}: lengths must be positive, got {n}")
        if n is None and not shape[d]:
            raise ShapeError(f"jx.scipy.fft.{name}: axis {d} of shape {shape} has no elements")
    missing = [(lengths.get(d) or n) - n for d, n in enumerate(shape)]
    if not any(missing):
        return x
    return lax.pad(x, np.zeros((), typeof(x).dtype)[()], [(0, n, 0) for n in missing])


def _factors(x: Array, factors: Any) -> Array:
    """The array times constants along its last axis."""
    return operators.multiply(x, convert(factors, typeof(x).dtype))


def _turned(x: Array, angles: Any) -> Array:
    """Complex numbers turned by constant angles along the last axis."""
    return lax.mul(*_alike(x, np.exp(1j * angles)))


def _alike(x: Array, factors: Any) -> tuple[Array, Array]:
    shape, dtype = typeof(x).shape, typeof(x).dtype
    return x, lax.broadcast_in_dim(convert(factors, dtype), shape, (len(shape) - 1,))


def _first(x: Array, n: int) -> Array:
    return lax.slice_in_dim(x, 0, n, axis=typeof(x).ndim - 1)


def _followed(x: Array, zeros: int) -> Array:
    widths = [(0, 0, 0)] * (typeof(x).ndim - 1) + [(0, zeros, 0)]
    return lax.pad(x, np.zeros((), typeof(x).dtype)[()], widths)


def _type1(x: Array, n: int) -> Array:
    """x[0] + (-1)^k x[n-1] + 2 sum of x[j] cos(pi j k / (n-1)), from one period of 2 (n-1)."""
    last = typeof(x).ndim - 1
    mirrored = lax.rev(lax.slice_in_dim(x, 1, n - 1, axis=last), (last,))
    period = lax.concatenate([x, mirrored], last)
    return lax.real(lax.fft(period, FftType.RFFT, (2 * n - 2,)))


def _type2(x: Array, n: int) -> Array:
    """2 sum of x[j] cos(pi k (2j+1) / (2n)): a transform of twice the length, turned."""
    half = _first(lax.fft(_followed(x, n), FftType.RFFT, (2 * n,)), n)
    return _factors(lax.real(_turned(half, -np.pi / (2 * n) * np.arange(n))), 2)


def _type3(x: Array, n: int) -> Array:
    """x[0] + 2 sum of x[j] cos(pi j (2k+1) / (2n)): the inverse of type 2, times 2n."""
    z = lax.complex(x, lax.full_like(x, 0))
    z = _followed(_turned(z, np.pi / (2 * n) * np.arange(n)), 1)
    return _factors(_first(lax.fft(z, FftType.IRFFT, (2 * n,)), n), 2 * n)


def _type4(x: Array, n: int) -> Array:
    """2 sum of x[j] cos(pi (2j+1) (2k+1) / (4n)): turned before and after."""
    z = lax.complex(x, lax.full_like(x, 0))
    z = _followed(_turned(z, -np.pi / (2 * n) * np.arange(n)), n)
    half = _first(lax.fft(z, FftType.FFT, (2 * n,)), n)
    return _factors(lax.real(_turned(half, -np.pi / (4 * n) * (2 * np.arange(n) + 1))), 2)


_TYPES = {1: _type1, 2: _type2, 3: _type3, 4: _type4}


def _ends(n: int, type: int, factor: float) -> Any:
    """Ones, but for the elements that orthogonal transforms of the type weight otherwise."""
    factors = np.ones(n)
    factors[[0, -1] if type == 1 else 0] = factor
    return factors


def _along_last(name: str, x: Array, type: int, norm: str | None, forward: bool) -> Array:
    """The transform of that type along the last axis, of real numbers.

    Args:
        type: the type computed, that is, of an inverse the type of which it is the same but for
            a factor.
        norm: as of the public function.
        forward: whether it is no inverse.
    """
    n = typeof(x).shape[-1]
    if type == 1 and n < 2:
        raise ShapeError(
            f"jx.scipy.fft.{name}: type 1 needs two elements at least along each axis, got {n}"
        )
    period = 2 * (n - 1) if type == 1 else 2 * n
    ortho = norm == "ortho"
    if ortho and type in (1, 3):
        x = _factors(x, _ends(n, type, math.sqrt(2)))
    x = _TYPES[type](x, n)
    if ortho:
        factors = _ends(n, type, math.sqrt(0.5)) if type in (1, 2) else 1.0
        return _factors(x, factors / math.sqrt(period))
    scaled = (norm == "forward") if forward else (norm != "forward")
    return _factors(x, 1 / period) if scaled else x


def _transform(name: str, x: Array, type: int, axes: Any, norm: Any, forward: bool) -> Array:
    """The transform over several axes, of real or complex numbers."""
    x = convert(x, accumulation_dtype(typeof(x).dtype))
    if is_complex(typeof(x).dtype):
        parts = (lax.real(x), lax.imag(x))
        return lax.complex(*[_transform(name, p, type, axes, norm, forward) for p in parts])
    last = typeof(x).ndim - 1
    for d in axes:
        # The last axis and this one change places, and back.
        order = list(range(last + 1))
        order[d], order[last] = last, d
        swapped = x if d == last else lax.transpose(x, order)
        result = _along_last(name, swapped, type, norm, forward)
        x = result if d == last else lax.transpose(result, order)
    return x


def _of_one(name: str, x: Any, type: Any, n: Any, axis: Any, norm: Any, forward: bool) -> Array:
    _checked(name, type, norm)
    x = inexact(f"jx.scipy.fft.{name}", x)
    d = one_axis(f"jx.scipy.fft.{name}", axis, typeof(x).ndim)
    n = None if n is None else an_integer(f"jx.scipy.fft.{name}", n, "n")
    x = _resized(name, x, {d: n})
    return _transform(name, x, type if forward else _INVERSE[type], (d,), norm, forward)


def _of_several(name: str, x: Any, type: Any, s: Any, axes: Any, norm: Any, forward: bool) -> Array:
    _checked(name, type, norm)
    x = inexact(f"jx.scipy.fft.{name}", x)
    ndim = typeof(x).ndim
    if s is not None:
        s = (s,) if hasattr(s, "__index__") else tuple(s)
        if len(s) > ndim:
            raise ShapeError(
                f"jx.scipy.fft.{name}: s has lengths of {len(s)} axes, and the array has {ndim}"
            )
    if axes is None:
        axes = range(0 if s is None else ndim - len(s), ndim)
    chosen = some_axes(f"jx.scipy.fft.{name}", axes, ndim, "axes")
    lengths: dict[int, Any] = dict.fromkeys(chosen)
    if s is not None:
        if len(s) != len(chosen):
            raise ShapeError(
                f"jx.scipy.fft.{name}: s and axes must be equally long, got s={s} and "
                f"axes={tuple(axes)}"
            )
        lengths = {
            d: an_integer(f"jx.scipy.fft.{name}", n, "s") for d, n in zip(chosen, s, strict=True)
        }
    x = _resized(name, x, lengths)
    return _transform(name, x, type if forward else _INVERSE[type], chosen, norm, forward)


@array_function("type", "n", "axis", "norm")
def dct(
    x: ArrayLike, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None
) -> Array:
    """The discrete cosine transform along an axis.

    With N elements, element k of the result is, for

    - type 1, x[0] + (-1)^k x[N-1] + 2 sum of x[j] cos(pi j k / (N-1)) over 0 < j < N-1;
    - type 2, 2 sum of x[j] cos(pi k (2j+1) / (2N)) over all j;
    - type 3, x[0] + 2 sum of x[j] cos(pi j (2k+1) / (2N)) over j > 0;
    - type 4, 2 sum of x[j] cos(pi (2j+1) (2k+1) / (4N)) over all j.

    Args:
        x: an array; of a complex one, both parts are transformed.
        type: 1, 2, 3 or 4.
        n: the length to cut or pad `x` to, with zeros; its own if None.
        axis: the axis.
        norm: which of the transform and its inverse is divided by 2N (2N-2 for type 1): the
            inverse for `"backward"` or None, the transform for `"forward"`. For `"ortho"` the
            transform is an orthogonal one: both are divided by the root, and elements at the
            ends get factors that make them as long as others.

    Returns:
        An array of `x`'s dtype, or of float32 for smaller floats.

    Raises:
        ShapeError: the axis is out of range or has no elements, or one, for type 1.
        ValueError: `n` is not positive, or an unknown type or norm.

    >>> jx.scipy.fft.dct(jnp.array([1.0, 2.0, 3.0])).round(3)
    Array([12.   , -3.464,  0.   ], dtype=float32)
    """
    return _of_one("dct", x, type, n, axis, norm, True)


@array_function("type", "n", "axis", "norm")
def idct(
    x: ArrayLike, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None
) -> Array:
    """The inverse of the discrete cosine transform along an axis.

    Args and errors as for `dct`; `type` and `norm` are those of the transform it inverts.

    >>> jx.scipy.fft.idct(jx.scipy.fft.dct(jnp.array([1.0, 2.0, 3.0]))).round(3)
    Array([1., 2., 3.], dtype=float32)
    """
    return _of_one("idct", x, type, n, axis, norm, False)


@array_function("type", "s", "axes", "norm")
def dctn(
    x: ArrayLike,
    type: int = 2,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = None,
) -> Array:
    """The discrete cosine transform along several axes, one after the other.

    Args:
        x, type, norm: as for `dct`.
        s: the lengths to cut or pad `x` to along the axes; its own if None.
        axes: the axes; if None, the last ones that `s` has lengths for, or all.

    Raises:
        ShapeError, ValueError: as for `dct`, and if `s` and `axes` are not equally long.

    >>> jx.scipy.fft.dctn(jnp.ones((2, 2)))
    Array([[16.,  0.],
           [ 0.,  0.]], dtype=float32)
    """
    return _of_several("dctn", x, type, s, axes, norm, True)


@array_function("type", "s", "axes", "norm")
def idctn(
    x: ArrayLike,
    type: int = 2,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = None,
) -> Array:
    """The inverse of `dctn`. Args and errors as for it.

    >>> jx.scipy.fft.idctn(jnp.array([[16.0, 0.0], [0.0, 0.0]]))
    Array([[1., 1.],
           [1., 1.]], dtype=float32)
    """
    return _of_several("idctn", x, type, s, axes, norm, False)

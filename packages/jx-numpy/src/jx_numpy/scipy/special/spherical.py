"""Spherical harmonics.

Sources are cited as DLMF (NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jx_ad import custom_jvp
from jx_core import dtypes, lax

from ...functions import array_function
from ...operands import (
    Array,
    ArrayLike,
    as_operand,
    broadcast_shapes,
    broadcast_to,
    is_complex,
    promote_dtypes_inexact,
    typeof,
)
from ._doubles import in_doubles

__all__ = ["sph_harm_y"]


def _harmonic(m: Any, n: Any, order: Any, theta: Any, phi: Any) -> tuple[Any, Any]:
    """The real and imaginary part, by the recurrence DLMF 14.10.3 of normalized functions."""
    size = m.abs(order)
    good = (n >= 0.0) & (size <= n) & (m.floor(n) == n) & (m.floor(order) == order)
    n, size = m.where(good, n, 0.0), m.where(good, size, 0.0)
    cosine, sine = m.cos(theta), m.sin(theta)
    one, zero = 1.0 + 0.0 * theta, 0.0 * theta
    highest = m.largest(n)

    def sectoral(left: Any, value: Any) -> tuple[Any]:
        # The function of degree and order k from that of k - 1.
        k = highest + 1.0 - left
        factor = -m.sqrt((2.0 * k + 1.0) / (2.0 * k)) * sine
        return (m.where(k <= size, factor * value, value),)

    (start,) = m.downto(highest, sectoral, math.sqrt(1 / (4 * math.pi)) * one)

    def raised(left: Any, now: Any, last: Any) -> tuple[Any, Any]:
        # The function of degree k from those of k - 1 and k - 2.
        k = highest + 1.0 - left
        active = (k > size) & (k <= n)
        k = m.where(active, k + zero, size + 1.0)
        squares = (k - size) * (k + size)
        before = (k - 1.0 - size) * (k - 1.0 + size)
        a = m.sqrt((2.0 * k + 1.0) * (2.0 * k - 1.0) / squares)
        below = m.where(2.0 * k > 3.0, 2.0 * k - 3.0, 1.0)
        b = m.sqrt((2.0 * k + 1.0) * before / (squares * below))
        following = a * cosine * now - b * last
        return m.where(active, following, now), m.where(active, now, last)

    value, _ = m.downto(highest, raised, start, zero)
    # Y of -m is the conjugate of that of m, times (-1)^m (DLMF 14.30.6).
    odd = size != 2.0 * m.floor(0.5 * size)
    value = m.where((order < 0.0) & odd, -value, value)
    value = m.where(good, value, math.nan)
    return value * m.cos(order * phi), value * m.sin(order * phi)


@custom_jvp
def _sph_harm(n: Array, m: Array, theta: Array, phi: Array) -> Array:
    return lax.complex(*in_doubles(_harmonic, n, m, theta, phi))


@_sph_harm.defjvp
def _(primals: Any, tangents: Any) -> Any:
    n, m, theta, phi = primals
    _, _, theta_change, phi_change = tangents
    value = _sph_harm(*primals)
    by_phi = lax.complex(lax.full_like(m, 0), m) * value
    by_theta = 0.5 * (_neighbour(n, m, theta, phi, 1) - _neighbour(n, m, theta, phi, -1))
    return value, by_theta * theta_change + by_phi * phi_change


def _neighbour(n: Array, m: Array, theta: Array, phi: Array, up: int) -> Array:
    """sqrt((n - s m) (n + s m + 1)) exp(-i s phi) Y of order m + s, for s = `up`.

    Half the difference of the two is the derivative by theta: DLMF 14.10.5 without its
    division by sin(theta).
    """
    square = (n - up * m) * (n + up * m + 1)
    exists = square > 0
    order = lax.select(exists, m + up, m)
    root = lax.sqrt(lax.select(exists, square, lax.full_like(square, 0)))
    turn = lax.complex(lax.cos(phi), -up * lax.sin(phi))
    return lax.complex(root, lax.full_like(root, 0)) * turn * _sph_harm(n, order, theta, phi)


@array_function("diff_n", "n_max")
def sph_harm_y(
    n: ArrayLike,
    m: ArrayLike,
    theta: ArrayLike,
    phi: ArrayLike,
    diff_n: int | None = None,
    n_max: int | None = None,
) -> Array:
    """The spherical harmonics, orthonormal on the sphere, with the phase of Condon and Shortley.

    Args:
        n: the degrees, integers from 0 on.
        m: the orders, integers from -n to n.
        theta: the polar angle (colatitude), from 0 to pi.
        phi: the azimuth. All four broadcast together; angles may be differentiated.
        diff_n: must be None.
        n_max: larger degrees than this are taken for it; None for no limit.

    Returns:
        An array of complex numbers; NaN where `n` or `m` is not as above.

    Raises:
        NotImplementedError: `diff_n` is given.
        TypeError: `n` or `m` holds no integers.
        ValueError: an angle is complex.

    See DLMF 14.30.1.

    >>> print(jx.scipy.special.sph_harm_y(1, 0, 0.0, 0.0))
    (0.48860252+0j)
    """
    if diff_n is not None:
        raise NotImplementedError(
            f"The 'diff_n' argument to jx.scipy.special.sph_harm_y is not supported, got "
            f"{diff_n!r}: differentiate with jx.jvp or jx.jacfwd"
        )
    theta, phi = promote_dtypes_inexact("sph_harm_y", theta, phi)
    dtype = typeof(theta).dtype
    if is_complex(dtype):
        raise ValueError(f"jx.scipy.special.sph_harm_y: theta and phi must be real, got {dtype}")
    if dtype.itemsize < 4:
        dtype = np.dtype(np.float32)
    whole = []
    for argument, x in (("n", n), ("m", m)):
        x = as_operand("sph_harm_y", x)
        if not dtypes.issubdtype(typeof(x).dtype, np.integer):
            raise TypeError(
                f"jx.scipy.special.sph_harm_y: {argument} must hold integers, got {typeof(x).dtype}"
            )
        whole.append(lax.convert_element_type(x, dtype))
    if n_max is not None:
        whole[0] = lax.min(whole[0], lax.full_like(whole[0], n_max))
    operands = [*whole, *[lax.convert_element_type(x, dtype) for x in (theta, phi)]]
    shape = broadcast_shapes("sph_harm_y", *[typeof(x).shape for x in operands])
    return _sph_harm(*[broadcast_to(x, shape) for x in operands])

"""Rotations as unit quaternions, and as what else they are written: functions on arrays.

A quaternion is (x, y, z, w) on the last axis of an array, w being its real part; q and -q are one
rotation. See F. L. Markley and J. L. Crassidis, Fundamentals of Spacecraft Attitude Determination
and Control (2014), chapter 2, for the formulas. Where they are zero over zero, series take their
place, so that derivatives exist there too.
"""

from __future__ import annotations

import math
from typing import Any

from jx_core import compiled, lax, typeof

from ....contraction.products import _matmul
from ....functions import array_function
from ....operands import broadcast_shapes, broadcast_to, promote_dtypes_inexact

# Squares of lengths below which series are used, with three terms exact in double precision.
_SMALL = 1e-5


def parts(x: Any) -> list[Any]:
    """The elements on the last axis."""
    axis = typeof(x).ndim - 1
    return [lax.index_in_dim(x, i, axis, keepdims=False) for i in range(typeof(x).shape[-1])]


def joined(*elements: Any) -> Any:
    """An array of elements on a new last axis."""
    return lax.stack(elements, typeof(elements[0]).ndim)


def _constant(x: Any, value: float) -> Any:
    return lax.full_like(x, value)


def safe_root(x: Any) -> Any:
    """Square roots, whose derivatives at zero are zero."""
    positive = lax.gt(x, _constant(x, 0))
    root = lax.sqrt(lax.select(positive, x, _constant(x, 1)))
    return lax.select(positive, root, _constant(x, 0))


def _polynomial(x: Any, *coefficients: float) -> Any:
    total = _constant(x, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = total * x + c
    return total


def _over(factor: Any, x: Any) -> Any:
    """A factor for each vector, at all its elements."""
    return lax.broadcast_in_dim(factor, typeof(x).shape, tuple(range(typeof(x).ndim - 1)))


def _square(x: Any) -> Any:
    return lax.reduce_sum(x * x, (typeof(x).ndim - 1,))


@compiled
def normalized(q: Any) -> Any:
    """Quaternions over their lengths."""
    (q,) = promote_dtypes_inexact("Rotation", q)
    return lax.div(q, _over(lax.sqrt(_square(q)), q))


@compiled
def product(p: Any, q: Any) -> Any:
    """Hamilton's products: the rotations q and then p."""
    p, q = promote_dtypes_inexact("Rotation", p, q)
    shape = broadcast_shapes("Rotation", typeof(p).shape, typeof(q).shape)
    (a, b, c, d), (x, y, z, w) = (parts(broadcast_to(v, shape)) for v in (p, q))
    return joined(
        d * x + w * a + (b * z - c * y),
        d * y + w * b + (c * x - a * z),
        d * z + w * c + (a * y - b * x),
        d * w - (a * x + b * y + c * z),
    )


@compiled
def inverse(q: Any) -> Any:
    """The conjugates of quaternions."""
    (q,) = promote_dtypes_inexact("Rotation", q)
    x, y, z, w = parts(q)
    return joined(-x, -y, -z, w)


@array_function("canonical", "scalar_first")
def arranged(q: Any, canonical: bool, scalar_first: bool) -> Any:
    """Quaternions of one sign, and with their real parts in front, if asked for.

    Canonical ones have the first of w, x, y, z that is not zero positive.
    """
    (q,) = promote_dtypes_inexact("Rotation", q)
    if canonical:
        x, y, z, w = parts(q)
        sign = lax.sign(w)
        for element in (x, y, z):
            sign = lax.select(lax.eq(sign, _constant(sign, 0)), lax.sign(element), sign)
        q = q * _over(sign, q)
    if scalar_first:
        x, y, z, w = parts(q)
        q = joined(w, x, y, z)
    return q


def _upright(q: Any) -> list[Any]:
    """The elements of quaternions with real parts that are not negative."""
    *_, w = parts(q)
    negative = lax.lt(w, _constant(w, 0))
    sign = lax.select(negative, _constant(w, -1), _constant(w, 1))
    return [element * sign for element in parts(q)]


@compiled
def to_matrix(q: Any) -> Any:
    """The matrices of rotations."""
    (q,) = promote_dtypes_inexact("Rotation", q)
    x, y, z, w = parts(q)

    def excess(a: Any, b: Any) -> Any:
        """a^2 - b^2, which is 0 where they are equal, however products are rounded."""
        return (a - b) * (a + b)

    return joined_rows(
        (excess(w, z) + excess(x, y), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), excess(w, x) + excess(y, z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), excess(w, x) + excess(z, y)),
    )


def joined_rows(*rows: tuple[Any, ...]) -> Any:
    """Matrices of elements, given by rows."""
    made = [joined(*row) for row in rows]
    return lax.stack(made, typeof(made[0]).ndim - 1)


@compiled
def from_matrix(matrix: Any) -> Any:
    """The quaternions of the rotations of matrices.

    The outer product of a quaternion with itself is linear in the matrix; its row with the
    greatest element on the diagonal is taken (S. W. Shepperd, "Quaternion from rotation matrix",
    Journal of Guidance and Control 1, 1978).
    """
    (m,) = promote_dtypes_inexact("Rotation.from_matrix", matrix)
    rows = [parts(lax.index_in_dim(m, i, typeof(m).ndim - 2, keepdims=False)) for i in range(3)]
    (a, b, c), (d, e, f), (g, h, i) = rows
    candidates = [
        joined(1 + a - e - i, b + d, c + g, h - f),
        joined(b + d, 1 - a + e - i, f + h, c - g),
        joined(c + g, f + h, 1 - a - e + i, d - b),
        joined(h - f, c - g, d - b, 1 + a + e + i),
    ]
    best, size = candidates[3], parts(candidates[3])[3]
    for k, candidate in enumerate(candidates[:3]):
        own = parts(candidate)[k]
        greater = lax.gt(own, size)
        best = lax.select(_over(greater, best), candidate, best)
        size = lax.select(greater, own, size)
    return lax.div(best, _over(lax.sqrt(_square(best)), best))


@array_function("degrees")
def to_rotvec(q: Any, degrees: bool) -> Any:
    """The axes of rotations, as long as their angles."""
    (q,) = promote_dtypes_inexact("Rotation", q)
    x, y, z, w = _upright(q)
    square = x * x + y * y + z * z
    small = lax.lt(square, _constant(square, _SMALL))
    length = lax.sqrt(lax.select(small, _constant(square, 1), square))
    far = 2 * lax.div(lax.atan2(length, w), length)
    real = lax.select(small, w, _constant(w, 1))
    ratio = lax.div(lax.select(small, square, _constant(square, 0)), real * real)
    near = lax.div(_polynomial(ratio, 2, -2 / 3, 2 / 5, -2 / 7), real)
    factor = lax.select(small, near, far)
    if degrees:
        factor = factor * (180 / math.pi)
    return joined(x * factor, y * factor, z * factor)


@array_function("degrees")
def from_rotvec(rotvec: Any, degrees: bool) -> Any:
    """The quaternions of rotations around axes, by angles as great as these are long."""
    (v,) = promote_dtypes_inexact("Rotation.from_rotvec", rotvec)
    if degrees:
        v = v * (math.pi / 180)
    x, y, z = parts(v)
    square = x * x + y * y + z * z
    small = lax.lt(square, _constant(square, _SMALL))
    angle = lax.sqrt(lax.select(small, _constant(square, 1), square))
    near = lax.select(small, square, _constant(square, 0))
    factor = lax.select(
        small, _polynomial(near, 1 / 2, -1 / 48, 1 / 3840), lax.div(lax.sin(angle / 2), angle)
    )
    real = lax.select(small, _polynomial(near, 1, -1 / 8, 1 / 384), lax.cos(angle / 2))
    return joined(x * factor, y * factor, z * factor, real)


@compiled
def to_mrp(q: Any) -> Any:
    """The modified Rodrigues parameters of rotations: axes as long as tan(angle / 4)."""
    (q,) = promote_dtypes_inexact("Rotation", q)
    x, y, z, w = _upright(q)
    return joined(*(lax.div(element, 1 + w) for element in (x, y, z)))


@compiled
def from_mrp(mrp: Any) -> Any:
    """The quaternions of rotations with modified Rodrigues parameters."""
    (v,) = promote_dtypes_inexact("Rotation.from_mrp", mrp)
    square = _square(v)
    x, y, z = (lax.div(2 * element, 1 + square) for element in parts(v))
    return joined(x, y, z, lax.div(1 - square, 1 + square))


@compiled
def magnitude(q: Any) -> Any:
    """The angles of rotations, between 0 and pi."""
    (q,) = promote_dtypes_inexact("Rotation", q)
    x, y, z, w = _upright(q)
    return 2 * lax.atan2(safe_root(x * x + y * y + z * z), w)


@array_function("inverted")
def applied(q: Any, vectors: Any, inverted: bool) -> Any:
    """Vectors turned by rotations."""
    q, v = promote_dtypes_inexact("Rotation.apply", q, vectors)
    matrix = to_matrix(q)
    if inverted:
        ndim = typeof(matrix).ndim
        matrix = lax.transpose(matrix, (*range(ndim - 2), ndim - 1, ndim - 2))
    out = _matmul(matrix, lax.expand_dims(v, (typeof(v).ndim,)))
    return lax.squeeze(out, (typeof(out).ndim - 1,))


# Euler's angles: rotations around axes 0, 1 and 2 of space, one after the other.


@array_function("axes", "intrinsic", "degrees")
def from_euler(angles: Any, axes: tuple[int, ...], intrinsic: bool, degrees: bool) -> Any:
    """The quaternions of rotations around axes by angles, which lie on the last axis."""
    (angles,) = promote_dtypes_inexact("Rotation.from_euler", angles)
    half = angles * (math.pi / 360 if degrees else 1 / 2)
    q = None
    for axis, angle in zip(axes, parts(half), strict=True):
        elements = [_constant(angle, 0)] * 3 + [lax.cos(angle)]
        elements[axis] = lax.sin(angle)
        turn = joined(*elements)
        # Intrinsic axes turn with the body: what comes later is done first.
        q = turn if q is None else product(q, turn) if intrinsic else product(turn, q)
    return q


def _wrapped(angle: Any) -> Any:
    """Angles between -pi and pi, of such as are at most one turn off."""
    turn = _constant(angle, 2 * math.pi)
    low = lax.lt(angle, _constant(angle, -math.pi))
    high = lax.gt(angle, _constant(angle, math.pi))
    return lax.select(low, angle + turn, lax.select(high, angle - turn, angle))


@array_function("axes", "intrinsic", "degrees")
def to_euler(q: Any, axes: tuple[int, int, int], intrinsic: bool, degrees: bool) -> Any:
    """Euler's angles of rotations.

    E. Bernardes and S. Viollet, "Quaternion to Euler angles conversion: a direct, general and
    computationally efficient method", PLoS ONE 17 (2022). Where the first and the third axis
    coincide only the sum or the difference of their angles is known, and the third is zero.
    """
    (q,) = promote_dtypes_inexact("Rotation", q)
    # Intrinsic rotations are extrinsic ones in reverse order.
    i, j, k = axes[::-1] if intrinsic else axes
    same = i == k
    k = 3 - i - j if same else k
    sign = (i - j) * (j - k) * (k - i) // 2
    elements = parts(q)
    x, y, z, w = elements[i], elements[j], elements[k] * sign, elements[3]
    a, b, c, d = (w, x, y, z) if same else (w - y, x + z, y + w, z - x)
    second = 2 * lax.atan2(safe_root(c * c + d * d), safe_root(a * a + b * b))
    at_zero = lax.le(second, _constant(second, 1e-7))
    at_pi = lax.ge(second, _constant(second, math.pi - 1e-7))
    locked = lax.bitwise_or(at_zero, at_pi)
    one, zero = _constant(second, 1), _constant(second, 0)

    def angle(y: Any, x: Any, undefined: Any) -> Any:
        return lax.atan2(lax.select(undefined, zero, y), lax.select(undefined, one, x))

    half_sum, half_difference = angle(b, a, at_pi), angle(d, c, at_zero)
    first, third = half_sum - half_difference, half_sum + half_difference
    if not same:
        third = third * sign
        second = second - math.pi / 2
    order = (third, second, first) if intrinsic else (first, second, third)
    alone = lax.select(at_zero, 2 * half_sum, (2 if intrinsic else -2) * half_difference)
    if intrinsic and not same:
        alone = alone * sign
    angles = joined(
        _wrapped(lax.select(locked, alone, order[0])),
        order[1],
        _wrapped(lax.select(locked, zero, order[2])),
    )
    return angles * (180 / math.pi) if degrees else angles

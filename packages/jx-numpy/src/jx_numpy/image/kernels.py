"""How samples are weighted by their distances: the kernels of resampling."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, NamedTuple

from jx_core import lax, operators

from ..functions import plain
from ..operands import Array
from ..ufuncs import sinc

__all__ = ["KERNELS", "Kernel", "ResizeMethod"]


class ResizeMethod(enum.Enum):
    """How to interpolate between the samples of an image.

    Attributes:
        NEAREST: the nearest sample; also `"nearest"`.
        LINEAR: lines between neighbours; also `"linear"`, `"bilinear"`, `"trilinear"` or
            `"triangle"`.
        LANCZOS3: a windowed sinc over three samples on each side; also `"lanczos3"`.
        LANCZOS5: one over five; also `"lanczos5"`.
        CUBIC: cubic polynomials with continuous derivatives; also `"cubic"`, `"bicubic"` or
            `"tricubic"`.
        CUBIC_PYTORCH: without antialiasing, the steeper polynomials that PyTorch and OpenCV
            use, and repeated edges; also `"cubic-pytorch"` or `"bicubic-pytorch"`.
        AREA: the mean over a sample's area; also `"area"`.

    >>> jx.image.ResizeMethod.from_string("bilinear")
    <ResizeMethod.LINEAR: 1>
    """

    NEAREST = 0
    LINEAR = 1
    LANCZOS3 = 2
    LANCZOS5 = 3
    CUBIC = 4
    CUBIC_PYTORCH = 5
    AREA = 6

    @staticmethod
    def from_string(s: str) -> ResizeMethod:
        """The method of that name.

        Raises:
            ValueError: there is none.

        >>> ResizeMethod.from_string("bilinear").name
        'LINEAR'
        """
        if s not in _NAMES:
            raise ValueError(f"Unknown resize method {s!r}; there are {', '.join(_NAMES)}")
        return _NAMES[s]


_NAMES = {
    "nearest": ResizeMethod.NEAREST,
    **dict.fromkeys(("linear", "bilinear", "trilinear", "triangle"), ResizeMethod.LINEAR),
    "lanczos3": ResizeMethod.LANCZOS3,
    "lanczos5": ResizeMethod.LANCZOS5,
    **dict.fromkeys(("cubic", "bicubic", "tricubic"), ResizeMethod.CUBIC),
    **dict.fromkeys(("cubic-pytorch", "bicubic-pytorch"), ResizeMethod.CUBIC_PYTORCH),
    "area": ResizeMethod.AREA,
}


class Kernel(NamedTuple):
    """A kernel.

    Attributes:
        weights: of samples at these distances, which are not negative.
        radius: the distance from which on weights are zero.
    """

    weights: Callable[[Array], Array]
    radius: int


def _horner(x: Array, *coefficients: float) -> Array:
    """The polynomial with these coefficients, of the highest power first."""
    result: Any = coefficients[0]
    for c in coefficients[1:]:
        result = operators.add(operators.multiply(x, result), c)
    return result  # type: ignore[no-any-return]


def _pieces(x: Array, *pieces: tuple[float, Array]) -> Array:
    """Each piece up to its bound, and zero beyond the last."""
    result = lax.full_like(x, 0)
    for bound, values in reversed(pieces):
        result = lax.select(lax.lt(x, lax.full_like(x, bound)), values, result)
    return result


def _triangle(x: Array) -> Array:
    return lax.max(lax.full_like(x, 0), lax.sub(lax.full_like(x, 1), x))


def _lanczos(radius: int) -> Kernel:
    """Duchon, "Lanczos filtering in one and two dimensions", J. Appl. Meteor. 18 (1979)."""

    def weights(x: Array) -> Array:
        wave = lax.mul(plain(sinc)(x), plain(sinc)(operators.divide(x, radius)))
        return lax.select(lax.le(x, lax.full_like(x, radius)), wave, lax.full_like(x, 0))

    return Kernel(weights, radius)


def _cubic(a: float) -> Kernel:
    """Keys, "Cubic convolution interpolation for digital image processing", IEEE Trans. ASSP 29
    (1981), with the slope `a` where the kernel crosses zero."""

    def weights(x: Array) -> Array:
        inner = _horner(x, a + 2, -(a + 3), 0.0, 1.0)
        outer = _horner(x, a, -5 * a, 8 * a, -4 * a)
        return _pieces(x, (1.0, inner), (2.0, outer))

    return Kernel(weights, 2)


KERNELS = {
    ResizeMethod.LINEAR: Kernel(_triangle, 1),
    ResizeMethod.LANCZOS3: _lanczos(3),
    ResizeMethod.LANCZOS5: _lanczos(5),
    ResizeMethod.CUBIC: _cubic(-0.5),
    ResizeMethod.CUBIC_PYTORCH: _cubic(-0.75),
}

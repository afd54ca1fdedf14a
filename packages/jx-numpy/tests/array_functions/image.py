"""Calls of `jx.image`, compared with weights worked out sample by sample."""

import math

import numpy as np

from jx_numpy import image

from .call import of


def sinc(x):
    return 1.0 if x == 0 else math.sin(math.pi * x) / (math.pi * x)


def lanczos(radius):
    return lambda x: sinc(x) * sinc(x / radius) if abs(x) <= radius else 0.0


def cubic(a):
    """Keys's kernel with the slope a at its first zero."""

    def weight(x):
        x = abs(x)
        if x < 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0

    return weight


KERNELS = {
    "linear": lambda x: max(0.0, 1 - abs(x)),
    "lanczos3": lanczos(3),
    "lanczos5": lanczos(5),
    "cubic": cubic(-0.5),
}


def weights(n, size, scale, shift, method, antialias):
    """What n samples count for each of `size` new ones."""
    if method == "cubic-pytorch" and antialias:
        method = "cubic"
    result = np.zeros((n, size))
    for j in range(size):
        at = (j + 0.5 - shift) / scale - 0.5
        if method == "area":
            for i in range(n):
                left, right = (j - shift) / scale, (j + 1 - shift) / scale
                result[i, j] = max(0.0, min(right, i + 1) - max(left, i))
        elif method == "cubic-pytorch":
            for i in range(-2, n + 2):
                result[min(max(i, 0), n - 1), j] += cubic(-0.75)(at - i)
        else:
            wide = max(1 / scale, 1.0) if antialias else 1.0
            for i in range(n):
                result[i, j] = KERNELS[method]((at - i) / wide)
        total = result[:, j].sum()
        result[:, j] = result[:, j] / total if abs(total) > 1000 * np.finfo(np.float32).eps else 0
        if method != "cubic-pytorch" and not -0.5 <= at <= n - 0.5:
            result[:, j] = 0.0
    return result


def resampled(x, shape, axes, scale, shift, method, antialias):
    for d, s, t in zip(axes, scale, shift, strict=True):
        w = weights(x.shape[d], shape[d], s, t, method, antialias)
        x = np.moveaxis(np.tensordot(x, w, axes=(d, 0)), -1, d)
    return x


def resized(x, shape, method, antialias=True, precision=None):
    axes = [d for d, n in enumerate(shape) if n != x.shape[d]]
    if method == "nearest":
        for d in axes:
            x = np.take(x, [int((j + 0.5) * x.shape[d] / shape[d]) for j in range(shape[d])], d)
        return x
    scale = [shape[d] / x.shape[d] for d in axes]
    return resampled(x * 1.0, shape, axes, scale, [0.0] * len(axes), method, antialias)


def moved(x, shape, axes, scale, shift, method, antialias=True, precision=None):
    return resampled(x, shape, axes, scale, shift, method, antialias)


def draw(*shape):
    return np.random.default_rng(shape).standard_normal(shape)


METHODS = ("nearest", "linear", "lanczos3", "lanczos5", "cubic", "cubic-pytorch", "area")

CALLS = [
    of(image.resize, x, shape, method, antialias=antialias).having(
        expected=resized, moving=(0,), order=1, atol=1e-12
    )
    for method in METHODS
    for antialias in (True, False)
    for x, shape in ((draw(2, 4, 5), (2, 6, 3)),)
] + [
    of(image.resize, x, shape, "linear").having(expected=resized, moving=(0,), atol=1e-12)
    for x, shape in ((draw(8), (3,)), (draw(1, 3), (3, 3)), (draw(3), (0,)), (draw(3), (3,)))
] + [
    of(image.resize, draw(5).astype(dtype), (8,), method).having(
        expected=resized, atol=tolerance, dtype=dtype
    )
    for method in ("nearest", "cubic")
    for dtype, tolerance in ((np.float32, 1e-5), (np.float16, 1e-2))
] + [
    of(image.resize, np.arange(4), (7,), "nearest").having(expected=resized, dtype=np.int64),
    of(image.resize, np.arange(4), (7,), image.ResizeMethod.LINEAR, precision="highest").having(
        expected=lambda x, shape, method, precision: resized(x, shape, "linear"),
        dtype=np.float64, atol=1e-12,
    ),
] + [
    of(image.scale_and_translate, x, shape, axes, np.array(scale), np.array(shift), method,
       antialias=antialias).having(expected=moved, moving=(0, 1, 2), order=1, atol=1e-12)
    for method in METHODS[1:]
    for antialias in ((True, False) if method != "cubic-pytorch" else (False,))
    for x, shape, axes, scale, shift in (
        (draw(4, 5), (6, 3), (0, 1), [1.7, 0.61], [-0.37, 0.22]),
    )
]  # fmt: skip

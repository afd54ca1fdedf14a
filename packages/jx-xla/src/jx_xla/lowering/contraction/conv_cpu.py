"""Convolutions on the CPU, in the forms that XLA's CPU backend computes fast.

That backend has a fast convolution of float32 numbers with features last. It brings other
layouts to that one, but not inside loops, where they run hundreds of times slower; so it is
done here. And the gradient of a kernel, which is a convolution with a window nearly as large
as the image, is better a sum of matrix products: of what each of the few places of the kernel
sees, with the cotangent, where sums are long. Samples are taken a few at a time, so that what
the places see stays in the processor's cache. Other platforms choose by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from jx_core import ShapedArray, lax
from jx_core.symbolic import is_symbolic_shape

from ..builder import Value
from ..program import lower_traced
from ..tables import Context, deflower
from .conv import convolution

# The sizes of a part of the samples of a kernel's gradient: rows of the matrices, and bytes of
# the larger one. Found by trial; parts of twice the rows lose where others use the cache too.
_ROWS = 3200
_BYTES = 16 * 2**20
# The most places of a kernel: beyond that what they see is much larger than the image.
_PLACES = 64
# From how many summands on the products are worth their copies: where a place has many pairs of
# features, and where the convolution's own matrix product would have few rows.
_PAIRS, _SUMMANDS_OF_PAIRS = 2048, 12_000
_ROWS_OF_FEW, _SUMMANDS_OF_FEW = 32, 60_000


@deflower(lax.conv_general_dilated_p, platform="cpu")
def _convolution(ctx: Context, x: Value, y: Value, **params: Any) -> Value:
    lhs, rhs = ctx.in_avals
    fun: Callable[..., Any]
    if _is_kernel_gradient(lhs, rhs, ctx.out, params):
        fun = _kernel_gradient
    elif _wants_other_axes(lhs, rhs, ctx.out, params):
        fun = _features_last
    else:
        return convolution(ctx, x, y, **params)
    return lower_traced(
        ctx.block, lambda x, y: [fun(x, y, params)], ctx.in_avals, (x, y), "convolution"
    )[0]


# --- the layout ---


def _is_fast(lhs: ShapedArray, out: ShapedArray, params: dict[str, Any]) -> bool:
    """Whether the backend has its fast form for it, in some layout."""
    single = lhs.dtype == out.dtype == np.float32
    return single and 3 <= lhs.ndim <= 5 and params["batch_group_count"] == 1


def _last(ndim: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The specs of (batch, spatial..., feature) and (spatial..., input, output feature)."""
    space = range(ndim - 2)
    return (0, ndim - 1, *(a + 1 for a in space)), (ndim - 1, ndim - 2, *space)


def _wants_other_axes(
    lhs: ShapedArray, rhs: ShapedArray, out: ShapedArray, params: dict[str, Any]
) -> bool:
    image, kernel = _last(lhs.ndim)
    return _is_fast(lhs, out, params) and params["dimension_numbers"] != (image, kernel, image)


def _features_last(x: Any, y: Any, params: dict[str, Any]) -> Any:
    """The same convolution with features last."""
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    image, kernel = _last(len(lhs_spec))
    numbers = lax.ConvDimensionNumbers(image, kernel, image)
    out = lax.conv_general_dilated_p.bind(
        _between(x, lhs_spec, image),
        _between(y, rhs_spec, kernel),
        **params | {"dimension_numbers": numbers},
    )
    return _between(out, image, out_spec)


def _between(x: Any, old: tuple[int, ...], new: tuple[int, ...]) -> Any:
    """`x`, whose axes `old` tells, with those that `new` tells."""
    source = dict(zip(new, old, strict=True))
    order = tuple(source[a] for a in range(len(old)))
    return x if order == tuple(range(len(old))) else lax.transpose(x, order)


# --- the gradient of a kernel ---


def _is_kernel_gradient(
    lhs: ShapedArray, rhs: ShapedArray, out: ShapedArray, params: dict[str, Any]
) -> bool:
    """Samples are what is summed over and come first, and windows are large, results small."""
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    groups = params["feature_group_count"]
    if is_symbolic_shape((*lhs.shape, *rhs.shape, *out.shape)):
        return False  # which sizes are large is not known
    if not _is_fast(lhs, out, params) or groups != 1 or not lhs.size or not out.size:
        return False
    if lhs_spec[1] != 0 or rhs_spec[1] != 0 or any(n != 1 for n in params["lhs_dilation"]):
        return False
    window = math.prod(rhs.shape[a] for a in rhs_spec[2:])
    places = math.prod(out.shape[a] for a in out_spec[2:])
    row_bytes = 4 * places * lhs.shape[lhs_spec[0]]
    if places > min(_PLACES, window // 2) or window * row_bytes > _BYTES:
        return False
    features, summands = lhs.shape[lhs_spec[0]], lhs.shape[0] * window
    if features * rhs.shape[rhs_spec[0]] >= _PAIRS:
        return summands >= _SUMMANDS_OF_PAIRS
    return features * places <= _ROWS_OF_FEW and summands >= _SUMMANDS_OF_FEW


def _kernel_gradient(x: Any, ct: Any, params: dict[str, Any]) -> Any:
    """The convolution, summed over parts of the samples."""
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    samples = x.shape[0]
    window = math.prod(ct.shape[a] for a in rhs_spec[2:])
    places = tuple(
        1 + (x.shape[a] + low + high - (k - 1) * holes - 1) // stride
        for a, k, (low, high), holes, stride in zip(
            lhs_spec[2:],
            (ct.shape[a] for a in rhs_spec[2:]),
            params["padding"],
            params["rhs_dilation"],
            params["window_strides"],
            strict=True,
        )
    )
    row_bytes = 4 * math.prod(places) * x.shape[lhs_spec[0]]
    # Two samples at least, if they fit: XLA divides copies between threads by the outermost axis.
    most = max(1, min(max(_ROWS // window, 2), _BYTES // (row_bytes * window)))
    steps = -(-samples // most)
    part = samples // steps

    def of(start: Any, size: int) -> Any:
        seen = _seen(lax.dynamic_slice_in_dim(x, start, size, 0), ct.shape, places, params)
        given = lax.dynamic_slice_in_dim(ct, start, size, 0)
        given = lax.transpose(given, (*_rows(rhs_spec), rhs_spec[0]))
        rows = tuple(range(len(lhs_spec) - 1))
        return lax.dot_general(
            seen,
            given,
            ((rows, rows), ((), ())),
            params["precision"],
            params["preferred_element_type"],
        )

    total = of(0, samples - part * (steps - 1))
    if steps > 1:
        first = samples - part * (steps - 1)
        total = lax.fori_loop(
            0, steps - 1, lambda i, total: lax.add(total, of(first + i * part, part)), total
        )
    total = lax.reshape(total, (*places, x.shape[lhs_spec[0]], ct.shape[rhs_spec[0]]))
    n = len(places)
    return _between(total, (n, n + 1, *range(n)), out_spec)


def _rows(spec: tuple[int, ...]) -> tuple[int, ...]:
    """The axes summed over: samples and space."""
    return spec[1:]


def _seen(
    x: Any, ct_shape: tuple[int, ...], places: tuple[int, ...], params: dict[str, Any]
) -> Any:
    """For each place of the kernel, in turn, the elements of `x` that it meets, features last."""
    lhs_spec, rhs_spec, _ = params["dimension_numbers"]
    x = lax.transpose(x, (*_rows(lhs_spec), lhs_spec[0]))
    none = (0, 0, 0)
    x = lax.pad(x, np.float32(0), (none, *((lo, hi, 0) for lo, hi in params["padding"]), none))
    reach = [
        (ct_shape[a] - 1) * holes + 1
        for a, holes in zip(rhs_spec[2:], params["rhs_dilation"], strict=True)
    ]
    parts = []
    for place in np.ndindex(*places):
        start = [p * s for p, s in zip(place, params["window_strides"], strict=True)]
        stop = [a + n for a, n in zip(start, reach, strict=True)]
        parts.append(
            lax.slice(
                x,
                (0, *start, 0),
                (x.shape[0], *stop, x.shape[-1]),
                (1, *params["rhs_dilation"], 1),
            )
        )
    return parts[0] if len(parts) == 1 else lax.concatenate(parts, len(places) + 1)

"""What the windows of a convolution see: patches, and convolutions with a kernel per window.

Both are written in other operations (slices, products) and so need no rules.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...aval import typeof
from ...errors import ShapeError
from ..axes import integers
from ..elementwise.conversion import convert_element_type
from ..indexing.slicing import slice as lax_slice
from ..shape import concatenate, expand_dims, pad, reshape, transpose
from .conv import conv_general_dilated_p, resolved_window
from .conv_shapes import (
    ConvDimensionNumbers,
    ConvGeneralDilatedDimensionNumbers,
    Shape,
    conv_dimension_numbers,
    dilated,
    permuted,
    strided,
)
from .dot import canonical_preferred, dot_general
from .precision import PrecisionLike, canonical_precision

__all__ = ["conv_general_dilated_local", "conv_general_dilated_patches"]


def conv_general_dilated_patches(
    lhs: Any,
    filter_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: ConvGeneralDilatedDimensionNumbers = None,
    precision: PrecisionLike = None,
    preferred_element_type: Any = None,
) -> Any:
    """The parts of an array that the windows of a convolution see, as features.

    The product of the patches' features with a kernel whose input feature and spatial axes are
    merged, in this order, is the convolution with that kernel.

    Args:
        lhs: the input: a batch axis, a feature axis and n spatial axes.
        filter_shape: the n sizes of a window.
        window_strides, padding, lhs_dilation, rhs_dilation: as for `conv_general_dilated`.
        dimension_numbers: likewise; what it says of rhs gives the order of the spatial axes.
        precision: checked, and otherwise of no effect: patches are copies.
        preferred_element_type: the dtype to return.

    Returns:
        An array with the axes of `out_spec`, whose feature axis has a place for each feature
        of lhs and each element of a window, the elements of the window varying fastest.

    Raises:
        ShapeError, TypeError, ValueError: as for `conv_general_dilated`.

    >>> x = np.arange(4.0).reshape(1, 1, 4)
    >>> conv_general_dilated_patches(x, (2,), (1,), "VALID")[0].tolist()
    [[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]]
    """
    name = "conv_general_dilated_patches"
    canonical_precision(name, precision)
    shape = typeof(lhs).shape
    window = integers(name, filter_shape, "filter_shape")
    numbers = conv_dimension_numbers(shape, (1, 1, *window), dimension_numbers)
    kernel = permuted((1, shape[numbers.lhs_spec[1]], *window), numbers.rhs_spec)
    params = resolved_window(
        shape, kernel, window_strides, padding, lhs_dilation, rhs_dilation, numbers
    )
    preferred = canonical_preferred(name, preferred_element_type)
    # The convolution that sees them: its type's rule checks the arguments.
    out = conv_general_dilated_p.abstract(
        typeof(lhs),
        typeof(lhs).update(shape=kernel),
        feature_group_count=1,
        batch_group_count=1,
        precision=None,
        preferred_element_type=preferred,
        **params,
    )
    x = transpose(lhs, numbers.lhs_spec)
    zero = (0, 0, 0)
    pads = [
        (low, high, holes - 1)
        for (low, high), holes in zip(params["padding"], params["lhs_dilation"], strict=True)
    ]
    x = pad(x, np.zeros((), typeof(x).dtype), [zero, zero, *pads])
    for i, size in enumerate(window):
        x = _windows(x, i, size, params["window_strides"][i], params["rhs_dilation"][i])
    # Now (batch, feature, windows..., elements...).
    rank = len(window)
    sizes = typeof(x).shape
    elements = range(2 + rank, 2 + 2 * rank)
    x = transpose(x, (0, 1, *elements, *range(2, 2 + rank)))
    x = reshape(x, (sizes[0], sizes[1] * math.prod(window), *sizes[2 : 2 + rank]))
    order = sorted(range(2 + rank), key=numbers.out_spec.__getitem__)
    return convert_element_type(transpose(x, order), out.dtype)


def _windows(x: Any, spatial: int, size: int, stride: int, holes: int) -> Any:
    """`x` with spatial axis number `spatial` cut into windows, whose elements come last."""
    axis = 2 + spatial
    shape = typeof(x).shape
    count = strided(shape[axis], dilated(size, holes), stride)
    slices = []
    for element in range(size):
        start, stop, step = [0] * len(shape), list(shape), [1] * len(shape)
        start[axis], step[axis] = element * holes if count else 0, stride
        stop[axis] = start[axis] + (count - 1) * stride + 1 if count else 0
        slices.append(expand_dims(lax_slice(x, start, stop, step), (len(shape),)))
    if not slices:  # a window of no elements
        empty = (*shape[:axis], count, *shape[axis + 1 :], 0)
        return reshape(lax_slice(x, (0,) * len(shape), (0,) * len(shape)), empty)
    return concatenate(slices, len(shape))


def conv_general_dilated_local(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    filter_shape: Sequence[int],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: ConvGeneralDilatedDimensionNumbers = None,
    precision: PrecisionLike = None,
) -> Any:
    """A convolution that has a kernel of its own for each window: a locally connected layer.

    Args:
        lhs: the input: a batch axis, a feature axis and n spatial axes.
        rhs: the kernels: the spatial axes are those of the result; the input feature axis has
            a place for each feature of lhs and each element of a window, in the order that
            `conv_general_dilated_patches` gives them.
        window_strides, padding, lhs_dilation, rhs_dilation: as for `conv_general_dilated`.
        filter_shape: the n sizes of a window.
        dimension_numbers: as for `conv_general_dilated`.
        precision: as for `dot_general`, without its algorithms.

    Returns:
        An array with the axes of `out_spec`.

    Raises:
        ShapeError: sizes of rhs that are not those of patches and windows.
        TypeError, ValueError: as for `conv_general_dilated`.

    >>> x, kernels = np.ones((1, 1, 3)), np.array([[[1.0, 10.0], [1.0, 10.0]]])
    >>> conv_general_dilated_local(x, kernels, (1,), "VALID", (2,))[0].tolist()
    [[2.0, 20.0]]
    """
    name = "conv_general_dilated_local"
    pair = canonical_precision(name, precision)
    if pair is not None and type(pair) is not tuple:
        raise ValueError(
            f"{name}: precision must be None, a lax.Precision, its name or a pair, got {precision}"
        )
    window = integers(name, filter_shape, "filter_shape")
    numbers = conv_dimension_numbers(typeof(lhs).shape, (1, 1, *window), dimension_numbers)
    patches = conv_general_dilated_patches(
        lhs, window, window_strides, padding, lhs_dilation, rhs_dilation, numbers
    )
    _check_kernels(typeof(patches).shape, typeof(rhs).shape, numbers)
    out_batch, out_feature, *space = numbers.out_spec
    _, in_feature, *kernel_space = numbers.rhs_spec
    out = dot_general(
        patches, rhs, (((out_feature,), (in_feature,)), (space, kernel_space)), pair
    )
    # Its axes are the spatial ones, batch, output feature.
    n = len(space)
    spec: Shape = (*space, out_batch, out_feature)
    return transpose(out, sorted(range(n + 2), key=spec.__getitem__))


def _check_kernels(patches: Shape, rhs: Shape, numbers: ConvDimensionNumbers) -> None:
    wanted = [patches[a] for a in numbers.out_spec[1:]]
    if len(rhs) != len(patches) or [rhs[a] for a in numbers.rhs_spec[1:]] != wanted:
        raise ShapeError(
            f"conv_general_dilated_local: rhs must have an input feature axis of size {wanted[0]} "
            f"(features times the elements of a window) and spatial axes of sizes "
            f"{tuple(wanted[1:])} (those of the result), got shape {rhs} with axes "
            f"{tuple(numbers.rhs_spec)} (output feature, input feature, space)"
        )

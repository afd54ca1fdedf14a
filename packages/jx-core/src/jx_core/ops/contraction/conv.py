"""Convolutions: `conv_general_dilated` and what is made of it.

As in machine learning, a convolution does not flip its kernel (mathematics calls that
cross-correlation). Axes and padding are worked out in `conv_shapes`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...primitive import Primitive
from ..axes import integers, refuse_sharding
from ..kit import any_dtype, check_kind, check_same_dtype
from ..shape import rev
from .conv_shapes import (
    ConvDimensionNumbers,
    ConvGeneralDilatedDimensionNumbers,
    Pads,
    Shape,
    conv_dimension_numbers,
    conv_shape_tuple,
    dilated,
    pad_pairs,
    padtype_to_pads,
    permuted,
    strided,
    transposed_pads,
)
from .dot import canonical_preferred, working_dtype
from .precision import CanonicalPrecision, PrecisionLike, canonical_precision

__all__ = [
    "conv",
    "conv_general_dilated",
    "conv_general_dilated_p",
    "conv_transpose",
    "conv_with_general_padding",
]


# --- the type ---


def _result_dtype(dtype: Any, preferred: Any) -> Any:
    if preferred is None or preferred == dtype:
        return preferred or dtype
    kinds = [
        next((i for i, k in enumerate(_KINDS) if dtypes.issubdtype(d, k)), -1)
        for d in (dtype, preferred)
    ]
    if -1 in kinds or (kinds[0] != kinds[1] and kinds != [0, 1]):
        raise TypeError(
            f"conv_general_dilated: preferred_element_type {preferred.name} does not go with "
            f"operands of dtype {dtype.name}. Integers give integers or floats, floats give "
            f"floats, complex numbers give complex numbers"
        )
    if kinds[0] == kinds[1] and preferred.itemsize < dtype.itemsize:
        raise TypeError(
            f"conv_general_dilated: preferred_element_type must not be narrower than the operands' "
            f"dtype, got {preferred.name} for {dtype.name}"
        )
    return preferred


_KINDS = (np.integer, np.floating, np.complexfloating)


def _check_spec(name: str, spec: Sequence[int], operand_ndim: int) -> None:
    if sorted(spec) != list(range(operand_ndim)):
        raise ShapeError(
            f"conv_general_dilated: dimension_numbers.{name} must be a permutation of the axes "
            f"0 to {operand_ndim - 1}, got {tuple(spec)}"
        )


def _check_groups(lhs: Shape, rhs: Shape, feature_groups: int, batch_groups: int) -> None:
    """Check (batch, feature, ...) against (output feature, input feature, ...)."""
    name = "conv_general_dilated"
    for what, count, size, of in (
        ("feature_group_count", feature_groups, lhs[1], "lhs feature"),
        ("batch_group_count", batch_groups, lhs[0], "lhs batch"),
    ):
        if count < 1:
            raise ShapeError(f"{name} {what} must be a positive integer, got {count}.")
        if size % count:
            raise ShapeError(
                f"{name} {what} must divide {of} dimension size, but {count} does not divide "
                f"{size}."
            )
        if rhs[0] % count:
            raise ShapeError(
                f"{name} rhs output feature dimension size must be a multiple of {what}, but "
                f"{rhs[0]} is not a multiple of {count}."
            )
    if lhs[1] // feature_groups != rhs[1]:
        raise ShapeError(
            f"{name} lhs feature dimension size divided by feature_group_count must equal the rhs "
            f"input feature dimension size, but {lhs[1]} // {feature_groups} != {rhs[1]}."
        )
    if feature_groups > 1 and batch_groups > 1:
        raise ShapeError(
            f"{name}: one of feature_group_count and batch_group_count must be 1, got "
            f"{feature_groups} and {batch_groups}."
        )


def _conv_type(
    lhs: ShapedArray,
    rhs: ShapedArray,
    *,
    window_strides: Shape,
    padding: Pads,
    lhs_dilation: Shape,
    rhs_dilation: Shape,
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    precision: CanonicalPrecision,
    preferred_element_type: Any,
) -> ShapedArray:
    name = "conv_general_dilated"
    check_same_dtype(name, (lhs, rhs))
    check_kind(name, lhs, any_dtype)
    if lhs.ndim != rhs.ndim:
        raise ShapeError(
            f"{name}: lhs and rhs must have one rank, got shapes {lhs.shape} and {rhs.shape}"
        )
    for field, spec in zip(ConvDimensionNumbers._fields, dimension_numbers, strict=True):
        _check_spec(field, spec, lhs.ndim)
    for what, values in (
        ("window_strides", window_strides),
        ("lhs_dilation", lhs_dilation),
        ("rhs_dilation", rhs_dilation),
    ):
        if len(values) != lhs.ndim - 2:
            raise ShapeError(
                f"{name} window and {what} must have the same number of dimensions, but got "
                f"{lhs.ndim - 2} and {len(values)}"
            )
        if any(v < 1 for v in values):
            raise ShapeError(f"{name}: {what} must be positive, got {values}")
    left = tuple(lhs.shape[a] for a in dimension_numbers.lhs_spec)
    right = tuple(rhs.shape[a] for a in dimension_numbers.rhs_spec)
    _check_groups(left, right, feature_group_count, batch_group_count)
    shape = conv_shape_tuple(
        (*left[:2], *map(dilated, left[2:], lhs_dilation)),
        (*right[:2], *map(dilated, right[2:], rhs_dilation)),
        window_strides,
        padding,
        batch_group_count,
    )
    weak = preferred_element_type is None and lhs.weak_type and rhs.weak_type
    return ShapedArray(
        permuted(shape, dimension_numbers.out_spec),
        _result_dtype(lhs.dtype, preferred_element_type),
        weak,
    )


# --- the reference meaning ---


def _pad_with_holes(x: np.ndarray, dilation: Shape, padding: Pads) -> np.ndarray:
    """`x`, (batch, feature, spatial...), with zeros between and around; negative padding cuts."""
    space = x.shape[2:]
    sizes = [dilated(d, h) for d, h in zip(space, dilation, strict=True)]
    low = [max(lo, 0) for lo, _ in padding]
    total = [lo + d + max(hi, 0) for lo, d, (_, hi) in zip(low, sizes, padding, strict=True)]
    result = np.zeros((*x.shape[:2], *total), x.dtype)
    inside = [slice(lo, lo + d, h) for lo, d, h in zip(low, sizes, dilation, strict=True)]
    every = (slice(None), slice(None))  # batch and feature
    result[(*every, *inside)] = x
    kept = [slice(max(-lo, 0), d - max(-hi, 0)) for d, (lo, hi) in zip(total, padding, strict=True)]
    return result[(*every, *kept)]


def _conv(
    lhs: np.ndarray,
    rhs: np.ndarray,
    *,
    window_strides: Shape,
    padding: Pads,
    lhs_dilation: Shape,
    rhs_dilation: Shape,
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    precision: CanonicalPrecision,
    preferred_element_type: Any,
) -> np.ndarray:
    dtype = preferred_element_type or lhs.dtype
    working = working_dtype(lhs.dtype, rhs.dtype, dtype)
    x = lhs.transpose(dimension_numbers.lhs_spec).astype(working)
    kernel = rhs.transpose(dimension_numbers.rhs_spec).astype(working)
    x = _pad_with_holes(x, lhs_dilation, padding)
    # Both sorts of groups pair a part of lhs with a part of the output features.
    g = feature_group_count * batch_group_count
    along = 0 if batch_group_count > 1 else 1
    parts = np.stack(np.split(x, g, axis=along))  # (g, batch, feature, spatial...)
    kernels = kernel.reshape(g, kernel.shape[0] // g, *kernel.shape[1:])
    window = [dilated(d, h) for d, h in zip(kernel.shape[2:], rhs_dilation, strict=True)]
    counts = tuple(map(strided, x.shape[2:], window, window_strides))
    result = np.zeros((parts.shape[1], g, kernels.shape[1], *counts), working)
    every = (slice(None),) * 3  # group and both kinds of features, or group, batch, feature
    # One term for each place in the kernel: the elements that it meets, all windows at once.
    for place in itertools.product(*map(range, kernel.shape[2:])):
        starts = [p * h for p, h in zip(place, rhs_dilation, strict=True)]
        met = tuple(
            slice(a, a + (n - 1) * s + 1 if n else a, s)
            for a, n, s in zip(starts, counts, window_strides, strict=True)
        )
        here: Any = (*every, *place)
        result += np.einsum(
            "gnc...,goc->ngo...", parts[(*every, *met)], kernels[here], dtype=working
        )
    result = result.reshape(result.shape[0], kernel.shape[0], *counts)
    return np.moveaxis(result, range(result.ndim), dimension_numbers.out_spec).astype(dtype)


# Params: window_strides, padding (pairs, which may be negative), lhs_dilation, rhs_dilation,
# dimension_numbers (ConvDimensionNumbers of tuples), feature_group_count, batch_group_count,
# precision, preferred_element_type (a np.dtype or None).
conv_general_dilated_p = Primitive("conv_general_dilated", abstract=_conv_type, reference=_conv)


# --- lax functions ---


def conv_general_dilated(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: ConvGeneralDilatedDimensionNumbers = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: PrecisionLike = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Any:
    """A convolution over any number of spatial axes, with strides, padding, holes and groups.

    Args:
        lhs: the input: a batch axis, a feature axis and n spatial axes.
        rhs: the kernel: an output and an input feature axis and n spatial axes.
        window_strides: n steps between windows.
        padding: n (low, high) pairs, negative ones cutting off; or `"SAME"`, `"SAME_LOWER"` or
            `"VALID"`.
        lhs_dilation, rhs_dilation: n factors by which the elements of the input (a transposed
            convolution) or the kernel (an atrous one) are spread out with zeros between.
        dimension_numbers: which axis is which, as `conv_dimension_numbers` takes it; batch
            and features first if left out.
        feature_group_count: divide the input features into groups, each of which makes its
            part of the output features.
        batch_group_count: divide the batch into groups, likewise.
        precision: how exactly to compute; as for `dot_general`.
        preferred_element_type: the dtype to sum in and to return.
        out_sharding: how the result lies on a mesh's explicit axes.

    Returns:
        An array with the axes of `out_spec`.

    Raises:
        ShapeError: shapes, groups, strides, dilations or padding that don't fit.
        TypeError: operands of different dtypes, or a preferred dtype that does not go with them.
        ValueError: an unknown name for padding.

    >>> image, kernel = np.ones((1, 1, 4, 4)), np.ones((2, 1, 3, 3))
    >>> conv_general_dilated(image, kernel, (1, 1), "VALID").shape
    (1, 2, 2, 2)
    """
    if out_sharding is not None:
        refuse_sharding("conv_general_dilated", "out_sharding", out_sharding)
    name = "conv_general_dilated"
    left, right = typeof(lhs).shape, typeof(rhs).shape
    numbers = conv_dimension_numbers(left, right, dimension_numbers)
    return conv_general_dilated_p.bind(
        lhs,
        rhs,
        **resolved_window(
            left, right, window_strides, padding, lhs_dilation, rhs_dilation, numbers
        ),
        feature_group_count=feature_group_count,
        batch_group_count=batch_group_count,
        precision=canonical_precision(name, precision),
        preferred_element_type=canonical_preferred(name, preferred_element_type),
    )


def resolved_window(
    left: Shape,
    right: Shape,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None,
    rhs_dilation: Sequence[int] | None,
    numbers: ConvDimensionNumbers,
) -> dict[str, Any]:
    """The params that say how windows lie, from the arguments of `conv_general_dilated`.

    Args:
        left, right: the shapes of input and kernel.
        window_strides, padding, lhs_dilation, rhs_dilation: as the user gave them.
        numbers: which axis is which.
    """
    name = "conv_general_dilated"
    rank = len(numbers.lhs_spec) - 2
    strides = integers(name, window_strides, "window_strides")
    holes = (1,) * rank
    lhs_holes = holes if lhs_dilation is None else integers(name, lhs_dilation, "lhs_dilation")
    rhs_holes = holes if rhs_dilation is None else integers(name, rhs_dilation, "rhs_dilation")
    if isinstance(padding, str):
        pads = _named_pads(padding, left, right, numbers, strides, lhs_holes, rhs_holes)
    else:
        pads = pad_pairs(name, padding, rank)
    return {
        "window_strides": strides,
        "padding": pads,
        "lhs_dilation": lhs_holes,
        "rhs_dilation": rhs_holes,
        "dimension_numbers": ConvDimensionNumbers(*map(tuple, numbers)),
    }


def _named_pads(
    padding: str,
    lhs: Shape,
    rhs: Shape,
    numbers: ConvDimensionNumbers,
    strides: Shape,
    lhs_dilation: Shape,
    rhs_dilation: Shape,
) -> Pads:
    if any(h != 1 for h in lhs_dilation):
        raise ValueError(
            f"conv_general_dilated: padding {padding!r} has no meaning with lhs_dilation "
            f"{lhs_dilation}. Give (low, high) pairs, or use lax.conv_transpose"
        )
    rank = len(strides)
    space = [lhs[a] for a in numbers.lhs_spec[2:]]
    window = [rhs[a] for a in numbers.rhs_spec[2:]]
    if not rank == len(space) == len(window) == len(rhs_dilation):
        raise ShapeError(
            f"conv_general_dilated window and window_strides must have the same number of "
            f"dimensions, but got {len(window)} and {rank} (rhs_dilation {rhs_dilation})"
        )
    window = list(map(dilated, window, rhs_dilation))
    return tuple(padtype_to_pads(space, window, strides, padding))


def conv(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str,
    precision: PrecisionLike = None,
    preferred_element_type: Any = None,
) -> Any:
    """A convolution with batch and features first and no holes; see `conv_general_dilated`.

    >>> conv(np.ones((1, 1, 5)), np.ones((1, 1, 3)), (2,), "VALID").tolist()
    [[[3.0, 3.0]]]
    """
    return conv_general_dilated(
        lhs,
        rhs,
        window_strides,
        padding,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def conv_with_general_padding(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None,
    rhs_dilation: Sequence[int] | None,
    precision: PrecisionLike = None,
    preferred_element_type: Any = None,
) -> Any:
    """A convolution with batch and features first; see `conv_general_dilated`.

    >>> x, w = np.ones((1, 1, 3)), np.ones((1, 1, 2))
    >>> conv_with_general_padding(x, w, (1,), [(0, 0)], None, None)
    Array([[[2., 2.]]], dtype=float32)
    """
    return conv_general_dilated(
        lhs,
        rhs,
        window_strides,
        padding,
        lhs_dilation,
        rhs_dilation,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def conv_transpose(
    lhs: Any,
    rhs: Any,
    strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: ConvGeneralDilatedDimensionNumbers = None,
    transpose_kernel: bool = False,
    precision: PrecisionLike = None,
    preferred_element_type: Any = None,
    use_consistent_padding: bool = False,
) -> Any:
    """A fractionally strided ("transposed") convolution, which enlarges by `strides`.

    Args:
        lhs: the input, as for `conv_general_dilated`.
        rhs: the kernel.
        strides: for each spatial axis, by how much it is enlarged.
        padding: `"SAME"` for results of size * stride, `"VALID"` for all that the kernel
            reaches, or (low, high) pairs.
        rhs_dilation: factors by which the kernel's elements are spread out.
        dimension_numbers: which axis is which; without it batch comes first, features come
            last, and the kernel is (spatial..., input feature, output feature).
        transpose_kernel: flip the kernel in space and swap its feature axes, which makes this
            the gradient of the convolution with that kernel.
        precision, preferred_element_type: as for `conv_general_dilated`.
        use_consistent_padding: read pairs as the padding of the convolution of which this is
            the transpose, not as padding of the enlarged input.

    Raises:
        ShapeError, TypeError, ValueError: as for `conv_general_dilated`.

    >>> conv_transpose(np.ones((1, 3, 1)), np.ones((2, 1, 1)), (2,), "SAME").shape
    (1, 6, 1)
    """
    left, right = typeof(lhs).shape, typeof(rhs).shape
    ndim = len(left)
    if dimension_numbers is None:
        if ndim < 2:
            raise ShapeError(f"conv_transpose: lhs must have rank 2 or more, got shape {left}")
        last_features = (0, ndim - 1, *range(1, ndim - 1))
        numbers = ConvDimensionNumbers(
            last_features, (ndim - 1, ndim - 2, *range(ndim - 2)), last_features
        )
    else:
        numbers = conv_dimension_numbers(left, right, dimension_numbers)
    out_feature, in_feature, *space = numbers.rhs_spec
    holes = (1,) * len(space) if rhs_dilation is None else tuple(rhs_dilation)
    if len(right) != ndim or not len(strides) == len(holes) == len(space):
        raise ShapeError(
            f"conv_transpose: lhs and rhs must have one rank, and strides and rhs_dilation an "
            f"entry for each of the {len(space)} spatial axes; got lhs shape {left}, rhs shape "
            f"{right}, strides {tuple(strides)}, rhs_dilation {holes}"
        )
    kernel = [dilated(right[a], h) for a, h in zip(space, holes, strict=True)]
    if transpose_kernel:
        rhs = rev(rhs, tuple(space))
        numbers = numbers._replace(rhs_spec=(in_feature, out_feature, *space))
    return conv_general_dilated(
        lhs,
        rhs,
        (1,) * len(space),
        transposed_pads(kernel, strides, padding, use_consistent_padding),
        tuple(strides),
        holes,
        numbers,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )

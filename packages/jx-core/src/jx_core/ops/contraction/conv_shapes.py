"""The arithmetic of convolutions' shapes: which axis is which, padding, sizes of results.

Works on Python tuples only. The convolutions are in `conv`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Union

from ...errors import ShapeError
from ..axes import integers

__all__ = [
    "ConvDimensionNumbers",
    "ConvGeneralDilatedDimensionNumbers",
    "conv_dimension_numbers",
    "conv_general_permutations",
    "conv_general_shape_tuple",
    "conv_shape_tuple",
    "conv_transpose_shape_tuple",
    "padtype_to_pads",
]

Shape = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]


class ConvDimensionNumbers(NamedTuple):
    """Which axes of a convolution's arrays are batch, feature and space.

    Attributes:
        lhs_spec: the axes of lhs: (batch, feature, spatial...).
        rhs_spec: the axes of rhs: (output feature, input feature, spatial...).
        out_spec: the axes of the result: (batch, feature, spatial...).

    >>> from jx_core import lax
    >>> numbers = lax.conv_dimension_numbers((1, 8, 8, 3), (3, 3, 3, 5), ("NHWC", "HWIO", "NHWC"))
    >>> numbers.lhs_spec, numbers.rhs_spec
    ((0, 3, 1, 2), (3, 2, 0, 1))
    """

    lhs_spec: Sequence[int]
    rhs_spec: Sequence[int]
    out_spec: Sequence[int]


ConvGeneralDilatedDimensionNumbers = Union[  # noqa: UP007
    tuple[str, str, str], ConvDimensionNumbers, None
]


def conv_dimension_numbers(
    lhs_shape: Sequence[int],
    rhs_shape: Sequence[int],
    dimension_numbers: ConvGeneralDilatedDimensionNumbers,
) -> ConvDimensionNumbers:
    """The meaning of the axes, from whichever way it was written.

    Args:
        lhs_shape, rhs_shape: the operands' shapes, of one rank.
        dimension_numbers: None for batch and features first; three strings for lhs, rhs and
            the result, with a letter for each axis: N batch, C feature, O and I the kernel's
            output and input feature, any others for space; or a `ConvDimensionNumbers`.

    Raises:
        ShapeError: the ranks differ, or a string does not have a letter for each axis.
        TypeError: it is none of these, or the strings don't fit one another.

    >>> conv_dimension_numbers((1, 9, 9, 3), (3, 3, 3, 8), ("NHWC", "HWIO", "NHWC"))
    ConvDimensionNumbers(lhs_spec=(0, 3, 1, 2), rhs_spec=(3, 2, 0, 1), out_spec=(0, 3, 1, 2))
    """
    if isinstance(dimension_numbers, ConvDimensionNumbers):
        return dimension_numbers
    n = len(lhs_shape)
    if n != len(rhs_shape):
        raise ShapeError(
            f"convolution requires lhs and rhs of one rank, got lhs shape {tuple(lhs_shape)} and "
            f"rhs shape {tuple(rhs_shape)}"
        )
    if n < 2:
        raise ShapeError(
            f"convolution requires a batch and a feature axis, got lhs shape {tuple(lhs_shape)}"
        )
    if dimension_numbers is None:
        axes = tuple(range(n))
        return ConvDimensionNumbers(axes, axes, axes)
    if not isinstance(dimension_numbers, (tuple, list)) or len(dimension_numbers) != 3:
        raise TypeError(
            "convolution dimension_numbers must be None, a ConvDimensionNumbers or three strings "
            f"such as ('NCHW', 'OIHW', 'NCHW'), got {dimension_numbers!r}"
        )
    for name, spec in zip(("lhs", "rhs", "out"), dimension_numbers, strict=True):
        if not isinstance(spec, str) or len(spec) != n:
            raise ShapeError(
                f"convolution dimension_numbers must have a letter for each of the {n} axes, got "
                f"{spec!r} for {name} in {tuple(dimension_numbers)}"
            )
    return ConvDimensionNumbers(*conv_general_permutations(dimension_numbers))


def conv_general_permutations(dimension_numbers: Sequence[str]) -> tuple[Shape, Shape, Shape]:
    """The axes that three strings such as `("NHWC", "HWIO", "NHWC")` name.

    Returns:
        For lhs and the result (batch, feature, spatial...), for rhs (output feature, input
        feature, spatial...); the spatial axes of all come in the order they have in rhs.

    Raises:
        TypeError: a letter is missing or occurs twice, or the spatial letters differ.

    >>> conv_general_permutations(("NHWC", "HWIO", "NHWC"))
    ((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))
    """
    lhs, rhs, out = dimension_numbers
    for name, spec, letters in (("lhs", lhs, "NC"), ("rhs", rhs, "OI"), ("out", out, "NC")):
        if len(set(spec)) != len(spec) or any(c not in spec for c in letters):
            raise TypeError(
                f"convolution dimension_numbers for {name} must hold {letters[0]} and "
                f"{letters[1]} and every letter once, got {spec!r}"
            )
    spatial = [c for c in rhs if c not in "OI"]
    for spec in (lhs, out):
        if {c for c in spec if c not in "NC"} != set(spatial):
            raise TypeError(
                f"convolution dimension_numbers must each have the same set of spatial letters, "
                f"got {tuple(dimension_numbers)}"
            )
    return (
        tuple(lhs.index(c) for c in ["N", "C", *spatial]),
        tuple(rhs.index(c) for c in ["O", "I", *spatial]),
        tuple(out.index(c) for c in ["N", "C", *spatial]),
    )


def dilated(size: int, dilation: int) -> int:
    """The size of an axis after putting `dilation - 1` holes between its elements."""
    return 0 if size == 0 else (size - 1) * dilation + 1


def strided(size: int, window: int, stride: int) -> int:
    """How many windows fit into `size`, `stride` apart."""
    return max((size - window) // stride + 1, 0)


def padtype_to_pads(
    in_shape: Sequence[int],
    window_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: str,
) -> list[tuple[int, int]]:
    """The padding that a name stands for, low and high on each axis.

    `"VALID"` is none. `"SAME"` is what gives ceil(size / stride) windows; where it is odd,
    the larger part goes to the end, and under `"SAME_LOWER"` to the beginning.

    Raises:
        ValueError: an unknown name.

    >>> padtype_to_pads((8, 9), (3, 4), (2, 2), "SAME")
    [(0, 1), (1, 2)]
    """
    kind = padding.upper() if isinstance(padding, str) else padding
    if kind == "VALID":
        return [(0, 0)] * len(in_shape)
    if kind not in ("SAME", "SAME_LOWER"):
        raise ValueError(
            f"Unrecognized padding type: expected 'VALID', 'SAME' or 'SAME_LOWER', got {padding!r}"
        )
    pads = []
    for size, window, stride in zip(in_shape, window_shape, window_strides, strict=True):
        count = -(-size // stride)
        total = max((count - 1) * stride + window - size, 0)
        less = total // 2
        pads.append((less, total - less) if kind == "SAME" else (total - less, less))
    return pads


def transposed_pads(
    kernel: Sequence[int], strides: Sequence[int], padding: Any, consistent: bool
) -> Pads:
    """The padding of the strided input of `conv_transpose`, low and high on each axis.

    Args:
        kernel: the kernel's size in space, holes included.
        strides: the strides of the convolution that is transposed.
        padding: `"SAME"` for a result of size * stride, `"VALID"` for one where every product
            of the kernel fits, or pairs.
        consistent: read pairs as the padding of the convolution that is transposed.
    """
    if isinstance(padding, str):
        if padding not in ("SAME", "VALID"):
            raise ValueError(
                f"conv_transpose: padding must be 'SAME', 'VALID' or (low, high) pairs, got "
                f"{padding!r}"
            )
        pads = []
        for k, s in zip(kernel, strides, strict=True):
            total = k + s - 2
            if padding == "VALID":
                total += max(k - s, 0)
                low = k - 1
            else:
                low = k - 1 if s > k - 1 else -(-total // 2)
            pads.append((low, total - low))
        return tuple(pads)
    pads = list(pad_pairs("conv_transpose", padding, len(kernel)))
    if consistent:
        pads = [(k - 1 - lo, k - 1 - hi) for k, (lo, hi) in zip(kernel, pads, strict=True)]
    return tuple(pads)


def pad_pairs(name: str, padding: Any, rank: int) -> Pads:
    """Explicit padding, checked: a (low, high) pair for each of `rank` spatial axes."""
    try:
        pairs = tuple(integers(name, pair, "padding") for pair in padding)
        fits = all(len(pair) == 2 for pair in pairs)
    except TypeError:
        fits = False
    if not fits:
        raise ShapeError(
            f"padding argument to {name} should be a string or a sequence of (low, high) pairs, "
            f"got {padding!r}"
        )
    if len(pairs) != rank:
        raise ShapeError(
            f"{name}: padding needs a (low, high) pair for each of {rank} spatial axes, got {pairs}"
        )
    return pairs  # type: ignore[return-value]


# --- shapes of results ---


def conv_shape_tuple(
    lhs_shape: Sequence[int],
    rhs_shape: Sequence[int],
    strides: Sequence[int],
    pads: str | Sequence[tuple[int, int]],
    batch_group_count: int = 1,
) -> Shape:
    """The shape of a convolution with batch and features first in every array.

    Args:
        lhs_shape: (batch, feature, spatial...), any dilation counted in.
        rhs_shape: (output feature, input feature, spatial...), any dilation counted in.
        strides: one for each spatial axis.
        pads: a (low, high) pair for each, or a name.
        batch_group_count: into how many groups the batch is divided.

    Raises:
        ShapeError: a wrong number of pads; padding so negative that nothing remains.

    >>> conv_shape_tuple((1, 3, 8, 8), (4, 3, 3, 3), (1, 1), ((1, 1), (1, 1)))
    (1, 4, 8, 8)
    """
    space, window = tuple(lhs_shape[2:]), tuple(rhs_shape[2:])
    if isinstance(pads, str):
        pads = padtype_to_pads(space, window, strides, pads)
    if len(pads) != len(space):
        raise ShapeError(
            f"Wrong number of explicit pads for convolution: expected {len(space)}, got {len(pads)}"
        )
    padded = [d + lo + hi for d, (lo, hi) in zip(space, pads, strict=True)]
    if any(d < 0 for d in padded):
        raise ShapeError(
            f"Negative padding is larger than the size of the corresponding dimension: got "
            f"padding={tuple(pads)} for lhs_shape[2:]={space}"
        )
    counts = tuple(map(strided, padded, window, strides))
    return (lhs_shape[0] // batch_group_count, rhs_shape[0], *counts)


def conv_general_shape_tuple(
    lhs_shape: Sequence[int],
    rhs_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    dimension_numbers: Sequence[str],
) -> Shape:
    """The shape of a convolution whose axes three strings name.

    >>> conv_general_shape_tuple((1, 8, 8, 3), (3, 3, 3, 4), (1, 1), "SAME",
    ...                          ("NHWC", "HWIO", "NHWC"))
    (1, 8, 8, 4)
    """
    lhs, rhs, out = conv_general_permutations(dimension_numbers)
    shape = conv_shape_tuple(
        [lhs_shape[a] for a in lhs], [rhs_shape[a] for a in rhs], window_strides, padding
    )
    return permuted(shape, out)


def conv_transpose_shape_tuple(
    lhs_shape: Sequence[int],
    rhs_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    dimension_numbers: Sequence[str],
) -> Shape:
    """The shape of `conv_transpose` where three strings name the axes.

    >>> conv_transpose_shape_tuple((1, 8, 8, 3), (3, 3, 3, 4), (2, 2), "SAME",
    ...                            ("NHWC", "HWIO", "NHWC"))
    (1, 16, 16, 4)
    """
    lhs, rhs, out = conv_general_permutations(dimension_numbers)
    space = [lhs_shape[a] for a in lhs]
    kernel = [rhs_shape[a] for a in rhs]
    pads = transposed_pads(kernel[2:], window_strides, padding, False)
    holes = map(dilated, space[2:], window_strides)
    shape = conv_shape_tuple([*space[:2], *holes], kernel, (1,) * len(pads), pads)
    return permuted(shape, out)


def permuted(shape: Sequence[int], spec: Sequence[int]) -> Shape:
    """A shape given as (batch, feature, spatial...), in the order that `spec` says."""
    result = [0] * len(shape)
    for size, axis in zip(shape, spec, strict=True):
        result[axis] = size
    return tuple(result)

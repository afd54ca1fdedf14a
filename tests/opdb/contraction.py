"""Samples of dot products and convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from jx_core import lax
from jx_core.errors import ShapeError

from .sample import ALL, ErrorSample, Sample, array, dtype_of, traced

# Shapes of both sides, with the axes to sum over and those to walk along.
DOTS: tuple[tuple[tuple[int, ...], tuple[int, ...], Any], ...] = (
    ((2, 3), (3, 4), (((1,), (0,)), ((), ()))),
    ((3,), (3,), (((0,), (0,)), ((), ()))),
    ((3,), (2,), (((), ()), ((), ()))),
    ((), (2,), (((), ()), ((), ()))),
    ((2, 3, 4), (2, 4, 5), (((2,), (1,)), ((0,), (0,)))),
    ((4, 2, 3), (3, 4, 2), (((0, 2), (1, 0)), ((1,), (2,)))),
    ((2, 3, 4), (4, 3, 2), (((1,), (1,)), ((2, 0), (0, 2)))),
    ((2, 0), (0, 4), (((1,), (0,)), ((), ()))),
    ((0, 3), (3, 4), (((1,), (0,)), ((), ()))),
)


def samples() -> Iterator[Sample]:
    for dtype in ALL:
        moving = (0, 1) if "float" in dtype or "complex" in dtype else ()
        for left, right, numbers in (
            DOTS if dtype in ("float32", "complex64") else DOTS[:1] + DOTS[5:6]
        ):
            operands = array(left, dtype), array(right, dtype, seed=1)
            yield traced(
                lambda x, y, numbers=numbers: lax.dot_general(x, y, numbers), *operands,
                moving=moving, slack=16, atol=1e-6 if "32" in dtype or "64" in dtype else 3e-2,
            )  # fmt: skip
    yield from _mixed()
    yield from _ragged()
    yield from _convolutions()


def _mixed() -> Iterator[Sample]:
    """Other precisions, and operands of two dtypes."""
    numbers = DOTS[0][2]

    def product(x: str, y: str, **options: Any) -> Sample:
        return traced(
            lambda x, y: lax.dot_general(x, y, numbers, **options),
            array((2, 3), x), array((3, 4), y, seed=1), slack=16, atol=3e-2 if "16" in x else 1e-5,
        )  # fmt: skip

    for precision in ("default", "high", "highest", ("high", "default")):
        yield product("float32", "float32", precision=precision)
    yield product("float32", "float32", precision=lax.DotAlgorithmPreset.F32_F32_F32)
    yield product("bfloat16", "bfloat16", precision=lax.DotAlgorithmPreset.BF16_BF16_F32,
                  preferred_element_type=np.float32)  # fmt: skip
    for x, y, preferred in (
        ("bfloat16", "bfloat16", "float32"), ("float16", "float16", "float32"),
        ("int8", "int8", "int32"), ("uint8", "uint8", "uint32"), ("int8", "int8", "float32"),
        ("float32", "float32", "float64"), ("bfloat16", "float32", None), ("int8", "int32", None),
        ("int32", "float32", None), ("float32", "complex64", None), ("bool", "bool", "int32"),
        ("float32", "bfloat16", "float32"), ("float32", "float32", "bfloat16"),
    ):  # fmt: skip
        target = None if preferred is None else dtype_of(preferred)
        yield product(x, y, preferred_element_type=target)


# Shapes of both factors, group sizes, dimension numbers, the ragged axis, the axis of groups.
RAGGED: tuple[tuple[Any, ...], ...] = (
    ((7, 3), (3, 3, 4), [2, 0, 4], (((1,), (1,)), ((), ())), 0, (0,)),
    ((5, 3), (2, 3, 4), [3, 2], (((1,), (1,)), ((), ())), 0, (0,)),
    ((2, 5, 3), (3, 2, 4, 2), [[2, 3], [5, 0]], (((2,), (0,)), ((0,), (1,))), 1, (3,)),
    ((3, 2, 5, 2), (2, 4, 3), [[1, 2], [4, 1]], (((0,), (2,)), ((), ())), 2, (0,)),
    ((6, 2), (6, 3), [1, 0, 4], (((0,), (0,)), ((), ())), 0, ()),
    ((2, 5, 2, 3), (2, 3, 4, 2, 5), [[[2, 1], [0, 3]], [[1, 1], [5, 0]]],
     (((2, 1), (3, 4)), ((0,), (0,))), 1, ()),
    ((3, 5, 2), (2, 3, 4, 5), [2, 2], (((1, 2), (3, 0)), ((0,), (1,))), 2, ()),
    ((4, 2, 3), (4, 3, 5), [1, 3], (((2,), (1,)), ((0,), (0,))), 0, ()),
    ((0, 3), (2, 3, 4), [0, 0], (((1,), (1,)), ((), ())), 0, (0,)),
    ((4, 0), (2, 0, 3), [1, 2], (((1,), (1,)), ((), ())), 0, (0,)),
    ((4, 2), (0, 2, 3), [], (((1,), (1,)), ((), ())), 0, (0,)),
    ((0, 3), (0, 4), [0, 0], (((0,), (0,)), ((), ())), 0, ()),
)


def _ragged() -> Iterator[Sample]:
    dtypes = ("float32", "float64", "complex64", "int32", "bfloat16", "int8", "bool")
    for left, right, sizes, numbers, ragged, groups in RAGGED:
        for dtype in dtypes if sizes == [2, 0, 4] or sizes == [1, 0, 4] else dtypes[:2]:
            moving = (0, 1) if "float" in dtype or "complex" in dtype else ()
            yield _ragged_product(
                (left, right, sizes, numbers, ragged, groups), dtype, dtype, moving
            )
    for x, y, preferred in (
        ("bfloat16", "bfloat16", "float32"), ("int8", "int8", "int32"), ("bfloat16", "float32", None),
        ("float8_e4m3fn", "float8_e5m2", "float32"), ("float32", "float32", "bfloat16"),
    ):  # fmt: skip
        target = None if preferred is None else dtype_of(preferred)
        for case in (RAGGED[0], RAGGED[4]):
            yield _ragged_product(case, x, y, (), preferred_element_type=target)


def _ragged_product(case: Any, x: str, y: str, moving: Any, **options: Any) -> Sample:
    left, right, sizes, numbers, ragged, groups = case
    numbers = lax.RaggedDotDimensionNumbers(numbers, (ragged,), groups)
    operands = array(left, x), array(right, y, seed=1), np.array(sizes, np.int32)
    other = np.flip(operands[2], -1).copy()
    return traced(
        lambda x, y, n: lax.ragged_dot_general(x, y, n, numbers, **options), *operands,
        others=(-operands[0] if "u" not in x and x != "bool" else operands[0],
                operands[1][..., ::-1].copy(), other),
        moving=moving, slack=16, atol=3e-2 if "16" in x or "16" in str(options) else 1e-5,
    )  # fmt: skip


# Shapes of image and kernel, strides, padding, and further arguments.
CONVOLUTIONS: tuple[tuple[Any, ...], ...] = (
    ((2, 3, 5), (4, 3, 2), (1,), "VALID", {}),
    ((2, 3, 5), (4, 3, 3), (2,), "SAME", {}),
    ((1, 2, 5, 4), (3, 2, 2, 3), (1, 2), ((1, 0), (2, 1)), {}),
    ((1, 2, 5, 4), (3, 2, 2, 2), (2, 1), ((0, 0), (-1, 2)), {"rhs_dilation": (2, 1)}),
    ((1, 2, 4, 3), (3, 2, 2, 2), (1, 1), ((1, 1), (1, 1)), {"lhs_dilation": (2, 2)}),
    ((1, 4, 5), (6, 2, 2), (1,), "VALID", {"feature_group_count": 2}),
    ((4, 2, 5), (6, 2, 2), (1,), "VALID", {"batch_group_count": 2}),
    ((1, 5, 4, 2), (2, 3, 2, 3), (1, 1), "SAME", {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}),
    ((2, 3), (4, 3), (), (), {}),
    ((0, 2, 5), (3, 2, 2), (1,), "VALID", {}),
    ((1, 2, 1), (3, 2, 2), (1,), "VALID", {}),
)


def _convolve(strides: Any, padding: Any, options: dict[str, Any], x: Any, kernel: Any) -> Any:
    return lax.conv_general_dilated(x, kernel, strides, padding, **options)


def _convolutions() -> Iterator[Sample]:
    for left, right, strides, padding, options in CONVOLUTIONS:
        for dtype in ("float32", "float64", "bfloat16", "complex64", "int32"):
            moving = (0, 1) if dtype != "int32" and 0 not in left else ()
            yield traced(
                partial(_convolve, strides, padding, options),
                array(left, dtype), array(right, dtype, seed=1), moving=moving, slack=32,
                atol=1e-5 if dtype != "bfloat16" else 0.1,
            )  # fmt: skip
    for dtype, preferred in (("bfloat16", "float32"), ("int8", "int32"), ("float16", "float32")):
        yield traced(
            partial(_convolve, (1,), "SAME", {"preferred_element_type": dtype_of(preferred)}),
            array((2, 3, 5), dtype), array((4, 3, 2), dtype), slack=32, atol=1e-2,
        )  # fmt: skip


def error_samples() -> Iterator[ErrorSample]:
    x, y = np.zeros((2, 3), np.float32), np.zeros((4, 3), np.float32)
    image, kernel = np.zeros((1, 2, 5), np.float32), np.zeros((3, 4, 2), np.float32)
    yield ErrorSample("dot", lambda: lax.dot(x, y), ShapeError, r"lhs shape \(2, 3\) and rhs shape")
    yield ErrorSample(
        "dot_sizes", lambda: lax.dot_general(x, y, (((0,), (0,)), ((), ()))), ShapeError,
        "contracting dimensions to have the same size, got size 2 of dimension 0",
    )  # fmt: skip
    yield ErrorSample(
        "dot_axes", lambda: lax.dot_general(x, y, (((2,), (0,)), ((), ()))), ShapeError,
        r"must lie in \[0, 2\)",
    )  # fmt: skip
    yield ErrorSample(
        "dot_precision", lambda: lax.dot(x, y.T, precision="exact"), ValueError, "precision must be"
    )
    yield ErrorSample(
        "conv_features", lambda: lax.conv_general_dilated(image, kernel, (1,), "SAME"), ShapeError,
        "2 // 1 != 4",
    )  # fmt: skip
    yield ErrorSample(
        "conv_dtypes",
        lambda: lax.conv_general_dilated(image, kernel[:, :2].astype(int), (1,), "SAME"),
        TypeError, "same dtypes",
    )  # fmt: skip
    yield ErrorSample(
        "conv_strides", lambda: lax.conv_general_dilated(image, kernel[:, :2], (1, 1), [(0, 0)]),
        ShapeError, "window_strides",
    )  # fmt: skip

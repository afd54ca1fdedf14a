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
    for preset, dtype in (
        ("DEFAULT", "float16"), ("F32_F32_F32", "float32"), ("F32_F32_F32", "bfloat16"),
        ("F64_F64_F64", "float64"), ("F16_F16_F16", "float16"), ("BF16_BF16_F32_X3", "float32"),
        ("BF16_BF16_F32_X6", "float32"),
    ):  # fmt: skip
        yield product(dtype, dtype, precision=preset)
    yield product("bfloat16", "bfloat16", precision=lax.DotAlgorithmPreset.BF16_BF16_F32,
                  preferred_element_type=np.float32)  # fmt: skip
    for x, y, preferred in (
        ("bfloat16", "bfloat16", "float32"), ("float16", "float16", "float32"),
        ("int8", "int8", "int32"), ("uint8", "uint8", "uint32"), ("int8", "int8", "float32"),
        ("float32", "float32", "float64"), ("bfloat16", "float32", None), ("int8", "int32", None),
        ("int32", "float32", None), ("float32", "complex64", None), ("bool", "bool", "int32"),
        ("float32", "bfloat16", "float32"), ("float32", "float32", "bfloat16"),
        ("uint8", "int8", None), ("int32", "uint32", None), ("int16", "uint8", "int32"),
        ("bool", "complex64", None), ("bool", "float16", None), ("complex64", "int8", None),
        ("float64", "float32", None), ("float16", "bfloat16", None), ("float32", "int32", "int32"),
        ("int4", "int4", None), ("uint4", "int4", None), ("bool", "int4", None),
        ("float8_e4m3fn", "float8_e4m3fn", "float32"),
        ("float8_e5m2", "float8_e4m3fn", "float32"), ("float8_e4m3fn", "float8_e5m2", "bfloat16"),
        ("float8_e4m3b11fnuz", "float8_e4m3fnuz", None), ("float8_e5m2", "float32", None),
        ("float8_e3m4", "float8_e4m3", "float16"), ("float8_e5m2fnuz", "bfloat16", None),
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
        ("bfloat16", "bfloat16", "float32"), ("int8", "int8", "int32"),
        ("bfloat16", "float32", None),
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
    ((2, 0, 5), (3, 0, 2), (1,), "VALID", {}),
    ((2, 2, 5), (3, 2, 0), (1,), "VALID", {}),
    ((1, 2, 3, 4), (2, 2, 3, 2), (2, 1), ((-1, 0), (0, 0)), {}),
    ((3, 3, 3, 2, 2), (2, 2, 2, 2, 3), (1, 2, 1), ((1, 0), (0, -1), (1, 1)),
     {"dimension_numbers": ("HWDNC", "HIWDO", "NHCWD"), "rhs_dilation": (1, 1, 2)}),
    ((3, 6, 4), (2, 2, 6), (2,), ((2, 1),),
     {"dimension_numbers": ("NWC", "WIO", "WCN"), "feature_group_count": 2,
      "lhs_dilation": (2,)}),
    ((5, 6, 2), (4, 2, 2), (1,), ((-1, 2),),
     {"dimension_numbers": ("WNC", "OWI", "NWC"), "batch_group_count": 2}),
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
    for dtype, preferred in (
        ("bfloat16", "float32"), ("int8", "int32"), ("float16", "float32"), ("uint8", "int32"),
        ("float32", "float64"), ("int16", "float32"), ("complex64", "complex128"),
    ):  # fmt: skip
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
        "dot_narrower",
        lambda: lax.dot(x.astype(int), y.T.astype(int), preferred_element_type=np.int8),
        TypeError, "must not be narrower",
    )  # fmt: skip
    yield ErrorSample(
        "dot_real_of_complex",
        lambda: lax.dot(x + 0j, y.T + 0j, preferred_element_type=np.float32),
        TypeError, "must be complex for complex operands",
    )  # fmt: skip
    yield ErrorSample(
        "dot_batch_sizes", lambda: lax.dot_general(x, y, (((1,), (1,)), ((0,), (0,)))), ShapeError,
        "batch dimensions to have the same size",
    )  # fmt: skip
    yield from _ragged_errors()
    yield ErrorSample(
        "scaled_dot_blocks", lambda: lax.scaled_dot(x, y.T, lhs_scale=x), ShapeError,
        "the scale of 2 or more",
    )  # fmt: skip
    yield ErrorSample(
        "scaled_dot_rank", lambda: lax.scaled_dot(x, y[0]), ShapeError, "one rank, 2 or more"
    )
    yield ErrorSample(
        "scaled_dot_rows", lambda: lax.scaled_dot(x, y.T, rhs_scale=y.T[:1, :2]), ShapeError,
        "rhs_scale must have the size of rhs along axis 1",
    )  # fmt: skip
    yield ErrorSample(
        "conv_local_kernels",
        lambda: lax.conv_general_dilated_local(image, kernel, (1,), "SAME", (2,)), ShapeError,
        "input feature axis of size 4",
    )  # fmt: skip
    yield ErrorSample(
        "conv_patches_padding",
        lambda: lax.conv_general_dilated_patches(image, (9,), (1,), [(-9, 0)]), ShapeError,
        "Negative padding",
    )  # fmt: skip
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


def _ragged_errors() -> Iterator[ErrorSample]:
    x, w = np.zeros((4, 3), np.float32), np.zeros((2, 3, 5), np.float32)
    sizes = np.array([1, 2])
    numbers = lax.RaggedDotDimensionNumbers

    def general(numbers: Any, x: Any = x, w: Any = w, sizes: Any = sizes) -> Any:
        return lambda: lax.ragged_dot_general(x, w, sizes, numbers)

    rows = (((1,), (1,)), ((), ()))
    for name, call, error, text in (
        ("float_sizes", lambda: lax.ragged_dot(x, w, sizes * 1.0), TypeError, "must be integers"),
        ("groups", lambda: lax.ragged_dot(x, w[:1], sizes), ShapeError, "got 1 and 2"),
        ("offset", lambda: lax.ragged_dot(x, w, sizes, group_offset=np.array([0])),
         NotImplementedError, "group_offset must be None"),
        ("scalar_sizes", lambda: lax.ragged_dot(x, w, np.int32(1)), ShapeError, "got a scalar"),
        ("prefix", lambda: lax.ragged_dot(x, w, np.ones((3, 2), int)), ShapeError,
         r"must have shape \(2,\) or \(2,\)"),
        ("numbers", general(rows), TypeError, "must be a lax.RaggedDotDimensionNumbers"),
        ("two_ragged", general(numbers(rows, (0, 1), (0,))), ShapeError, "one ragged dimension"),
        ("axis", general(numbers(rows, (2,), (0,))), ShapeError, r"must lie in \[0, 2\)"),
        ("no_group", general(numbers(rows, (0,), ())), ShapeError, "must name one axis"),
        ("a_group", general(numbers(rows, (1,), (0,))), ShapeError, "must name no axis"),
        ("group_axis", general(numbers(rows, (0,), (1,))), ShapeError, "neither contracting nor"),
        ("sizes", general(numbers((((1,), (2,)), ((), ())), (0,), (0,))), ShapeError,
         "contracting dimensions to have the same size"),
    ):  # fmt: skip
        yield ErrorSample(f"ragged_dot_{name}", call, error, text)

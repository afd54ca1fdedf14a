"""Ragged and scaled products, patches and unshared convolutions, against what they stand for."""

import itertools

import ml_dtypes
import numpy as np
import pytest

from jx_core import lax

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.integers(-4, 5, shape).astype(np.float32)


# --- ragged products ---


def test_each_row_meets_the_matrix_of_its_group():
    x, w, sizes = numbers(7, 3), numbers(3, 3, 2), np.array([2, 0, 4])
    got = np.asarray(lax.ragged_dot(x, w, sizes))
    want = np.zeros((7, 2), np.float32)
    for row, group in enumerate([0, 0, 2, 2, 2, 2]):
        want[row] = x[row] @ w[group]
    np.testing.assert_array_equal(got, want)


def test_groups_longer_than_the_axis_are_cut_off():
    x, w = numbers(3, 2), numbers(2, 2, 2)
    got = np.asarray(lax.ragged_dot(x, w, np.array([2, 9])))
    np.testing.assert_array_equal(got, np.concatenate([x[:2] @ w[0], x[2:] @ w[1]]))


def test_a_contracted_axis_gives_a_product_for_each_group():
    x, y = numbers(2, 3, 5), numbers(2, 5, 4)
    spec = lax.RaggedDotDimensionNumbers((((2,), (1,)), ((0,), (0,))), (2,), ())
    sizes = np.array([[1, 3], [4, 0]])
    got = np.asarray(lax.ragged_dot_general(x, y, sizes, spec))
    assert got.shape == (2, 2, 3, 4)
    for b, g in np.ndindex(2, 2):
        end = sizes[b].cumsum()[g]
        part = slice(end - sizes[b, g], end)
        np.testing.assert_array_equal(got[g, b], x[b][:, part] @ y[b][part])


def test_groups_of_a_batch_do_not_change_the_product():
    x, y = numbers(4, 2, 3), numbers(4, 3, 2)
    spec = lax.RaggedDotDimensionNumbers((((2,), (1,)), ((0,), (0,))), (0,), ())
    got = lax.ragged_dot_general(x, y, np.array([1, 2]), spec)
    np.testing.assert_array_equal(np.asarray(got), x @ y)


def test_dimension_numbers_are_values():
    spec = lax.RaggedDotDimensionNumbers([[[1], [1]], [[], []]], [0], [0])
    assert spec == lax.RaggedDotDimensionNumbers((((1,), (1,)), ((), ())), (0,), (0,))
    assert len({spec, eval(repr(spec), vars(lax))}) == 1


# --- scaled products ---


def test_scales_multiply_blocks():
    x = numbers(3, 8).astype(ml_dtypes.float8_e4m3fn)
    y = numbers(8, 2).astype(ml_dtypes.float8_e5m2)
    left = np.array([[1, 2], [0.5, 4], [1, 1]], ml_dtypes.float8_e8m0fnu)
    right = np.array([[2, 0.5], [1, 1], [4, 2], [1, 8]], ml_dtypes.float8_e8m0fnu)
    got = lax.scaled_dot(x, y, lhs_scale=left, rhs_scale=right, preferred_element_type=np.float32)
    want = (x.astype(np.float32) * np.repeat(left.astype(np.float32), 4, 1)) @ (
        y.astype(np.float32) * np.repeat(right.astype(np.float32), 2, 0)
    )
    assert got.dtype == np.float32
    np.testing.assert_allclose(np.asarray(got), want, rtol=1e-6)
    assert lax.scaled_dot(x, y).dtype == ml_dtypes.bfloat16


def test_scaled_batches():
    x, y = numbers(2, 3, 4), numbers(2, 4, 5)
    got = lax.scaled_dot(x, y, lhs_scale=np.full((2, 3, 1), 2.0, np.float32))
    np.testing.assert_array_equal(np.asarray(got).astype(np.float32), 2 * x @ y)


# --- patches, and a kernel for each window ---

WINDOWS = {
    "plain": ((2, 3, 5), (2,), (1,), "VALID", {}),
    "strides and padding": ((2, 2, 5, 6), (3, 2), (2, 1), ((1, 2), (-1, 1)), {}),
    "holes": (
        (1, 2, 5, 6), (2, 2), (1, 2), ((1, 2), (0, 1)),
        {"lhs_dilation": (2, 1), "rhs_dilation": (1, 3)},
    ),
    "features last, result turned": (
        (2, 5, 6, 3), (2, 3), (1, 1), "SAME", {"dimension_numbers": ("NHWC", "WHIO", "CWNH")},
    ),
    "no space": ((2, 3), (), (), (), {}),
    "no windows": ((2, 3, 1), (2,), (1,), "VALID", {}),
    "no batch": ((0, 3, 4), (2,), (1,), "VALID", {}),
}  # fmt: skip


def kernel_shape(filters, features, window, options):
    """The shape of a kernel, and its axes: output feature, input feature, space."""
    names = options.get("dimension_numbers", (None, "OI" + "HW"[: len(window)], None))
    space = [c for c in names[1] if c not in "OI"]
    sizes = {"O": filters, "I": features} | dict(zip(space, window, strict=True))
    return tuple(sizes[c] for c in names[1]), [names[1].index(c) for c in ("O", "I", *space)]


@pytest.mark.parametrize("case", WINDOWS.values(), ids=WINDOWS)
def test_patches_times_a_kernel_are_the_convolution(case):
    shape, window, strides, padding, options = case
    x = numbers(*shape)
    patches = np.asarray(lax.conv_general_dilated_patches(x, window, strides, padding, **options))
    names = options.get("dimension_numbers", ("NCHW", None, "NCHW"))
    features = shape[names[0].index("C")]
    sizes, axes = kernel_shape(4, features, window, options)
    kernel = numbers(*sizes)
    want = np.asarray(lax.conv_general_dilated(x, kernel, strides, padding, **options))
    at = names[2].index("C")
    flat = kernel.transpose(axes).reshape(4, features * int(np.prod(window)))
    got = np.moveaxis(np.tensordot(flat, patches, (1, at)), 0, at)
    np.testing.assert_array_equal(got, want)


def test_patches_are_copies():
    x = np.array([[[np.inf, 1, np.nan]]], np.float32)
    got = lax.conv_general_dilated_patches(x, (2,), (1,), "VALID")
    np.testing.assert_array_equal(np.asarray(got)[0], [[np.inf, 1], [1, np.nan]])
    small = numbers(1, 1, 3).astype(np.int8)
    got = lax.conv_general_dilated_patches(
        small, (2,), (1,), "SAME", preferred_element_type=np.int32
    )
    assert got.dtype == np.int32


@pytest.mark.parametrize("case", WINDOWS.values(), ids=WINDOWS)
def test_one_kernel_for_all_windows_is_the_convolution(case):
    shape, window, strides, padding, options = case
    x = numbers(*shape)
    names = options.get("dimension_numbers", ("NCHW", None, "NCHW"))
    features = shape[names[0].index("C")]
    sizes, axes = kernel_shape(4, features, window, options)
    kernel = numbers(*sizes)
    want = np.asarray(lax.conv_general_dilated(x, kernel, strides, padding, **options))
    # The same kernel at each window, whose axes the result has in the order of rhs_spec.
    space = [c for c in (names[1] or "OIHW") if c not in "OI"][: len(window)]
    counts = [want.shape[names[2].index(c)] for c in space]
    flat = kernel.transpose(axes).reshape(4, features * int(np.prod(window)))
    repeated = np.broadcast_to(
        flat.reshape(*flat.shape, *[1] * len(counts)), (*flat.shape, *counts)
    )
    local = repeated.transpose(np.argsort(axes))
    got = lax.conv_general_dilated_local(x, local, strides, padding, window, **options)
    np.testing.assert_array_equal(np.asarray(got), want)


def test_each_window_has_its_kernel():
    x, kernels = numbers(2, 3, 4, 5), numbers(2, 3 * 2 * 2, 3, 4)
    got = np.asarray(lax.conv_general_dilated_local(x, kernels, (1, 1), "VALID", (2, 2)))
    for i, j in itertools.product(range(3), range(4)):
        seen = x[:, :, i : i + 2, j : j + 2].reshape(2, 12)
        np.testing.assert_array_equal(got[:, :, i, j], seen @ kernels[:, :, i, j].T)


def test_algorithms_are_not_for_unshared_convolutions():
    with pytest.raises(ValueError, match="a lax.Precision, its name or a pair"):
        lax.conv_general_dilated_local(
            numbers(1, 1, 3), numbers(1, 2, 2), (1,), "VALID", (2,), precision="F32_F32_F32"
        )

"""Products with scales in blocks: exact cases, errors of rounding, straight-through gradients."""

import ml_dtypes
import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import grad
from jx_batching import vmap
from jx_core import jit, lax
from jx_core.errors import ShapeError
from jx_numpy import nn

NUMBERS = (((1,), (1,)), ((), ()))
A, B = np.random.default_rng(0).standard_normal((2, 4, 64)).astype(np.float32)


def configs(mode, scale=None):
    return [nn.get_scaled_dot_general_config(mode, scale)] * 3


def product(a, b, mode, **options):
    return nn.scaled_dot_general(a, b, NUMBERS, configs=configs(mode), **options)


def test_configurations_are_those_of_the_formats():
    mx, nv = (nn.get_scaled_dot_general_config(mode) for mode in ("mxfp8", "nvfp4"))
    assert (mx.block_size, nv.block_size) == (32, 16)
    assert (mx.data_type, mx.scale_type) == (ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e8m0fnu)
    assert (nv.data_type, nv.scale_type) == (ml_dtypes.float4_e2m1fn, ml_dtypes.float8_e4m3fn)
    assert mx.global_scale is None and nv.global_scale.tolist() == [1.0]
    with pytest.raises(ValueError, match="'mxfp8' or 'nvfp4', got 'int4'"):
        nn.get_scaled_dot_general_config("int4")


@pytest.mark.parametrize(("mode", "error"), [("mxfp8", 0.05), ("nvfp4", 0.2)])
def test_rounding_is_as_coarse_as_the_format(mode, error):
    exact = A @ B.T
    relative = np.linalg.norm(np.asarray(product(A, B, mode)) - exact) / np.linalg.norm(exact)
    assert 1e-4 < relative < error


@pytest.mark.parametrize("mode", ["mxfp8", "nvfp4"])
def test_what_the_format_holds_is_exact(mode):
    # The largest of each block is a power of two times the largest entry the format holds.
    x = np.tile(np.float32([6, -3, 1, 0.5, 2, 4, -1.5, 0]), (3, 8))
    if mode == "mxfp8":
        x = x * np.float32(448 / 6 / 448 * 384)
    np.testing.assert_array_equal(np.asarray(product(x, x, mode)), x @ x.T)


@pytest.mark.parametrize("mode", ["mxfp8", "nvfp4"])
@pytest.mark.parametrize("scale", [0.0, 1e-38, 1e-3, 1e30])
def test_blocks_of_any_magnitude_stay_finite(mode, scale):
    x = (A * np.float32(scale)).astype(np.float32)
    got = np.asarray(product(x, np.ones_like(B), mode))
    assert np.isfinite(got).all()
    if scale == 0.0:
        assert not got.any()


def test_lengths_need_not_be_multiples_of_blocks():
    got = np.asarray(product(A[:, :40], B[:, :40], "mxfp8"))
    padded = [np.pad(x[:, :40], ((0, 0), (0, 24))) for x in (A, B)]
    np.testing.assert_array_equal(got, np.asarray(product(*padded, "mxfp8")))


def test_gradients_in_nvfp4_are_exact_and_zero_for_what_was_clipped():
    a = A.copy()
    a[0, 0] = 1e5  # more than 6 * 448
    ct = np.arange(16, dtype=np.float32).reshape(4, 4)
    da, db = grad(lambda a, b: (product(a, b, "nvfp4") * ct).sum(), (0, 1))(a, B)
    expected = ct @ B
    expected[0, 0] = 0
    np.testing.assert_allclose(np.asarray(da), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(np.asarray(db), ct.T @ a, rtol=1e-4, atol=1e-2)


def test_gradients_in_mxfp8_are_products_of_quantized_cotangents():
    ct = np.random.default_rng(1).standard_normal((4, 4)).astype(np.float32)
    da, db = grad(lambda a, b: (product(a, b, "mxfp8") * ct).sum(), (0, 1))(A, B)
    for got, exact in ((da, ct @ B), (db, ct.T @ A)):
        relative = np.linalg.norm(np.asarray(got) - exact) / np.linalg.norm(exact)
        assert 1e-4 < relative < 0.06


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16, jnp.float16])
def test_results_have_the_dtype_asked_for_and_gradients_that_of_operands(dtype):
    assert product(A, B, "mxfp8", preferred_element_type=dtype).dtype == dtype
    a = A.astype(dtype)
    g = grad(lambda a: product(a, a, "mxfp8").sum())(a)
    assert g.dtype == dtype and np.isfinite(np.asarray(g, np.float32)).all()


def test_axes_go_where_dot_general_puts_them():
    x = np.random.default_rng(2).standard_normal((2, 8, 3, 4)).astype(np.float32)
    y = np.random.default_rng(3).standard_normal((4, 5, 8, 2)).astype(np.float32)
    numbers = (((1, 3), (2, 0)), ((0,), (3,)))
    exact = np.asarray(lax.dot_general(x, y, numbers))
    got = np.asarray(nn.scaled_dot_general(x, y, numbers, configs=configs("mxfp8")))
    assert got.shape == exact.shape == (2, 3, 5)
    assert np.linalg.norm(got - exact) < 0.06 * np.linalg.norm(exact)


def test_under_jit_and_vmap():
    f = lambda a: product(a, B, "nvfp4")  # noqa: E731
    stack = np.stack([A, -A])
    np.testing.assert_array_equal(np.asarray(vmap(jit(f))(stack)[1]), np.asarray(f(-A)))


def test_without_configurations_it_is_dot_general():
    np.testing.assert_array_equal(
        np.asarray(nn.scaled_dot_general(A, B, NUMBERS)), np.asarray(lax.dot_general(A, B, NUMBERS))
    )


def test_naming_an_implementation_is_deprecated():
    with pytest.warns(DeprecationWarning, match="no effect"):
        nn.scaled_dot_general(A, B, NUMBERS, implementation="cudnn")


def ones(*shape):
    return np.ones(shape, np.float32)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.scaled_matmul(A, B, A, B), ShapeError, "three axes"),
        (
            lambda: nn.scaled_matmul(ones(1, 2, 4), ones(1, 2, 3), ones(1, 2, 1), ones(1, 2, 1)),
            ShapeError,
            r"\(1, 2, 4\) and \(1, 2, 3\)",
        ),
        (
            lambda: nn.scaled_matmul(ones(1, 2, 4), ones(1, 2, 4), ones(1, 2, 3), ones(1, 2, 3)),
            ShapeError,
            "S divides K",
        ),
        (lambda: product(A, B, "mxfp8", preferred_element_type=None), TypeError, "got None"),
        (lambda: product(A, B, "mxfp8", preferred_element_type=np.int32), TypeError, "int32"),
        (lambda: product(A, B[:, :32], "mxfp8"), ShapeError, "of the same sizes"),
        (
            lambda: nn.scaled_dot_general(A, B, NUMBERS, configs=configs("mxfp8")[:2]),
            ValueError,
            "three of get_scaled_dot_general_config",
        ),
    ],
)
def test_errors_show_shapes_and_dtypes(call, error, message):
    with pytest.raises(error, match=message):
        call()

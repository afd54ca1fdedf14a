"""`jx.image`: what stays as it is, edges, derivatives, and errors."""

import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import grad
from jx_ad.testing import check_grads
from jx_batching import vmap
from jx_core import jit
from jx_core.config import enable_x64
from jx_core.errors import ShapeError
from jx_numpy import image

METHODS = [m for m in image.ResizeMethod if m is not image.ResizeMethod.NEAREST]
X = np.random.default_rng(0).standard_normal((6, 5)).astype(np.float32)


def test_methods_have_the_names_people_use():
    names = {
        "nearest": 0, "linear": 1, "bilinear": 1, "trilinear": 1, "triangle": 1, "lanczos3": 2,
        "lanczos5": 3, "cubic": 4, "bicubic": 4, "tricubic": 4, "cubic-pytorch": 5,
        "bicubic-pytorch": 5, "area": 6,
    }  # fmt: skip
    assert {n: image.ResizeMethod.from_string(n).value for n in names} == names
    with pytest.raises(ValueError, match="Unknown resize method 'quintic'; there are nearest"):
        image.ResizeMethod.from_string("quintic")


@pytest.mark.parametrize("method", image.ResizeMethod)
def test_a_constant_stays_constant(method):
    flat = np.full((4, 3), 2.5, np.float32)
    for antialias in (True, False):
        got = image.resize(flat, (7, 2), method, antialias)
        np.testing.assert_allclose(np.asarray(got), 2.5, rtol=1e-6)


@pytest.mark.parametrize("method", image.ResizeMethod)
def test_an_image_of_its_own_shape_is_itself(method):
    np.testing.assert_array_equal(np.asarray(image.resize(X, X.shape, method)), X)


@pytest.mark.parametrize("method", METHODS)
def test_moving_by_nothing_changes_nothing(method):
    got = image.scale_and_translate(X, X.shape, (0, 1), jnp.ones(2), jnp.zeros(2), method)
    np.testing.assert_allclose(np.asarray(got), X, atol=1e-5)


def test_shrinking_without_antialiasing_looks_between_neighbours_only():
    x = np.array([0, 0, 0, 9, 0, 0], np.float32)
    np.testing.assert_array_equal(image.resize(x, (2,), "linear", antialias=False), [0, 0])
    assert np.all(np.asarray(image.resize(x, (2,), "linear")) > 0)


def test_nearest_keeps_dtypes_and_takes_gradients_to_the_samples_it_took():
    assert image.resize(np.array([True, False]), (4,), "nearest").dtype == bool
    g = grad(lambda x: image.resize(x, (4,), "nearest").sum())(jnp.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(g, [1, 2, 1])


def test_outside_of_the_image_is_zero():
    got = image.scale_and_translate(
        jnp.ones(3), (6,), (0,), jnp.ones(1), jnp.array([2.0]), "linear"
    )
    np.testing.assert_array_equal(got, [0, 0, 1, 1, 1, 0])


def test_gradients_of_scale_and_translation_on_samples():
    # At whole shifts samples lie on the kernel's kinks and, for sinc, on 0 / 0.
    with enable_x64(True):
        x = X[:, 0].astype(float)

        def total(shift, method):
            return image.scale_and_translate(
                x, (6,), (0,), jnp.ones(1), shift, method, antialias=False
            )[2]

        for method in ("lanczos3", "lanczos5", "cubic"):
            check_grads(lambda t, m=method: total(t, m), (np.array([1.0]),), order=1)


def test_resizing_is_linear_in_the_image():
    with enable_x64(True):
        for method in METHODS:
            check_grads(lambda x, m=method: image.resize(x, (4, 7), m), (X.astype(float),), order=2)


def test_under_jit_and_vmap_shapes_stay_static():
    stack = np.stack([X, -X])
    mapped = vmap(lambda x: image.resize(x, (3, 8), "cubic"))(stack)
    whole = jit(lambda x: image.resize(x, (2, 3, 8), "cubic"))(stack)
    np.testing.assert_allclose(np.asarray(mapped), np.asarray(whole), atol=1e-5)


def test_a_list_of_lengths_will_do():
    assert image.resize(X, [3, 4], "linear").shape == (3, 4)


ONE = jnp.ones(1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: image.resize(X, (3,), "linear"), ShapeError, r"got \(3,\) for .* \(6, 5\)"),
        (lambda: image.resize(X, (3, -4), "linear"), ShapeError, "non-negative"),
        (lambda: image.resize(X, (3, 4), "best"), ValueError, "Unknown resize method 'best'"),
        (lambda: image.resize(X, (3, 4), 1), TypeError, "method must be a jx.image.ResizeMethod"),
        (lambda: image.resize(np.ones(0), (3,), "nearest"), ShapeError, "has no samples"),
        (
            lambda: image.scale_and_translate(X, X.shape, (0,), ONE, ONE, "nearest"),
            ValueError,
            "NEAREST is for jx.image.resize only",
        ),
        (
            lambda: image.scale_and_translate(X, X.shape, (0, 1), ONE, ONE, "linear"),
            ShapeError,
            r"scale must have a number for each of spatial_dims=\(0, 1\)",
        ),
        (
            lambda: image.scale_and_translate(X, (6, 9), (0,), ONE, ONE, "linear"),
            ShapeError,
            "axis 1 is not in spatial_dims",
        ),
    ],
)
def test_errors_say_what_was_got(call, error, message):
    with pytest.raises(error, match=message):
        call()

"""Cosine transforms, interpolation, quantization of vectors: edges, dtypes and errors."""

import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import grad
from jx_batching import vmap
from jx_core import jit, tree
from jx_core.dtypes import bfloat16
from jx_core.errors import ShapeError
from jx_numpy.scipy import cluster, fft, interpolate, ndimage

X = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
LINE = np.arange(4, dtype=np.float32)


# --- fft ---


@pytest.mark.parametrize("type", [1, 2, 3, 4])
@pytest.mark.parametrize("norm", [None, "backward", "ortho", "forward"])
def test_inverses_of_cosine_transforms(type, norm):
    back = fft.idctn(fft.dctn(X, type, norm=norm), type, norm=norm)
    np.testing.assert_allclose(np.asarray(back), X, atol=1e-5)


@pytest.mark.parametrize("type", [1, 2, 3, 4])
def test_orthogonal_transforms_keep_lengths(type):
    y = fft.dct(X[0], type, norm="ortho")
    assert np.linalg.norm(y) == pytest.approx(float(np.linalg.norm(X[0])), rel=1e-5)


def test_dtypes_of_cosine_transforms():
    for dtype in (np.float16, bfloat16, np.int32, np.bool_, np.float32):
        assert fft.dct(np.ones(4, dtype)).dtype == np.float32
    assert fft.idct(np.ones(4, np.complex64)).dtype == np.complex64


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fft.dct(X, 5), ValueError, "type must be 1, 2, 3 or 4"),
        (lambda: fft.dct(X, norm="unit"), ValueError, "norm must be"),
        (lambda: fft.dct(X, n=0), ValueError, "lengths must be positive"),
        (lambda: fft.idct(X[:, :1], 1), ShapeError, "two elements at least"),
        (lambda: fft.dct(X[:, :0]), ShapeError, "axis 1 .* has no elements"),
        (lambda: fft.dct(X, axis=2), ShapeError, "axis 2"),
        (lambda: fft.dctn(X, s=(2, 3, 4)), ShapeError, "lengths of 3 axes"),
        (lambda: fft.idctn(X, s=(2, 3), axes=(0,)), ShapeError, "equally long"),
    ],
)
def test_errors_of_cosine_transforms(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- ndimage ---


def test_integers_are_rounded_and_keep_their_dtype():
    got = ndimage.map_coordinates(np.array([0, 10], np.int8), [np.array([0.26, 0.74])], 1)
    assert got.dtype == np.int8 and got.tolist() == [3, 7]
    assert ndimage.map_coordinates(np.array([True, False]), [np.array([0.2])], 0).dtype == bool


def test_coordinates_may_be_lists():
    x = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    for at in ([[0, 1.5], [1, 2]], ([0, 1.5], (1, 2)), [np.array([0, 1.5]), [1, jnp.array(2)]]):
        assert ndimage.map_coordinates(x, at, 1).tolist() == [1.0, 8.0]
    assert ndimage.map_coordinates(x, [[[0], [1]], 1], 0).tolist() == [[1.0], [5.0]]


def test_beyond_constant_edges_values_go_over_to_the_constant():
    got = ndimage.map_coordinates(LINE, [np.array([-0.5, 3.5, 9.0])], 1, cval=5.0)
    np.testing.assert_array_equal(got, [2.5, 4.0, 5.0])


def test_one_sample_is_its_own_mirror_image():
    for mode in ("mirror", "reflect", "wrap", "nearest"):
        got = ndimage.map_coordinates(np.array([7.0]), [np.array([-3.0, 0.0, 2.6])], 1, mode)
        np.testing.assert_array_equal(got, [7, 7, 7])


def test_gradients_of_coordinates_are_slopes():
    at = jnp.array([0.5, 1.0, 2.25])
    f = lambda at: ndimage.map_coordinates(LINE**2, [at], 1, "nearest").sum()  # noqa: E731
    np.testing.assert_allclose(np.asarray(grad(f)(at)), [1, 3, 5])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ndimage.map_coordinates(X, [LINE], 1), ShapeError, "got 1 for shape"),
        (lambda: ndimage.map_coordinates(LINE, [LINE], 3), NotImplementedError, "0 or 1, got 3"),
        (lambda: ndimage.map_coordinates(LINE, [LINE], 1, "far"), NotImplementedError, "'far'"),
        (lambda: ndimage.map_coordinates(LINE[:0], [LINE], 1), ShapeError, "samples along each"),
    ],
)
def test_errors_of_map_coordinates(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- interpolate ---

KNOTS = np.array([0.0, 1.0, 3.0, 4.0], np.float32)


def table(**options):
    return interpolate.RegularGridInterpolator((KNOTS,), KNOTS**2, **options)


def test_an_interpolator_is_a_pytree():
    f = table(fill_value=None)
    leaves, structure = tree.flatten(f)
    assert len(leaves) == 2
    again = tree.unflatten(structure, leaves)
    at = jnp.array([[2.0], [5.0]])
    expected = [5.0, 16.0 + 7.0]
    np.testing.assert_allclose(np.asarray(again(at)), expected)
    np.testing.assert_allclose(np.asarray(jit(lambda f, at: f(at))(f, at)), expected)
    slopes = grad(lambda f: f(jnp.array([[2.0]])).sum())(f)
    np.testing.assert_allclose(np.asarray(slopes.values), [0, 0.5, 0.5, 0])


def test_interpolators_can_be_mapped():
    values = np.stack([KNOTS, KNOTS**2])
    f = vmap(lambda v: interpolate.RegularGridInterpolator((KNOTS,), v)(np.array([[2.0]])))
    np.testing.assert_allclose(np.asarray(f(values)), [[2.0], [5.0]])


@pytest.mark.parametrize("method", ["linear", "nearest"])
def test_points_that_are_not_numbers_have_no_values(method):
    assert np.isnan(np.asarray(table(method=method, fill_value=None)(np.array([[np.nan]])))[0])


def test_gradients_beside_the_grid_are_zero_or_of_the_outer_cell():
    at = jnp.array([[5.0]])
    assert float(grad(lambda x: table(fill_value=0.0)(x).sum())(at)[0, 0]) == 0
    assert float(grad(lambda x: table(fill_value=None)(x).sum())(at)[0, 0]) == 7


def test_bounds_are_checked_where_values_are_known():
    f = table(bounds_error=True)
    assert f(np.array([[1.0]])).tolist() == [1.0]
    with pytest.raises(ValueError, match="outside the grid, which goes from 0.0 to 4.0"):
        f(np.array([[4.5]]))


def test_an_axis_of_one_knot():
    f = interpolate.RegularGridInterpolator((KNOTS[:1], KNOTS), X[:1, :4], fill_value=None)
    np.testing.assert_allclose(np.asarray(f(np.array([[0.0, 1.0]]))), X[0, 1])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: table(method="cubic"), ValueError, "'linear' or 'nearest', got 'cubic'"),
        (lambda: table()(LINE[:, None], "cubic"), ValueError, "got 'cubic'"),
        (lambda: table(fill_value=1j), ValueError, "fill_value must be None or"),
        (lambda: table()(X), ShapeError, "1 coordinates, as the grid has axes"),
        (
            lambda: interpolate.RegularGridInterpolator((KNOTS, KNOTS), X),
            ShapeError,
            "as long as the first axes of values",
        ),
    ],
)
def test_errors_of_interpolators(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- cluster ---


def test_the_first_of_equally_near_codes_is_taken():
    code, distance = cluster.vq.vq(np.float32([1.0, 5.0]), np.float32([0.0, 2.0, 2.0, 5.0]))
    assert code.tolist() == [0, 3] and code.dtype == np.int32
    assert distance.tolist() == [1.0, 0.0]


def test_gradient_of_a_distance_of_zero_is_zero():
    codes = np.float32([[0.0, 0.0], [3.0, 4.0]])
    g = grad(lambda x: cluster.vq.vq(x, codes)[1].sum())(jnp.array([[3.0, 4.0], [3.0, 0.0]]))
    np.testing.assert_allclose(np.asarray(g), [[0, 0], [1, 0]])


@pytest.mark.parametrize("shapes", [((2, 3), (2, 2)), ((2,), (2, 2)), ((), ()), ((2,), (0,))])
def test_errors_of_quantization(shapes):
    with pytest.raises(ShapeError, match="jx.scipy.cluster.vq.vq"):
        cluster.vq.vq(*map(np.ones, shapes))

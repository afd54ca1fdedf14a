"""`jx.nn.initializers`: what they draw, in which numbers, and what of it is JAX's to the bit."""

import ml_dtypes
import numpy as np
import pytest

from jx_core import jit
from jx_core.errors import ShapeError
from jx_numpy import random
from jx_numpy.nn import initializers

KEY = np.array([0, 7], np.uint32)  # random.key(7), as words, which go with any back end
SHAPE = (400, 100)


def test_constants_need_no_key():
    assert initializers.zeros(None, (2,)).tolist() == [0, 0]
    assert initializers.ones(None, 2).tolist() == [1, 1]
    assert initializers.constant(-7)(None, (2,)).tolist() == [-7, -7]
    assert initializers.constant(np.arange(2))(None, (3, 2)).tolist() == [[0, 1]] * 3


@pytest.mark.parametrize("name", ["zeros", "ones"])
def test_dtypes_of_constants(name):
    init = getattr(initializers, name)
    assert init(KEY, (2,)).dtype == np.float32
    assert init(KEY, (2,), np.int32).dtype == np.int32


MAKERS = {
    "constant": lambda dtype: initializers.constant(1.0, dtype),
    "uniform": lambda dtype: initializers.uniform(dtype=dtype),
    "normal": lambda dtype: initializers.normal(dtype=dtype),
    "truncated_normal": lambda dtype: initializers.truncated_normal(dtype=dtype),
    "he_normal": lambda dtype: initializers.he_normal(dtype=dtype),
}


@pytest.mark.parametrize("name", MAKERS)
def test_dtype_is_the_one_asked_for_or_the_makers_or_the_default(name):
    make = MAKERS[name]
    assert make(None)(KEY, (2, 3)).dtype == np.float32
    assert make(np.float16)(KEY, (2, 3)).dtype == np.float16
    assert make(np.float16)(KEY, [2, 3], ml_dtypes.bfloat16).dtype == ml_dtypes.bfloat16
    assert not make(None)(KEY, (2, 3)).weak_type


def test_samples_are_multiples_of_what_random_draws():
    for init, sample in (
        (initializers.uniform(3.0), random.uniform(KEY, SHAPE)),
        (initializers.normal(3.0), random.normal(KEY, SHAPE)),
        (initializers.truncated_normal(3.0), random.truncated_normal(KEY, -2.0, 2.0, SHAPE)),
    ):
        np.testing.assert_array_equal(init(KEY, SHAPE), np.float32(3) * np.asarray(sample))


def test_truncated_normal_stays_between_its_bounds():
    weights = np.asarray(initializers.truncated_normal(2.0, lower=-1.0, upper=0.5)(KEY, SHAPE))
    assert -2 < weights.min() < -1.9 and 0.9 < weights.max() < 1


FANS = {
    "fan_in": lambda n_in, n_out: n_in,
    "fan_out": lambda n_in, n_out: n_out,
    "fan_avg": lambda n_in, n_out: (n_in + n_out) / 2,
    "fan_geo_avg": lambda n_in, n_out: np.sqrt(n_in * n_out),
}


@pytest.mark.parametrize("mode", FANS)
@pytest.mark.parametrize("distribution", ["normal", "truncated_normal", "uniform"])
@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_variance_scaling_has_the_variance(mode, distribution, dtype):
    weights = initializers.variance_scaling(3.0, mode, distribution)(KEY, SHAPE, dtype)
    assert weights.dtype == dtype
    variance = np.mean(np.abs(np.asarray(weights)) ** 2)
    expected = 3.0 / FANS[mode](*SHAPE)
    if distribution == "truncated_normal" and dtype == np.complex64:
        expected /= 1 - np.exp(-4)  # as in JAX
    np.testing.assert_allclose(variance, expected, rtol=0.02)
    assert abs(np.mean(np.asarray(weights))) < 0.02 * np.sqrt(expected)


def test_complex_weights_point_in_all_directions():
    for distribution in ("normal", "truncated_normal", "uniform"):
        init = initializers.variance_scaling(1.0, "fan_in", distribution)
        weights = np.asarray(init(KEY, SHAPE, np.complex64))
        quadrants = np.histogram(np.angle(weights), 4)[0] / weights.size
        np.testing.assert_allclose(quadrants, 0.25, rtol=0.03)
    disk = np.abs(weights) * np.sqrt(SHAPE[0])
    assert 1.4 < disk.max() < np.sqrt(2) + 1e-6


@pytest.mark.parametrize(
    ("axes", "shape", "n_in"),
    [
        ({}, (3, 5, 64, 2), 3 * 5 * 64),
        ({"in_axis": 0}, (64, 3, 5, 2), 64 * 3 * 5),
        ({"in_axis": (0, 1), "out_axis": 3, "batch_axis": 2}, (8, 16, 40, 2), 128),
        ({"in_axis": (0,), "out_axis": ()}, (900,), 900),
    ],
)
def test_axes_say_what_counts_as_input(axes, shape, n_in):
    init = initializers.variance_scaling(1.0, "fan_in", "uniform", **axes)
    assert np.abs(init(KEY, shape)).max() == pytest.approx(np.sqrt(3 / n_in), rel=0.01)


NAMED = {
    "glorot_uniform": (1.0, "fan_avg", "uniform"),
    "glorot_normal": (1.0, "fan_avg", "truncated_normal"),
    "xavier_uniform": (1.0, "fan_avg", "uniform"),
    "xavier_normal": (1.0, "fan_avg", "truncated_normal"),
    "lecun_uniform": (1.0, "fan_in", "uniform"),
    "lecun_normal": (1.0, "fan_in", "truncated_normal"),
    "he_uniform": (2.0, "fan_in", "uniform"),
    "he_normal": (2.0, "fan_in", "truncated_normal"),
    "kaiming_uniform": (2.0, "fan_in", "uniform"),
    "kaiming_normal": (2.0, "fan_in", "truncated_normal"),
}


@pytest.mark.parametrize("name", NAMED)
def test_named_initialisers_are_cases_of_variance_scaling(name):
    named = getattr(initializers, name)
    expected = initializers.variance_scaling(*NAMED[name])(KEY, (3, 4, 5))
    np.testing.assert_array_equal(named()(KEY, (3, 4, 5)), expected)
    assert named.__doc__ and named.__name__ in (name, name.replace("xavier", "glorot"),
                                                name.replace("kaiming", "he"))  # fmt: skip


# What JAX 0.10.2 gives for key 7: the first weights of an array of shape (3, 4).
RECORDED = {
    "uniform": [0.00674089883, 0.00974616874, 0.00302843563, 0.00443958491],
    "normal": [0.00451235147, 0.0195345096, -0.00516239461, -0.00140940293],
    "truncated_normal": [0.00429358333, 0.0167488568, -0.00490714377, -0.00134487799],
    "glorot_uniform": [0.322351873, 0.878819704, -0.365062773, -0.103768654],
    "glorot_normal": [0.260908365, 1.0177784, -0.29819259, -0.0817242563],
    "lecun_uniform": [0.348179817, 0.94923377, -0.394312859, -0.112082958],
    "lecun_normal": [0.281813234, 1.09932637, -0.322084814, -0.0882722884],
    "he_uniform": [0.492400616, 1.34241927, -0.557642579, -0.15850924],
    "he_normal": [0.398544133, 1.55468237, -0.455496758, -0.124835871],
}


@pytest.mark.parametrize("name", RECORDED)
def test_weights_are_those_of_jax(name):
    got = getattr(initializers, name)()(KEY, (3, 4))
    np.testing.assert_allclose(np.ravel(got)[:4], np.float32(RECORDED[name]), rtol=2e-6)


def test_keys_are_typed_ones_too():
    init = initializers.he_normal()
    np.testing.assert_array_equal(init(random.key(7), (3, 4)), init(KEY, (3, 4)))


def test_initialisers_are_traced():
    init = initializers.he_normal()
    got = jit(lambda key: init(key, (3, 4)))(KEY)
    np.testing.assert_allclose(got, init(KEY, (3, 4)), rtol=1e-6)


def test_initialisers_are_instances_of_their_protocol():
    assert isinstance(initializers.he_normal(), initializers.Initializer)
    assert isinstance(initializers.zeros, initializers.Initializer)
    assert not isinstance(3, initializers.Initializer)


def test_arrays_without_weights():
    assert initializers.he_normal()(KEY, (0, 3)).shape == (0, 3)


def test_refusals():
    with pytest.raises(ShapeError, match="in_axis -2 is out of bounds for array of dimension 1"):
        initializers.he_normal()(KEY, (3,))
    with pytest.raises(ValueError, match="invalid mode .*'fan', expected one of 'fan_in'"):
        initializers.variance_scaling(1.0, "fan", "normal")(KEY, (2, 3))
    with pytest.raises(ValueError, match="invalid distribution .*'gamma', expected"):
        initializers.variance_scaling(1.0, "fan_in", "gamma")(KEY, (2, 3))
    for init in (initializers.normal(), initializers.uniform(), initializers.he_uniform()):
        with pytest.raises(ValueError, match="float"):
            init(KEY, (2, 3), np.int32)
    with pytest.raises(ShapeError, match="non-negative"):
        initializers.normal()(KEY, (-1,))

"""Derivatives of operations that move elements about."""

import numpy as np
import pytest

from jx_ad import grad, linear_transpose, vjp
from jx_ad.testing import check_grads
from jx_core import lax
from jx_core.config import enable_x64


@pytest.fixture(autouse=True)
def _double_precision():
    with enable_x64(True):
        yield


def array(*shape):
    return np.random.default_rng(0).standard_normal(shape)


@pytest.mark.parametrize(
    "shape, target, dimensions",
    [
        ((), (4, 2), ()),
        ((2, 3), (4, 2, 3), (1, 2)),
        ((1, 3), (4, 2, 3), (1, 2)),
        ((1,), (1,), (0,)),
        ((2, 3), (3, 4, 2), (2, 0)),
        ((1, 3), (3, 4, 2), (2, 0)),
        ((0, 3), (2, 0, 3), (1, 2)),
    ],
)
def test_broadcast_in_dim_sums_what_it_repeats(shape, target, dimensions):
    def f(x):
        return lax.broadcast_in_dim_p.bind(x, shape=target, broadcast_dimensions=dimensions)

    check_grads(f, (array(*shape),), order=2)


def test_broadcast_cotangent_counts_copies():
    (ct,) = vjp(lambda x: lax.broadcast(x, (5,)), np.ones(3))[1](np.ones((5, 3)))
    np.testing.assert_array_equal(ct, [5.0, 5.0, 5.0])


@pytest.mark.parametrize("reps", [(2, 3), (1, 1), (0, 2)])
def test_tile(reps):
    check_grads(lambda x: lax.tile(x, reps), (array(2, 3),), order=2)


@pytest.mark.parametrize("dimensions", [None, (1, 0)])
def test_reshape(dimensions):
    check_grads(lambda x: lax.reshape(x, (3, 2), dimensions), (array(2, 3),), order=2)


def test_axes_put_in_taken_out_permuted_and_turned():
    check_grads(lambda x: lax.squeeze(x, (1,)), (array(2, 1, 3),), order=2)
    check_grads(lambda x: lax.expand_dims(x, (1,)), (array(2, 3),), order=2)
    check_grads(lambda x: lax.transpose(x, (2, 0, 1)), (array(2, 3, 4),), order=2)
    check_grads(lambda x: lax.rev(x, (1,)), (array(2, 3),), order=2)


def test_joining_and_taking_apart():
    x, y = array(2, 3), array(2, 3) + 1
    check_grads(lambda x, y: lax.concatenate([x, y, x], 1), (x, y), order=2)
    check_grads(lambda y: lax.concatenate([np.ones((2, 1)), y], 1), (y,), order=2)
    check_grads(lambda x, y: lax.stack([x, y, x], 1), (x, y), order=2)
    check_grads(lambda x: lax.unstack(x, 1), (x,), order=2)
    check_grads(lambda x: lax.split(x, (1, 2), 1), (x,), order=2)


def test_parts_that_are_not_used_get_zeros():
    np.testing.assert_array_equal(
        vjp(lambda x: lax.split(x, (1, 2), 0)[1], np.ones(3))[1](np.ones(2))[0], [0, 1, 1]
    )
    np.testing.assert_array_equal(
        vjp(lambda x: lax.unstack(x)[1], np.ones(3))[1](1.0)[0], [0, 1, 0]
    )


@pytest.mark.parametrize(
    "config",
    [
        ((1, 2, 1), (0, 1, 2)),
        ((-1, 0, 0), (0, -1, 0)),
        ((-1, 2, 1), (1, -1, 1)),
        ((0, 0, 0), (0, 0, 0)),
        ((2, -3, 0), (0, 0, 1)),
    ],
)
def test_pad_with_widths_of_either_sign_and_gaps(config):
    check_grads(lambda x, value: lax.pad(x, value, config), (array(3, 4), array()), order=2)


def test_pad_of_nothing():
    check_grads(lambda x, v: lax.pad(x, v, ((1, 1, 2),)), (array(0), array()), order=1)


def test_padding_value_gets_the_cotangents_of_the_frame():
    def f(value):
        return lax.reduce_sum(lax.pad(np.ones((2, 2)), value, ((1, 1, 0), (0, 0, 1))), (0, 1))

    assert float(grad(f)(0.5)) == 4 * 3 - 4


def test_transposes_are_exact():
    x = array(2, 3)
    transposed = linear_transpose(lambda x: lax.transpose(x, (1, 0)), x)
    np.testing.assert_array_equal(transposed(x.T)[0], x)

"""Derivatives of sorting: tangents take the places of their elements."""

import numpy as np
import pytest

from jx_ad import jvp, vjp
from jx_ad.testing import check_grads
from jx_core import lax
from jx_core.config import enable_x64


@pytest.fixture(autouse=True)
def _double_precision():
    with enable_x64(True):
        yield


def array(*shape):
    return np.random.default_rng(0).standard_normal(shape)


@pytest.mark.parametrize("axis", [0, 1])
def test_sort(axis):
    check_grads(lambda x: lax.sort(x, axis), (array(4, 3),), order=2)


def test_values_are_sorted_with_their_keys():
    x, y = array(2, 5), array(2, 5)[::-1]
    check_grads(lambda x, y: lax.sort((x, y), dimension=1, num_keys=1), (x, y), order=2)
    check_grads(lambda x, y: lax.sort((x, y), dimension=1, num_keys=2), (x, y), order=2)


def test_values_sorted_by_integers():
    keys = np.array([3, 1, 2], np.int32)
    (out_keys, out), (_, tangent) = jvp(
        lambda v: lax.sort((keys, v), num_keys=1), (array(3),), (np.array([1.0, 2.0, 3.0]),)
    )
    np.testing.assert_array_equal(out_keys, [1, 2, 3])
    np.testing.assert_array_equal(tangent, [2.0, 3.0, 1.0])


def test_equal_elements_keep_their_order():
    _, tangent = jvp(lax.sort, (np.zeros(3),), (np.array([1.0, 2.0, 3.0]),))
    np.testing.assert_array_equal(tangent, [1.0, 2.0, 3.0])


def test_sort_of_a_scalar_axis_of_length_one():
    check_grads(lambda x: lax.sort(x, 0), (array(1),), order=2)


@pytest.mark.parametrize("axis, k", [(0, 2), (1, 3), (1, 0)])
def test_top_k(axis, k):
    check_grads(lambda x: lax.top_k(x, k, axis=axis)[0], (array(4, 3),), order=2)


def test_top_k_of_one_axis_passes_cotangents_back_to_the_greatest():
    (values, places), pull = vjp(lambda x: lax.top_k(x, 2), np.array([5.0, 9.0, 7.0]))
    ct = pull([np.array([1.0, 2.0]), np.zeros(2, [("float0", "V")])])[0]
    np.testing.assert_array_equal(ct, [0.0, 1.0, 2.0])

"""Products and convolutions on batches."""

from __future__ import annotations

import numpy as np
import pytest

from jx_batching import vmap
from jx_core import lax, make_jaxpr

PRODUCTS = [
    ((2, 4), (4, 5), (((1,), (0,)), ((), ()))),
    ((4,), (4,), (((0,), (0,)), ((), ()))),
    ((2, 3), (4, 5), (((), ()), ((), ()))),
    ((6, 2, 4), (4, 6, 5), (((2,), (0,)), ((0,), (1,)))),
    ((2, 4, 6), (5, 6, 4), (((1, 2), (2, 1)), ((), ()))),
    ((4, 7, 6), (6, 4, 7), (((0,), (1,)), ((2, 1), (0, 2)))),
]


@pytest.mark.parametrize("lhs, rhs, numbers", PRODUCTS)
def test_dot_general(check_rows, rng, lhs, rhs, numbers):
    x = rng.normal(size=(3, *lhs)).astype(np.float32)
    y = rng.normal(size=(3, *rhs)).astype(np.float32)
    check_rows(lambda x, y: lax.dot_general(x, y, numbers), x, y)


def test_dot_general_keeps_its_result_type(check_rows, rng):
    x, y = rng.integers(-9, 9, size=(2, 3, 4)).astype(np.int8)
    numbers = (((0,), (0,)), ((), ()))
    check_rows(lambda x, y: lax.dot_general(x, y, numbers, preferred_element_type=np.int32), x, y)


def test_one_batched_operand_is_one_larger_product(rng):
    x, w = np.zeros((3, 2, 4), np.float32), np.zeros((4, 5), np.float32)
    jaxpr = make_jaxpr(vmap(lambda x, w: lax.dot(x, w), in_axes=(0, None)))(x, w)
    (eqn,) = jaxpr.eqns
    assert eqn.params["dimension_numbers"] == (((2,), (0,)), ((), ()))


# lhs shape, rhs shape, dimension numbers, feature groups, batch groups
CONVOLUTIONS = [
    ((2, 3, 6), (4, 3, 2), ("NCH", "OIH", "NCH"), 1, 1),
    ((2, 6, 3), (2, 3, 4), ("NHC", "HIO", "NHC"), 1, 1),
    ((6, 3, 2), (4, 2, 3), ("HCN", "OHI", "CHN"), 1, 1),
    ((2, 4, 6), (6, 2, 2), ("NCH", "OIH", "NCH"), 2, 1),
    ((2, 6, 4), (2, 2, 6), ("NHC", "HIO", "NHC"), 2, 1),
    ((4, 3, 6), (4, 3, 2), ("NCH", "OIH", "NCH"), 1, 2),
    ((6, 3, 4), (4, 2, 3), ("HCN", "OHI", "CHN"), 1, 2),
    ((2, 3, 5, 6), (4, 3, 2, 3), ("NCHW", "OIHW", "NHWC"), 1, 1),
]


@pytest.mark.parametrize("lhs, rhs, names, feature_groups, batch_groups", CONVOLUTIONS)
def test_convolution(check_rows, rng, lhs, rhs, names, feature_groups, batch_groups):
    x = rng.normal(size=(3, *lhs)).astype(np.float32)
    w = rng.normal(size=(3, *rhs)).astype(np.float32)
    spatial = len(lhs) - 2

    def conv(x, w):
        return lax.conv_general_dilated(
            x,
            w,
            window_strides=(1,) * spatial,
            padding=((1, 0),) * spatial,
            lhs_dilation=(2,) * spatial,
            rhs_dilation=(1,) * spatial,
            dimension_numbers=names,
            feature_group_count=feature_groups,
            batch_group_count=batch_groups,
        )

    check_rows(conv, x, w)


def test_convolution_of_no_rows():
    x, w = np.zeros((0, 2, 3, 6), np.float32), np.zeros((4, 3, 2), np.float32)
    out = vmap(lambda x: lax.conv(x, w, (1,), "VALID"))(x)
    assert out.shape == (0, 2, 4, 5)

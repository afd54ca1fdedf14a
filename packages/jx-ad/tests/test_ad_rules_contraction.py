"""Derivatives of products and convolutions, in either operand."""

import numpy as np
import pytest

from jx_ad import grad, linear_transpose, vjp
from jx_ad.testing import check_grads
from jx_core import lax, make_jaxpr
from jx_core.config import enable_x64


@pytest.fixture(autouse=True)
def _double_precision():
    with enable_x64(True):
        yield


def array(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


# --- dot_general ---


@pytest.mark.parametrize(
    "lhs, rhs, numbers",
    [
        ((3,), (3,), (((0,), (0,)), ((), ()))),
        ((2, 3), (3, 4), (((1,), (0,)), ((), ()))),
        ((3, 2), (4, 3), (((0,), (1,)), ((), ()))),
        ((2, 3), (4, 5), (((), ()), ((), ()))),
        ((5, 2, 3), (5, 3, 4), (((2,), (1,)), ((0,), (0,)))),
        ((2, 3, 4, 5), (5, 4, 2, 6, 3), (((1, 3), (4, 0)), ((2,), (1,)))),
        ((2, 3), (3, 2), (((0, 1), (1, 0)), ((), ()))),
        ((2, 3), (2, 3), (((), ()), ((1, 0), (1, 0)))),
    ],
)
def test_dot_general(lhs, rhs, numbers):
    check_grads(
        lambda x, y: lax.dot_general(x, y, numbers), (array(*lhs), array(*rhs, seed=1)), order=2
    )


def test_dot_general_of_complex_numbers():
    x, y = array(2, 3) + 1j * array(2, 3, seed=1), array(3, 2) - 1j * array(3, 2, seed=2)
    check_grads(lax.dot, (x, y), order=2)


def test_cotangents_have_their_operands_dtypes():
    x = lax.convert_element_type(array(2, 3), "bfloat16")

    def f(x, y):
        return lax.dot_general(
            x, y, (((1,), (1,)), ((), ())), preferred_element_type=np.float32
        )

    out, pull = vjp(f, x, x)
    assert out.dtype == np.float32
    assert [ct.dtype.name for ct in pull(out)] == ["bfloat16", "bfloat16"]


def test_a_precision_for_each_operand_follows_its_operand():
    def f(x, y):
        return lax.reduce_sum(lax.dot(x, y, precision=("highest", "default")), (0, 1))

    jaxpr = make_jaxpr(grad(f, (0, 1)))(np.ones((2, 2)), np.ones((2, 2)))
    dots = [e for e in jaxpr.eqns if e.primitive is lax.dot_general_p]
    high, low = lax.Precision.HIGHEST, lax.Precision.DEFAULT
    assert sorted(str(e.params["precision"]) for e in dots[1:]) == sorted(
        [str((high, low)), str((low, high))]
    )


def test_transposing_a_square_is_an_error():
    for f in (lambda x: lax.dot(x, x), lambda x: lax.mul(x, x), lambda x: lax.div(1.0, x)):
        with pytest.raises(TypeError, match="not linear"):
            linear_transpose(f, np.ones(2))(f(np.ones(2)))


# --- convolutions ---

CONVOLUTIONS = {
    "same": {"lhs": (2, 3, 5, 6), "rhs": (4, 3, 2, 3)},
    "valid, strided": {
        "lhs": (2, 3, 5, 6), "rhs": (4, 3, 2, 3), "window_strides": (2, 3), "padding": "VALID"
    },
    "dilated, cut off at an edge": {
        "lhs": (2, 3, 5, 6),
        "rhs": (4, 3, 2, 3),
        "window_strides": (2, 3),
        "padding": ((1, 2), (-1, 3)),
        "lhs_dilation": (2, 1),
        "rhs_dilation": (1, 2),
    },
    "groups of features": {
        "lhs": (2, 4, 5, 6),
        "rhs": (6, 2, 2, 3),
        "window_strides": (2, 1),
        "feature_group_count": 2,
    },
    "a group for each feature": {
        "lhs": (2, 3, 5, 6), "rhs": (6, 1, 2, 3), "feature_group_count": 3
    },
    "groups of the batch": {
        "lhs": (4, 3, 5, 6), "rhs": (4, 3, 2, 3), "window_strides": (2, 1), "batch_group_count": 2
    },
    "features last, grouped": {
        "lhs": (2, 5, 6, 4),
        "rhs": (2, 3, 2, 6),
        "specs": ("NHWC", "HWIO", "NHWC"),
        "window_strides": (2, 1),
        "feature_group_count": 2,
    },
    "batch last, grouped": {
        "lhs": (5, 6, 3, 4),
        "rhs": (2, 3, 3, 4),
        "specs": ("HWCN", "HWIO", "CNHW"),
        "batch_group_count": 2,
    },
    "one axis": {
        "lhs": (2, 3, 5), "rhs": (4, 3, 2), "specs": ("NCH", "OIH", "NCH"), "window_strides": (2,)
    },
}


@pytest.mark.parametrize("case", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_convolution(case):
    case = dict(case)
    lhs, rhs = array(*case.pop("lhs")), array(*case.pop("rhs"), seed=1)
    specs = case.pop("specs", ("NCHW", "OIHW", "NCHW"))
    case.setdefault("window_strides", (1, 1))
    case.setdefault("padding", "SAME")

    def f(x, w):
        return lax.conv_general_dilated(x, w, dimension_numbers=specs, **case)

    check_grads(f, (lhs, rhs), order=2, modes=["fwd", "rev"] if lhs.ndim == 3 else ["rev"])


def test_convolution_that_accumulates_in_a_wider_dtype():
    x = lax.convert_element_type(array(1, 2, 5), "bfloat16")
    w = lax.convert_element_type(array(3, 2, 2), "bfloat16")

    def f(x, w):
        return lax.conv_general_dilated(x, w, (1,), "SAME", preferred_element_type=np.float32)

    out, pull = vjp(f, x, w)
    assert out.dtype == np.float32
    assert [(ct.dtype.name, ct.shape) for ct in pull(out)] == [
        ("bfloat16", (1, 2, 5)),
        ("bfloat16", (3, 2, 2)),
    ]


# --- what is made of them ---


def test_patches_and_unshared_convolutions():
    x, kernels = array(1, 2, 5), array(3, 4, 4, seed=1)
    check_grads(
        lambda x, w: lax.conv_general_dilated_local(x, w, (1,), "VALID", (2,)), (x, kernels),
        order=2,
    )  # fmt: skip
    check_grads(
        lambda x: lax.conv_general_dilated_patches(
            x, (2,), (2,), ((1, -1),), lhs_dilation=(2,), rhs_dilation=(2,)
        ),
        (x,),
        order=2,
    )


def test_scaled_products_can_be_differentiated():
    x, y = lax.convert_element_type(array(2, 4), "bfloat16"), np.ones((4, 3), np.float32)
    scale = np.array([[2.0, 0.5], [1.0, 4.0]], np.float32)
    f = lambda x, s: lax.reduce_sum(lax.scaled_dot(x, y, lhs_scale=s), (0, 1))  # noqa: E731
    gx, gs = grad(f, (0, 1))(x, scale)
    assert gx.dtype == x.dtype and gs.dtype == scale.dtype
    np.testing.assert_array_equal(np.asarray(gx, np.float32), 3 * np.repeat(scale, 2, 1))
    want = 3 * np.asarray(x, np.float32).reshape(2, 2, 2).sum(-1)
    np.testing.assert_allclose(np.asarray(gs), want, rtol=0.05, atol=0.05)


def test_precisions_follow_their_operands_through_ragged_products():
    sizes = np.array([1, 1])
    high, low = lax.Precision.HIGHEST, lax.Precision.DEFAULT

    def f(x, w):
        return lax.reduce_sum(lax.ragged_dot(x, w, sizes, precision=(high, low)), (0, 1))

    jaxpr = make_jaxpr(grad(f, (0, 1)))(np.ones((2, 2)), np.ones((2, 2, 2)))
    found = [
        e.params["precision"] for e in jaxpr.eqns if e.primitive is lax.ragged_dot_general_p
    ]
    assert found == [(high, low)] * 3

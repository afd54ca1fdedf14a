"""`jx_ad.testing`: the checks accept right derivatives and catch wrong ones."""

import numpy as np
import pytest

from jx_ad import defjvp, deftranspose, jvp, vjp
from jx_ad.testing import check_grads, check_jvp, check_vjp
from jx_core import Primitive, lax
from jx_core.config import enable_x64


@pytest.fixture(autouse=True)
def _double_precision():
    with enable_x64(True):
        yield


def primitive(name, reference, tangent, transpose=None):
    p = Primitive(name, abstract=lambda x: x, reference=reference)
    defjvp(p)(tangent)
    if transpose is not None:
        deftranspose(p)(transpose)
    return p


X = np.linspace(0.5, 1.5, 3)


def test_right_rule_passes_to_third_order_in_both_modes():
    check_grads(lax.sin, (X,), order=3)


def test_wrong_slope_is_caught_in_both_modes():
    wrong = primitive("wrong_square", np.square, lambda t, out, x: lax.mul(t, x))
    for mode in ("fwd", "rev"):
        with pytest.raises(AssertionError, match="order 1"):
            check_grads(wrong.bind, (X,), order=1, modes=[mode])


def test_wrong_transpose_is_caught_in_reverse_mode_only():
    doubled = primitive(
        "doubled", lambda x: 2 * x, lambda t, out, x: doubled.bind(t), lambda ct, x: [ct]
    )
    check_grads(doubled.bind, (X,), order=1, modes=["fwd"])
    with pytest.raises(AssertionError, match="cotangents"):
        check_grads(doubled.bind, (X,), order=1, modes=["rev"])


def test_wrong_second_derivative_is_caught_at_order_two():
    frozen = primitive(
        "frozen_square", np.square, lambda t, out, x: lax.mul(t, lax.mul(stopped.bind(x), 2.0))
    )
    stopped = primitive("stopped", np.copy, lambda t, out, x: None)
    check_grads(frozen.bind, (X,), order=1)
    with pytest.raises(AssertionError, match="order 2"):
        check_grads(frozen.bind, (X,), order=2)


def test_values_are_compared_too():
    with pytest.raises(AssertionError, match="values"):
        check_jvp(lax.sin, lambda a, t: jvp(lax.cos, a, t), (X,))
    with pytest.raises(AssertionError, match="values"):
        check_vjp(lax.sin, lambda *a: vjp(lax.cos, *a), (X,))


def test_integer_arguments_are_held_fixed():
    check_grads(lambda x, i: lax.dynamic_slice(x, (i,), (2,)), (X, np.int32(1)), order=2)


def test_integer_results_have_no_derivative_to_check():
    check_grads(lambda x: (lax.sin(x), lax.convert_element_type(x, np.int32)), (X,), order=2)


def test_trees_and_complex_numbers():
    def f(d):
        return {"product": lax.mul(d["z"], d["z"]), "size": lax.abs(d["z"])}

    check_grads(f, ({"z": X + 1j},), order=2)


def test_single_precision_has_wider_tolerances():
    with enable_x64(False):
        check_grads(lax.exp, (X.astype(np.float32),), order=2)


def test_unknown_mode_is_an_error():
    with pytest.raises(ValueError, match="'fwd' or 'rev'.*backward"):
        check_grads(lax.sin, (X,), order=1, modes=["backward"])

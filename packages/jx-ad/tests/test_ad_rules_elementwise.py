"""Derivatives of elementwise operations: smooth points, kinks and edges, complex numbers."""

import math

import numpy as np
import pytest

from jx_ad import grad, jvp, linearize, vjp
from jx_ad.testing import check_grads
from jx_core import lax, typeof
from jx_core.config import enable_x64
from jx_core.errors import MissingRuleError


@pytest.fixture(autouse=True)
def _double_precision():
    with enable_x64(True):
        yield


GENERATOR = np.random.default_rng(0)
X = GENERATOR.uniform(0.2, 0.8, (2, 3))
Y = GENERATOR.uniform(1.2, 2.0, (2, 3))
Z = X + 1j * Y
W = Y - 0.3j * X
SCALAR = np.float64(0.7)

UNARY = [
    "neg", "exp", "exp2", "expm1", "log", "log1p", "logistic", "sin", "cos", "tan", "asin", "acos",
    "atan", "sinh", "cosh", "tanh", "asinh", "atanh", "sqrt", "rsqrt", "cbrt", "square", "abs",
    "sign", "floor", "ceil", "round",
]  # fmt: skip
UNARY_COMPLEX = [
    "neg", "exp", "log", "log1p", "expm1", "logistic", "sin", "cos", "tan", "asin", "acos", "atan",
    "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sqrt", "rsqrt", "square", "abs", "sign",
    "real", "imag", "conj",
]  # fmt: skip
BINARY = ["add", "sub", "mul", "div", "rem", "max", "min", "pow", "atan2"]


def slope(f, x):
    """The derivative by both modes, which must agree bit for bit."""
    forward = float(jvp(f, (x,), (1.0,))[1])
    reverse = float(grad(f)(x))
    np.testing.assert_array_equal(forward, reverse)
    return forward


# --- smooth points ---


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("x", [X, SCALAR], ids=["array", "scalar"])
def test_unary(name, x):
    check_grads(getattr(lax, name), (x,), order=2)


def test_acosh_beyond_one():
    check_grads(lax.acosh, (Y,), order=2)


@pytest.mark.parametrize("name", UNARY_COMPLEX)
def test_unary_of_complex_numbers(name):
    check_grads(getattr(lax, name), (Z,), order=2)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize(
    "args", [(X, Y), (X, SCALAR), (SCALAR, Y), (SCALAR, SCALAR + 1)], ids=["xy", "xs", "sy", "ss"]
)
def test_binary_with_scalars_on_either_side(name, args):
    check_grads(getattr(lax, name), args, order=2)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow"])
def test_binary_of_complex_numbers(name):
    check_grads(getattr(lax, name), (Z, W), order=2)


@pytest.mark.parametrize("y", [-2, 0, 1, 2, 3])
def test_integer_pow(y):
    check_grads(lambda x: lax.integer_pow(x, y), (X,), order=2)


def test_numbers_as_operands():
    check_grads(lambda x: lax.pow(x, 2.5), (X,), order=2)
    check_grads(lambda x: lax.pow(2.5, x), (X,), order=2)
    check_grads(lambda x: lax.div(1.0, lax.add(2.0, lax.mul(x, 3.0))), (X,), order=2)


def test_integer_exponent_array():
    check_grads(lambda x: lax.pow(x, np.array([[0, 1, 2], [3, -1, -2]])), (X,), order=2)


def test_derivatives_keep_narrow_dtypes():
    for dtype in ("float16", "bfloat16", "float32"):
        x = lax.convert_element_type(X, dtype)
        for name in UNARY:
            slopes = jvp(getattr(lax, name), (x,), (x,))[1]
            assert slopes.dtype == x.dtype, name


def test_tangents_of_python_numbers_are_weakly_typed_as_the_values_are():
    for name in [*UNARY, *BINARY]:
        f = getattr(lax, name)
        args = (0.5,) if name in UNARY else (0.5, 0.7)
        out, tangent = jvp(f, args, args)
        assert typeof(out).weak_type, name
        assert typeof(tangent).weak_type or name in NO_SLOPE, name


NO_SLOPE = ["floor", "ceil", "round", "sign"]


# --- choices at kinks, and edges ---


@pytest.mark.parametrize(
    "name, x, expected",
    [
        ("abs", 0.0, 0.0),
        ("sign", 0.0, 0.0),
        ("sqrt", 0.0, math.inf),
        ("rsqrt", 0.0, -math.inf),
        ("cbrt", 0.0, math.inf),
        ("log", 0.0, math.inf),
        ("log1p", -1.0, math.inf),
        ("asin", 1.0, math.inf),
        ("acos", 1.0, -math.inf),
        ("acosh", 1.0, math.inf),
        ("atanh", 1.0, math.inf),
        ("tanh", 0.0, 1.0),
        ("tanh", 400.0, 0.0),
        ("logistic", -800.0, 0.0),
        ("logistic", 800.0, 0.0),
        ("exp", -math.inf, 0.0),
        ("square", 0.0, 0.0),
    ],
)
def test_edges(name, x, expected):
    assert slope(getattr(lax, name), x) == expected


@pytest.mark.parametrize("name", ["max", "min"])
def test_equal_operands_share_the_derivative_of_an_extreme(name):
    f = getattr(lax, name)
    assert tuple(map(float, grad(f, (0, 1))(1.0, 1.0))) == (0.5, 0.5)
    assert tuple(map(float, grad(f, (0, 1))(0.0, -0.0))) == (0.5, 0.5)
    assert tuple(map(float, grad(f, (0, 1))(math.inf, math.inf))) == (0.5, 0.5)


def test_the_greater_operand_gets_the_derivative_of_max():
    assert tuple(map(float, grad(lax.max, (0, 1))(2.0, 1.0))) == (1.0, 0.0)
    assert tuple(map(float, grad(lax.min, (0, 1))(2.0, 1.0))) == (0.0, 1.0)


def test_clamp_is_flat_at_and_beyond_its_bounds():
    slopes = [slope(lambda x: lax.clamp(0.0, x, 1.0), x) for x in (-1.0, 0.0, 0.5, 1.0, 2.0)]
    assert slopes == [0.0, 0.0, 1.0, 0.0, 0.0]


def test_clamp_passes_derivatives_to_the_bound_that_holds():
    check_grads(lax.clamp, (X - 0.1, X, X + 1), order=2)
    check_grads(lax.clamp, (np.float64(0.4), X, np.float64(0.6)), order=2)
    assert slope(lambda low: lax.clamp(low, 0.0, 3.0), 1.0) == 1.0
    assert slope(lambda high: lax.clamp(-3.0, 0.0, high), -1.0) == 1.0


def test_clamp_stops_infinite_cotangents():
    assert float(grad(lambda x: lax.sqrt(lax.clamp(0.0, x, 1.0)))(-1.0)) == 0.0


@pytest.mark.parametrize(
    "x, y, by_base, by_exponent",
    [
        (0.0, 0.0, 0.0, 0.0),
        (0.0, 1.0, 1.0, 0.0),
        (0.0, 2.0, 0.0, 0.0),
        (0.0, 0.5, math.inf, 0.0),
        (2.0, 0.0, 0.0, math.log(2.0)),
        (-2.0, 2.0, -4.0, math.nan),
    ],
)
def test_powers_at_zero_and_below(x, y, by_base, by_exponent):
    got = [float(d) for d in grad(lax.pow, (0, 1))(x, y)]
    np.testing.assert_allclose(got, [by_base, by_exponent])
    np.testing.assert_allclose(slope(lambda b: lax.pow(b, y), x), by_base)
    if x >= 0:
        np.testing.assert_allclose(slope(lambda e: lax.pow(x, e), y), by_exponent)


def test_rem_follows_the_dividend_and_counts_divisors():
    for x, y in [(5.3, -2.0), (-5.3, 2.0), (5.3, 2.0), (1.0, 3.0)]:
        got = [float(d) for d in grad(lax.rem, (0, 1))(x, y)]
        np.testing.assert_allclose(got, [1.0, -math.trunc(x / y)], atol=1e-12)


def test_tanh_keeps_its_digits_far_out():
    np.testing.assert_allclose(slope(lax.tanh, 15.0), 4 * math.exp(-30.0), rtol=1e-2)


# --- complex conventions ---


def test_holomorphic_gradient_is_the_complex_derivative():
    z = 1.0 + 2.0j
    assert complex(grad(lax.log, holomorphic=True)(z)) == pytest.approx(1 / z)
    assert complex(grad(lax.exp, holomorphic=True)(z)) == pytest.approx(np.exp(z))


def test_gradient_of_a_real_function_conjugates_as_jax_does():
    def size(z):
        return lax.real(lax.mul(z, lax.conj(z)))

    assert complex(grad(size)(1.0 + 2.0j)) == 2.0 - 4.0j
    assert complex(grad(lax.abs)(3.0 + 4.0j)) == pytest.approx(0.6 - 0.8j)
    assert complex(grad(lax.real)(1.0 + 2.0j)) == 1.0
    assert complex(grad(lax.imag)(1.0 + 2.0j)) == -1.0j


def test_absolute_value_of_complex_zero_has_derivative_zero():
    assert complex(grad(lax.abs)(0.0j)) == 0
    assert complex(jvp(lax.sign, (0.0j,), (1.0 + 0.0j,))[1]) == 0


def test_complex_from_parts():
    check_grads(lax.complex, (X, Y), order=2)
    check_grads(lax.complex, (X, SCALAR), order=2)
    check_grads(lambda x: lax.complex(x, 1.0), (X,), order=2)
    check_grads(lambda y: lax.complex(X, y), (SCALAR,), order=2)
    check_grads(lax.conj, (X,), order=2)


# --- selection, conversion ---


def test_select_passes_each_case_its_own_elements():
    which = np.array([[0, 1, 2], [2, 1, 0]], np.int32)
    check_grads(lambda a, b, c: lax.select_n(which, a, b, c), (X, Y, X), order=2)
    ct_a, ct_b = vjp(lambda a, b: lax.select(X > 0.5, a, b), X, Y)[1](np.ones((2, 3)))
    np.testing.assert_array_equal(ct_a, X > 0.5)
    np.testing.assert_array_equal(ct_b, X <= 0.5)


def test_select_between_array_and_number():
    check_grads(lambda x: lax.select_n(X > 0.5, x, 0.0), (X,), order=2)
    check_grads(lambda s: lax.select_n(X > 0.5, X, s), (SCALAR,), order=2)
    check_grads(lambda s: lax.select_n(np.bool_(True), X, s), (SCALAR,), order=2)


def test_select_stops_nan_from_the_branch_not_taken():
    def safe_log(x):
        return lax.select(lax.gt(x, 0.0), lax.log(x), lax.full_like(x, 0.0))

    assert float(jvp(safe_log, (-1.0,), (1.0,))[1]) == 0.0


def test_conversion_goes_both_ways():
    check_grads(lambda x: lax.convert_element_type(x, np.complex128), (X,), order=2)
    narrow = vjp(lambda x: lax.convert_element_type(x, np.float32), X)[1]
    ct = lax.convert_element_type(X, np.float32)
    assert narrow(ct)[0].dtype == np.float64


def test_conversion_to_integers_has_no_derivative():
    out, tangent = jvp(lambda x: lax.convert_element_type(x, np.int32), (X,), (X,))
    assert out.dtype == np.int32
    assert tangent.dtype == [("float0", "V")]


def test_identities():
    check_grads(lambda x: lax.reduce_precision(x, 11, 52), (X,), order=2)
    check_grads(lambda x, y: lax.optimization_barrier((x, lax.mul(x, y), 3)), (X, Y), order=2)


def test_stop_gradient_stops_it():
    assert float(grad(lambda x: lax.mul(x, lax.stop_gradient(x)))(3.0)) == 3.0
    assert float(grad(lax.stop_gradient)(3.0)) == 0.0


def test_piecewise_constant_functions_and_comparisons_have_derivative_zero():
    for f in (lax.floor, lax.ceil, lax.round, lax.sign):
        assert slope(f, 0.3) == 0.0
    flags = linearize(lambda x: lax.gt(x, 0.5), X)[1](X)
    assert flags.dtype == [("float0", "V")]


def test_nextafter_says_why_it_has_no_derivative():
    with pytest.raises(MissingRuleError, match="floating-point format"):
        grad(lambda x: lax.nextafter(x, 2.0))(1.0)

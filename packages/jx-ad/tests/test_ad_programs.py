"""Derivatives of staged functions: derived once a signature, with nothing computed twice."""

import numpy as np
import pytest

from jx_ad import grad, jacfwd, jvp, linearize, value_and_grad, vjp
from jx_ad.programs import jvp_jaxpr, linearize_jaxpr, transpose_jaxpr
from jx_core import Primitive, jit, lax, make_jaxpr, tree
from jx_core.ops.control_flow.jit import jit_p

V = np.arange(1.0, 4.0, dtype=np.float32)


def close(got, expected):
    tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6), got, expected)


def total(x):
    return lax.reduce_sum(x, tuple(range(x.ndim)))


def primitives_in(jaxpr):
    """The names of all operations, those of inner programs included."""
    names = []
    for eqn in jaxpr.eqns:
        if eqn.primitive is jit_p:
            names += primitives_in(eqn.params["jaxpr"])
        else:
            names.append(eqn.primitive.name)
    return names


class Counted:
    """A square whose derivation is counted: how often the rule of its JVP runs."""

    def __init__(self):
        from jx_ad import defjvp

        self.derivations = 0
        self.primitive = Primitive("counted_square", abstract=lambda x: x, reference=np.square)

        def rule(t, out, x):
            self.derivations += 1
            return lax.mul(t, lax.mul(x, 2.0))

        defjvp(self.primitive)(rule)

    def __call__(self, x):
        return self.primitive.bind(x)


# --- values ---


def test_staged_functions_have_the_derivatives_of_plain_ones():
    def f(x, y):
        return {"a": lax.mul(lax.sin(x), y), "b": [lax.exp(x), 2.0]}

    plain, staged = vjp(f, V, V), vjp(jit(f), V, V)
    ct = {"a": V, "b": [V, np.float32(1.0)]}
    close(staged[0], plain[0])
    close(staged[1](ct), plain[1](ct))
    close(jvp(jit(f), (V, V), (V, V)), jvp(f, (V, V), (V, V)))
    close(linearize(jit(f), V, V)[1](V, V), linearize(f, V, V)[1](V, V))


def test_static_integer_and_unused_arguments():
    @jit
    def f(n, x, unused):
        return total(lax.mul(x, lax.convert_element_type(n, np.float32)))

    close(grad(f, 1)(3, V, V), 3 * np.ones(3))
    close(grad(f, 2)(3, V, V), np.zeros(3))


def test_results_that_are_arguments_or_constants():
    f = jit(lambda x, y: (x, 3.0, y, lax.mul(x, y)))
    out, pull = vjp(f, 2.0, 5.0)
    close(pull((1.0, 1.0, 1.0, 1.0)), (6.0, 3.0))
    close(jvp(f, (2.0, 5.0), (1.0, 0.0))[1], (1.0, 0.0, 0.0, 5.0))


def test_one_argument_used_for_several_results():
    f = jit(lambda x: [x, x, lax.neg(x)])
    close(vjp(f, 2.0)[1]([1.0, 10.0, 100.0]), (1.0 + 10.0 - 100.0,))


def test_second_and_third_order():
    f = jit(lambda x: lax.mul(lax.sin(x), x))

    def second(x):
        return 2 * np.cos(x) - x * np.sin(x)

    close(grad(grad(f))(2.0), second(2.0))
    close(grad(jit(grad(f)))(2.0), second(2.0))
    close(jit(grad(jit(grad(f))))(2.0), second(2.0))
    close(jvp(grad(f), (2.0,), (1.0,))[1], second(2.0))
    close(jacfwd(jit(grad(f)))(2.0), second(2.0))
    close(grad(grad(grad(f)))(2.0), -3 * np.sin(2.0) - 2.0 * np.cos(2.0))


def test_staged_functions_inside_of_each_other():
    inner = jit(lambda x, y: lax.mul(lax.sin(x), y))
    outer = jit(lambda x: inner(inner(x, 2.0), x))
    plain = lambda x: lax.mul(lax.sin(lax.mul(lax.sin(x), 2.0)), x)  # noqa: E731
    close([grad(outer)(0.7), grad(grad(outer))(0.7)], [grad(plain)(0.7), grad(grad(plain))(0.7)])


# --- closing over values that are being differentiated ---


def test_a_staged_function_may_close_over_a_differentiated_value():
    def f(x):
        return jit(lambda y: lax.mul(y, x))(lax.mul(x, x))  # x^3

    close([grad(f)(3.0), grad(grad(f))(3.0)], [27.0, 18.0])
    close(jvp(f, (3.0,), (1.0,)), (27.0, 27.0))
    close(jit(grad(f))(3.0), 27.0)


def test_a_staged_function_with_no_argument_of_its_own():
    close(grad(lambda x: jit(lambda: lax.sin(x))())(0.0), 1.0)


def test_closing_over_values_of_two_levels():
    def f(x):
        def g(y):
            return jit(lambda z: lax.mul(lax.mul(x, y), z))(lax.mul(x, y))  # (x y)^2

        return grad(g)(3.0)  # 6 x^2

    close(grad(f)(2.0), 24.0)


# --- derived once ---


def test_a_staged_function_is_differentiated_once_a_signature():
    square = Counted()
    f = jit(lambda x: total(square(x)))
    for _ in range(3):
        close(grad(f)(V), 2 * V)
    assert square.derivations == 1
    close(grad(f)(V[:2]), 2 * V[:2])
    assert square.derivations == 2


def test_repeated_calls_in_one_program_are_differentiated_once():
    square = Counted()
    f = jit(lambda x: square(x))

    def many(x):
        for _ in range(5):
            x = f(x)
        return total(x)

    make_jaxpr(grad(many))(V)
    assert square.derivations == 1


def test_each_pattern_of_active_arguments_is_derived_once():
    square = Counted()
    f = jit(lambda x, y: total(lax.mul(square(x), y)))
    grad(f, 1)(V, V)
    assert square.derivations == 0
    grad(f, 0)(V, V)
    grad(f, 0)(V, V)
    assert square.derivations == 1


def test_the_second_derivative_is_derived_once_too():
    square = Counted()
    f = jit(lambda x: lax.mul(square(x), x))
    close(grad(grad(f))(2.0), 12.0)
    derivations = square.derivations
    close(grad(grad(f))(3.0), 18.0)
    assert square.derivations == derivations


# --- nothing computed twice ---


def test_the_backward_program_uses_residuals():
    jaxpr = make_jaxpr(grad(jit(lambda x: total(lax.exp(lax.sin(x))))))(V)
    forward, backward = [primitives_in(e.params["jaxpr"]) for e in jaxpr.eqns]
    assert sorted(forward) == ["cos", "exp", "reduce_sum", "sin"]
    assert "exp" not in backward
    assert "cos" not in backward


def test_the_value_is_shared_by_value_and_grad():
    jaxpr = make_jaxpr(value_and_grad(jit(lambda x: total(lax.exp(x)))))(V)
    assert primitives_in(jaxpr).count("exp") == 1


def test_arguments_are_residuals_without_being_copied():
    @jit
    def f(x, y):
        return lax.mul(x, y)

    jaxpr = make_jaxpr(lambda x, y: vjp(f, x, y)[0])(V, V)
    (forward,) = (e for e in jaxpr.eqns if e.primitive is jit_p)
    assert len(forward.outvars) == 1


def test_zero_tangents_are_not_computed():
    jaxpr = make_jaxpr(lambda x, y: jvp(jit(lax.mul), (x, y), (x, np.zeros_like(V))))(V, V)
    assert primitives_in(jaxpr).count("mul") == 3
    jaxpr = make_jaxpr(lambda x, y: jvp(lambda x: jit(lax.mul)(x, y), (x,), (x,)))(V, V)
    assert primitives_in(jaxpr).count("mul") == 2


def test_parts_that_do_not_move_are_not_differentiated():
    f = jit(lambda x, y: lax.mul(x, lax.exp(lax.sin(y))))
    names = primitives_in(make_jaxpr(grad(lambda x, y: total(f(x, y))))(V, V))
    assert "cos" not in names


def test_the_equations_of_a_gradient_point_to_the_users_lines():
    def f(x):
        y = lax.sin(x)
        return total(y)

    jaxpr = make_jaxpr(grad(f))(V)
    assert "test_ad_programs.py" in jaxpr.pretty_print(source_info=True).splitlines()[2]


# --- the derived programs themselves ---


def program(f, *args):
    return make_jaxpr(f)(*args)


def test_jvp_jaxpr_takes_active_tangents_only():
    closed = program(lambda x, y: (lax.mul(x, y), lax.sin(y)), V, V)
    derived, active_out = jvp_jaxpr(closed, (True, False))
    assert active_out == (True, False)
    assert (len(derived.in_avals), len(derived.out_avals)) == (3, 3)
    assert jvp_jaxpr(closed, (True, False))[0] is derived


def test_jvp_jaxpr_instantiates_zeros_on_request():
    closed = program(lambda x, y: (lax.mul(x, y), lax.sin(y)), V, V)
    derived, active_out = jvp_jaxpr(closed, (True, False), (True, True))
    assert active_out == (True, True)
    assert len(derived.out_avals) == 4


def test_linearize_jaxpr_finds_residuals_among_arguments_and_results():
    closed = program(lambda x, y: (lax.exp(x), lax.mul(x, y)), V, V)
    split = linearize_jaxpr(closed, (True, False))
    assert split.active_out == (True, True)
    assert sorted(split.residuals) == [("in", 1), ("out", 0)]
    assert len(split.forward.out_avals) == 2


def test_linearize_jaxpr_of_a_result_that_is_instantiated():
    closed = program(lambda x, y: (x, y), V, V)
    split = linearize_jaxpr(closed, (True, False), True)
    assert split.active_out == (True, True)
    assert len(split.linear.out_avals) == 2


def test_transpose_jaxpr_says_which_arguments_get_cotangents():
    closed = program(lambda x, y, z: (lax.mul(x, 2.0), lax.mul(y, z)), V, V, V)
    derived, gets = transpose_jaxpr(closed, (True, True, False), (True, False))
    assert gets == (True, False)
    assert len(derived.in_avals) == 2


@pytest.mark.parametrize("wrap", [lambda f: f, jit], ids=["plain", "staged"])
def test_differentiating_under_a_staged_caller(wrap):
    f = wrap(lambda x: lax.mul(lax.sin(x), x))

    @jit
    def step(x):
        value, slope = value_and_grad(f)(x)
        return lax.sub(x, lax.mul(slope, 0.1)), value

    new, value = step(2.0)
    close((new, value), (2.0 - 0.1 * (np.sin(2.0) + 2 * np.cos(2.0)), 2 * np.sin(2.0)))

"""The functions of differentiation: what they take, return and refuse, and how they nest."""

import functools
import math

import numpy as np
import pytest

from jx_ad import (
    grad,
    hessian,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    linear_transpose,
    linearize,
    value_and_grad,
    vjp,
)
from jx_core import Array, Tracer, dtypes, jit, lax, tree, typeof
from jx_core.errors import (
    ConcretizationTypeError,
    MissingRuleError,
    TracerArrayConversionError,
    UnexpectedTracerError,
)

V = np.arange(1.0, 4.0, dtype=np.float32)
NOTHING = np.zeros((), dtypes.float0)


def close(got, expected):
    tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6), got, expected)
    assert tree.structure(got) == tree.structure(expected)


def total(x):
    return lax.reduce_sum(x, tuple(range(x.ndim)))


def is_float0(x, shape=()):
    return x.dtype == dtypes.float0 and x.shape == shape


# --- jvp ---


def test_jvp_of_trees():
    def f(d, y):
        return {"p": lax.mul(d["x"], y), "q": [lax.sin(y)]}

    out, tangent = jvp(f, ({"x": 2.0}, 3.0), ({"x": 1.0}, 10.0))
    close(out, {"p": 6.0, "q": [np.sin(3.0)]})
    close(tangent, {"p": 1.0 * 3.0 + 2.0 * 10.0, "q": [10 * np.cos(3.0)]})


def test_jvp_takes_lists_and_python_numbers():
    close(jvp(lax.square, [3.0], [1.0]), (9.0, 6.0))


def test_jvp_of_constant_result_has_zero_tangents():
    out, tangent = jvp(lambda x: (3.0, V), (1.0,), (1.0,))
    close(tangent, (0.0, np.zeros(3)))


def test_jvp_of_integers_takes_and_gives_float0():
    out, tangent = jvp(lambda i, x: (i, lax.sin(x)), (3, 0.0), (NOTHING, 1.0))
    assert int(out[0]) == 3
    assert is_float0(tangent[0])
    close(tangent[1], 1.0)


def test_jvp_with_auxiliary_data():
    out, tangent, aux = jvp(
        lambda x: (lax.sin(x), {"x": x, "name": "s"}), (0.0,), (1.0,), has_aux=True
    )
    close((out, tangent), (0.0, 1.0))
    assert aux == {"x": 0.0, "name": "s"}
    assert not isinstance(aux["x"], Tracer)


@pytest.mark.parametrize(
    "primals, tangents, error, message",
    [
        (2.0, 1.0, TypeError, "must be tuples or lists; primals is a float"),
        ((2.0,), 1.0, TypeError, "must be tuples or lists; tangents is a float"),
        ((2.0,), ([1.0],), TypeError, "same tree structure"),
        ((2.0,), (1,), TypeError, "expected tangent dtype float32, but got tangent dtype int32"),
        ((2,), (1,), TypeError, "expected tangent dtype float0, but got tangent dtype int32"),
        ((V,), (V[:2],), ValueError, r"primal shape \(3,\) and tangent shape as \(2,\)"),
    ],
)
def test_jvp_refuses_tangents_that_do_not_fit(primals, tangents, error, message):
    with pytest.raises(error, match=message):
        jvp(lambda x: x, primals, tangents)


# --- linearize ---


def test_linearize_evaluates_once():
    calls = []

    def f(x):
        calls.append(1)
        return {"s": lax.sin(x), "c": 3.0}

    out, f_jvp = linearize(f, 0.0)
    close(out, {"s": 0.0, "c": 3.0})
    close([f_jvp(t) for t in (1.0, 2.0)], [{"s": 1.0, "c": 0.0}, {"s": 2.0, "c": 0.0}])
    assert len(calls) == 1


def test_linearize_of_several_arguments_and_auxiliary_data():
    out, f_jvp, aux = linearize(lambda x, y: (lax.mul(x, y), [x]), 2.0, 3.0, has_aux=True)
    close((out, f_jvp(1.0, 10.0)), (6.0, 23.0))
    assert aux == [2.0]


def test_linearized_function_checks_its_tangents():
    f_jvp = linearize(lax.sin, 0.0)[1]
    with pytest.raises(TypeError, match="same tree structure as the primal inputs"):
        f_jvp([1.0])
    with pytest.raises(ValueError, match="different primal and tangent shapes"):
        f_jvp(V)


def test_linearized_function_inside_of_jit():
    f_jvp = linearize(lambda x: total(lax.sin(x)), V)[1]
    close(jit(f_jvp)(V), np.sum(np.cos(V) * V))


# --- vjp ---


def test_vjp_pulls_back_as_often_as_asked():
    out, f_vjp = vjp(lax.mul, 3.0, 4.0)
    close(out, 12.0)
    close([f_vjp(1.0), f_vjp(2.0)], [(4.0, 3.0), (8.0, 6.0)])


def test_vjp_of_trees():
    def f(d):
        return {"s": lax.sin(d["x"]), "p": lax.mul(d["x"], d["y"])}

    f_vjp = vjp(f, {"x": V, "y": V})[1]
    close(f_vjp({"s": np.ones_like(V), "p": V}), ({"x": np.cos(V) + V * V, "y": V * V},))


def test_vjp_of_an_argument_that_is_not_used_is_zeros():
    close(vjp(lambda x, y: x, V, 2.0)[1](V), (V, 0.0))


def test_vjp_of_integers_takes_and_gives_float0():
    out, f_vjp = vjp(lambda i, x: (i, lax.sin(x)), 3, 0.0)
    ct_i, ct_x = f_vjp((NOTHING, 1.0))
    assert is_float0(ct_i)
    close(ct_x, 1.0)
    with pytest.raises(ValueError, match="must be float0"):
        f_vjp((1.0, 1.0))


def test_vjp_with_auxiliary_data():
    out, f_vjp, aux = vjp(lambda x: (lax.sin(x), (x, None)), 0.0, has_aux=True)
    close(f_vjp(1.0), (1.0,))
    assert aux == (0.0, None)


def test_vjp_checks_its_cotangent():
    f_vjp = vjp(lambda x: [x], V)[1]
    with pytest.raises(ValueError, match="unexpected tree structure of argument to vjp function"):
        f_vjp((V,))
    with pytest.raises(ValueError, match=r"got f32\[2\], but expected f32\[3\]"):
        f_vjp([V[:2]])
    with pytest.raises(ValueError, match=r"got i32\[3\], but expected f32\[3\]"):
        f_vjp([V.astype(np.int32)])
    with pytest.raises(TypeError, match="takes one argument.*got 2 arguments"):
        f_vjp([V], [V])


def test_vjp_function_is_a_tree_that_crosses_jit():
    f_vjp = jit(lambda x: vjp(lambda x: lax.mul(lax.sin(x), V), x)[1])(V)
    close(f_vjp(V), (np.cos(V) * V * V,))
    close(jit(lambda f, ct: f(ct))(f_vjp, V), (np.cos(V) * V * V,))
    assert tree.leaves(f_vjp)


def test_vjp_function_with_results_that_are_constant_is_a_tree_too():
    f_vjp = jit(lambda x: vjp(lambda x: (2.0, lax.sin(x)), x)[1])(0.0)
    close(f_vjp((5.0, 3.0)), (3.0,))


# --- grad and value_and_grad ---


def test_grad_has_the_shape_of_the_argument():
    close(grad(lambda x: total(lax.square(x)))(V), 2 * V)


@pytest.mark.parametrize(
    "argnums, expected",
    [
        (0, 3.0),
        (1, 2.0),
        (-1, 2.0),
        ((0,), (3.0,)),
        ((1, 0), (2.0, 3.0)),
        ([0, 1], (3.0, 2.0)),
        (np.int64(1), 2.0),
    ],
)
def test_grad_in_chosen_arguments(argnums, expected):
    close(grad(lax.mul, argnums)(2.0, 3.0), expected)


def test_grad_in_trees_and_with_keywords():
    def f(d, *, scale):
        return lax.mul(lax.mul(d["x"], d["pair"][0]), scale)

    got = grad(f)({"x": 2.0, "pair": (3.0, None)}, scale=10.0)
    close(got, {"x": 30.0, "pair": (20.0, None)})


def test_value_and_grad():
    close(value_and_grad(lax.square)(3.0), (9.0, 6.0))
    close(
        value_and_grad(lambda x, y: (lax.mul(x, y), [y]), (0, 1), has_aux=True)(2.0, 3.0),
        ((6.0, [3.0]), (3.0, 2.0)),
    )
    close(grad(lambda x: (lax.square(x), {"x": x}), has_aux=True)(3.0), (6.0, {"x": 3.0}))


def test_auxiliary_data_keeps_outer_derivatives_and_other_things():
    def outer(x):
        def inner(y):
            return lax.mul(y, y), {"cube": lax.mul(x, lax.mul(y, y))}

        return grad(inner, has_aux=True)(x)[1]["cube"]

    # The auxiliary result depends on x directly, and through the inner argument.
    close(grad(outer)(2.0), 12.0)
    assert grad(lambda x: (x, "text"), has_aux=True)(1.0)[1] == "text"


def test_results_are_arrays_even_of_trivial_functions():
    for f in (lambda x: x, lambda x: 3.0, lambda x: lax.add(x, x)):
        slope = grad(f)(2.0)
        assert isinstance(slope, Array)
        assert not isinstance(slope, (float, np.generic))


def test_python_numbers_have_weakly_typed_gradients():
    assert typeof(grad(lax.sin)(2.0)).weak_type
    assert not typeof(grad(lax.sin)(np.float32(2.0))).weak_type
    # Also where strongly typed values determine them: an update keeps the number's type.
    scaled = grad(lambda x: lax.mul(np.float32(3), x))
    assert typeof(scaled(2.0)).weak_type
    assert typeof(jit(scaled)(2.0)).weak_type
    assert not typeof(scaled(np.float32(2.0))).weak_type


def test_grad_keeps_the_functions_name():
    def loss(x):
        """A loss."""
        return x

    assert grad(loss).__name__ == "loss"
    assert grad(loss).__doc__ == "A loss."
    close(grad(functools.partial(lax.mul, 3.0))(2.0), 3.0)


def test_control_flow_on_values():
    def branch(x):
        return lax.square(x) if lax.gt(x, 1.0) else x

    def loop(x):  # the least power of x beyond 100
        y = x
        while lax.lt(y, 100.0):
            y = lax.mul(x, y)
        return y

    close([grad(branch)(3.0), grad(branch)(0.5)], [6.0, 1.0])
    close(grad(loop)(3.0), 5 * 3.0**4)
    close(jvp(loop, (3.0,), (1.0,)), (3.0**5, 5 * 3.0**4))


def test_gradients_in_integers_on_request_only():
    def f(i, x):
        return lax.mul(lax.convert_element_type(i, np.float32), x)

    with pytest.raises(TypeError, match="real- or complex-valued inputs.*got int32.*allow_int"):
        grad(f)(2, 3.0)
    by_i, by_x = grad(f, (0, 1), allow_int=True)(2, 3.0)
    assert is_float0(by_i)
    close(by_x, 2.0)


@pytest.mark.parametrize(
    "f, x, options, message",
    [
        (lambda x: x, V, {}, r"scalar-output functions. Output had shape: \(3,\)"),
        (lambda x: (x, x), 2.0, {}, "scalar-output functions.*was a tuple"),
        (lambda x: None, 2.0, {}, "scalar-output functions.*was a NoneType"),
        (lambda x: [x], 2.0, {}, "scalar-output functions.*was a list"),
        (lambda x: lax.convert_element_type(x, np.int32), 2.0, {}, "real-valued outputs.*int32"),
        (lambda x: lax.complex(x, x), 2.0, {}, "real-valued outputs.*complex64.*holomorphic=True"),
        (lambda x: x, 2.0, {"holomorphic": True}, "requires inputs with complex dtype.*float32"),
        (lax.real, 2j, {"holomorphic": True}, "requires outputs with complex dtype.*float32"),
        (lambda x: x, True, {}, "real- or complex-valued inputs.*bool"),
        (lambda x: x, "two", {}, "not a valid JAX type"),
        (lambda x: x, 2.0, {"has_aux": True}, "has_aux=True expects.*a pair"),
        (lambda x: (x, x, x), 2.0, {"has_aux": True}, "has_aux=True expects.*a pair"),
        (lambda x: "two", 2.0, {}, "returned a value of type <class 'str'>"),
    ],
)
def test_grad_refuses(f, x, options, message):
    with pytest.raises(TypeError, match=message):
        grad(f, **options)(x)


def test_grad_refuses_arguments_that_are_not_there():
    with pytest.raises(TypeError, match=r"argnums=\(3,\) requires at least 4 positional.*only 2"):
        grad(lax.mul, 3)(2.0, 3.0)
    with pytest.raises(ValueError, match=r"argnums=\(-3,\) requires at least 3 positional"):
        grad(lax.mul, -3)(2.0, 3.0)
    with pytest.raises(TypeError, match="argnums must be an int or a sequence of ints, got 'x'"):
        grad(lax.mul, "x")
    with pytest.raises(TypeError, match="argnums must be an int.*got 1.5"):
        grad(lax.mul, 1.5)


@pytest.mark.parametrize(
    "transform", [grad, value_and_grad, jacfwd, jacrev, hessian], ids=lambda t: t.__name__
)
def test_transformations_want_a_function(transform):
    with pytest.raises(TypeError, match="expects a callable as its first argument, got 3"):
        transform(3)


def test_reduce_axes_is_refused():
    for attempt in (
        lambda: grad(lax.sin, reduce_axes=("i",)),
        lambda: vjp(lax.sin, 0.0, reduce_axes=("i",)),
        lambda: linear_transpose(lax.neg, 0.0, reduce_axes=("i",)),
    ):
        with pytest.raises(TypeError, match="reduce_axes is not supported"):
            attempt()


def test_numbers_that_would_lose_their_derivative_are_not_read_by_accident():
    for read in (float, complex, math.sin):
        with pytest.raises(ConcretizationTypeError, match="would silently drop its derivative"):
            grad(lambda x, read=read: lax.mul(x, abs(read(x))))(2.0)
    assert grad(lambda x: lax.mul(x, float(x.item())))(2.0) == 2.0
    assert grad(lambda x: lax.mul(x, float(lax.stop_gradient(x))))(2.0) == 2.0
    assert grad(lambda x: lax.mul(x, float(int(x))))(2.5) == 2.0


# --- nesting ---


def test_higher_derivatives_in_every_mixture_of_modes():
    def forward(f):
        return lambda x: jvp(f, (x,), (1.0,))[1]

    def linear(f):
        return lambda x: linearize(f, x)[1](1.0)

    def reverse(f):
        return lambda x: vjp(f, x)[1](1.0)[0]

    modes = (forward, linear, reverse, grad, lambda f: jit(grad(f)), lambda f: grad(jit(f)))
    for outer in modes:
        for middle in modes:
            for inner in modes:
                close(outer(middle(inner(lax.sin)))(2.0), -np.cos(2.0))


def test_perturbations_of_nested_derivatives_are_not_confused():
    def f(x):
        return lax.mul(x, jvp(lambda y: lax.add(x, y), (1.0,), (1.0,))[1])

    close(jvp(f, (2.0,), (1.0,))[1], 1.0)
    close(grad(lambda x: lax.mul(x, grad(lambda y: lax.mul(x, y))(1.0)))(3.0), 6.0)


def test_closures_over_outer_arguments():
    close(grad(lambda x: grad(lambda y: lax.mul(lax.mul(x, x), y))(2.0))(3.0), 6.0)


def test_gradients_under_jit():
    close(jit(grad(lambda x: total(lax.sin(x))))(V), np.cos(V))
    close(jit(value_and_grad(lax.square))(3.0), (9.0, 6.0))
    close(jit(lambda x: jvp(lax.square, (x,), (1.0,)))(3.0), (9.0, 6.0))
    close(jit(lambda x: linearize(lax.square, x)[1](1.0))(3.0), 6.0)


def test_a_failed_call_leaves_nothing_behind():
    def fails(x):
        raise RuntimeError("on purpose")

    for transform in (grad, jacfwd, jacrev, lambda f: jit(grad(f)), lambda f: grad(jit(f))):
        with pytest.raises(RuntimeError, match="on purpose"):
            transform(fails)(1.0)
    close(grad(lax.square)(3.0), 6.0)
    assert not isinstance(lax.sin(1.0), Tracer)


# --- tracers that go astray ---


def test_a_leaked_tracer_says_what_it_is():
    kept = []
    grad(lambda x: (kept.append(lax.sin(x)), x)[1])(2.0)
    with pytest.raises(UnexpectedTracerError, match="value being differentiated"):
        lax.sin(kept[0])


def test_numpy_functions_of_traced_values_are_refused():
    with pytest.raises(TracerArrayConversionError, match="jx.numpy in place of numpy"):
        grad(lambda x: np.sin(x))(2.0)


# --- linear_transpose ---


def test_linear_transpose():
    transposed = linear_transpose(lambda x, y: lax.add(lax.mul(x, 3.0), y), V, V)
    close(transposed(V), (3 * V, V))


def test_linear_transpose_needs_types_only():
    class Described:
        shape, dtype = (3,), np.dtype(np.float32)

    transposed = linear_transpose(lambda x: total(lax.mul(x, V)), Described())
    close(transposed(2.0), (2 * V,))
    assert not typeof(transposed(2.0)[0]).weak_type  # the output is not, so no cotangent is


def test_linear_transpose_of_a_transpose():
    def f(x):
        return lax.broadcast(lax.mul(x, 2.0), (3,))

    t = linear_transpose(f, 1.0)
    tt = linear_transpose(lambda ct: t(ct)[0], V)
    close(tt(1.0), (2 * np.ones(3),))


def test_linear_transpose_refuses_what_is_not_linear():
    with pytest.raises(MissingRuleError, match="'sin' has no transposition"):
        linear_transpose(lax.sin, 1.0)(1.0)
    with pytest.raises(TypeError, match="the function is not linear"):
        linear_transpose(lambda x: lax.mul(x, x), 1.0)(1.0)
    with pytest.raises(TypeError, match=r"only supports \[float or complex\] inputs, got int32"):
        linear_transpose(lambda x: x, 1)


# --- Jacobians and Hessians ---


@pytest.mark.parametrize("jac", [jacfwd, jacrev, jacobian], ids=["jacfwd", "jacrev", "jacobian"])
def test_jacobians(jac):
    close(jac(lax.sin)(0.0), 1.0)
    close(jac(lax.square)(V), np.diag(2 * V))
    close(jac(lambda x: lax.broadcast(total(x), (2, 2)))(V), np.ones((2, 2, 3)))
    close(jac(total)(np.ones((2, 2), np.float32)), np.ones((2, 2)))


@pytest.mark.parametrize("jac", [jacfwd, jacrev], ids=["jacfwd", "jacrev"])
def test_jacobians_of_trees_nest_output_and_argument(jac):
    def f(d, y):
        return {"p": lax.mul(d["x"], y), "t": (total(d["x"]),)}

    got = jac(f, (0, 1))({"x": V}, 2.0)
    expected = {
        "p": ({"x": 2 * np.eye(3)}, V),
        "t": (({"x": np.ones(3)}, 0.0),),
    }
    close(got, expected)
    close(jac(f, 1)({"x": V}, 2.0), {"p": V, "t": (0.0,)})


@pytest.mark.parametrize("jac", [jacfwd, jacrev], ids=["jacfwd", "jacrev"])
def test_jacobians_of_empty_and_constant_things(jac):
    assert jac(lax.sin)(np.zeros(0, np.float32)).shape == (0, 0)
    assert jac(lambda x: total(x))(np.zeros((0, 2), np.float32)).shape == (0, 2)
    assert jac(lambda x: lax.full((0,), 1.0))(V).shape == (0, 3)
    close(jac(lambda x: 3.0)(V), np.zeros(3))


@pytest.mark.parametrize("jac", [jacfwd, jacrev], ids=["jacfwd", "jacrev"])
def test_jacobians_with_auxiliary_data(jac):
    got, aux = jac(lambda x: (lax.square(x), {"x": x}), has_aux=True)(V)
    close((got, aux), (np.diag(2 * V), {"x": V}))


@pytest.mark.parametrize("jac", [jacfwd, jacrev], ids=["jacfwd", "jacrev"])
def test_jacobians_of_complex_functions(jac):
    z = V + 1j * V
    close(jac(lax.square, holomorphic=True)(z), np.diag(2 * z))
    with pytest.raises(TypeError, match="requires inputs with complex dtype"):
        jac(lax.square, holomorphic=True)(V)
    with pytest.raises(TypeError, match="requires outputs with complex dtype"):
        jac(lax.real, holomorphic=True)(z)
    with pytest.raises(TypeError, match="real-valued outputs.*complex64"):
        jac(lambda x: lax.complex(x, x))(V)


def test_jacfwd_refuses_complex_and_integer_arguments():
    with pytest.raises(TypeError, match="jacfwd requires real-valued inputs.*complex64"):
        jacfwd(lax.real)(1j)
    with pytest.raises(TypeError, match="jacfwd requires real- or complex-valued inputs.*int32"):
        jacfwd(lambda x: x)(1)


def test_jacrev_of_integers_on_request():
    def f(i, x):
        return lax.mul(x, lax.convert_element_type(i, np.float32))

    by_i, by_x = jacrev(f, (0, 1), allow_int=True)(2, V)
    assert is_float0(by_i, (3,))
    close(by_x, 2 * np.eye(3))
    with pytest.raises(TypeError, match="jacrev requires real- or complex-valued inputs"):
        jacrev(f)(2, V)


def test_hessian():
    expected = np.array([[0, 3, 2], [3, 0, 1], [2, 1, 0]])
    close(hessian(lambda x: lax.reduce_prod(x, (0,)))(V), expected)
    close(
        hessian(lambda d: lax.mul(d["a"], lax.square(d["b"])))({"a": 2.0, "b": 3.0}),
        {"a": {"a": 0.0, "b": 6.0}, "b": {"a": 6.0, "b": 4.0}},
    )
    close(jit(hessian(lambda x: total(lax.mul(x, lax.square(x)))))(V), np.diag(6 * V))


def test_hessian_with_auxiliary_data():
    got, aux = hessian(lambda x: (lax.mul(x, lax.square(x)), {"x": x}), has_aux=True)(2.0)
    close(got, 12.0)
    close(aux, {"x": 2.0})


def test_derivatives_of_jacobians():
    def size(x):
        return total(lax.square(jacrev(lax.sin)(x)))

    close(grad(size)(V), -2 * np.cos(V) * np.sin(V))

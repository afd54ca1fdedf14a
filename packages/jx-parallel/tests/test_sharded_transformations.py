"""Differentiating and batching programs over several devices."""

import numpy as np
import pytest

from jx_ad import grad, jvp, linearize, vjp
from jx_batching import vmap
from jx_core import jit, lax, make_jaxpr
from jx_parallel import P, with_sharding_constraint
from jx_xla import device_put

X = np.arange(8, dtype=np.float32)
ROWS = np.arange(32, dtype=np.float32).reshape(4, 8)


def square_sum(x):
    return lax.reduce_sum(lax.mul(x, x), (0,))


def shardings_of(closed, name="sharding_constraint"):
    return [e.params["sharding"] for e in closed.jaxpr.eqns if e.primitive.name == name]


# Constraints


def test_cotangents_are_constrained_as_their_primals(on):
    program = make_jaxpr(grad(lambda x: square_sum(with_sharding_constraint(x, on("x")))))(X)
    assert shardings_of(program) == [on("x"), on("x")]
    gradient = jit(grad(lambda x: square_sum(with_sharding_constraint(x, on("x")))))(X)
    assert gradient.sharding == on("x")
    np.testing.assert_array_equal(gradient, 2 * X)


def test_tangents_are_constrained_as_their_primals(on):
    out, tangent = jvp(lambda x: with_sharding_constraint(x, on("y")), (X,), (X + 1,))
    assert out.sharding == tangent.sharding == on("y")
    np.testing.assert_array_equal(tangent, X + 1)


def test_a_batch_axis_is_left_to_the_compiler(on):
    program = make_jaxpr(vmap(lambda x: with_sharding_constraint(x, on("x"))))(ROWS)
    (eqn,) = program.jaxpr.eqns
    assert eqn.params["sharding"] == on(None, "x")
    assert eqn.params["unconstrained_dims"] == {0}
    columns = vmap(lambda x: with_sharding_constraint(x, on("x")), in_axes=1, out_axes=1)
    (eqn,) = make_jaxpr(columns)(ROWS.T).jaxpr.eqns
    assert eqn.params["sharding"] == on("x", None) and eqn.params["unconstrained_dims"] == {1}


def test_a_batch_axis_lies_along_the_mesh_axis_that_is_named(on):
    mapped = vmap(lambda x: with_sharding_constraint(x, on("x")), spmd_axis_name="y")
    (eqn,) = make_jaxpr(mapped)(ROWS).jaxpr.eqns
    assert eqn.params["sharding"] == on("y", "x") and not eqn.params["unconstrained_dims"]
    assert jit(mapped)(ROWS).sharding == on("y", "x")


def test_open_dimensions_stay_open_in_a_batch(on):
    free = on(P.UNCONSTRAINED, "x")
    mapped = vmap(lambda x: with_sharding_constraint(x, free), spmd_axis_name="y")
    (eqn,) = make_jaxpr(mapped)(np.ones((2, 4, 4), np.float32)).jaxpr.eqns
    assert eqn.params["unconstrained_dims"] == {1}


# Moves


def test_cotangents_go_back_to_where_the_operand_was(devices):
    x = device_put(X, devices[2])
    gradient = grad(lambda x: square_sum(device_put(x, devices[1])))(x)
    assert gradient.devices() == {devices[2]}
    np.testing.assert_array_equal(gradient, 2 * X)


def test_a_source_can_be_named(devices):
    gradient = grad(lambda x: square_sum(device_put(x, devices[1], src=devices[3])))(X)
    assert gradient.devices() == {devices[3]}


def test_a_batch_is_moved_whole(on, devices):
    assert vmap(lambda x: device_put(x, devices[1]))(ROWS).devices() == {devices[1]}
    moved = vmap(lambda x: device_put(x, on("x")))(ROWS)
    assert moved.sharding == on(None, "x")
    np.testing.assert_array_equal(moved, ROWS)


# Staged calls


def pulled_back(f):
    return lambda x: vjp(f, x)[1](np.float32(1))[0]


@pytest.mark.parametrize("differentiate", [grad, pulled_back])
def test_gradients_of_a_sharded_call_are_sharded_like_its_arguments(on, differentiate):
    gradient = differentiate(jit(square_sum, in_shardings=on("x")))(X)
    assert gradient.sharding == on("x")
    np.testing.assert_array_equal(gradient, 2 * X)


def test_derivatives_forward_are_sharded_like_the_results(on):
    f = jit(lax.sin, in_shardings=on("x"), out_shardings=on("y"))
    out, tangent = jvp(f, (X,), (np.ones_like(X),))
    assert out.sharding == tangent.sharding == on("y")
    out, forward = linearize(f, X)
    assert out.sharding == forward(np.ones_like(X)).sharding == on("y")
    np.testing.assert_allclose(tangent, np.cos(X), rtol=1e-5, atol=1e-6)


def test_a_batch_of_sharded_calls(on):
    f = jit(lax.sin, in_shardings=on("x"), out_shardings=on("x"))
    assert vmap(f)(ROWS).sharding == on(None, "x")
    assert vmap(f, spmd_axis_name="y")(ROWS).sharding == on("y", "x")
    assert vmap(f, in_axes=1, out_axes=1)(ROWS.T).sharding == on("x", None)
    np.testing.assert_allclose(vmap(f)(ROWS), np.sin(ROWS), rtol=1e-5, atol=1e-6)


def test_data_parallel_descent_is_the_same_on_any_number_of_devices(on):
    x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(16, 4)
    y = x.sum(1)

    def loss(w, x, y):
        residual = lax.sub(lax.dot(x, w), y)
        return lax.div(square_sum(residual), 16.0)

    def step(w, x, y):
        return lax.sub(w, lax.mul(grad(loss)(w, x, y), 0.1))

    alone, w = jit(step), np.zeros(4, np.float32)
    together = jit(
        step,
        in_shardings=(on(), on(("x", "y")), on(("x", "y"))),
        out_shardings=on(),
        donate_argnums=0,
    )
    v = device_put(w, on())
    for _ in range(20):
        w, v = alone(w, x, y), together(v, x, y)
    assert v.sharding == on()
    np.testing.assert_allclose(v, w, rtol=1e-5, atol=1e-6)

"""Differentiation of operations that say where an array lies, and of calls that do."""

import numpy as np
import pytest

from jx_ad import grad, jvp
from jx_core import jit, lax, make_jaxpr
from jx_core.lax import device_put_p, with_sharding_constraint

X = np.arange(3, dtype=np.float32)


class Layout:
    """The least that a sharding must offer."""

    unconstrained_dims = frozenset()

    def insert_axis(self, position, name=None):
        return self

    def check_compatible_aval(self, shape):
        pass


LAYOUT, OTHER = Layout(), Layout()


def square_sum(x):
    return lax.reduce_sum(lax.mul(x, x), (0,))


def test_a_cotangent_goes_from_the_place_to_the_source():
    def f(x):
        return square_sum(device_put_p.bind(x, device="there", src="here"))

    puts = [e for e in make_jaxpr(grad(f))(X).jaxpr.eqns if e.primitive is device_put_p]
    assert [e.params["device"] for e in puts] == ["there", "here"]
    assert [e.params["src"] for e in puts] == ["here", "there"]


def test_constraints_hold_for_tangents_and_cotangents():
    def f(x):
        return with_sharding_constraint(x, LAYOUT)

    for program in (
        make_jaxpr(lambda x, t: jvp(f, (x,), (t,)))(X, X),
        make_jaxpr(grad(lambda x: square_sum(f(x))))(X),
    ):
        constraints = [e for e in program.jaxpr.eqns if "sharding" in e.params]
        assert [e.params["sharding"] for e in constraints] == [LAYOUT, LAYOUT]


def calls(program):
    return [e.params for e in program.jaxpr.eqns if e.primitive.name == "jit"]


def test_a_call_derived_forward_keeps_the_layout_of_primals_and_tangents():
    f = jit(lambda x, n: lax.mul(lax.sin(x), n), in_shardings=(LAYOUT, None), out_shardings=OTHER)
    program = make_jaxpr(lambda x, t: jvp(lambda y: f(y, X), (x,), (t,)))(X, X)
    (call,) = calls(program)
    assert call["in_shardings"] == (LAYOUT, None, LAYOUT)
    assert call["out_shardings"] == (OTHER, OTHER)


def test_a_call_derived_backward_lays_cotangents_out_as_operands():
    f = jit(lambda x: lax.sin(x), in_shardings=LAYOUT, out_shardings=OTHER)
    forward, backward = calls(make_jaxpr(grad(lambda x: lax.reduce_sum(f(x), (0,))))(X))
    assert forward["in_shardings"] == (LAYOUT,)
    assert forward["out_shardings"][0] is OTHER
    assert set(forward["out_shardings"][1:]) <= {None}
    assert backward["in_shardings"] is None
    assert backward["out_shardings"] == (LAYOUT,)


@pytest.mark.parametrize("options", [{}, {"donate_argnums": 0}, {"in_shardings": None}])
def test_calls_that_name_no_layout_derive_calls_that_name_none(options):
    for call in calls(make_jaxpr(grad(jit(square_sum, **options)))(X)):
        assert call["in_shardings"] is None and call["out_shardings"] is None
        assert call["donated"] == ()

"""The type checker of programs finds what is wrong with each kind of broken one."""

import numpy as np
import pytest

from jx_core import (
    ClosedJaxpr,
    Jaxpr,
    Primitive,
    ShapedArray,
    Var,
    check_jaxpr,
    jit,
    lax,
    make_jaxpr,
)
from jx_core.config import enable_checks
from jx_core.errors import JaxprTypeError
from jx_core.jaxpr import DropVar, Eqn, Literal

F3, I3, F = ShapedArray((3,), np.float32), ShapedArray((3,), np.int32), ShapedArray((), np.float32)


def program(*eqns, invars=(), outvars=(), constvars=()):
    return Jaxpr(constvars, invars, outvars, eqns)


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: lax.sin(x) + 1.0,
        lambda x: jit(lambda y: y * 2.0)(x),
        lambda x: lax.cond(True, lax.sin, lax.cos, x),
        lambda x: lax.scan(lambda c, v: (c + v, v), 0.0, x),
        lambda x: lax.while_loop(lambda c: lax.reduce_max(c, (0,)) < 9, lambda c: c + 1, x),
        lambda x: lax.sort((x, x)),
    ],
)
def test_what_tracing_makes_is_well_typed(fun):
    check_jaxpr(make_jaxpr(fun)(np.float32([1, 2, 3])))


def test_undefined_variables():
    a, b = Var(F3), Var(F3)
    with pytest.raises(JaxprTypeError, match=r"operand 0 of `.*sin.*` .*not defined before"):
        check_jaxpr(program(Eqn(lax.sin_p, [a], [b], {}), outvars=[b]))
    with pytest.raises(JaxprTypeError, match="a result of the program is Var.*not defined"):
        check_jaxpr(program(invars=[a], outvars=[b]))


def test_use_before_definition():
    a, b, c = Var(F3), Var(F3), Var(F3)
    eqns = Eqn(lax.sin_p, [b], [c], {}), Eqn(lax.sin_p, [a], [b], {})
    with pytest.raises(JaxprTypeError, match="not defined before"):
        check_jaxpr(program(*eqns, invars=[a], outvars=[c]))


def test_variables_bound_twice():
    a, b = Var(F3), Var(F3)
    with pytest.raises(JaxprTypeError, match="bound twice, the second time as an argument"):
        check_jaxpr(program(invars=[a, a]))
    eqn = Eqn(lax.sin_p, [a], [b], {})
    with pytest.raises(JaxprTypeError, match="bound twice, the second time as a result of"):
        check_jaxpr(program(eqn, eqn, invars=[a], outvars=[b]))


def test_operands_that_the_primitive_does_not_take():
    a, b = Var(I3), Var(I3)
    with pytest.raises(JaxprTypeError, match="ill-typed: sin does not accept dtype int32"):
        check_jaxpr(program(Eqn(lax.sin_p, [a], [b], {}), invars=[a], outvars=[b]))


def test_results_of_another_type():
    a, b = Var(F3), Var(F)
    with pytest.raises(
        JaxprTypeError, match=r"result of type ShapedArray\(float32\[\]\).*gives.*\[3\]"
    ):
        check_jaxpr(program(Eqn(lax.sin_p, [a], [b], {}), invars=[a], outvars=[b]))


def test_a_wrong_number_of_results():
    a, b = Var(F3), Var(F3)
    params = {"dimension": 0, "is_stable": True, "num_keys": 1}
    with pytest.raises(JaxprTypeError, match="has 2 results; the primitive's type rule gives 1"):
        check_jaxpr(program(Eqn(lax.sort_p, [a], [b, Var(F3)], params), invars=[a], outvars=[b]))


def test_constants_of_another_type():
    a = Var(F3)
    with pytest.raises(
        JaxprTypeError, match=r"constant of type i32\[3\] .* constvar of type f32\[3\]"
    ):
        check_jaxpr(ClosedJaxpr(program(constvars=[a], outvars=[a]), [np.arange(3)]))


def test_effects_that_are_not_recorded():
    a, b = Var(F3), Var(F3)
    eqn = Eqn(lax.sin_p, [a], [b], {}, effects=frozenset({"ink"}))
    with pytest.raises(JaxprTypeError, match="records effects {'ink'}, it has set()"):
        check_jaxpr(program(eqn, invars=[a], outvars=[b]))


def test_inner_programs_are_checked():
    a, b = Var(F3), Var(F3)
    inner = ClosedJaxpr(program(Eqn(lax.sin_p, [b], [b], {}), invars=[a], outvars=[b]))
    eqn = make_jaxpr(lambda x: jit(lax.sin)(x))(np.float32([1, 2, 3])).eqns[0]
    broken = eqn.replace(params={**eqn.params, "jaxpr": inner}, invars=[a])
    with pytest.raises(JaxprTypeError, match="not defined before"):
        check_jaxpr(program(broken, invars=[a], outvars=broken.outvars))


def test_literals_and_dropped_results_are_fine():
    a = Var(F3)
    eqns = Eqn(lax.mul_p, [a, Literal(np.float32(2))], [DropVar(F3)], {})
    check_jaxpr(program(eqns, invars=[a], outvars=[Literal(1.0)]))


def test_constants_must_go_with_constvars():
    with pytest.raises(TypeError, match="has 0 constvars, got 1 consts"):
        ClosedJaxpr(program(), [1.0])


def test_with_enable_checks_tracing_checks_what_it_made():
    effects = iter([frozenset(), frozenset({"another"})])
    fickle_p = Primitive("fickle_of_tests", abstract=lambda x: x, reference=lambda x: x)
    fickle_p.effects = lambda: next(effects)
    x = np.float32([1, 2, 3])
    with enable_checks(True), pytest.raises(JaxprTypeError, match="records effects"):
        make_jaxpr(fickle_p.bind)(x)
    effects = iter([frozenset(), frozenset({"another"})])
    make_jaxpr(fickle_p.bind)(x)
    with enable_checks(True):
        make_jaxpr(lax.sin)(x)

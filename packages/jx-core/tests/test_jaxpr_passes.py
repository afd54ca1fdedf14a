"""Rewrites of programs: what they drop, what they keep, and that the meaning stays."""

import numpy as np

from jx_core import (
    Primitive,
    backend,
    check_jaxpr,
    dead_code_elimination,
    eval_jaxpr,
    lax,
    make_jaxpr,
)
from jx_core.jaxpr import live_equations, subjaxprs, used_inputs

X = np.float32([1, 2, 3])


def names(program):
    return [e.primitive.name for e in program.eqns]


def test_equations_without_use_go():
    program = make_jaxpr(lambda x: (lax.sin(x), lax.cos(lax.exp(x)))[0])(X)
    smaller, used = dead_code_elimination(program)
    assert names(smaller) == ["sin"] and used == (True,)
    check_jaxpr(smaller)


def test_arguments_and_constants_without_use_go():
    table = np.float32([7, 8, 9])
    program = make_jaxpr(lambda x, y, z: (lax.add(x, z), lax.mul(y, table))[0])(X, X, X)
    smaller, used = dead_code_elimination(program)
    assert used == (True, False, True)
    assert len(smaller.in_avals) == 2 and smaller.consts == []


def test_results_may_be_dropped():
    program = make_jaxpr(lambda x, y: (lax.sin(x), lax.cos(y)))(X, X)
    smaller, used = dead_code_elimination(program, [False, True])
    assert names(smaller) == ["cos"] and used == (False, True)
    assert len(smaller.out_avals) == 1


def test_an_equation_with_one_live_result_stays():
    program = make_jaxpr(lambda x: lax.top_k(x, 2)[1])(X)
    assert names(dead_code_elimination(program)[0]) == ["top_k"]


def test_effects_are_kept_alive():
    noisy = Primitive(
        "noisy_of_passes", abstract=lambda x: x, reference=lambda x: x,
        effects=lambda: frozenset({"noise"}),
    )  # fmt: skip
    program = make_jaxpr(lambda x, y: (noisy.bind(lax.sin(x)), y)[1])(X, X)
    smaller, used = dead_code_elimination(program)
    assert names(smaller) == ["sin", "noisy_of_passes"] and used == (True, True)
    assert smaller.effects == {"noise"}


def test_arguments_that_are_results_are_used():
    program = make_jaxpr(lambda x, y: x)(X, X)
    assert used_inputs(program.jaxpr) == (True, False)
    assert live_equations(program.jaxpr) == []


def test_the_meaning_stays():
    program = make_jaxpr(lambda x, y: (lax.sin(x) * 2.0, lax.cos(y), lax.exp(x)))(X, X)
    smaller, used = dead_code_elimination(program, [True, False, True])
    with backend.use("numpy"):
        whole = eval_jaxpr(program.jaxpr, program.consts, X, X)
        part = eval_jaxpr(smaller.jaxpr, smaller.consts, X)
    np.testing.assert_array_equal(part[0], whole[0])
    np.testing.assert_array_equal(part[1], whole[2])


def test_inner_programs_can_be_listed():
    program = make_jaxpr(lambda p, x: lax.cond(p, lax.sin, lax.cos, x))(True, X)
    assert sorted(e.primitive.name for j in subjaxprs(program.jaxpr) for e in j.eqns) == [
        "cos",
        "sin",
    ]

"""Batching staged calls and primitives defined elsewhere; what leaks and what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from jx_batching import BatchAxis, BatchTracer, batch_jaxpr, batch_rules, defbatch, vmap
from jx_core import Primitive, eval_jaxpr, jit, lax, make_jaxpr
from jx_core.errors import (
    MissingRuleError,
    TracerArrayConversionError,
    TracerBoolConversionError,
    UnexpectedTracerError,
)

X = np.arange(12, dtype=np.float32).reshape(3, 4)


def same(got, wanted):
    np.testing.assert_allclose(np.asarray(got), wanted, rtol=1e-6)


# --- staged calls ---


def test_a_staged_call_stays_one():
    def named(x, y):
        return lax.add(lax.sin(x), y), y

    jaxpr = make_jaxpr(vmap(jit(named), in_axes=(1, None), out_axes=(1, None)))(X, 2.0)
    (eqn,) = jaxpr.eqns
    assert (eqn.primitive.name, eqn.params["name"]) == ("jit", "named")
    assert [e.primitive.name for e in eqn.params["jaxpr"].eqns] == ["sin", "add"]


def test_a_staged_call_gives_what_its_function_does(check_rows, rng):
    x, y = rng.normal(size=(2, 3, 2, 4)).astype(np.float32)
    check_rows(jit(lambda x, y: (lax.mul(x, y), lax.reduce_sum(y, (1,)), 1.0)), x, y)


def test_a_staged_function_is_traced_and_batched_once():
    traced = []

    @jit
    def fun(x):
        traced.append(x.shape)
        return lax.sin(x)

    programs = {id(make_jaxpr(vmap(fun))(X).eqns[0].params["jaxpr"]) for _ in range(3)}
    for _ in range(2):
        same(vmap(fun)(X), np.sin(X))
    assert traced == [(4,)]
    assert len(programs) == 1
    vmap(fun, in_axes=1)(X)
    assert traced == [(4,), (3,)]


def test_a_staged_call_that_closes_over_a_row():
    same(vmap(lambda x: jit(lambda y: lax.mul(x, y))(2.0))(X), 2 * X)


def test_staging_outside():
    same(jit(vmap(lambda x: lax.reduce_sum(x, (0,))))(X), X.sum(1))


class Spread:
    """Stands for a sharding: records where a batch axis was put in."""

    def __init__(self, *layout):
        self.layout = layout

    def insert_axis(self, position, name):
        return Spread(*self.layout[:position], name, *self.layout[position:])


def test_shardings_get_the_batch_axis():
    fun = jit(lax.add, in_shardings=(Spread("x"), None), out_shardings=Spread("x"))
    mapped = vmap(fun, in_axes=(1, None), out_axes=1, spmd_axis_name="data")
    (eqn,) = make_jaxpr(mapped)(X, X[:, 0]).eqns[-1:]
    assert eqn.params["in_shardings"][0].layout == ("x", "data")
    assert eqn.params["in_shardings"][1] is None
    assert eqn.params["out_shardings"][0].layout == ("x", "data")


# --- programs ---


def test_batch_jaxpr_can_force_results_to_be_batched_in_front():
    closed = make_jaxpr(lambda x, y: (lax.sin(x), lax.cos(y), 1.0))(X[0], X[0])
    free, dims = batch_jaxpr(closed, BatchAxis(3), (1, None))
    assert dims == (1, None, None)
    assert free.in_avals[0].shape == (4, 3)
    forced, dims = batch_jaxpr(closed, BatchAxis(3), (1, None), (True, False, True))
    assert dims == (0, None, 0)
    assert [a.shape for a in forced.out_avals] == [(3, 4), (4,), (3,)]
    outs = eval_jaxpr(forced.jaxpr, forced.consts, X.T, X[0])
    same(outs[0], np.sin(X))
    assert batch_jaxpr(closed, BatchAxis(3), (1, None), (True, False, True))[0] is forced
    assert batch_jaxpr(closed, BatchAxis(3), (1, None), True)[1] == (0, 0, 0)


# --- primitives from elsewhere ---


def test_a_primitive_without_a_rule_is_batched_by_its_decomposition():
    twice_p = Primitive("twice", abstract=lambda x: x, decompose=lambda x: lax.add(x, x))
    same(vmap(twice_p.bind, in_axes=1)(X), 2 * X.T)
    pair_p = Primitive(
        "pair",
        abstract=lambda x: [x, x],
        decompose=lambda x: [lax.neg(x), x],
        multiple_results=True,
    )
    out = vmap(pair_p.bind)(X)
    same(out[0], -X)
    same(out[1], X)


def test_a_primitive_with_a_rule_of_its_own():
    total_p = Primitive("total", abstract=lambda x: x.update(shape=()), reference=lambda x: x.sum())
    seen = []

    @defbatch(total_p)
    def _(batch, operands, dims):
        seen.append((batch, dims))
        (dim,) = dims
        return lax.reduce_sum(operands[0], (1 - dim,)), 0

    same(vmap(total_p.bind, in_axes=1, axis_name="i")(X), X.sum(0))
    assert seen == [(BatchAxis(4, "i", None), [1])]


def test_a_missing_rule_says_how_to_define_it():
    odd_p = Primitive("odd", abstract=lambda x: x, reference=lambda x: x)
    with pytest.raises(MissingRuleError, match=r"(?s)'odd'.*jx_batching\.defbatch\(odd_p\)"):
        vmap(odd_p.bind)(X)
    batch_rules.explain("it has no rows", odd_p)
    with pytest.raises(MissingRuleError, match="it has no rows"):
        vmap(odd_p.bind)(X)
    same(odd_p.bind(X), X)


# --- tracers where values are needed ---


def test_a_row_has_no_value_to_branch_on():
    with pytest.raises(TracerBoolConversionError):
        vmap(lambda x: x if x else -x)(X[:, 0])
    with pytest.raises(TracerArrayConversionError):
        vmap(np.sin)(X)


def test_a_leaked_row_is_found_out():
    leaked: list[BatchTracer] = []
    vmap(lambda x: (leaked.append(x), x)[1])(X)
    with pytest.raises(UnexpectedTracerError):
        lax.sin(leaked[0])
    with pytest.raises(UnexpectedTracerError):
        vmap(lambda x: lax.add(x, leaked[0]))(X)
    with pytest.raises(UnexpectedTracerError):
        make_jaxpr(lambda x: lax.add(x, leaked[0]))(X[0])

"""Shardings as core sees them: carried through programs, and asked for what they must offer."""

import numpy as np
import pytest

from jx_core import backend, jit, lax, make_jaxpr
from jx_core.lax import device_put_p, sharding_constraint_p, with_sharding_constraint

X = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture(autouse=True)
def in_numpy():
    with backend.use("numpy"):
        yield


class Layout:
    """The least that core asks of a sharding; for arrays of one rank."""

    def __init__(self, name, rank=2, free=()):
        self.name, self.rank = name, rank
        self.unconstrained_dims = frozenset(free)

    def insert_axis(self, position, name=None):
        return Layout(f"{self.name}+{position}", self.rank + 1)

    def check_compatible_aval(self, shape):
        if len(shape) != self.rank:
            raise ValueError(f"{self.name} is for rank {self.rank}, got shape {shape}")

    def __repr__(self):
        return self.name


class Spec:
    """Stands for a layout where there is a context."""

    context = None

    def in_context(self, what):
        if Spec.context is None:
            raise RuntimeError(f"{what}: no context")
        return Spec.context


ROWS, COLUMNS = Layout("ROWS"), Layout("COLUMNS")


def params_of(jitted, *args):
    return jitted.trace(*args).staged.params


# Constraints


def test_a_constraint_changes_no_element():
    np.testing.assert_array_equal(with_sharding_constraint(X, ROWS), X)


def test_a_constraint_is_an_equation_of_the_program():
    program = make_jaxpr(lambda x: with_sharding_constraint(x, Layout("L", free=[1])))(X)
    (eqn,) = program.jaxpr.eqns
    assert eqn.primitive is sharding_constraint_p
    assert eqn.params["sharding"].name == "L"
    assert eqn.params["unconstrained_dims"] == {1}
    assert program.out_avals == program.in_avals


def test_constraints_are_given_as_a_prefix_of_the_tree():
    program = make_jaxpr(lambda tree: with_sharding_constraint(tree, {"a": ROWS, "b": COLUMNS}))(
        {"a": X, "b": (X, X)}
    )
    assert [e.params["sharding"] for e in program.jaxpr.eqns] == [ROWS, COLUMNS, COLUMNS]


def test_a_constraint_must_fit_its_array():
    with pytest.raises(ValueError, match="ROWS is for rank 2, got shape \\(6,\\)"):
        with_sharding_constraint(X.ravel(), ROWS)
    with pytest.raises(ValueError, match="unconstrained_dims \\[2\\] are not all axes"):
        sharding_constraint_p.bind(X, sharding=ROWS, unconstrained_dims=frozenset({2}))


def test_no_constraint_is_an_error():
    with pytest.raises(ValueError, match="must name a sharding for each array, got None"):
        with_sharding_constraint(X, None)


def test_a_constraint_is_a_sharding():
    with pytest.raises(TypeError, match="expected shardings, .* got 3 of type int"):
        with_sharding_constraint(X, 3)


def test_a_spec_is_looked_up_in_its_context(monkeypatch):
    with pytest.raises(RuntimeError, match="with_sharding_constraint's shardings: no context"):
        with_sharding_constraint(X, Spec())
    monkeypatch.setattr(Spec, "context", ROWS)
    program = make_jaxpr(lambda x: with_sharding_constraint(x, Spec()))(X)
    assert program.jaxpr.eqns[0].params["sharding"] is ROWS


def test_device_put_in_a_program_changes_no_element():
    np.testing.assert_array_equal(device_put_p.bind(X, device=ROWS, src=None), X)


# The shardings of jit


def first(x, y):
    return x


@pytest.mark.parametrize("given", [ROWS, (ROWS, ROWS), [ROWS, ROWS]], ids=str)
def test_one_sharding_stands_for_all_arguments(given):
    assert params_of(jit(first, in_shardings=given), X, X)["in_shardings"] == (ROWS, ROWS)


def test_in_shardings_are_a_prefix_of_the_arguments():
    jitted = jit(first, in_shardings=({"w": ROWS, "b": None}, COLUMNS))
    traced = params_of(jitted, {"b": X, "w": (X, X)}, X)
    assert traced["in_shardings"] == (None, ROWS, ROWS, COLUMNS)


def test_out_shardings_are_a_prefix_of_the_results():
    jitted = jit(lambda x: {"a": x, "b": [x, x]}, out_shardings={"a": None, "b": ROWS})
    assert params_of(jitted, X)["out_shardings"] == (None, ROWS, ROWS)


def test_shardings_that_say_nothing_are_none():
    traced = params_of(jit(first, in_shardings=(None, None), out_shardings=None), X, X)
    assert traced["in_shardings"] is None and traced["out_shardings"] is None


def test_static_arguments_have_no_sharding():
    jitted = jit(lambda n, x, m: x, in_shardings=(ROWS,), static_argnums=(0, 2))
    assert params_of(jitted, 2, X, 3)["in_shardings"] == (ROWS,)
    for_all = jit(lambda n, x, m: x, in_shardings=ROWS, static_argnames=("n", "m"))
    assert for_all.trace(2, X, m=3).staged.params["in_shardings"] == (ROWS,)


def test_closed_over_tracers_have_no_sharding():
    @jit
    def outer(x):
        return jit(lambda y: lax.add(x, y), in_shardings=ROWS)(X)

    (call,) = outer.trace(X).jaxpr.jaxpr.eqns
    assert call.params["in_shardings"] == (None, ROWS)


def test_keyword_arguments_have_no_place_in_in_shardings():
    with pytest.raises(ValueError, match=r"jit\(first\) are for positional.*\['y'\]: pass them by"):
        jit(first, in_shardings=ROWS)(X, y=X)


@pytest.mark.parametrize("given", [(ROWS,), (ROWS,) * 3])
def test_in_shardings_must_be_as_many_as_the_arguments(given):
    with pytest.raises(ValueError, match=rf"got {len(given)} entries for 2 arguments"):
        jit(first, in_shardings=given)(X, X)


def test_shardings_that_are_no_prefix_are_an_error():
    with pytest.raises(ValueError, match=r"out_shardings of jit\(first\).*keys \['a'\]"):
        jit(first, out_shardings={"a": ROWS})(X, X)


def test_what_is_no_sharding_is_refused_at_once():
    with pytest.raises(TypeError, match=r"in_shardings of jit\(first\): .* got 'rows' of type str"):
        jit(first, in_shardings=(ROWS, "rows"))


def test_a_spec_is_looked_up_when_the_function_is_traced(monkeypatch):
    jitted = jit(lambda x: lax.neg(x), in_shardings=Spec())
    with pytest.raises(RuntimeError, match=r"in_shardings of jit\(<lambda>\): no context"):
        jitted(X)
    monkeypatch.setattr(Spec, "context", ROWS)
    assert params_of(jitted, X)["in_shardings"] == (ROWS,)

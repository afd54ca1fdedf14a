"""`jit`: when it traces and when it does not, its kinds of arguments, and what it refuses."""

import functools
import gc
import threading
import weakref
from dataclasses import dataclass

import numpy as np
import pytest

from jx_core import ShapeDtypeStruct, compiled, eval_shape, jit, lax, make_jaxpr, tree, typeof
from jx_core.config import disable_jit, enable_x64
from jx_core.errors import BackendError

X = np.float32([1, 2, 3])


class Counting:
    """A function that counts how often it is traced."""

    def __init__(self, fun):
        self.fun = fun
        self.count = 0
        self.__name__ = "counted"

    def __call__(self, *args, **kwargs):
        self.count += 1
        return self.fun(*args, **kwargs)


@pytest.fixture
def counted():
    return Counting(lambda x: x * 2)


class TestCaching:
    def test_one_signature_is_traced_once(self, counted):
        f = jit(counted)
        for x in (X, X + 1, lax.add(X, X)):
            np.testing.assert_array_equal(f(x), np.asarray(x) * 2)
        assert counted.count == 1

    def test_shapes_dtypes_and_weak_types_tell_signatures_apart(self, counted):
        f = jit(counted)
        for x in (X, X[:2], X.astype(np.int32), np.float32(1), 1.0, 1, True):
            f(x)
        assert counted.count == 7

    def test_python_numbers_of_one_type_share_a_program(self, counted):
        f = jit(counted)
        assert [float(f(v)) for v in (1.0, 2.0, -3.5)] == [2.0, 4.0, -7.0]
        assert counted.count == 1

    def test_trees_tell_signatures_apart(self):
        f = jit(counted := Counting(lambda d: tree.leaves(d)[0]))
        f({"a": X}), f({"b": X}), f([X]), f((X,))
        assert counted.count == 4

    def test_jit_of_the_same_function_again_shares_the_cache(self, counted):
        jit(counted)(X), jit(counted)(X)
        assert counted.count == 1

    def test_other_options_do_not(self, counted):
        jit(counted)(X), jit(counted, keep_unused=True)(X)
        assert counted.count == 2

    def test_the_cache_can_be_cleared(self, counted):
        f = jit(counted)
        f(X), f.clear_cache(), f(X)
        assert counted.count == 2

    def test_settings_that_matter_are_part_of_the_signature(self, counted):
        f = jit(counted)
        assert f(np.float64(1)).dtype == np.float32
        with enable_x64(True):
            assert f(np.float64(1)).dtype == np.float64
        assert f(np.float64(1)).dtype == np.float32

    def test_programs_die_with_their_function(self):
        def make():
            table = np.ones(3)

            def f(x):
                return x + table

            jit(f)(X)
            return weakref.ref(f)

        ref = make()
        gc.collect()
        assert ref() is None

    def test_a_call_inside_another_staged_function_is_traced_once(self, counted):
        inner = jit(counted)

        @jit
        def outer(x):
            return inner(inner(x))

        np.testing.assert_array_equal(outer(X), X * 4)
        assert counted.count == 1

    def test_threads_share_it(self, counted):
        f = jit(counted)
        f(X)
        results = []
        threads = [
            threading.Thread(target=lambda: results.append(np.asarray(f(X))[0])) for _ in range(8)
        ]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert results == [2.0] * 8 and counted.count == 1


class TestStaticArguments:
    def test_by_position_and_by_name(self):
        def power(x, n):
            assert isinstance(n, int)
            return lax.integer_pow(x, n)

        for f in (jit(power, static_argnums=1), jit(power, static_argnames="n"),
                  jit(power, static_argnums=-1), jit(power, static_argnames=["n"])):  # fmt: skip
            assert float(f(2.0, 3)) == 8
            assert float(f(2.0, n=4)) == 16

    def test_equal_values_of_other_types_are_other_programs(self):
        counted = Counting(lambda x, flag: x if flag is True else x * 2)
        f = jit(counted, static_argnums=1)
        assert [float(f(3.0, v)) for v in (1, True, 1.0)] == [6.0, 3.0, 6.0]
        assert counted.count == 3

    def test_must_be_hashable(self):
        f = jit(lambda x, opts: x, static_argnums=1)
        with pytest.raises(ValueError, match="(?s)Non-hashable static arguments.*list"):
            f(1.0, [1, 2])
        g = jit(lambda x, *, opts: x, static_argnames="opts")
        with pytest.raises(ValueError, match="(?s)Non-hashable static arguments.*dict"):
            g(1.0, opts={})
        assert float(f(1.0, (1, 2))) == 1.0

    def test_may_be_any_hashable_object(self):
        @dataclass(frozen=True)
        class Config:
            factor: float

        f = jit(lambda c, x: x * c.factor, static_argnums=0)
        assert float(f(Config(3.0), 2.0)) == 6

    def test_out_of_range_or_unknown(self):
        with pytest.raises(ValueError, match=r"static_argnums=\(2,\) but f has only 2 positional"):

            def f(x, y):
                return x

            jit(f, static_argnums=2)
        with pytest.raises(ValueError, match="invalid argname 'z' in static_argnames"):
            jit(f, static_argnames="z")
        with pytest.raises(TypeError, match="static_argnums must be an int or a sequence"):
            jit(f, static_argnums="x")
        with pytest.raises(TypeError, match="static_argnames must be a str or a sequence"):
            jit(f, static_argnames=3)

    def test_defaults_are_constants(self):
        f = jit(lambda x, n=2: x * n, static_argnames="n")
        assert float(f(3.0)) == 6
        assert float(jit(lambda x, y=2.0: x * y)(3.0)) == 6


class TestCallables:
    def test_as_a_decorator_with_options(self):
        @jit(static_argnames="n")
        def f(x, n):
            return x * n

        @functools.partial(jit, static_argnums=0)
        def g(n, x):
            return x * n

        assert float(f(2.0, n=3)) == 6 and float(g(3, 2.0)) == 6

    def test_keeps_the_functions_name_and_docstring(self):
        def f(x):
            """Doubles."""
            return x * 2

        assert jit(f).__name__ == "f" and jit(f).__doc__ == "Doubles." and jit(f).__wrapped__ is f

    def test_methods(self):
        class Model:
            def __init__(self, w):
                self.w = w

            @functools.partial(jit, static_argnums=0)
            def apply(self, x):
                return x * self.w

        assert float(Model(3.0).apply(2.0)) == 6
        assert float(Model(4.0).apply(2.0)) == 8

    def test_partials_and_builtins(self):
        assert float(jit(functools.partial(lax.mul, 2.0))(3.0)) == 6
        assert float(jit(lax.sin)(0.0)) == 0

    def test_needs_a_callable(self):
        with pytest.raises(TypeError, match="Expected a callable value, got 3"):
            jit(3)

    def test_places_are_given_otherwise(self):
        with pytest.raises(TypeError, match="jx.device_put"):
            jit(lax.sin, backend="cpu")

    def test_wrong_argument_counts_are_pythons_own_error(self):
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'y'"):
            jit(lambda x, y: x)(1.0)


class TestPrograms:
    def test_one_equation_a_call(self):
        def double(x):
            return x * 2

        (eqn,) = make_jaxpr(jit(double))(X).eqns
        assert eqn.primitive.name == "jit" and eqn.params["name"] == "double"
        assert str(make_jaxpr(jit(double))(X)).count("mul") == 1

    def test_inlined_on_request(self):
        inner = jit(lambda x: x * 2, inline=True)
        names = [e.primitive.name for e in make_jaxpr(inner)(X).eqns]
        assert names == ["mul"]

    def test_closed_over_tracers_become_arguments(self):
        def outer(x):
            return jit(lambda y: x * y)(X)

        program = make_jaxpr(outer)(X)
        assert len(program.eqns[0].invars) == 2
        np.testing.assert_array_equal(jit(outer)(X), X * X)

    def test_donation_is_recorded_leaf_by_leaf(self):
        f = jit(lambda state, x: (state, x), donate_argnums=0)
        (eqn,) = make_jaxpr(f)({"a": X, "b": X}, X).eqns
        assert eqn.params["donated"] == (True, True, False)
        g = jit(lambda x, state: (state, x), donate_argnames="state")
        (eqn,) = make_jaxpr(lambda x: g(x, state=(x, x)))(X).eqns
        assert eqn.params["donated"] == (False, True, True)

    def test_results_that_are_arguments_or_numbers_are_arrays(self):
        x, n = jit(lambda x: (x, 3))(X)
        assert type(x) is type(n) and n.weak_type and typeof(n).shape == ()


class TestStages:
    def test_trace_gives_the_program_without_running_it(self):
        traced = jit(lambda x: {"s": lax.sin(x)}).trace(ShapeDtypeStruct((10**9,), np.float32))
        assert traced.out_info == {"s": ShapeDtypeStruct((10**9,), np.float32)}
        assert [e.primitive.name for e in traced.jaxpr.eqns] == ["sin"]
        assert traced.fun_name == "<lambda>"

    def test_eval_shape(self):
        f = jit(lambda x, n: lax.broadcast(x, (n,)), static_argnums=1)
        assert f.eval_shape(X, 4) == ShapeDtypeStruct((4, 3), np.float32)
        assert eval_shape(lambda x: f(x, 4), X).shape == (4, 3)

    def test_numpy_can_not_lower(self):
        with pytest.raises(BackendError, match="numpy back end interprets programs.*jx-xla"):
            jit(lax.sin).lower(X)


class TestDisabling:
    def test_disabled_it_is_plain_python(self, counted):
        with disable_jit(True):
            jit(counted)(X), jit(counted)(X)
        assert counted.count == 2

    def test_values_are_concrete_then(self):
        @jit
        def f(x):
            return x if x > 0 else -x

        with disable_jit(True):
            assert float(f(-2.0)) == 2


class TestCompiled:
    """The wrapper of array functions: staged when eager, transparent under a trace."""

    def test_stages_eager_calls_and_vanishes_from_programs(self, counted):
        f = compiled(counted)
        np.testing.assert_array_equal(f(X), X * 2), f(X)
        assert counted.count == 1
        assert [e.primitive.name for e in make_jaxpr(f)(X).eqns] == ["mul"]

    def test_static_arguments_by_name_or_position(self):
        @compiled(static_argnames="axes")
        def total(x, axes=(0,)):
            return lax.reduce_sum(x, axes)

        assert (
            float(total(X)) == 6 and float(total(X, (0,))) == 6 and float(total(X, axes=(0,))) == 6
        )


def test_an_error_in_the_function_is_the_users_own_and_leaves_jit_usable():
    def f(x):
        if x.shape == (3,):
            raise KeyError("mine")
        return x

    g = jit(f)
    with pytest.raises(KeyError, match="mine"):
        g(X)
    assert float(g(1.0)) == 1.0

"""Recording functions as programs: what becomes an equation, a literal, a constant, an argument."""

import threading

import numpy as np
import pytest

from jx_core import ShapeDtypeStruct, backend, eval_jaxpr, eval_shape, lax, make_jaxpr, named_scope
from jx_core.errors import UnexpectedTracerError
from jx_core.jaxpr import Literal
from jx_core.ops.control_flow.jit import call_jaxpr

X = np.float32([1, 2, 3])


def names(program):
    return [e.primitive.name for e in program.eqns]


class TestMakeJaxpr:
    def test_prints_in_jax_notation(self):
        text = str(make_jaxpr(lambda x, y: (x * y, y))(X, 2.0))
        assert text == "{ lambda ; a:f32[3] b:f32[]. let c:f32[3] = mul a b in (c, b) }"

    def test_long_programs_take_a_line_an_equation(self):
        def fun(x):
            for _ in range(4):
                x = lax.sin(lax.reshape(lax.reshape(x, (3, 1)), (3,)))
            return x

        lines = str(make_jaxpr(fun)(X)).splitlines()
        assert lines[0] == "{ lambda ; a:f32[3]. let"
        assert lines[1] == "    b:f32[3,1] = reshape[dimensions=None new_sizes=(3, 1)] a"
        assert lines[-1] == "  in (m,) }"
        assert len(lines) == 14

    def test_numbers_are_literals_and_arrays_are_constants(self):
        table = np.float32([4, 5, 6])
        program = make_jaxpr(lambda x: x * 2.0 + table + np.float32(1))(X)
        assert [type(v) is Literal for e in program.eqns for v in e.invars] == [
            False, True, False, False, False, True,
        ]  # fmt: skip
        assert len(program.consts) == 1 and program.consts[0] is table

    def test_one_array_is_one_constant(self):
        table = np.float32([4, 5, 6])
        assert len(make_jaxpr(lambda x: x * table + table)(X).consts) == 1

    def test_what_does_not_depend_on_arguments_is_recorded_too(self):
        assert names(make_jaxpr(lambda: lax.add(1.0, 2.0))()) == ["add"]

    def test_arguments_are_pytrees_and_may_be_types_only(self):
        spec = {"a": ShapeDtypeStruct((2,), np.int32), "b": (1.0, None)}
        program = make_jaxpr(lambda d, *, k: [d["a"], k])(spec, k=X)
        assert [a.str_short() for a in program.in_avals] == ["i32[2]", "f32[]", "f32[3]"]
        assert [a.str_short() for a in program.out_avals] == ["i32[2]", "f32[3]"]

    def test_static_arguments_stay_python_values(self):
        program = make_jaxpr(lambda n, x: x * n if n > 1 else x, static_argnums=0)(3, X)
        assert names(program) == ["mul"]

    def test_shapes_may_be_asked_for_besides(self):
        _, shapes = make_jaxpr(lambda x: {"s": lax.sin(x)}, return_shape=True)(X)
        assert shapes == {"s": ShapeDtypeStruct((3,), np.float32)}

    def test_weak_types_are_part_of_the_types(self):
        program = make_jaxpr(lambda x: x + 1)(2.0)
        assert program.in_avals[0].weak_type and program.out_avals[0].weak_type

    def test_needs_a_function(self):
        with pytest.raises(TypeError, match="fun must be callable, got 3"):
            make_jaxpr(3)

    def test_results_must_be_arrays(self):
        with pytest.raises(
            TypeError, match=r"returned a value of type <class 'str'> at output.*\['a'\]\[1\]"
        ):
            make_jaxpr(lambda x: {"a": (x, "no")})(X)

    def test_inner_calls_are_equations_with_programs(self):
        inner = make_jaxpr(lambda x: (lax.sin(x),))(X)
        program = make_jaxpr(lambda x: call_jaxpr(inner, [x], "inner"))(X)
        (eqn,) = program.eqns
        assert eqn.params["jaxpr"] is inner and eqn.params["name"] == "inner"

    def test_a_program_that_occurs_twice_is_printed_once(self):
        inner = make_jaxpr(lambda x: (lax.sin(x),))(X)
        program = make_jaxpr(lambda x: call_jaxpr(inner, call_jaxpr(inner, [x], "i"), "i"))(X)
        assert str(program).count("sin") == 1


class TestSources:
    def test_equations_remember_the_users_line(self):
        def fun(x):
            y = lax.sin(x)
            return y * 2.0

        first, second = make_jaxpr(fun)(X).eqns
        start = fun.__code__.co_firstlineno
        assert (first.source.line, second.source.line) == (start + 1, start + 2)
        assert first.source.file == __file__ and first.source.function == "fun"

    def test_printing_shows_them_on_request(self):
        program = make_jaxpr(lambda x: lax.sin(x))(X)
        assert "test_staging.py" in program.pretty_print(source_info=True)
        assert "test_staging.py" not in str(program)

    def test_name_scopes_nest(self):
        def fun(x):
            with named_scope("outer"):
                with named_scope("inner"):
                    x = lax.sin(x)
                return lax.cos(x)

        assert [e.source.scope for e in make_jaxpr(fun)(X).eqns] == ["outer/inner", "outer"]
        assert "[outer/inner]" in make_jaxpr(fun)(X).pretty_print(name_stack=True)

    def test_replaying_keeps_them(self):
        program = make_jaxpr(lambda x: lax.sin(x))(X)
        again = make_jaxpr(lambda x: eval_jaxpr(program.jaxpr, program.consts, x))(X)
        assert str(again.eqns[0].source) == str(program.eqns[0].source)

    def test_scopes_must_be_strings(self):
        with pytest.raises(TypeError, match="name must be a string"), named_scope(3):
            pass


class TestEvalShape:
    def test_computes_nothing(self):
        huge = ShapeDtypeStruct((10**6, 10**6), np.float32)
        assert eval_shape(lambda x: {"t": lax.transpose(x, (1, 0))}, huge) == {"t": huge}

    def test_errors_are_those_of_the_function(self):
        with pytest.raises(TypeError, match="incompatible shapes"):
            eval_shape(lax.add, X, X[:2])


class TestEvalJaxpr:
    def test_computes_what_was_traced(self):
        program = make_jaxpr(lambda x: (lax.sin(x), x * X))(X)
        results = eval_jaxpr(program.jaxpr, program.consts, X)
        np.testing.assert_allclose(results[0], np.sin(X), rtol=1e-6)
        np.testing.assert_array_equal(results[1], X * X)

    def test_counts_its_arguments(self):
        program = make_jaxpr(lax.sin)(X)
        with pytest.raises(TypeError, match=r"takes 0 consts and 1 arguments, got 0 and 2"):
            eval_jaxpr(program.jaxpr, [], X, X)


class TestNesting:
    def test_values_of_outer_traces_are_constants_of_inner_ones(self):
        seen = []

        def outer(x):
            inner = make_jaxpr(lambda y: x * y)(X)
            seen.append(inner)
            return x

        make_jaxpr(outer)(X)
        assert seen[0].consts[0].aval.str_short() == "f32[3]"

    def test_values_of_an_inner_trace_can_not_be_used_outside(self):
        def outer(x):
            leaked = []
            make_jaxpr(lambda y: leaked.append(lax.sin(y)))(x)
            return x + leaked[0]

        with pytest.raises(UnexpectedTracerError, match=r"f32\[3\].*used outside the function"):
            make_jaxpr(outer)(X)

    def test_threads_trace_apart(self):
        """Many threads trace at once; each gets its own program whole."""
        results = {}

        def work(i):
            def fun(x):
                for _ in range(50 + i):
                    x = lax.sin(x)
                return x

            results[i] = len(make_jaxpr(fun)(X).eqns)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert results == {i: 50 + i for i in range(8)}

    def test_an_error_while_tracing_restores_the_trace_before(self):
        with pytest.raises(ZeroDivisionError):
            make_jaxpr(lambda x: 1 // 0)(X)
        with backend.use("numpy"):
            assert float(lax.add(1.0, 2.0)) == 3.0

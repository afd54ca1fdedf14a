"""What traced values refuse, and what the error says: where the value is from, and the cure."""

import pickle

import numpy as np
import pytest

from jx_core import errors, jit, lax, make_jaxpr, typeof

X = np.float32([1, 2, 3])


def traced(fun, *args):
    return jit(fun)(*args)


class TestBooleans:
    def test_if_says_what_to_use_instead(self):
        def fun(x):
            return x if x > 0 else -x

        with pytest.raises(errors.TracerBoolConversionError) as error:
            traced(fun, 1.0)
        text = str(error.value)
        assert "truth value of bool[]" in text
        assert "computed by 'gt' at" in text and "test_errors_tracers.py" in text
        assert "tracing the function 'fun'" in text
        assert "jnp.where" in text and "lax.cond" in text and "static_argnames" in text

    @pytest.mark.parametrize(
        "fun", [lambda x: x and 1, lambda x: not x, lambda x: bool(x), lambda x: [x] == [1.0]]
    )
    def test_all_that_needs_a_truth_value(self, fun):
        with pytest.raises(errors.TracerBoolConversionError):
            traced(fun, 1.0)

    def test_an_argument_is_called_one(self):
        with pytest.raises(
            errors.TracerBoolConversionError, match="argument 1 of the traced function"
        ):
            traced(lambda x, y: 1 if y else 2, 1.0, True)


class TestConcreteValues:
    @pytest.mark.parametrize(
        ("convert", "error", "text"),
        [
            (int, errors.ConcretizationTypeError, r"concrete value.*f32\[\].*x.astype\(int\)"),
            (float, errors.ConcretizationTypeError, "concrete value is needed"),
            (complex, errors.ConcretizationTypeError, "concrete value is needed"),
            (lambda x: x.item(), errors.ConcretizationTypeError, "concrete value is needed"),
            (lambda x: x.tolist(), errors.ConcretizationTypeError, "concrete value is needed"),
            (range, errors.TracerIntegerConversionError, "Python integer is needed.*lax.fori_loop"),
            (
                lambda i: [1, 2][i],
                errors.TracerIntegerConversionError,
                r"jnp.asarray\(table\)\[i\]",
            ),
            (
                np.sin,
                errors.TracerArrayConversionError,
                r"NumPy array was asked of f32\[\].*jnp.sin",
            ),
            (np.asarray, errors.TracerArrayConversionError, "use NumPy outside of them"),
        ],
    )
    def test_conversions(self, convert, error, text):
        with pytest.raises(error, match=f"(?s){text}"):
            traced(convert, 1.0)

    def test_shapes_can_not_hold_traced_values(self):
        with pytest.raises(TypeError, match="(?s)shape.*traced|traced.*shape|concrete|integer"):
            traced(lambda n: lax.broadcast(1.0, (n,)), 3)

    def test_errors_are_type_errors_with_jax_names(self):
        for name in (
            "TracerBoolConversionError",
            "TracerArrayConversionError",
            "UnexpectedTracerError",
        ):
            assert issubclass(getattr(errors, name), TypeError)

    def test_hashing(self):
        with pytest.raises(TypeError, match="unhashable"):
            traced(lambda x: {x: 1}, 1.0)


class TestLeaks:
    def test_a_leaked_tracer_names_its_origin(self):
        kept = []

        def leaky(x):
            kept.append(lax.sin(x))
            return x

        jit(leaky)(X)
        for use in (lambda: lax.cos(kept[0]), lambda: jit(lax.cos)(kept[0]), lambda: kept[0] + 1.0):
            with pytest.raises(errors.UnexpectedTracerError) as error:
                use()
            text = str(error.value)
            assert "f32[3]" in text and "used outside the function" in text
            assert "computed by 'sin' at" in text and "'leaky'" in text
            assert "must return what it computes" in text

    def test_a_leaked_tracer_in_another_trace(self):
        kept = []
        jit(lambda x: kept.append(x) or x)(X)
        with pytest.raises(errors.UnexpectedTracerError):
            make_jaxpr(lambda y: y + kept[0])(X)

    def test_a_leaked_tracer_as_a_result(self):
        kept = []
        jit(lambda x: kept.append(x) or x)(X)
        with pytest.raises(errors.UnexpectedTracerError):
            jit(lambda y: kept[0])(X)

    def test_nothing_is_left_broken(self):
        kept = []
        jit(lambda x: kept.append(x) or x)(X)
        with pytest.raises(errors.UnexpectedTracerError):
            lax.cos(kept[0])
        np.testing.assert_array_equal(jit(lambda x: x + 1.0)(X), X + 1)


class TestTracers:
    def test_know_their_type(self):
        seen = []

        def fun(x):
            seen.append((x.shape, x.dtype, x.ndim, x.size, len(x), x.weak_type, repr(x)))
            return x

        jit(fun)(X)
        assert seen == [((3,), np.float32, 1, 3, 3, False, "StagingTracer<f32[3]>")]

    def test_have_no_length_without_axes(self):
        with pytest.raises(TypeError, match="zero-dimensional"):
            traced(len, 1.0)

    def test_numpy_leaves_operators_to_them(self):
        np.testing.assert_array_equal(jit(lambda x: X + x)(X), X + X)
        np.testing.assert_array_equal(jit(lambda x: np.float32(2) * x)(X), X * 2)


def test_errors_survive_pickling():
    try:
        traced(bool, 1.0)
    except errors.TracerBoolConversionError as error:
        again = pickle.loads(pickle.dumps(error))
        assert str(again) == str(error) and type(again) is type(error)


class TestArguments:
    @pytest.mark.parametrize(
        ("call", "text"),
        [
            (lambda f: f("no", X), r"argument mode of f as an array.*static_argnames='mode'"),
            (lambda f: f({"a": [1.0, object()]}, X), r"argument mode\['a'\]\[1\] of f"),
            (lambda f: f(1.0, table=print), r"argument table of f"),
        ],
    )
    def test_arguments_that_are_no_arrays_are_named(self, call, text):
        def f(mode, table):
            return table

        with pytest.raises(TypeError, match=text):
            call(jit(f))

    def test_numpy_arrays_of_other_dtypes(self):
        with pytest.raises(TypeError, match="dtype <U1|dtype.*not a valid"):
            jit(lambda x: x)(np.array(["a"]))
        with pytest.raises(TypeError, match="not a valid"):
            typeof(np.array([object()]))

    def test_results_that_are_no_arrays_are_named(self):
        def f(x):
            return {"a": x, "b": [x, set()]}

        with pytest.raises(TypeError, match=r"function f returned.*set.*result\['b'\]\[1\]"):
            jit(f)(X)

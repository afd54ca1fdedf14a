"""Errors: their classes, what their messages say, and that they can be pickled."""

import pickle

import pytest

from jx_core import errors

NAMES_OF_JAX = [
    "ConcretizationTypeError", "InconclusiveDimensionOperation", "JAXIndexError", "JAXTypeError",
    "JaxRuntimeError", "JaxprTypeError", "KeyReuseError", "NonConcreteBooleanIndexError",
    "TracerArrayConversionError", "TracerBoolConversionError", "TracerIntegerConversionError",
    "UnexpectedTracerError",
]  # fmt: skip
TRACER_ERRORS = [
    errors.ConcretizationTypeError,
    errors.TracerBoolConversionError,
    errors.TracerIntegerConversionError,
    errors.TracerArrayConversionError,
    errors.NonConcreteBooleanIndexError,
    errors.UnexpectedTracerError,
]


class SomeTracer:
    """As much of a tracer as an error looks at."""

    aval = "bool[3]"

    def __init__(self, value=None):
        self.value = value

    def concrete(self):
        return self.value

    def origin(self):
        return "It is argument 0 of the traced function f."

    def __bool__(self):
        raise AssertionError("an error about a tracer may not ask for its value")


@pytest.mark.parametrize("name", NAMES_OF_JAX)
def test_jaxs_names_are_here(name):
    assert issubclass(getattr(errors, name), Exception)
    assert name in errors.__all__


@pytest.mark.parametrize("name", errors.__all__)
def test_every_class_shows_the_cure_in_its_docstring(name):
    bases = ("JXIndexError", "JAXIndexError", "JaxRuntimeError")
    if name not in (*bases, "concrete_or_error"):
        assert "::\n\n" in getattr(errors, name).__doc__


@pytest.mark.parametrize(
    "error, bases",
    [
        (errors.ConcretizationTypeError, [errors.JXTypeError, TypeError]),
        (errors.TracerBoolConversionError, [errors.ConcretizationTypeError]),
        (errors.TracerIntegerConversionError, [errors.JXTypeError]),
        (errors.TracerArrayConversionError, [errors.JXTypeError]),
        (errors.NonConcreteBooleanIndexError, [errors.JXIndexError, IndexError]),
        (errors.UnexpectedTracerError, [errors.JXTypeError]),
        (errors.KeyReuseError, [errors.JXTypeError]),
        (errors.JaxprTypeError, [TypeError]),
        (errors.ShapeError, [TypeError, ValueError]),
        (errors.TypePromotionError, [ValueError]),
        (errors.DonatedArrayError, [RuntimeError]),
        (errors.BackendError, [RuntimeError]),
        (errors.JaxRuntimeError, [RuntimeError]),
        (errors.MissingRuleError, [NotImplementedError]),
    ],
)
def test_what_catches_each_error(error, bases):
    for base in bases:
        assert issubclass(error, base)


@pytest.mark.parametrize("error", TRACER_ERRORS)
def test_a_tracer_error_names_the_type_the_context_the_origin_and_a_cure(error):
    message = str(error(SomeTracer(), "It is an axis of jnp.sum."))
    problem, context, origin, cure = message.split("\n")
    assert "bool[3] (SomeTracer)" in problem
    assert context == "It is an axis of jnp.sum."
    assert origin == "It is argument 0 of the traced function f."
    assert "jit" in cure or "jnp" in cure or "jx" in cure


def test_an_origin_that_is_given_replaces_the_tracers_own():
    message = str(errors.TracerBoolConversionError(SomeTracer(), origin="It is x, in g."))
    assert "It is x, in g." in message
    assert "argument 0" not in message


@pytest.mark.parametrize("error", TRACER_ERRORS)
def test_a_tracer_error_takes_a_message_in_place_of_a_tracer(error):
    assert str(error("so it is", origin="here")) == "so it is\nhere"


def test_the_cure_for_a_boolean_is_named():
    message = str(errors.TracerBoolConversionError(SomeTracer()))
    for cure in ("jnp.where", "lax.cond", "lax.while_loop", "static_argnames"):
        assert cure in message


def test_concrete_or_error_gives_the_value_where_there_is_one():
    assert errors.concrete_or_error(3, "an axis") == 3
    assert errors.concrete_or_error(SomeTracer(value=4), "an axis") == 4
    with pytest.raises(errors.ConcretizationTypeError, match="needed as an axis of jnp.sum"):
        errors.concrete_or_error(SomeTracer(), "an axis of jnp.sum")


def test_a_missing_rule_names_primitive_layer_and_the_call_that_defines_it():
    error = errors.MissingRuleError("sin", "batching", "jx_batching.defbatch(sin)")
    assert (error.primitive, error.layer) == ("sin", "batching")
    assert "'sin' has no batching rule" in str(error)
    assert "Define the rule with jx_batching.defbatch(sin)" in str(error)


def test_a_missing_rule_gives_the_layers_reason_if_it_has_one():
    error = errors.MissingRuleError("argmax", "AD", "jx_ad.defjvp(argmax)", "integer result")
    assert str(error) == "the primitive 'argmax' has no AD rule: integer result"


@pytest.mark.parametrize(
    "error",
    [*(e(SomeTracer()) for e in TRACER_ERRORS), errors.MissingRuleError("sin", "AD", "defjvp")],
    ids=lambda error: type(error).__name__,
)
def test_errors_survive_pickling(error):
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)

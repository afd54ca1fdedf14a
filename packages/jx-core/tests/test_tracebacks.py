"""Tracebacks show the user's frames and not jx's, and the error itself is left as it was."""

import traceback

import numpy as np
import pytest

from jx_core import compiled, jit, lax, make_jaxpr
from jx_core.config import traceback_filtering
from jx_core.errors import ShapeError
from jx_core.source import is_internal
from jx_core.tracebacks import filtered, hide_internal_frames

X2, X3 = np.zeros(2, np.float32), np.zeros(3, np.float32)


def mismatch(x):
    return lax.add(x, X2)


def caught(fun, *args):
    """The error that fun(*args) raises."""
    with pytest.raises(Exception) as info:
        fun(*args)
    return info.value


def functions(error):
    """The names of the functions in an error's traceback, outermost first, from `caught` on."""
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)][1:]


def files(error):
    return [frame.filename for frame in traceback.extract_tb(error.__traceback__)]


def internal_code(text):
    """A program, from its text, whose frames count as jx's own."""
    return compile(text, hide_internal_frames.__code__.co_filename, "exec")


@pytest.mark.parametrize("wrap", [jit, compiled, make_jaxpr, lambda f: jit(f).lower])
def test_an_error_inside_of_a_traced_function_shows_the_users_frames_only(wrap):
    error = caught(wrap(mismatch), X3)
    assert functions(error) == ["mismatch"]
    assert not any(map(is_internal, files(error)))


def test_the_last_line_is_the_users():
    error = caught(jit(mismatch), X3)
    assert traceback.extract_tb(error.__traceback__)[-1].line == "return lax.add(x, X2)"


def test_nested_calls_show_each_of_the_users_frames_once():
    @jit
    def inner(x):
        return mismatch(x)

    @jit
    def middle(x):
        return lax.cond(True, inner, lax.sin, x)

    def outer(x):
        return jit(middle)(x)

    assert functions(caught(outer, X3)) == ["outer", "middle", "inner", "mismatch"]


def test_an_error_of_jx_itself_points_to_the_call():
    assert functions(caught(jit(mismatch), "text")) == []


def test_off_shows_every_frame():
    with traceback_filtering("off"):
        error = caught(jit(mismatch), X3)
    assert "mismatch" in functions(error)
    assert any(map(is_internal, files(error)))
    assert is_internal(files(error)[-1])


def test_the_error_is_the_one_that_was_raised():
    class Special(Exception):
        pass

    raised = Special("a", 3)
    raised.add_note("a note")

    @jit
    def fails(x):
        raise raised

    error = caught(jit(fails), X3)
    assert error is raised
    assert error.args == ("a", 3)
    assert error.__notes__ == ["a note"]
    assert error.__cause__ is None and error.__context__ is None


def test_the_message_is_untouched():
    with traceback_filtering("off"):
        unfiltered = caught(jit(mismatch), X3)
    error = caught(jit(mismatch), X3)
    assert type(error) is type(unfiltered) is ShapeError
    assert str(error) == str(unfiltered)


def test_what_led_to_the_error_is_filtered_too():
    @jit
    def fails(x):
        try:
            jit(mismatch)(x)
        except ShapeError as error:
            raise KeyError("wrapped") from error

    @jit
    def fails_again(x):
        try:
            fails(x)
        except KeyError:
            raise RuntimeError("while handling")  # noqa: B904  its context is what is tested

    error = caught(fails_again, X3)
    handled = error.__context__
    cause = handled.__cause__
    assert [type(e) for e in (error, handled, cause)] == [RuntimeError, KeyError, ShapeError]
    assert functions(error) == ["fails_again"]
    assert not any(map(is_internal, files(error) + files(handled) + files(cause)))


def test_causes_that_form_a_circle_end():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first

    @filtered
    def fails():
        raise first

    assert caught(fails) is first


def test_where_all_frames_are_jxs_own_the_last_one_stays():
    names = {}
    program = """
def inner():
    raise ValueError("inside")

def outer():
    try:
        inner()
    except ValueError as cause:
        raise RuntimeError("outside") from cause
"""
    exec(internal_code(program), names)
    error = caught(filtered(names["outer"]))
    assert functions(error) == []  # the caller's frame is there to be seen
    assert [f.name for f in traceback.extract_tb(error.__cause__.__traceback__)] == ["inner"]


def test_a_filtered_function_keeps_its_name_and_signature():
    @filtered
    def add_one(x, *, by=1):
        """Adds."""
        return x + by

    assert (add_one.__name__, add_one.__doc__) == ("add_one", "Adds.")
    assert add_one(2) == 3 and add_one(2, by=2) == 4


def test_leaving_a_program_is_not_an_error():
    @filtered
    def leave():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as info:
        leave()
    assert any(map(is_internal, files(info.value)))

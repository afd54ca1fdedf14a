"""What `log_compiles` and `explain_cache_misses` say of tracing, with no compiler at all."""

import logging

import numpy as np
import pytest

from jx_core import backend, jit, lax
from jx_core.config import explain_cache_misses, log_compiles
from jx_core.stages import ArgInfo, Wrapped

X = np.ones(3, np.float32)


@pytest.fixture
def messages(caplog):
    caplog.set_level(logging.WARNING, "jx_core")
    with backend.use("numpy"):
        yield lambda: [r.getMessage() for r in caplog.records if r.name == "jx_core"]


def test_each_trace_is_logged_once(messages):
    @jit
    def halve(x):
        return lax.mul(x, np.float32(0.5))

    with log_compiles(True):
        halve(X), halve(X)
    (line,) = messages()
    assert line.startswith("Traced halve for (f32[3]) in ")


def test_the_argument_that_changed_is_named(messages):
    @jit
    def scale(x, by):
        return lax.mul(x, by)

    with explain_cache_misses(True):
        scale(X, X), scale(X[:2], X[:2])
    (line,) = messages()
    assert "argument x changed shape: was f32[3], now f32[2]" in line
    assert "argument by changed shape: was f32[3], now f32[2]" in line


def test_a_traced_call_knows_its_arguments_and_runs():
    with backend.use("numpy"):
        jitted = jit(lambda x, y: lax.add(x, y), donate_argnums=1)
        traced = jitted.trace(X, X)
        assert isinstance(jitted, Wrapped)
        assert traced.args_info[0][1] == ArgInfo(traced.in_avals[0][1], True)
        assert traced.donate_argnums == (1,)
        np.testing.assert_array_equal(np.asarray(traced(X, X)), X + X)
        with pytest.raises(TypeError, match=r"argument y has type f32\[2\], traced for f32\[3\]"):
            traced(X, X[:2])

"""Errors leave every transformation, on XLA and in NumPy, with the user's frames alone."""

import traceback
from contextlib import nullcontext

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx_core import backend
from jx_core.config import traceback_filtering
from jx_core.errors import ShapeError
from jx_core.source import is_internal

X = np.ones(3, np.float32)
SCALAR = np.float32(1)


def mismatch(x):
    return jnp.sum(x + np.ones(2, np.float32))


@jx.jit
def jitted(x):
    return mismatch(x)


def frames(error):
    """The frames of an error's traceback below the test's own."""
    return traceback.extract_tb(error.__traceback__)[1:]


def names(error):
    return [frame.name for frame in frames(error)]


CALLS = {
    "grad": lambda f: jx.grad(f)(X),
    "value_and_grad": lambda f: jx.value_and_grad(f)(X),
    "jvp": lambda f: jx.jvp(f, (X,), (X,)),
    "vjp": lambda f: jx.vjp(f, X),
    "linearize": lambda f: jx.linearize(f, X),
    "jacfwd": lambda f: jx.jacfwd(f)(X),
    "jacrev": lambda f: jx.jacrev(f)(X),
    "hessian": lambda f: jx.hessian(f)(X),
    "vmap": lambda f: jx.vmap(f)(np.stack([X, X])),
    "jit": lambda f: jx.jit(f)(X),
    "donating": lambda f: jx.jit(f, donate_argnums=0)(X),
    "nested": lambda f: jx.jit(jx.vmap(jx.grad(jx.jit(f))))(np.stack([X, X])),
}


@pytest.mark.parametrize("engine", ["numpy", "xla"])
@pytest.mark.parametrize("call", CALLS)
def test_a_shape_error_inside_of_jit_inside_of_a_transformation(call, engine):
    with backend.use("numpy") if engine == "numpy" else nullcontext():
        with pytest.raises(ShapeError, match=r"\(3,\).*\(2,\)") as info:
            CALLS[call](jitted)
    assert names(info.value) == ["<lambda>", "jitted", "mismatch"]


def test_off_shows_jxs_frames_too():
    with traceback_filtering("off"), pytest.raises(ShapeError) as info:
        jx.grad(jitted)(X)
    shown = [frame.filename for frame in frames(info.value)]
    assert is_internal(shown[-1]) and any(name == "mismatch" for name in names(info.value))


def test_a_wrong_cotangent_or_tangent_points_to_the_call():
    _, f_vjp = jx.vjp(jnp.sin, X)
    _, f_jvp = jx.linearize(jnp.sin, X)
    for f in (f_vjp, f_jvp):
        with pytest.raises((TypeError, ValueError)) as info:
            f(SCALAR)
        assert names(info.value) == []


def test_an_operator_on_arrays_points_to_the_users_line():
    x, y = jnp.ones(3), jnp.ones(2)
    with pytest.raises(ShapeError) as info:
        x + y
    assert names(info.value) == []

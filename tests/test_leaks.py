"""Traced values that outlive their trace are found under `checking_leaks`, and jx keeps none."""

from __future__ import annotations

import gc

import pytest

import jx
import jx.numpy as jnp
from jx import lax
from jx_core import backend
from jx_core.errors import LeakedTracerError

KEPT: list = []


class Model:
    """Something that a user might hang a traced value on."""


MODEL = Model()


@pytest.fixture(autouse=True)
def forgotten():
    yield
    KEPT.clear()
    vars(MODEL).clear()


@pytest.fixture(params=["xla", "numpy"], autouse=True)
def each_backend(request):
    with backend.use(request.param):
        yield


def keep(x):
    KEPT.append(x * 2)
    return x


VALUES = jnp.arange(3.0)

TRANSFORMATIONS = {
    "jit": lambda f: jx.jit(f)(VALUES),
    "make_jaxpr": lambda f: jx.make_jaxpr(f)(VALUES),
    "eval_shape": lambda f: jx.eval_shape(f, VALUES),
    "vmap": lambda f: jx.vmap(f)(VALUES),
    "jvp": lambda f: jx.jvp(f, (VALUES,), (VALUES,)),
    "grad": lambda f: jx.grad(lambda x: f(x).sum())(VALUES),
    "vjp": lambda f: jx.vjp(f, VALUES),
    "linearize": lambda f: jx.linearize(f, VALUES),
    "jit of grad": lambda f: jx.jit(jx.grad(lambda x: f(x).sum()))(VALUES),
    "vmap of grad": lambda f: jx.vmap(jx.grad(f))(VALUES),
    "checkpoint": lambda f: jx.checkpoint(f)(VALUES),
    "cond": lambda f: lax.cond(True, f, lambda x: x, VALUES),
    "while": lambda f: lax.while_loop(lambda x: x[0] > 0, f, VALUES),
    "scan": lambda f: lax.scan(lambda c, x: (f(c), x), VALUES, VALUES),
    "inner jit": lambda f: jx.jit(lambda x: jx.jit(f)(x) + 1)(VALUES),
}


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_a_leak_is_found_named_and_explained(name):
    with jx.checking_leaks():
        with pytest.raises(LeakedTracerError) as caught:
            TRANSFORMATIONS[name](keep)
    message = str(caught.value)
    assert "Leaked trace" in message and "Leaked tracer(s)" in message
    assert f"It was computed by 'mul' at {__file__}:" in message and "(keep)" in message
    assert "it is at [0] of a list of length 1" in message
    assert f"it is the global 'KEPT' of module {__name__!r}" in message


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_a_function_that_keeps_nothing_passes(name):
    with jx.checking_leaks():
        TRANSFORMATIONS[name](lambda x: jnp.sin(x) * 2)


def attribute(x):
    MODEL.cache = {"key": (x,)}
    return x


def test_what_refers_to_a_value_is_told_step_by_step():
    with jx.checking_leaks(), pytest.raises(LeakedTracerError) as caught:
        jx.jit(attribute)(1.0)
    steps = [line.strip() for line in str(caught.value).splitlines()[2:-1]]
    assert steps == [
        "it is at [0] of a tuple of length 1",
        "it is at 'key' of a dict",
        f"it is the attribute 'cache' of a {__name__}.Model",
        f"it is the global 'MODEL' of module {__name__!r}",
    ]
    assert "argument 0 of the traced function" in str(caught.value)


def test_variables_of_functions_that_run_are_named():
    found = []
    with jx.checking_leaks(), pytest.raises(LeakedTracerError) as caught:
        jx.vmap(lambda x: found.append(x))(VALUES)
    where = "test_variables_of_functions_that_run_are_named"
    assert f"local variable 'found' of {where} at {__file__}:" in str(caught.value)
    found.clear()


def counter():
    last = None

    def count(x):
        nonlocal last
        last = x + 1
        return x

    return count


COUNT = counter()


def test_variables_that_functions_close_over_are_named():
    with jx.checking_leaks(), pytest.raises(LeakedTracerError) as caught:
        jx.jit(COUNT)(1.0)
    message = str(caught.value)
    assert f"it is closed over by the function counter.<locals>.count ({__file__}:" in message
    assert "it is the global 'COUNT' of module" in message


def test_a_value_is_found_by_whichever_trace_it_belongs_to():
    def outer(x):
        inner = jx.vmap(lambda y: KEPT.append(x * y))
        inner(VALUES)
        return x

    with jx.checking_leaks():
        with pytest.raises(LeakedTracerError, match="BatchTrace of vmap"):
            jx.jit(outer)(1.0)


def test_leaks_go_unnoticed_where_nobody_looks_and_are_found_though_the_function_is_known():
    f = jx.jit(keep)
    f(1.0)
    f(1.0)
    KEPT.clear()
    with jx.checking_leaks():
        with pytest.raises(LeakedTracerError):
            f(1.0)
    KEPT.clear()
    with jx.check_tracer_leaks(True), pytest.raises(Exception, match="Leaked"):
        f(1.0)
    f(1.0)


def test_values_in_reference_cycles_are_no_leak():
    def f(x):
        loop = [x * 2]
        loop.append(loop)
        return x

    with jx.checking_leaks():
        jx.jit(f)(1.0)


def test_auxiliary_results_are_no_leak():
    def f(x):
        return (x * x).sum(), {"x": x, "list": [x + 1]}

    with jx.checking_leaks():
        (_, aux), _ = jx.value_and_grad(f, has_aux=True)(VALUES)
        jx.vjp(f, VALUES, has_aux=True)
        jx.jacrev(f, has_aux=True)(VALUES)
        jx.hessian(f, has_aux=True)(VALUES)
        jx.jit(jx.grad(f, has_aux=True))(VALUES)
    assert aux["list"][0].tolist() == [1, 2, 3]


def custom(decorate, *rules):
    def f(x, y):
        return jnp.sin(x) * y

    wrapped = decorate(f)
    getattr(wrapped, "defjvp" if decorate is jx.custom_jvp else "defvjp")(*rules)
    return wrapped


@pytest.mark.parametrize(
    "f",
    [
        custom(jx.custom_jvp, lambda p, t: (jnp.sin(p[0]) * p[1], t[0] * p[1] + t[1])),
        custom(jx.custom_vjp, lambda x, y: (jnp.sin(x) * y, (x, y)), lambda r, ct: (ct, ct)),
    ],
    ids=["custom_jvp", "custom_vjp"],
)
def test_functions_with_rules_keep_no_value_of_a_call(f):
    def closing(z):
        return f(z, 2.0) + lax.scan(lambda c, x: (f(c, x) * z, None), z, VALUES)[0]

    with jx.checking_leaks():
        jx.grad(closing)(1.0)
        jx.jit(jx.grad(closing))(1.0)
        jx.vmap(jx.grad(closing))(VALUES)
        jx.jit(jx.vmap(jx.grad(jx.checkpoint(closing))))(VALUES)
        jx.grad(lambda z: jx.jit(closing)(z))(1.0)


def test_layers_of_transformations_keep_nothing():
    def loss(w, x):
        def layer(h, w):
            h = lax.cond(h.sum() > 0, jnp.tanh, jnp.sin, h @ w)
            return h, lax.while_loop(lambda c: c < 2, lambda c: c + 1, 0)

        h, _ = lax.scan(jx.checkpoint(layer), x, w)
        return jx.nn.logsumexp(h) + jnp.linalg.norm(h)

    w, x = jnp.ones((2, 3, 3)), jnp.ones((4, 3))
    with jx.checking_leaks():
        rows = jx.vmap(jx.grad(loss), (None, 0))(w, x)
        whole = jx.jit(jx.vmap(jx.value_and_grad(loss), (None, 0)))(w, x)
        jx.hessian(loss, 1)(w, x[0])
        jx.jit(jx.jacfwd(loss))(w, x[0])
        jx.random.normal(jx.random.key(0), (3,))
    assert jnp.allclose(rows, whole[1], rtol=1e-5)


def test_an_error_in_a_traced_function_is_told_as_it_is():
    def f(x):
        KEPT.append(x)
        raise KeyError("mine")

    with jx.checking_leaks(), pytest.raises(KeyError, match="mine"):
        jx.jit(f)(1.0)


def test_arrays_that_a_gradient_needed_are_freed_without_the_garbage_collector():
    if backend.current().name == "numpy":
        pytest.skip("the arrays of the NumPy back end are not counted")

    def f(x):
        return lax.scan(lambda c, _: (jnp.sin(c) * x, None), jnp.exp(x), length=3)[0].sum()

    x = jnp.arange(5.0)
    step = jx.jit(jx.value_and_grad(f))
    jx.grad(f)(x), jx.vjp(f, x)[1](1.0), step(x)
    gc.collect()
    before = len(jx.live_arrays())
    gc.disable()
    try:
        for _ in range(3):
            jx.grad(f)(x)
            jx.vjp(f, x)[1](1.0)
            jx.jvp(jx.grad(f), (x,), (x,))
            step(x)
        assert len(jx.live_arrays()) <= before + 2  # numbers that are kept on the device
    finally:
        gc.enable()

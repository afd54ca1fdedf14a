"""Nothing outlives its users: tracers, arrays, programs and executables go when they do."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx_core.jaxpr import ClosedJaxpr
from jx_core.trace import Tracer

X = np.linspace(0.1, 1.0, 7, dtype=np.float32)


def alive(kind: type) -> list[object]:
    gc.collect()
    return [x for x in gc.get_objects() if isinstance(x, kind)]


@jx.custom_jvp
def cube(x):
    return x**3


cube.defjvp(lambda primals, tangents: (cube(*primals), 3 * primals[0] ** 2 * tangents[0]))


@jx.custom_vjp
def double(x):
    return 2 * x


double.defvjp(lambda x: (double(x), None), lambda _, ct: (2 * ct,))


def body(c, x):
    c = jnp.where(c > 0, jnp.sin(c), cube(c)) + x
    return c, 2 * c


def scanned(x):
    return jx.lax.scan(body, 0.5, x)[1].sum()


def with_backward_rule(x):
    return jx.lax.scan(lambda c, x: (double(c) * x, c), 0.5, x)[1].sum()


def branched(x):
    return jx.lax.cond(x[0] > 0, lambda x: x.sum(), lambda x: (x**2).sum(), x)


def looped(x):
    return jx.lax.while_loop(lambda c: c.sum() < 10, lambda c: c * 1.5, x).sum()


def checkpointed(x):
    return jx.checkpoint(lambda x: jnp.sin(jnp.sin(x)))(x).sum()


FUNCTIONS = [scanned, with_backward_rule, branched, looped, checkpointed]
REVERSE = ("grad", "jit of grad", "hessian")
FORWARD = ("jvp", "linearize", "hessian")
ONE_MODE_ONLY = {looped: REVERSE, with_backward_rule: FORWARD}  # what these can't do
TRANSFORMATIONS = {
    "jit": jx.jit,
    "grad": lambda f: jx.grad(f),
    "jit of grad": lambda f: jx.jit(jx.grad(f)),
    "vmap": lambda f: jx.vmap(lambda s: f(s * X)),
    "jvp": lambda f: lambda x: jx.jvp(f, (x,), (x,)),
    "linearize": lambda f: lambda x: jx.linearize(f, x)[1](x),
    "hessian": lambda f: jx.hessian(f),
    "make_jaxpr": lambda f: jx.make_jaxpr(f),
}
CASES = [
    pytest.param(f, how, id=f"{how} of {f.__name__}")
    for f in FUNCTIONS
    for how in TRANSFORMATIONS
    if how not in ONE_MODE_ONLY.get(f, ())
]


@pytest.mark.parametrize("fun, how", CASES)
def test_no_tracer_outlives_a_transformation(fun, how):
    before = set(map(id, alive(Tracer)))
    result = TRANSFORMATIONS[how](lambda x: fun(x))(X)
    left = [t for t in alive(Tracer) if id(t) not in before]
    assert not left
    del result


@pytest.mark.parametrize("fun, how", CASES)
def test_no_program_outlives_its_function(fun, how):
    def run():
        # Not the module's functions: those live on, and their programs with them.
        x = jnp.asarray(X)
        local = lambda x: fun(x * 1.0)  # noqa: E731
        TRANSFORMATIONS[how](local)(x)

    run()  # array functions are compiled once for all
    before = len(alive(ClosedJaxpr))
    for _ in range(3):
        run()
    assert len(alive(ClosedJaxpr)) <= before


def test_an_array_that_a_compiled_function_closes_over_goes_with_it():
    def compiled():
        big = jnp.ones(1 << 16)
        f = jx.jit(lambda x: x + big)
        f(1.0)
        return f, weakref.ref(big)

    f, gone = compiled()
    gc.collect()
    assert gone() is not None
    del f
    gc.collect()
    assert gone() is None


def test_executables_go_with_their_function():
    def live() -> int:
        gc.collect()
        return len(jx.devices()[0].client.live_executables())

    def compile_one(i):
        f = jx.jit(lambda x: x * i + 1)
        f(jnp.ones(3))
        jx.grad(lambda x: f(x).sum())(jnp.ones(3))

    compile_one(1.5)
    before = live()
    for i in range(5):
        compile_one(float(i))
    assert live() <= before


def test_residuals_go_with_the_function_that_holds_them():
    x = jnp.ones(1 << 16)
    _, pullback = jx.vjp(lambda x: jnp.sin(x) * jnp.cos(x), x)
    del x
    gc.collect()
    size = sum(a.nbytes for a in jx.live_arrays() if a.nbytes >= 1 << 18)
    assert size > 0
    before = len(jx.live_arrays())
    del pullback
    gc.collect()
    assert len(jx.live_arrays()) < before


def test_a_failed_trace_leaves_nothing_behind():
    before = set(map(id, alive(Tracer)))

    def fails(x):
        return jnp.sin(x) + jnp.ones(99)

    for transform in (jx.jit, lambda f: jx.jit(jx.vmap(f)), jx.make_jaxpr):
        with pytest.raises(TypeError):
            transform(fails)(jnp.ones((3, 4)))
    assert not [t for t in alive(Tracer) if id(t) not in before]


def test_methods_and_partials_do_not_keep_their_object_alive():
    class Model:
        def __init__(self):
            self.weight = jnp.ones(5)

        def loss(self, x):
            return (self.weight * x).sum()

    model = Model()
    gone = weakref.ref(model)
    jx.jit(model.loss)(jnp.ones(5))
    jx.grad(model.loss)(jnp.ones(5))
    jx.vmap(model.loss)(jnp.ones((2, 5)))
    del model
    gc.collect()
    assert gone() is None

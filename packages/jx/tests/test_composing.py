"""Pipelines of transformations: what they come to, what they are as values, what they say."""

from __future__ import annotations

import functools
import pickle

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx import TransformPipeline, compose

XS = np.float32([1.0, 2.0, 3.0])
MAPPED = TransformPipeline().grad(argnums=1).vmap(in_axes=(0, None)).jit(static_argnames="n")


def power(x, y, n=2):
    return x * y**n


def test_the_leftmost_is_applied_first():
    def step(letter):
        return lambda f: lambda x: letter + f(x)

    assert compose(step("a"), step("b"), step("c"))(str)("x") == "cbax"
    written = compose(jx.vmap, (jx.grad, {"argnums": 1}), jx.jit).written("f")
    assert written == "jit(grad(vmap(f), argnums=1))"


def test_it_does_what_its_steps_do():
    np.testing.assert_allclose(MAPPED(power)(XS, 2.0), 4 * XS)
    powers = compose(jx.grad, (jx.jit, {"static_argnames": "n"}))(lambda x, n: x**n)
    assert powers(2.0, n=3) == 12.0
    assert compose()(power) is power

    @compose(jx.grad, jx.jit)
    def decorated(x):
        return x**2

    assert decorated(3.0) == 6.0 and decorated.__name__ == "decorated"
    assert decorated.lower(3.0).compile()(3.0) == 6.0, "what jit offers is there"
    assert compose(jx.derivative)(jnp.sin).plan(1.0).mode == "forward"


def test_any_callable_is_a_transformation():
    def shifted(f, by=1):
        return lambda x: f(x) + by

    assert compose(shifted, functools.partial(shifted, by=10))(lambda x: x)(0) == 11
    assert compose(jx.grad).then(shifted, by=0.5)(lambda x: x)(1.0) == 1.5


def test_pipelines_are_values():
    same = compose(
        functools.partial(jx.grad, argnums=1),
        (jx.vmap, {"in_axes": (0, None)}),
        (functools.partial(jx.jit, static_argnames="n"), {}),
    )
    assert same == MAPPED and hash(same) == hash(MAPPED) and {MAPPED: 1}[same] == 1
    assert MAPPED[:1] + MAPPED[1:] == MAPPED == TransformPipeline(*MAPPED) == compose(MAPPED)
    assert len(MAPPED) == 3 and MAPPED[0] == TransformPipeline().grad(argnums=1)[0]
    assert pickle.loads(pickle.dumps(MAPPED)) == MAPPED
    assert compose((jx.grad, {"argnums": 1})) != compose((jx.grad, {"argnums": True}))
    assert MAPPED != MAPPED[:2] and MAPPED != MAPPED[::-1]
    options = compose((jx.vmap, {"in_axes": [0, {"a": np.ones(2)}]}))
    assert hash(options) == hash(compose(options)) and options == compose(options)
    with pytest.raises(AttributeError, match="can't be changed"):
        MAPPED.steps = ()
    with pytest.raises(TypeError):
        MAPPED[0].options["argnums"] = 2


def test_it_describes_itself_in_one_line_or_several():
    assert repr(MAPPED) == (
        "TransformPipeline(grad(argnums=1), vmap(in_axes=(0, None)), jit(static_argnames='n'))"
    )
    assert repr(MAPPED + MAPPED[1:2]) == (
        "TransformPipeline(\n"
        "    grad(argnums=1),\n"
        "    vmap(in_axes=(0, None)),\n"
        "    jit(static_argnames='n'),\n"
        "    vmap(in_axes=(0, None)),\n"
        ")"
    )
    policy = compose((jx.checkpoint, {"policy": jx.checkpoint_policies.dots_saveable}))
    assert repr(policy) == "TransformPipeline(checkpoint(policy=dots_saveable))"


@pytest.mark.parametrize(
    ("pipeline", "fun", "args", "note"),
    [
        (compose(jx.grad, jx.jit), lambda x: x * jnp.ones(3), (1.0,), "step 1 of 2, grad()"),
        (compose(jx.grad, jx.vmap), lambda x: x * jnp.ones(3), (XS,), "step 1 of 2, grad()"),
        (compose(jx.grad, jx.vmap), jnp.dot, (XS, XS[:2]), "step 2 of 2, vmap()"),
    ],
    ids=["inside jit", "inside vmap", "the last"],
)
def test_errors_name_the_step(pipeline, fun, args, note):
    with pytest.raises((TypeError, ValueError)) as error:
        pipeline(fun)(*args)
    assert len(error.value.__notes__) == 1 and note in error.value.__notes__[0]


def test_errors_of_the_function_are_its_own():
    def fails(x):
        raise KeyError("mine")

    with pytest.raises(KeyError) as error:
        compose(jx.grad, jx.vmap)(fails)(XS)
    assert not hasattr(error.value, "__notes__")


def test_wrong_use():
    with pytest.raises(TypeError, match="step 2 of 2 must be a transformation.* got 3"):
        compose(jx.grad, 3)
    with pytest.raises(TypeError, match="grad: options are keyword arguments"):
        compose((jx.grad, {1: 2}))
    with pytest.raises(TypeError, match="applied to a function, got 3"):
        MAPPED(3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'foo'") as error:
        compose(jx.grad, (jx.jit, {"foo": 1}))(power)
    assert "step 2 of 2, jit(foo=1), of the pipeline jit(grad(power), foo=1)" in str(
        error.value.__notes__
    )
    with pytest.raises(TypeError, match="returned 3, which is no function.*step 1 of 2"):
        compose(lambda f: 3, jx.jit)(power)

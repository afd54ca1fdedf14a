"""The option `debug_key_reuse` on XLA, where compiled dispatchers answer calls without Python."""

import pytest

import jx
import jx.numpy as jnp
from jx import random


def test_second_uses_are_found_behind_a_warm_dispatcher():
    draw = jx.jit(lambda k: random.normal(k))
    key = random.key(0)
    draw(key), random.normal(key), draw(key), random.normal(key)  # as often as one likes
    with jx.debug_key_reuse(True):
        draw(key)
        for again in (draw, random.normal, random.split):
            with pytest.raises(jx.errors.KeyReuseError, match="first: drawn from at") as caught:
                again(key)
            assert str(caught.value).count("test_key_reuse_xla.py") == 2
    draw(key)


@pytest.mark.parametrize(
    "fun",
    [
        lambda k: jx.lax.scan(lambda c, _: (c + random.normal(k), None), 0.0, None, 3)[0],
        lambda k: jx.lax.fori_loop(0, 3, lambda i, x: x + random.normal(k), 0.0),
        lambda k: jx.vmap(random.normal)(jnp.broadcast_to(k, (3,))),
        lambda k: jx.grad(lambda x: x * random.normal(k) * random.uniform(k))(1.0),
        lambda k: jx.lax.cond(True, random.normal, random.normal, k) + random.normal(k),
    ],
)
@pytest.mark.parametrize("staged", [lambda f: f, jx.jit], ids=["eager", "jit"])
def test_through_transformations(fun, staged):
    with jx.debug_key_reuse(True), pytest.raises(jx.errors.KeyReuseError):
        staged(fun)(random.key(0))


def test_right_programs_run():
    with jx.debug_key_reuse(True):
        keys = random.split(random.key(0), 4)
        jx.vmap(random.gamma, (0, None))(keys[:2], 2.0)
        loss = jx.checkpoint(lambda x: jnp.sin(x * random.normal(keys[2])))
        jx.jit(jx.grad(loss))(1.0)
        with pytest.raises(jx.errors.KeyReuseError, match=r"index \(0,\) of an array of shape"):
            jx.vmap(random.normal)(keys)

"""The option `debug_key_reuse`: a key that is used twice is an error that names both lines."""

import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import checkpoint, grad
from jx_batching import vmap
from jx_core import errors, jit, lax
from jx_core.config import config, debug_key_reuse
from jx_numpy import random


@pytest.fixture(autouse=True)
def checking(on_numpy):
    with debug_key_reuse(True):
        yield


def reuses(fun, *args):
    with pytest.raises(errors.KeyReuseError) as caught:
        fun(*args)
    return str(caught.value)


def draw_twice(key):
    return random.normal(key) + random.uniform(key)


def split_and_draw(key):
    a, b = random.split(key)
    return random.normal(a) + random.normal(key)


def draw_and_split(key):
    x = random.normal(key)
    return x + random.normal(random.split(key)[0])


def draw_right(key):
    a, b = random.split(key)
    return random.normal(a) + random.normal(b)


REUSING = [draw_twice, split_and_draw, draw_and_split]


@pytest.mark.parametrize("fun", REUSING)
@pytest.mark.parametrize("staged", [lambda f: f, jit], ids=["eager", "jit"])
def test_a_second_use_is_an_error(fun, staged):
    message = reuses(staged(fun), random.key(0))
    assert message.count("test_key_reuse.py") == 2
    assert "first:" in message and "again:" in message and "jx.random.split" in message


@pytest.mark.parametrize("staged", [lambda f: f, jit], ids=["eager", "jit"])
def test_each_key_once_is_right(staged):
    key = random.key(0)
    first = staged(draw_right)(key)
    assert float(first) == float(staged(draw_right)(random.clone(key)))


def test_the_message_has_both_lines():
    key = random.key(0)
    here = test_the_message_has_both_lines.__code__.co_firstlineno
    random.normal(key)
    with pytest.raises(errors.KeyReuseError) as caught:
        random.uniform(key)
    first, again = str(caught.value).splitlines()[1:3]
    assert first.startswith("  first: drawn from at ") and f"test_key_reuse.py:{here + 3} " in first
    assert again.startswith("  again: drawn from at ") and f"test_key_reuse.py:{here + 5} " in again


def test_jit_uses_its_argument_up():
    key = random.key(0)
    jit(random.normal)(key)
    reuses(random.normal, key)
    reuses(jit(random.normal), key)


def test_a_key_that_is_closed_over_is_used_by_each_call():
    key = random.key(0)
    f = jit(lambda x: x + random.normal(key))
    f(1.0)
    reuses(f, 2.0)


def test_keys_made_inside_are_followed():
    reuses(jit(lambda seed: draw_twice(random.key(seed))), 3)


def test_scan_that_closes_over_a_key():
    key = random.key(0)
    message = reuses(lambda: lax.scan(lambda c, _: (c + random.normal(key), None), 0.0, None, 3))
    assert "loop" in message


def test_scan_over_keys_and_with_a_key_as_carry():
    keys = random.split(random.key(0), 20)
    lax.scan(lambda c, k: (c + random.normal(k), None), 0.0, keys)
    reuses(random.normal, keys[0])
    reuses(random.normal, keys[19])

    def step(key, _):
        key, sub = random.split(key)
        return key, random.normal(sub)

    last, _ = lax.scan(step, random.key(1), None, 20)
    random.normal(last)
    reuses(random.normal, last)


def test_scan_that_gives_keys():
    def step(key, _):
        key, sub = random.split(key)
        return key, sub

    _, subs = lax.scan(step, random.key(1), None, 12)
    vmap(random.normal)(subs)
    reuses(random.normal, subs[11])


def test_while_and_fori_loop():
    key = random.key(0)
    reuses(lambda: lax.fori_loop(0, 3, lambda i, x: x + random.normal(key), 0.0))
    reuses(lambda n: lax.while_loop(
        lambda x: x < n, lambda x: x + 1 + 0 * random.normal(key), 0.0), 3.0)  # fmt: skip
    fresh = random.key(1)
    lax.fori_loop(0, 3, lambda i, x: x + random.normal(random.fold_in(fresh, i)), 0.0)


def test_cond_uses_what_a_branch_uses():
    key = random.key(0)

    def f(p, key):
        x = lax.cond(p, lambda k: random.normal(k), lambda k: random.uniform(k), key)
        return x + random.normal(key)

    reuses(jit(f), True, key)
    two = random.split(random.key(1))
    jit(lambda p: lax.cond(p, draw_right, draw_right, two[0]))(False)


def test_vmap():
    key = random.key(0)
    reuses(vmap(random.normal), jnp.broadcast_to(key, (3,)))
    vmap(random.normal)(random.split(key, 3))
    reuses(vmap(draw_twice), random.split(random.key(1), 3))


def test_grad():
    reuses(grad(lambda x, k: x * draw_twice(k)), 1.0, random.key(0))
    reuses(jit(grad(lambda x, k: x * draw_twice(k))), 1.0, random.key(0))
    for staged in (lambda f: f, jit):
        loss = staged(checkpoint(lambda x, k: jnp.sin(x * draw_right(k))))
        assert np.isfinite(grad(loss)(1.0, random.key(0)))
        assert np.isfinite(jit(grad(loss))(1.0, random.key(0)))


def test_elements_of_key_arrays_are_apart():
    keys = random.split(random.key(0), 4)
    random.normal(keys[0])
    random.normal(keys[1])
    reuses(random.normal, keys[0])
    vmap(random.normal)(keys[2:])
    message = reuses(vmap(vmap(random.normal)), keys.reshape(2, 2)[::-1])
    assert "index (0, 0) of an array of shape (2, 2)" in message
    message = reuses(vmap(random.normal), keys)
    assert "index (0,) of an array of shape (4,)" in message


def test_keys_keep_their_use_when_moved_about():
    key = random.key(0)
    random.normal(key)
    for moved in (
        jnp.stack([key, random.key(1)])[0],
        key.reshape(1)[0],
        jnp.concatenate([random.split(random.key(2)), key[None]])[2],
        jnp.where(True, key, random.key(3)),
    ):
        reuses(random.normal, moved)


def test_what_makes_no_use_of_a_key():
    key = random.key(0)
    random.normal(key)
    assert key == key
    random.key_data(key), random.key_impl(key), key.shape, repr(key)
    random.normal(random.fold_in(key, 1))
    random.normal(random.clone(key))
    random.normal(random.wrap_key_data(random.key_data(key)))


def test_raw_keys_are_not_followed():
    key = random.PRNGKey(0)
    assert random.normal(key) == random.normal(key)


def test_a_failed_call_uses_nothing():
    key = random.key(0)
    reuses(jit(draw_twice), key)
    random.normal(key)


def test_off_and_on():
    key = random.key(0)
    with debug_key_reuse(False):
        draw_twice(key)
    random.normal(key)
    assert config.jax_debug_key_reuse is True
    before = debug_key_reuse.global_value
    for name in ("jax_debug_key_reuse", "jx_debug_key_reuse"):
        config.update(name, not before)
        assert debug_key_reuse.global_value is not before
        config.update(name, before)


_P = np.array([0.2, 0.3, 0.5])
CALLS = {
    "ball": (3,), "bernoulli": (), "beta": (2.0, 3.0), "binomial": (10.0, 0.3), "bits": (),
    "categorical": (np.log(_P),), "cauchy": (), "chisquare": (3.0,), "choice": (5,),
    "dirichlet": (_P,), "double_sided_maxwell": (0.0, 1.0), "exponential": (), "f": (3.0, 4.0),
    "gamma": (2.0,), "generalized_normal": (1.5,), "geometric": (0.3,), "gumbel": (),
    "laplace": (), "loggamma": (2.0,), "logistic": (), "lognormal": (), "maxwell": (),
    "multinomial": (10, _P), "multivariate_normal": (np.zeros(2), np.eye(2)), "normal": (),
    "orthogonal": (3,), "pareto": (2.0,), "permutation": (5,), "poisson": (4.0,),
    "rademacher": (), "randint": ((), 0, 9), "rayleigh": (2.0,), "t": (3.0,), "triangular":
    (0.0, 0.5, 1.0), "truncated_normal": (-1.0, 1.0), "uniform": (), "wald": (1.0,),
    "weibull_min": (1.0, 2.0),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_distributions_use_their_key_once(name):
    key = random.key(0)
    getattr(random, name)(key, *CALLS[name])
    reuses(getattr(random, name), key, *CALLS[name])

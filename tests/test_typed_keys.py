"""Typed keys of every generator go wherever arrays go, and are refused where numbers are wanted.

Single operations on keys are samples of the op database; here are programs, NumPy's names for
them, and what they say of arithmetic. Each result is that of the same program on the words.
"""

from __future__ import annotations

import operator

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx import lax, random
from jx_core import backend
from jx_core.errors import KeyTypeError

IMPLS = ("threefry2x32", "rbg", "unsafe_rbg")


@pytest.fixture(params=IMPLS)
def keys(request):
    return random.split(random.key(3, impl=request.param), (2, 3))


def words(x):
    return np.asarray(random.key_data(x))


MOVES = {
    "reshape": lambda k: jnp.reshape(k, (3, 2, *k.shape[2:])),
    "swapaxes": lambda k: jnp.swapaxes(k, 0, 1),
    "broadcast": lambda k: jnp.broadcast_to(k, (4, *k.shape)),
    "concatenate": lambda k: jnp.concatenate([k, k[:1]]),
    "stack": lambda k: jnp.stack([k, k], 1),
    "flip": lambda k: jnp.flip(k, (0, 1)),
    "roll": lambda k: jnp.roll(k, 1, 1),
    "repeat": lambda k: jnp.repeat(k, 2, axis=0),
    "indexed": lambda k: k[jnp.array([1, 0, 1]), 1],
    "masked": lambda k: k[np.array([False, True])],
    "strided": lambda k: k[::-1, ::2],
    "new axis": lambda k: k[:, None],
    "set": lambda k: k.at[0, jnp.array([1, 2])].set(k[1, 0]),
    "taken": lambda k: jnp.take(k, jnp.array([2, 0]), axis=1),
    "beyond": lambda k: k.at[jnp.array([0, 7])].get(mode="fill"),
    "filled": lambda k: k.at[jnp.array([0, 7])].get(mode="fill", fill_value=5),
    "stopped": lambda k: lax.stop_gradient(k),
    "barrier": lambda k: lax.optimization_barrier(k),
    "copied": lambda k: jnp.copy(k),
    "jitted": lambda k: jx.jit(lambda k: k[1])(k),
    "sliced": lambda k: lax.dynamic_index_in_dim(k, jnp.int32(1), 0),
    "mapped": lambda k: lax.map(lambda row: row[::-1], k),
    "scanned": lambda k: lax.scan(lambda c, row: (row, c), k[0], k),
    "looped": lambda k: lax.fori_loop(0, 3, lambda i, c: jnp.flip(c, 0), k),
    "chosen": lambda k: lax.cond(jnp.bool_(True), lambda k: k[0], lambda k: k[1], k),
    "switched": lambda k: lax.switch(jnp.int32(1), [lambda k: k[0], lambda k: k[1]], k),
    "rows": lambda k: jx.vmap(lambda row: row[1], in_axes=0)(k),
    "columns": lambda k: jx.vmap(lambda c: c[::-1], in_axes=1, out_axes=1)(k),
    "closed over": lambda k: jx.vmap(lambda i: k[i, 0])(jnp.arange(2)),
    "zeros": jnp.zeros_like,
    "ones": jnp.ones_like,
    "sevens": lambda k: jnp.full_like(k, 7),
}


@pytest.mark.parametrize("name", MOVES)
def test_they_move_as_their_words_do(keys, name):
    for how in (lambda f: f, jx.jit):
        moved = jx.tree.leaves(how(MOVES[name])(keys))
        wanted = jx.tree.leaves(MOVES[name](jnp.asarray(words(keys))))
        for got, want in zip(moved, wanted, strict=True):
            assert got.dtype == keys.dtype
            np.testing.assert_array_equal(words(got), np.asarray(want))


def test_choices_between_keys(keys):
    mask = np.array([[True, False, True], [False, False, True]])
    got = jnp.where(mask, keys, keys[0, 0])
    want = np.where(mask[..., None], words(keys), words(keys[0, 0]))
    np.testing.assert_array_equal(words(got), want)
    np.testing.assert_array_equal(
        words(lax.select(mask, keys, keys[::-1])[1, 2]), words(keys)[1, 2]
    )
    upper = jnp.triu(keys)
    assert not words(upper)[1, 0].any() and words(upper)[0, 0].any()


def test_equality(keys):
    assert (keys == keys).shape == (2, 3) and bool((keys == keys).all())
    assert (keys != keys[::-1]).tolist() == [[True] * 3] * 2
    assert bool(jnp.array_equal(keys, keys)) and bool(jnp.allclose(keys, keys))


def test_keys_as_the_state_of_a_loop(keys):
    key = keys[0, 0]

    def step(carry, _):
        key, total = carry
        key, used = random.split(key)
        return (key, total + random.uniform(used)), random.bits(used)

    (last, total), drawn = lax.scan(step, (key, 0.0), None, length=3)
    expected, sums = [], 0.0
    for _ in range(3):
        key, used = random.split(key)
        expected.append(int(random.bits(used)))
        sums += float(random.uniform(used))
    assert drawn.tolist() == expected
    np.testing.assert_allclose(float(total), sums, rtol=1e-6)
    np.testing.assert_array_equal(words(last), words(key))
    count, _ = lax.while_loop(
        lambda s: s[0] < 4, lambda s: (s[0] + 1, random.fold_in(s[1], s[0])), (0, key)
    )
    assert int(count) == 4


def test_batches_of_keys_give_what_each_does(keys):
    """In JAX the first key of a batch of `rbg` keys gives the bits of all."""
    row = keys[0]
    for draw in (
        lambda k: random.bits(k, (3,)),
        lambda k: random.key_data(random.split(k, 3)),
        lambda k: random.key_data(random.fold_in(k, 7)),
        lambda k: random.normal(k, (2,)),
    ):
        want = np.stack([np.asarray(draw(row[i])) for i in range(3)])
        np.testing.assert_allclose(np.asarray(jx.vmap(draw)(row)), want, rtol=1e-6)


def test_both_back_ends_draw_the_same(keys):
    key = keys[1, 2]
    data, impl = words(key), random.key_impl(key)
    draws = [
        lambda k: random.bits(k, (7,), "uint8"),
        lambda k: random.uniform(k, (5,)),
        lambda k: random.randint(k, (4, 3), 0, 1000),
        lambda k: random.permutation(k, 9),
        lambda k: random.key_data(random.split(k, (2, 2))),
    ]
    for draw in draws:
        on_xla = np.asarray(draw(key))
        with backend.use("numpy"):
            in_numpy = np.asarray(draw(random.wrap_key_data(data, impl=impl)))
        np.testing.assert_array_equal(on_xla, in_numpy)


def test_derivatives_hold_keys_fixed(keys):
    key = keys[0, 0]
    noise = float(random.normal(key))
    assert float(jx.grad(lambda x, k: x * random.normal(k))(2.0, key)) == pytest.approx(noise)
    assert float(jx.jvp(lambda x: x * random.normal(key), (2.0,), (1.0,))[1]) == pytest.approx(
        noise
    )


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("sin", jnp.sin),
        ("add", lambda k: k + 1),
        ("add", lambda k: 1 + k),
        ("add", lambda k: k + k),
        ("neg", operator.neg),
        ("multiply", lambda k: k * 2.0),
        ("equal", lambda k: k == 0),
        ("lt", lambda k: k < k),
        ("sort", jnp.sort),
        ("reduce_sum", jnp.sum),
        ("reduction by max", jnp.max),
        ("add", lambda k: lax.add(k, 1)),
        ("add", lambda k: lax.add(k, jnp.ones((2, 3)))),
        ("bitwise_xor", lambda k: k ^ 1),
        ("view", lambda k: k.view("uint32")),
        ("convert_element_type", lambda k: k.astype("uint32")),
        ("convert_element_type", jnp.mean),
        ("maximum|clip", lambda k: jnp.clip(k, 0, 1)),
        ("exp", lambda k: jx.jit(lax.exp)(k)),
    ],
)
def test_arithmetic_is_a_type_error_that_says_what_to_do(keys, name, call):
    with pytest.raises(KeyTypeError, match=f"(?s)({name}).*jx.random"):
        call(keys)
    with pytest.raises(TypeError, match=name):
        call(keys)


def test_raw_words_of_another_generator_are_told_apart():
    raw = random.PRNGKey(3, impl="rbg")
    assert raw.shape == (4,)
    with pytest.raises(TypeError, match=r"(?s)end with \(2,\).*wrap_key_data\(words, impl='rbg'\)"):
        random.bits(raw)
    assert random.key_impl(random.wrap_key_data(raw, impl="rbg")) == "rbg"


def test_the_option_chooses_the_generator():
    from jx_core.config import default_prng_impl

    for name in IMPLS:
        with default_prng_impl(name):
            assert random.key_impl(random.key(0)) == name
            raw = random.PRNGKey(7)
            assert random.split(raw).shape == (2, *raw.shape)
            np.testing.assert_array_equal(
                np.asarray(random.bits(raw, (3,))),
                np.asarray(random.bits(random.key(7, impl=name), (3,))),
            )
            assert jx.jit(lambda: random.key(1))().dtype == random.key_dtype(name)

"""Memory spaces: arrays in the host's memory, and residuals that checkpoints keep there."""

from __future__ import annotations

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx.ad_checkpoint import checkpoint_name
from jx_core import backend
from jx_xla.compiling import Lowering
from jx_xla.placements import placement_of

HOST, DEVICE = jx.memory.Space.Host, jx.memory.Space.Device
X = np.linspace(0.1, 1.0, 5, dtype=np.float32)


def lowered_for(platform, fun, *args):
    traced = jx.jit(fun).trace(*args)
    params = traced.staged.params
    return Lowering(params, placement_of(args, params), [platform]).text


def test_an_array_moves_to_the_hosts_memory_and_back():
    x = jnp.asarray(X)
    there = jx.device_put(x, HOST)
    assert there.sharding.memory_kind == "pinned_host"
    np.testing.assert_array_equal(there, X)
    back = jx.device_put(there, DEVICE)
    assert back.sharding.memory_kind == x.sharding.memory_kind
    np.testing.assert_array_equal(jx.jit(jnp.sin)(there), jnp.sin(x))
    assert jx.device_put(X, HOST).sharding.memory_kind == "pinned_host"


def test_typed_keys_move_too():
    key = jx.device_put(jx.random.key(0), HOST)
    assert jx.random.uniform(key) == jx.random.uniform(jx.random.key(0))


@pytest.mark.parametrize("platform, moves", [("cpu", 0), ("cuda", 2), ("tpu", 2)])
def test_in_a_program_a_move_is_an_instruction_where_memories_differ(platform, moves):
    def f(x):
        return jx.device_put(jx.device_put(x * 2, HOST), DEVICE) + 1

    text = lowered_for(platform, f, jnp.asarray(X))
    assert text.count("annotate_device_placement") == moves
    assert ("pinned_host" in text) == bool(moves)
    np.testing.assert_array_equal(jx.jit(f)(X), X * 2 + 1)


def test_moves_are_linear_and_batchable():
    def f(x):
        return (jx.device_put(x, HOST) ** 2).sum()

    np.testing.assert_allclose(jx.grad(f)(X), 2 * X)
    np.testing.assert_allclose(jx.jit(jx.grad(f))(X), 2 * X)
    np.testing.assert_allclose(jx.vmap(f)(X), X**2)
    with backend.use("numpy"):
        np.testing.assert_allclose(jx.grad(f)(X), 2 * X)


def test_programs_with_moves_print():
    text = str(jx.make_jaxpr(lambda x: jx.device_put(x, HOST))(X))
    assert "device=Space.Host" in text


policy = jx.checkpoint_policies.save_and_offload_only_these_names(
    names_which_can_be_saved=["a"],
    names_which_can_be_offloaded=["b"],
    offload_src="device",
    offload_dst="pinned_host",
)


@jx.grad
def gradient(x):
    def layer(x):
        a = checkpoint_name(jnp.sin(x), "a")
        b = checkpoint_name(jnp.cos(a * x), "b")
        return (jnp.tanh(b) * a).sum()

    return jx.checkpoint(layer, policy=policy)(x)


def test_an_offloading_policy_keeps_residuals_in_the_hosts_memory():
    for platform in ("cuda", "tpu"):
        text = lowered_for(platform, gradient, jnp.asarray(X))
        placed = [line for line in text.splitlines() if "annotate_device_placement" in line]
        assert [("pinned_host" in line) for line in placed] == [True, False]
    assert "annotate" not in lowered_for("cpu", gradient, jnp.asarray(X))


def test_an_offloading_policy_changes_no_number():
    def plain(x):
        a = jnp.sin(x)
        return (jnp.tanh(jnp.cos(a * x)) * a).sum()

    want = jx.grad(plain)(X)
    np.testing.assert_allclose(gradient(X), want, rtol=1e-6)
    np.testing.assert_allclose(jx.jit(gradient)(X), want, rtol=1e-6)
    np.testing.assert_allclose(jx.hessian(plain)(X), jx.jacfwd(gradient)(X), rtol=2e-5, atol=1e-6)
    with backend.use("numpy"):
        np.testing.assert_allclose(gradient(X), want, rtol=1e-6)

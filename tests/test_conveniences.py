"""Small public functions and options that programs ported from JAX use."""

from __future__ import annotations

import copy
import functools

import numpy as np
import pytest

import jx
import jx.numpy as jnp

# --- blocks at a traced start ---


def test_ds_is_a_slice_whose_start_may_be_traced():
    x = jnp.arange(10)
    got = jx.jit(lambda x, i: x[jx.ds(i, 3)])(x, 4)
    np.testing.assert_array_equal(got, [4, 5, 6])
    np.testing.assert_array_equal(jx.jit(lambda x, i: x[jx.ds(i, 3, 2)])(x, 1), [1, 3, 5])
    np.testing.assert_array_equal(x[jx.ds(4)], x[:4])
    np.testing.assert_array_equal(x[jx.ds(None)], x)


@pytest.mark.parametrize("start", [8, -3])
@pytest.mark.parametrize("traced", [False, True])
def test_ds_counts_from_the_end_and_reads_what_fits(start, traced):
    x = jnp.arange(10)
    block = jx.ds(jnp.int32(start) if traced else start, 3)
    np.testing.assert_array_equal(x[block], [7, 8, 9])


def test_ds_joins_other_indices():
    y = jnp.arange(24).reshape(4, 6)
    want = np.asarray(y)
    np.testing.assert_array_equal(jx.jit(lambda i: y[i, jx.ds(i, 2)])(1), want[1, 1:3])
    np.testing.assert_array_equal(
        jx.jit(lambda i: y[jnp.array([0, 2]), jx.ds(i, 2)])(1), want[[0, 2], 1:3]
    )
    np.testing.assert_array_equal(y[..., None, jx.ds(jnp.int32(1), 2)], want[..., None, 1:3])


def test_updates_at_ds_are_dropped_where_they_do_not_fit():
    x = jnp.arange(5)
    np.testing.assert_array_equal(
        jx.jit(lambda x, i: x.at[jx.ds(i, 2)].add(10))(x, 1), [0, 11, 12, 3, 4]
    )
    np.testing.assert_array_equal(x.at[jx.ds(jnp.int32(4), 2)].set(0), x)


def test_ds_is_differentiable_and_batchable():
    x = jnp.arange(5.0)
    np.testing.assert_array_equal(
        jx.grad(lambda x: (x[jx.ds(jnp.int32(1), 2)] ** 2).sum())(x), [0, 2, 4, 0, 0]
    )
    np.testing.assert_array_equal(
        jx.vmap(lambda i: x[jx.ds(i, 2)])(jnp.array([0, 3])), [[0, 1], [3, 4]]
    )


def test_ds_says_what_it_wants():
    x = jnp.arange(10)
    with pytest.raises(IndexError, match="11 places 1 apart .* axis 0 has 10"):
        x[jx.ds(0, 11)]
    with pytest.raises(TypeError, match="start must be an integer, got f32"):
        jx.ds(1.5, 2)
    with pytest.raises(TypeError, match="size must be known while tracing"):
        jx.jit(lambda n: x[jx.ds(0, n)])(3)
    with pytest.raises(ValueError, match="stride=-1"):
        jx.ds(1, 2, -1)


# --- contexts and options ---


def test_a_user_context_is_part_of_what_a_function_is_remembered_by():
    scale = jx.make_user_context(1)
    traces = []

    @jx.jit
    def f(x):
        traces.append(scale.value)
        return x * scale.value

    assert [int(f(2)) for _ in range(3)] == [2, 2, 2]
    for _ in range(2):
        with scale(5):
            assert int(f(2)) == 10
    assert int(f(2)) == 2
    assert traces == [1, 5]
    scale.set_global(7)
    assert scale.get_global() == 7
    assert int(f(2)) == 14
    with pytest.raises(ValueError, match="hashable"):
        scale([1])


def test_raw_keys_can_be_warned_of_or_refused():
    raw = jx.random.PRNGKey(0)
    with jx.legacy_prng_key("warn"), pytest.warns(UserWarning, match="normal got a legacy key"):
        jx.random.normal(raw)
    with jx.legacy_prng_key("error"):
        with pytest.raises(ValueError, match="jx.random.key"):
            jx.random.uniform(raw)
        jx.random.normal(jx.random.key(0))
    with jx.enable_custom_prng(True):
        made = jx.random.PRNGKey(0)
    assert jnp.issubdtype(made.dtype, jx.dtypes.prng_key)


def test_sums_of_sixteen_bit_floats_can_be_refused():
    x = jnp.ones(3, jnp.bfloat16)
    with jx.allow_f16_reductions(False):
        with pytest.raises(ValueError, match=r"bf16\[3\].*float32"):
            jx.lax.reduce_sum(x, axes=(0,))
        jx.lax.reduce_sum(x.astype(jnp.float32), axes=(0,))
        assert float(jnp.sum(x)) == 3  # sums in float32 by itself


def test_the_environment_is_described_for_bug_reports(capsys):
    text = jx.print_environment_info(return_string=True)
    assert f"jx:        {jx.__version__}" in text
    assert "cpu" in text
    assert jx.print_environment_info() is None
    assert capsys.readouterr().out == text + "\n"
    with jx.enable_x64(True):
        assert "enable_x64=True" in jx.print_environment_info(return_string=True)


# --- arrays as Python objects ---


@pytest.mark.parametrize("transform", [jx.jit, jx.grad, jx.vmap])
def test_trees_of_traced_values_can_be_copied(transform):
    def f(p):
        return copy.deepcopy({"a": [p]})["a"][0] + 2 * copy.copy(p)

    assert transform(f)(jnp.ones(() if transform is jx.grad else 1)) == 3


def test_the_classes_of_arrays_are_subclasses_of_array():
    @functools.singledispatch
    def kind(x):
        return "something"

    @kind.register(jx.Array)
    def _(x):
        return "array"

    assert issubclass(type(jnp.ones(1)), jx.Array)
    assert not issubclass(np.ndarray, jx.Array)
    assert [kind(x) for x in (jnp.ones(1), np.ones(1), 1.0)] == ["array", "something", "something"]

    class Special(jx.Array):
        pass

    assert issubclass(Special, jx.Array) and not issubclass(type(jnp.ones(1)), Special)

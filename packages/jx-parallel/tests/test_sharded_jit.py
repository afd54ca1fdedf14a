"""`jit` over several devices: where arguments, values and results lie, and what is refused."""

import numpy as np
import pytest

import jx_xla
from jx_core import ShapeDtypeStruct, backend, jit, lax
from jx_core.errors import DonatedArrayError
from jx_core.ops.rng.keys import prng_impl, random_bits, random_seed
from jx_parallel import (
    Mesh,
    NamedSharding,
    P,
    SingleDeviceSharding,
    make_mesh,
    set_mesh,
    with_sharding_constraint,
)
from jx_xla import device_put
from jx_xla.runtime.shardings import IndivisibleError

X = np.arange(8, dtype=np.float32)
MATRIX = np.arange(16, dtype=np.float32).reshape(4, 4)


def double(x):
    return lax.mul(x, 2.0)


def add(a, b):
    return lax.add(a, b)


def transposed(x):
    return lax.transpose(x, (1, 0))


def seeded(n):
    return random_seed(np.arange(n, dtype=np.uint32), impl=prng_impl())


# Results lie as their arguments do, unless told otherwise


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_results_do_not_depend_on_the_number_of_devices(devices, count):
    mesh = Mesh(devices[:count], "i")
    rows = NamedSharding(mesh, P("i"))

    @jit
    def program(x, w):
        hidden = lax.tanh(lax.dot(x, w))
        return hidden, lax.reduce_sum(hidden, (0,))

    x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(16, 4)
    w = np.linspace(-2, 2, 12, dtype=np.float32).reshape(4, 3)
    hidden, total = program(device_put(x, rows), device_put(w, NamedSharding(mesh, P())))
    assert hidden.sharding.is_equivalent_to(rows, 2)
    assert hidden.sharding.device_set == total.sharding.device_set == set(devices[:count])
    with backend.use("numpy"):
        expected = program(x, w)
    np.testing.assert_allclose(hidden, expected[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(total, expected[1], rtol=1e-5, atol=1e-6)


def test_results_are_described_in_the_terms_of_their_arguments(on):
    rows = device_put(MATRIX, on("x"))
    assert jit(double)(rows).sharding == on("x")
    assert jit(transposed)(rows).sharding == on(None, "x")
    assert jit(lambda x: lax.reduce_sum(x, (0, 1)))(rows).sharding == on()
    spelled_out = device_put(MATRIX, on("x", None))
    assert jit(double)(spelled_out).sharding is spelled_out.sharding


def test_a_result_may_be_an_argument_without_compiling_again(on):
    traced = []

    @jit
    def step(x):
        traced.append(x)
        return lax.add(x, 1.0)

    x = device_put(MATRIX, on(("x", "y")))
    for _ in range(3):
        x = step(x)
    assert len(traced) == 1 and step._cache_size() == 1
    np.testing.assert_array_equal(x, MATRIX + 3)


def test_single_operations_follow_their_operands(on):
    rows = device_put(X, on("x"))
    assert (rows + 1).sharding == on("x")
    assert (rows * rows).committed
    np.testing.assert_array_equal(rows - X, np.zeros(8))


# in_shardings, out_shardings


def test_in_shardings_place_what_has_no_place(on):
    jitted = jit(double, in_shardings=on("x"))
    for x in (X, device_put(X), device_put(X, on("x")), X):
        for _ in range(2):  # the second call is the dispatcher's
            np.testing.assert_array_equal(jitted(x), 2 * X)
            assert jitted(x).sharding == on("x")


def test_out_shardings_place_results(on):
    out = jit(lambda x: {"a": x, "b": double(x)}, out_shardings={"a": on("x"), "b": on("y")})(X)
    assert out["a"].sharding == on("x") and out["b"].sharding == on("y")
    np.testing.assert_array_equal(out["b"], 2 * X)


def test_none_leaves_the_choice_to_the_compiler(on):
    jitted = jit(add, in_shardings=(None, on("x")), out_shardings=None)
    for x in (X, device_put(X), device_put(X, on("y")), device_put(X)):
        np.testing.assert_array_equal(jitted(x, X), 2 * X)
    chosen = jitted.lower(X, X).compile().input_shardings[0][0]
    assert chosen == on("x")


def test_the_compiler_chooses_even_splits_only(on):
    odd = np.arange(7, dtype=np.float32)
    jitted = jit(lambda a, b: (double(a), lax.slice(b, (0,), (7,))))
    first, second = jitted(odd, device_put(X, on("x")))
    np.testing.assert_array_equal(first, 2 * odd)
    np.testing.assert_array_equal(second, X[:7])


def test_one_device_is_a_sharding_too(devices, on):
    there = SingleDeviceSharding(devices[2])
    assert jit(double, in_shardings=there)(X).sharding == there
    assert jit(double, out_shardings=there)(X).devices() == {devices[2]}
    assert jit(double, in_shardings=there)(device_put(X, devices[1])).devices() == {devices[2]}


def test_static_arguments_have_no_entry(on):
    jitted = jit(lambda n, x: lax.mul(x, float(n)), in_shardings=(on("x"),), static_argnums=0)
    np.testing.assert_array_equal(jitted(3, X), 3 * X)
    assert jitted(3, X).sharding == on("x")


def test_a_spec_means_the_mesh_in_context(mesh, on):
    jitted = jit(double, in_shardings=P("x"), out_shardings=P())
    with mesh:
        assert jitted(X).sharding == on()
    other = make_mesh((8,), ("x",))
    with set_mesh(other):
        assert jitted(X).sharding.mesh is other
    with mesh:
        assert jitted(X).sharding == on()
    with pytest.raises(RuntimeError, match=r"in_shardings of jit\(double\): .*needs a mesh in con"):
        jitted(X)


def test_inner_shardings_are_constraints(on):
    inner = jit(lax.sin, in_shardings=on("x"), out_shardings=on("y"))
    outer = jit(lambda x: inner(double(x)))
    assert outer(X).sharding == on("y")
    np.testing.assert_allclose(outer(X), np.sin(2 * X), rtol=1e-5, atol=1e-6)
    assert outer.lower(X).as_text().count("sdy.sharding_constraint") == 2


def test_donated_arguments_are_gone(on):
    jitted = jit(double, in_shardings=on("x"), out_shardings=on("x"), donate_argnums=0)
    for _ in range(2):
        x = device_put(X, on("x"))
        np.testing.assert_array_equal(jitted(x), 2 * X)
        assert x.is_deleted()
        with pytest.raises(DonatedArrayError, match="deleted with shape=float32"):
            jitted(x)


def test_arrays_that_a_program_closes_over_come_with_it(on):
    large = np.arange(4096, dtype=np.float32)
    for constant in (large, device_put(large), device_put(large, on("y"))):
        jitted = jit(lambda x, c=constant: lax.add(x, c), in_shardings=on("x"))
        np.testing.assert_array_equal(jitted(large), 2 * large)
        np.testing.assert_array_equal(jitted(large), 2 * large)


def test_typed_keys_are_split_like_arrays(on):
    def draw(keys):
        return random_bits(keys, bit_width=32, shape=(3,))

    keys = seeded(4)
    split = jit(draw, in_shardings=on("x"))
    placed = device_put(keys, on("x"))
    for k in (keys, placed, keys, placed):
        bits = split(k)
        assert bits.sharding.is_equivalent_to(on("x"), 2)
        np.testing.assert_array_equal(bits, jit(draw)(keys))
    out = jit(lambda n: seeded(8), out_shardings=on(("x", "y")))(0)
    assert out.sharding == on(("x", "y"))
    assert [s.data.shape for s in out.addressable_shards] == [(2,)] * 4


# Constraints


def test_a_constraint_decides_inside_a_program(on):
    out = jit(lambda x: double(with_sharding_constraint(x, on("y"))))(X)
    assert out.sharding == on("y")
    np.testing.assert_array_equal(out, 2 * X)


def test_a_constraint_moves_an_array(on):
    moved = with_sharding_constraint(device_put(X, on("x")), on("y"))
    assert moved.sharding == on("y")
    np.testing.assert_array_equal(moved, X)
    with pytest.raises(IndivisibleError):
        with_sharding_constraint(X[:7], on("x"))


def test_a_constraint_may_be_uneven_inside_a_program(on):
    out = jit(lambda x: double(with_sharding_constraint(x, on("x"))))(X[:7])
    np.testing.assert_array_equal(out, 2 * X[:7])


def test_a_constraint_may_leave_dimensions_open(on):
    free = on(P.UNCONSTRAINED, "y")
    jitted = jit(lambda x: with_sharding_constraint(x, free))
    assert '[{?}, {"y"}]' in jitted.lower(MATRIX).as_text()
    np.testing.assert_array_equal(jitted(MATRIX), MATRIX)
    with pytest.raises(ValueError, match="argument x of double leaves dimensions unconstrained"):
        jit(double, in_shardings=free)(MATRIX)


def test_a_spec_constrains_on_the_mesh_in_context(mesh, on):
    jitted = jit(lambda x: with_sharding_constraint(x, P("x")))
    with mesh:
        assert jitted(X).sharding == on("x")
        assert with_sharding_constraint(X, P("y")).sharding == on("y")
    with set_mesh(make_mesh((8,), ("x",))):
        assert jitted(X).sharding.num_devices == 8


# Ahead of time


def test_lowering_takes_shardings_from_arguments_and_their_stand_ins(on):
    for x in (device_put(X, on("x")), ShapeDtypeStruct((8,), np.float32, sharding=on("x"))):
        compiled = jit(double).lower(x).compile()
        assert compiled.input_shardings == ((on("x"),), {})
        assert compiled.output_shardings == on("x")
        np.testing.assert_array_equal(compiled(X), 2 * X)
        assert compiled(device_put(X, on("x"))).sharding == on("x")
        with pytest.raises(ValueError, match="disagree with the shardings.* argument x of type"):
            compiled(device_put(X, on("y")))


def test_unused_arguments_have_no_sharding_when_compiled(on):
    jitted = jit(lambda a, b: double(b), in_shardings=on("x"))
    assert jitted.lower(X, X).compile().input_shardings == ((None, on("x")), {})


def test_the_program_says_how_it_is_split(on):
    text = jit(add, in_shardings=(on("x"), on("y")), out_shardings=on()).lower(X, X).as_text()
    assert 'sdy.mesh @mesh = <["x"=2, "y"=2]>' in text
    assert '{sdy.sharding = #sdy.sharding<@mesh, [{"x"}]>}' in text
    assert "mhlo.num_partitions = 4" in text


# What is refused


def test_a_placed_argument_is_not_moved_behind_its_owners_back(on, devices):
    jitted = jit(lambda p: double(p["w"]), in_shardings=on("x"))
    for place in (on("y"), devices[0], devices[1]):
        with pytest.raises(ValueError, match=r"does not match the sharding .*argument p\['w'\] of"):
            jitted({"w": device_put(X, place)})
    np.testing.assert_array_equal(jitted({"w": X}), 2 * X)


def test_arguments_on_different_devices_do_not_meet(on, devices):
    rows, first, second = (device_put(X, place) for place in (on("x"), *devices[:2]))
    with pytest.raises(ValueError, match=r"incompatible devices for jitted computation add: argum"):
        jit(add)(rows, first)
    with pytest.raises(ValueError, match=r"argument a is on .* \[0\], and argument b is on .* \[1"):
        jit(add)(first, second)
    with pytest.raises(ValueError, match="incompatible devices"):
        first + second
    with pytest.raises(ValueError, match="out_shardings is on .* argument x is on"):
        jit(double, out_shardings=on("x"))(first)


def test_the_order_of_devices_matters(mesh, on, devices):
    backwards = NamedSharding(Mesh(np.array(devices[3::-1]).reshape(2, 2), ("x", "y")), P("x"))
    with pytest.raises(ValueError, match=r"\[0, 1, 2, 3\], and .* \[3, 2, 1, 0\].*same order"):
        jit(add)(device_put(X, on("x")), device_put(X, backwards))
    with pytest.raises(ValueError, match="in_shardings is on .* and out_shardings is on"):
        jit(double, in_shardings=on("x"), out_shardings=backwards)(X)


def test_splits_must_be_even_and_of_the_right_rank(on):
    with pytest.raises(IndivisibleError, match=r"argument p\['w'\] of <lambda> does not fit"):
        jit(lambda p: double(p["w"]), in_shardings=on("x"))({"w": X[:7]})
    with pytest.raises(IndivisibleError, match="result 0 of double does not fit.* size 7"):
        jit(double, out_shardings=on("x"))(X[:7])
    with pytest.raises(ValueError, match="argument x of double does not fit.*rank 2 and more"):
        jit(double, in_shardings=on("x", "y"))(X)


def test_after_an_error_the_next_call_works(on):
    jitted = jit(double, in_shardings=on("x"))
    placed = device_put(X, on("x"))
    np.testing.assert_array_equal(jitted(placed), 2 * X)
    with pytest.raises(ValueError, match="does not match the sharding"):
        jitted(device_put(X, on("y")))
    np.testing.assert_array_equal(jitted(placed), 2 * X)


def test_clearing_caches_leaves_arrays_alone(on):
    placed = device_put(X, on("x"))
    jitted = jit(double)
    before = jitted(placed)
    jx_xla.clear_caches()
    np.testing.assert_array_equal(jitted(placed), before)


# Meshes of one device


def test_a_mesh_of_one_device_is_a_mesh_all_the_same(devices):
    mesh = make_mesh((1,), ("i",), devices=devices[3:])
    split, whole = NamedSharding(mesh, P("i")), NamedSharding(mesh, P())
    x = device_put(X, split)
    assert x.sharding is split
    for out in (
        jit(double)(x),
        jit(double, in_shardings=split)(X),
        jit(double, out_shardings=whole)(X),
        jit(lambda x: double(with_sharding_constraint(x, split)))(X),
        x + 1,
    ):
        assert out.sharding == whole and out.devices() == {devices[3]}
    assert jit(double, out_shardings=split)(X).sharding is split
    step = jit(double)
    for _ in range(3):
        x = step(x)
    np.testing.assert_array_equal(x, 8 * X)

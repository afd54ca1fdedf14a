"""Arrays to and from devices: where they end up, of what type, and what is refused."""

import numpy as np
import pytest

import jx_xla
from jx_core import ShapeDtypeStruct, backend, eval_shape, jit, lax, make_jaxpr, typeof
from jx_core.config import default_device, enable_x64
from jx_core.errors import DonatedArrayError
from jx_core.ops.rng.keys import prng_impl, random_seed
from jx_xla import KeyArray, SingleDeviceSharding, device_get, device_put
from jx_xla.runtime.named_sharding import NamedSharding
from jx_xla.runtime.shardings import IndivisibleError

X = np.arange(8, dtype=np.float32)


@pytest.fixture
def rows(mesh):
    return NamedSharding(mesh, ("x",))


@pytest.fixture
def whole(mesh):
    return NamedSharding(mesh, ())


@pytest.fixture
def keys():
    return random_seed(np.arange(4, dtype=np.uint32), impl=prng_impl())


# What becomes of a value


@pytest.mark.parametrize(
    ("value", "dtype", "weak"),
    [
        (1, "int32", True),
        (2.5, "float32", True),
        (True, "bool", False),
        (1j, "complex64", True),
        (np.float64(2.5), "float32", False),
        (np.arange(3), "int32", False),
        (np.ones((2, 0), np.float16), "float16", False),
    ],
    ids=str,
)
def test_values_become_arrays_of_the_type_they_have_in_programs(value, dtype, weak):
    array = device_put(value)
    assert array.aval is typeof(value)
    assert (array.dtype.name, array.weak_type) == (dtype, weak)
    np.testing.assert_array_equal(array, value)


def test_64_bits_stay_where_they_are_enabled():
    with enable_x64(True):
        assert device_put(np.arange(3)).dtype == np.int64


def test_without_a_place_values_are_uncommitted_and_arrays_stay(four_devices):
    assert not device_put(X).committed
    placed = device_put(X, four_devices[1])
    assert device_put(placed) is placed


def test_the_default_device_is_where_values_go(four_devices):
    with default_device(four_devices[2]):
        assert device_put(X).devices() == {four_devices[2]}
        assert not device_put(X).committed
        assert lax.add(X, 1.0).devices() == {four_devices[2]}
        assert jit(lambda: lax.full((2,), 1.0))().devices() == {four_devices[2]}
    assert lax.add(X, 1.0).devices() == {four_devices[0]}


def test_the_default_device_may_be_a_platform(four_devices):
    with default_device("cpu"):
        assert device_put(X).devices() == {four_devices[0]}


def test_the_ndarray_may_change_afterwards():
    value = X.copy()
    array = device_put(value)
    value[:] = -1
    np.testing.assert_array_equal(array, X)


# Places


def test_a_device_commits(four_devices):
    array = device_put(X, four_devices[1])
    assert array.committed
    assert array.sharding == SingleDeviceSharding(four_devices[1])
    assert lax.add(array, 1.0).devices() == {four_devices[1]}


def test_a_sharding_splits(rows, four_devices):
    array = device_put(X, rows)
    assert array.sharding is rows
    assert [s.data.shape for s in array.addressable_shards] == [(4,)] * 4
    np.testing.assert_array_equal(array, X)


@pytest.mark.parametrize("source", ["host", "device", "rows", "columns"])
@pytest.mark.parametrize("target", ["device", "rows", "columns", "whole"])
def test_arrays_go_from_anywhere_to_anywhere(mesh, four_devices, source, target):
    places = {
        "host": None,
        "device": four_devices[3],
        "rows": NamedSharding(mesh, ("x",)),
        "columns": NamedSharding(mesh, (None, "y")),
        "whole": NamedSharding(mesh, ()),
    }
    matrix = np.arange(16, dtype=np.int32).reshape(4, 4)
    start = matrix if source == "host" else device_put(matrix, places[source])
    moved = device_put(start, places[target])
    expected = places[target]
    if target == "device":
        expected = SingleDeviceSharding(expected)
    assert moved.sharding == expected and moved.committed
    np.testing.assert_array_equal(moved, matrix)


def test_places_are_a_prefix_of_the_tree(rows, four_devices):
    tree = {"a": X, "b": (X, [1.0]), "c": X}
    put = device_put(tree, {"a": rows, "b": four_devices[1], "c": None})
    assert put["a"].sharding is rows
    assert put["b"][0].devices() == put["b"][1][0].devices() == {four_devices[1]}
    assert not put["c"].committed


def test_typed_keys_are_split_as_what_they_are(keys, rows, four_devices):
    split = device_put(keys, rows)
    assert type(split) is KeyArray
    assert split.dtype == keys.dtype and split.sharding is rows
    indices = [s.index for s in split.addressable_shards]
    assert indices == [(slice(0, 2),)] * 2 + [(slice(2, 4),)] * 2
    assert [s.replica_id for s in split.addressable_shards] == [0, 1, 0, 1]
    part = split.addressable_shards[2].data
    assert part.shape == (2,) and part.dtype == keys.dtype
    np.testing.assert_array_equal(part.words, np.asarray(keys.words)[2:])
    assert split.addressable_data(0).shape == (2,)
    assert device_put(keys, four_devices[1]).devices() == {four_devices[1]}


def test_the_words_of_a_key_are_not_split(keys, mesh):
    with pytest.raises(ValueError, match="for arrays of rank 2 and more"):
        device_put(keys, NamedSharding(mesh, (None, "x")))


# Sharing and giving away


def test_an_array_in_place_is_shared_unless_told_otherwise(four_devices):
    array = device_put(X, four_devices[0])
    pointer = array.unsafe_buffer_pointer()
    assert device_put(array, four_devices[0]).unsafe_buffer_pointer() == pointer
    copied = device_put(array, four_devices[0], may_alias=False)
    assert copied.unsafe_buffer_pointer() != pointer
    assert device_put(array, may_alias=False).unsafe_buffer_pointer() != pointer


def test_a_donated_array_is_gone(four_devices, rows):
    for place in (four_devices[1], four_devices[0], rows, None):
        array = device_put(X, four_devices[0])
        moved = device_put(array, place, donate=True)
        assert array.is_deleted()
        np.testing.assert_array_equal(moved, X)
        with pytest.raises(DonatedArrayError, match="deleted with shape=float32"):
            device_put(array, rows)


def test_donating_is_told_leaf_by_leaf(four_devices):
    kept, given = device_put((X, X))
    device_put((kept, given), four_devices[1], donate=(False, True))
    assert given.is_deleted() and not kept.is_deleted()


# What is refused


@pytest.mark.parametrize(
    "value",
    ["text", object(), np.array(["a"]), np.array([None])],
    ids=["str", "object", "strings", "objects"],
)
def test_what_is_no_array_is_refused(value):
    with pytest.raises(TypeError, match="device_put: .* not a valid"):
        device_put({"a": value})


@pytest.mark.parametrize("place", [3, "cpu", X], ids=["number", "name", "array"])
def test_what_is_no_place_is_refused(place):
    with pytest.raises(ValueError, match="device_put's device must be a device"):
        device_put(X, place)


def test_places_must_fit_the_tree(rows):
    with pytest.raises(ValueError, match=r"device_put's device is a tuple of length 1"):
        device_put((X, X), (rows,))


def test_splits_must_be_even_and_of_the_right_rank(rows, mesh):
    with pytest.raises(IndivisibleError, match="cuts axis 0 into 2 parts, but its size 7"):
        device_put(np.ones(7), rows)
    with pytest.raises(ValueError, match="for arrays of rank 2 and more"):
        device_put(X, NamedSharding(mesh, ("x", "y")))


def test_giving_away_and_sharing_exclude_each_other():
    with pytest.raises(ValueError, match="donate and may_alias can't both be True"):
        device_put(X, donate=True, may_alias=True)
    with pytest.raises(TypeError, match="device_put's donate must be a bool"):
        device_put(X, donate="yes")


# Inside of programs


def test_in_a_program_it_is_an_equation(rows, four_devices):
    program = make_jaxpr(lambda x: device_put(x, rows))(X)
    (eqn,) = program.jaxpr.eqns
    assert eqn.primitive.name == "device_put"
    assert eqn.params == {"device": rows, "src": None}
    assert eval_shape(lambda x: device_put(x), X) == ShapeDtypeStruct((8,), np.float32)


def test_in_a_program_a_sharding_constrains_and_a_device_does_not(rows, four_devices):
    assert jit(lambda x: lax.mul(device_put(x, rows), 2.0))(X).sharding == rows
    on_one = jit(lambda x: device_put(x, four_devices[1]))(X)
    assert on_one.devices() == {four_devices[0]}


def test_the_numpy_back_end_has_its_own_place(rows):
    with backend.use("numpy"):
        array = device_put([X, 1.0])[0]
        assert isinstance(array, backend.Array)
        assert device_put(array, backend.current().devices()[0]) is array
        with pytest.raises(TypeError, match="the numpy back end has one device"):
            device_put(X, rows)


# Back again


def test_device_get_gives_ndarrays(rows, keys):
    tree = {"a": device_put(X, rows), "b": 2, "c": np.float32(1), "d": "text", "e": keys}
    got = device_get(tree)
    assert type(got["a"]) is np.ndarray
    np.testing.assert_array_equal(got["a"], X)
    assert (got["b"], got["d"]) == (2, "text")
    assert type(got["c"]) is np.float32 and got["e"] is keys


def test_device_get_leaves_tracers_as_they_are():
    @jit
    def f(x):
        got = device_get({"x": x, "y": device_put(1.0)})
        assert got["x"] is x
        return got["x"]

    assert f(2.0) == 2


def test_device_get_of_a_donated_array_is_an_error():
    array = device_put(X)
    array.delete()
    with pytest.raises(DonatedArrayError):
        device_get([array])


def test_waiting_and_copying_ahead_take_any_tree(rows):
    tree = {"a": device_put(X, rows), "b": 2, "c": "text", "d": None}
    assert jx_xla.block_until_ready(tree) is tree
    assert jx_xla.copy_to_host_async(tree) is tree
    np.testing.assert_array_equal(tree["a"], X)


# Arrays made of parts


def test_an_array_is_made_of_its_parts(rows, four_devices):
    parts = [device_put(X[i // 2 * 4 :][:4], d) for i, d in enumerate(four_devices)]
    array = jx_xla.make_array_from_single_device_arrays((8,), rows, parts[::-1])
    assert array.sharding is rows
    np.testing.assert_array_equal(array, X)
    with pytest.raises(ValueError, match="expected one array for each of the 4 devices"):
        jx_xla.make_array_from_single_device_arrays((8,), rows, parts[:1])


def test_an_array_of_keys_is_made_of_its_parts(rows, keys):
    parts = [s.data for s in device_put(keys, rows).addressable_shards]
    array = jx_xla.make_array_from_single_device_arrays((4,), rows, parts)
    assert array.dtype == keys.dtype
    np.testing.assert_array_equal(array.words, keys.words)


def test_an_array_is_made_by_a_function_of_indices(rows):
    seen = []

    def part(index):
        seen.append(index)
        return X[index]

    array = jx_xla.make_array_from_callback((8,), rows, part)
    np.testing.assert_array_equal(array, X)
    assert seen == [(slice(0, 4),), (slice(4, 8),)]
    with pytest.raises(ValueError, match="must return arrays of shape \\(4,\\)"):
        jx_xla.make_array_from_callback((8,), rows, lambda index: X)
    with pytest.raises(ValueError, match="sharding must be given"):
        jx_xla.make_array_from_callback((8,), None, part)


# The process


def test_the_default_backend_has_a_name():
    assert jx_xla.default_backend() == jx_xla.devices()[0].platform


def test_live_arrays_are_those_not_freed():
    array = device_put(X)
    assert any(a is array for a in jx_xla.live_arrays())
    array.delete()
    assert not any(a is array for a in jx_xla.live_arrays())


def test_clearing_caches_makes_functions_trace_again():
    traced = []

    @jit
    def f(x):
        traced.append(x)
        return lax.sin(x)

    f(1.0), f(2.0)
    assert len(traced) == 1
    jx_xla.clear_caches()
    assert float(f(0.0)) == 0.0
    assert len(traced) == 2
    assert float(lax.add(1.0, 2.0)) == 3.0


def test_dlpack_is_a_module_of_its_own():
    from jx_xla import dlpack

    np.testing.assert_array_equal(dlpack.from_dlpack(X), X)
    assert dlpack.from_dlpack(device_put(X), copy=True).dtype == np.float32
    assert dlpack.is_supported_dtype("bfloat16") and not dlpack.is_supported_dtype("int4")


# Descriptions of arrays


def test_a_description_says_where_an_array_was_put(rows, keys):
    like = ShapeDtypeStruct.like
    assert like(X) == like(lax.add(X, X)) == ShapeDtypeStruct((8,), np.float32)
    there = ShapeDtypeStruct((8,), np.float32, sharding=rows)
    assert like(device_put(X, rows)) == there == like(there)
    assert like(2.0) == ShapeDtypeStruct((), np.float32, weak_type=True)
    assert like(keys).dtype == keys.dtype
    with pytest.raises(TypeError, match="'text'"):
        like("text")

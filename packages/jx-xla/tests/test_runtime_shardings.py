"""Which device holds which part of an array."""

import copy
import pickle

import numpy as np
import pytest

from jx_xla.runtime import hlo_shardings
from jx_xla.runtime.named_sharding import (
    UNCONSTRAINED,
    DuplicateSpecError,
    NamedSharding,
    like,
    sdy_dimensions,
    sdy_mesh_text,
)
from jx_xla.runtime.shardings import (
    GSPMDSharding,
    IndivisibleError,
    Sharding,
    SingleDeviceSharding,
    from_hlo,
    replica_ids,
    single_device,
)

ALL = slice(None)


def test_a_single_device_holds_everything(four_devices):
    sharding = SingleDeviceSharding(four_devices[1])
    assert isinstance(sharding, Sharding)
    assert sharding.device_set == sharding.addressable_devices == {four_devices[1]}
    assert sharding.num_devices == 1
    assert sharding.is_fully_replicated and sharding.is_fully_addressable
    assert sharding.shard_shape((3, 4)) == (3, 4)
    assert sharding.devices_indices_map((3, 4)) == {four_devices[1]: (ALL, ALL)}
    assert sharding.memory_kind == "device"


def test_equal_shardings_are_equal_keys(four_devices, mesh):
    a, b = SingleDeviceSharding(four_devices[0]), SingleDeviceSharding(four_devices[0])
    assert a == b and hash(a) == hash(b)
    assert a != SingleDeviceSharding(four_devices[1])
    assert a != SingleDeviceSharding(four_devices[0], memory_kind="pinned_host")
    assert NamedSharding(mesh, ("x",)) == NamedSharding(mesh, ("x",))
    assert hash(NamedSharding(mesh, ("x",))) == hash(NamedSharding(mesh, ("x",)))
    assert NamedSharding(mesh, ("x",)) != NamedSharding(mesh, ("y",))
    split = NamedSharding(mesh, ("x",))._to_xla_hlo_sharding(1)
    assert GSPMDSharding(four_devices, split) == GSPMDSharding(tuple(four_devices), split)
    assert hash(GSPMDSharding(four_devices, split)) == hash(GSPMDSharding(four_devices, split))


@pytest.mark.parametrize(
    ("spec", "shard", "text"),
    [
        (("x",), (4, 6), "{devices=[2,1,2]<=[4] last_tile_dim_replicate}"),
        ((None, "y"), (8, 3), "{devices=[1,2,2]<=[2,2]T(1,0) last_tile_dim_replicate}"),
        (("x", "y"), (4, 3), "{devices=[2,2]<=[4]}"),
        (("y", "x"), (4, 3), "{devices=[2,2]<=[2,2]T(1,0)}"),
        ((("x", "y"),), (2, 6), "{devices=[4,1]<=[4]}"),
        ((("y", "x"),), (2, 6), "{devices=[4,1]<=[2,2]T(1,0)}"),
        ((), (8, 6), "{replicated}"),
        ((None, None), (8, 6), "{replicated}"),
        ((UNCONSTRAINED, "y"), (8, 3), "{devices=[1,2,2]<=[2,2]T(1,0) last_tile_dim_replicate}"),
    ],
)
def test_a_spec_cuts_an_array_by_mesh_axes(mesh, spec, shard, text):
    sharding = NamedSharding(mesh, spec)
    assert sharding.shard_shape((8, 6)) == shard
    assert sharding.hlo_text(2) == text
    assert sharding.is_fully_replicated == (text == "{replicated}")


def test_each_device_has_its_index_and_its_replica(mesh, four_devices):
    a, b, c, d = four_devices
    sharding = NamedSharding(mesh, (None, "y"))
    left, right = (ALL, slice(0, 3)), (ALL, slice(3, 6))
    assert sharding.devices_indices_map((8, 6)) == {a: left, b: right, c: left, d: right}
    assert replica_ids(sharding, (8, 6)) == {a: 0, b: 0, c: 1, d: 1}


def test_axes_of_size_one_cut_nothing(make_mesh, four_devices):
    mesh = make_mesh(four_devices, (1, 4), ("one", "x"))
    assert NamedSharding(mesh, ("one",)).is_fully_replicated
    assert NamedSharding(mesh, ("one", "x")).hlo_text(2) == "{devices=[1,4]<=[4]}"


def test_the_order_of_the_mesh_decides_who_holds_what(make_mesh, four_devices):
    mesh = make_mesh(four_devices[::-1], (4,), ("x",))
    assert NamedSharding(mesh, ("x",)).devices_indices_map((8,)) == {
        device: (slice(2 * i, 2 * i + 2),) for i, device in enumerate(four_devices[::-1])
    }


def test_equivalent_shardings_need_not_be_equal(mesh, four_devices):
    named = NamedSharding(mesh, ("x",))
    gspmd = GSPMDSharding(four_devices, named._to_xla_hlo_sharding(1))
    assert named.is_equivalent_to(gspmd, 1) and gspmd.is_equivalent_to(named, 1)
    assert not named.is_equivalent_to(NamedSharding(mesh, ("y",)), 1)
    assert not named.is_equivalent_to(SingleDeviceSharding(four_devices[0]), 1)
    assert NamedSharding(mesh, ()).is_equivalent_to(NamedSharding(mesh, (None,)), 1)


def test_an_axis_that_can_not_be_cut_evenly_is_an_error(mesh):
    with pytest.raises(IndivisibleError, match=r"cuts axis 0 into 2 parts, but its size 7"):
        NamedSharding(mesh, ("x",)).shard_shape((7,))


def test_a_spec_longer_than_the_rank_is_an_error(mesh):
    with pytest.raises(ValueError, match=r"is for arrays of rank 2 and more.* rank 1"):
        NamedSharding(mesh, ("x", "y")).shard_shape((8,))
    with pytest.raises(ValueError, match=r"For scalars the spec is P\(\)"):
        NamedSharding(mesh, ("x",)).check_compatible_aval(())


def test_a_spec_names_axes_of_its_mesh_each_once(mesh):
    with pytest.raises(ValueError, match=r"mesh axis 'z' .* whose axes are \('x', 'y'\)"):
        NamedSharding(mesh, ("z",))
    with pytest.raises(DuplicateSpecError, match="uses x more than once"):
        NamedSharding(mesh, ("x", ("y", "x")))


@pytest.mark.parametrize("spec", [("x",), ("y", "x"), ()])
def test_gspmd_and_single_device_shardings_pickle(four_devices, mesh, spec):
    split = NamedSharding(mesh, spec)._to_xla_hlo_sharding(2)
    for sharding in (GSPMDSharding(four_devices, split), SingleDeviceSharding(four_devices[2])):
        parts = sharding.__reduce__()
        assert parts[0](*parts[1]) == sharding


def test_shardings_copy(mesh):
    sharding = NamedSharding(mesh, ("x",))
    assert copy.copy(sharding) == sharding


def test_memory_kinds_and_specs_can_be_changed(mesh, four_devices):
    sharding = NamedSharding(mesh, ("x",))
    assert sharding.with_memory_kind("pinned_host").memory_kind == "pinned_host"
    assert sharding.update(spec=("y",)) == NamedSharding(mesh, ("y",))
    single = SingleDeviceSharding(four_devices[0])
    assert single.with_memory_kind("pinned_host").memory_kind == "pinned_host"
    with pytest.raises(TypeError, match=r"no field \['colour'\]"):
        sharding.update(colour=1)


def test_what_a_compiler_reports_becomes_a_sharding(four_devices, mesh):
    split = NamedSharding(mesh, ("x",))._to_xla_hlo_sharding(1)
    assert from_hlo(four_devices, split.to_proto()).is_equivalent_to(NamedSharding(mesh, ("x",)), 1)
    assert from_hlo(four_devices, None).is_fully_replicated
    assert from_hlo(four_devices[:1], None) == SingleDeviceSharding(four_devices[0])


def test_manual_axes_are_left_to_the_program():
    split = hlo_shardings.from_axes((2, 2), [(1,)], manual=[0])
    assert str(split) == "{devices=[2,2]<=[2,2]T(1,0) last_tile_dims={manual}}"
    assert hlo_shardings.shard_shape(split, (8,)) == (4,)


def test_partial_sums_have_no_indices():
    split = hlo_shardings.from_axes((2, 2), [(1,)], unreduced=[0])
    with pytest.raises(ValueError, match="partial sums"):
        hlo_shardings.tile_indices(split, (8,), 4)


def test_shardy_is_told_axes_by_name(mesh):
    assert sdy_mesh_text(mesh) == '#sdy.mesh<["x"=2, "y"=2]>'
    assert sdy_dimensions(NamedSharding(mesh, (("y", "x"),)), 2) == ['{"y", "x"}', "{}"]
    assert sdy_dimensions(NamedSharding(mesh, (UNCONSTRAINED, "x")), 2) == ["{?}", '{"x"}']


def test_shardy_is_told_splits_without_names_by_a_mesh_of_their_own(mesh):
    split = NamedSharding(mesh, (None, "y"))._to_xla_hlo_sharding(2)
    assert hlo_shardings.sdy_texts(split, 2, 4) == (
        '#sdy.mesh<["_1"=2, "_whole"=2], device_ids=[0, 2, 1, 3]>',
        ["{}", '{"_1"}'],
    )
    assert hlo_shardings.sdy_texts(hlo_shardings.REPLICATED, 1, 4) == (
        '#sdy.mesh<["_whole"=4]>',
        ["{}"],
    )


@pytest.mark.parametrize(
    "spec",
    [("x",), ("y",), (("x", "y"),), (("y", "x"),), ("x", "y"), ("y", "x"), (None, "x"), ()],
    ids=str,
)
def test_a_compilers_split_is_found_in_the_words_of_a_mesh(mesh, spec):
    split = NamedSharding(mesh, spec)._to_xla_hlo_sharding(2)
    assert like(NamedSharding(mesh, ("x",)), split).spec == spec


def test_a_split_that_no_axes_make_has_no_words(mesh):
    numbers = np.array([[0], [1], [3], [2]])
    split = hlo_shardings.HloSharding.subgroup_with_device_ordering(numbers, [])
    assert like(NamedSharding(mesh, ("x",)), split) is None


def test_a_batch_of_arrays_gets_one_axis_more(mesh):
    rows = NamedSharding(mesh, ("x",))
    assert rows.insert_axis(0).spec == (None, "x")
    assert rows.insert_axis(1, "y").spec == ("x", "y")
    assert rows.insert_axis(2, "y").spec == ("x", None, "y")
    device = single_device(mesh.devices[0])
    assert device.insert_axis(0) is device
    split = GSPMDSharding(mesh.devices, rows._to_xla_hlo_sharding(1))
    assert split.insert_axis(1).is_equivalent_to(rows, 2)
    with pytest.raises(ValueError, match="spmd_axis_name='y' needs shardings with a mesh"):
        split.insert_axis(0, "y")


def test_a_spec_must_be_no_string(mesh):
    with pytest.raises(TypeError, match="takes a mesh and a PartitionSpec"):
        NamedSharding(mesh, "x")


def test_pickled_unconstrained_is_the_same_object():
    assert pickle.loads(pickle.dumps(UNCONSTRAINED)) is UNCONSTRAINED

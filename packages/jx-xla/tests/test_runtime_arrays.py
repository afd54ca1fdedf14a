"""What an array is, where it lies, and that it tells so when its buffer is gone."""

import numpy as np
import pytest

from jx_core.aval import ShapedArray
from jx_core.errors import DonatedArrayError
from jx_xla.runtime import arrays, placement
from jx_xla.runtime.named_sharding import NamedSharding
from jx_xla.runtime.shardings import IndivisibleError, SingleDeviceSharding

VALUE = np.arange(8, dtype=np.float32)


def test_an_array_tells_its_type(programs):
    x = programs.f32([[1, 2, 3], [4, 5, 6]])
    assert (x.shape, x.ndim, x.size, x.itemsize, x.nbytes) == ((2, 3), 2, 6, 4, 24)
    assert x.dtype == np.float32 and x.weak_type is False
    assert x.aval is ShapedArray((2, 3), np.float32)
    assert programs.f32(1.0, weak_type=True).weak_type is True


def test_an_array_tells_where_it_is(programs, four_devices):
    x = programs.f32(VALUE, four_devices[1], committed=True)
    assert x.device == four_devices[1] and x.devices() == {four_devices[1]}
    assert x.sharding == SingleDeviceSharding(four_devices[1])
    assert x.committed and not programs.f32(VALUE).committed
    assert x.is_fully_replicated and x.is_fully_addressable
    (shard,) = x.addressable_shards
    assert (shard.device, shard.index, shard.replica_id) == (four_devices[1], (slice(None),), 0)
    assert np.array_equal(shard.data, VALUE)


def test_a_sharded_array_tells_its_parts(mesh, four_devices, programs):
    sharding = NamedSharding(mesh, ("y",))
    x = placement.put_sharded(VALUE, programs.F32_8, sharding)
    assert x.sharding is sharding and x.device is sharding
    assert not x.is_fully_replicated
    assert [s.device for s in x.addressable_shards] == four_devices
    assert [s.index for s in x.addressable_shards] == 2 * [(slice(0, 4),), (slice(4, 8),)]
    assert [s.replica_id for s in x.addressable_shards] == [0, 0, 1, 1]
    for shard in x.global_shards:
        assert shard.data.aval == ShapedArray((4,), np.float32)
        assert shard.data.sharding == SingleDeviceSharding(shard.device)
        assert np.array_equal(shard.data, VALUE[shard.index])
    assert np.array_equal(x.addressable_data(1), VALUE[4:])
    assert np.array_equal(x, VALUE)
    assert repr(x.addressable_shards[1]).startswith("Shard(device=CpuDevice(id=1), index=(slice(4")


def test_a_deleted_array_says_that_it_is(programs):
    x = programs.f32(VALUE)
    x.delete()
    assert x.is_deleted() and x.shape == (8,)
    reads = (
        x.item, x.tolist, x.devices, x.copy_to_host_async,
        lambda: x.addressable_shards, lambda: x.device, lambda: placement.copy(x),
    )  # fmt: skip
    for read in reads:
        with pytest.raises(DonatedArrayError, match=r"Array has been deleted with shape=float32"):
            read()
    with pytest.raises(DonatedArrayError, match="Use that function's result"):
        np.asarray(x)
    assert repr(x) == "Array(<deleted>, shape=(8,), dtype=float32)"


def test_arrays_are_unhashable_and_need_no_copy_to_be_read(programs):
    x = programs.f32(VALUE)
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)
    assert memoryview(x).readonly
    assert not np.asarray(x).flags.writeable


def test_put_copies_unless_it_is_told_to_share(programs, four_devices):
    value = np.zeros(1024, np.float32)
    aval = ShapedArray(value.shape, value.dtype)
    x = placement.put(value, aval, four_devices[0])
    value[:] = 1
    assert float(np.max(x)) == 0.0
    y = placement.put(value, aval, SingleDeviceSharding(four_devices[1]), share=True)
    assert y.device == four_devices[1] and np.array_equal(y, value)


@pytest.mark.parametrize("value", [True, 3, 2.5, 1j])
def test_put_takes_python_scalars(value, four_devices):
    dtype = {bool: np.bool_, int: np.int32, float: np.float32, complex: np.complex64}[type(value)]
    x = placement.put(np.asarray(value, dtype), ShapedArray((), dtype, True), four_devices[0])
    assert x.item() == value and x.weak_type


def test_put_sharded_refuses_what_does_not_fit(mesh):
    with pytest.raises(IndivisibleError, match="cuts axis 0 into 2 parts"):
        placement.put_sharded(
            np.zeros(7, np.float32), ShapedArray((7,), np.float32), NamedSharding(mesh, ("x",))
        )
    with pytest.raises(ValueError, match="rank 2 and more"):
        placement.put_sharded(
            np.zeros(8, np.float32), ShapedArray((8,), np.float32), NamedSharding(mesh, ("x", "y"))
        )


def test_put_sharded_copies_too(mesh, programs):
    value = VALUE.copy()
    x = placement.put_sharded(value, programs.F32_8, NamedSharding(mesh, ()))
    value[:] = 0
    assert np.array_equal(x, VALUE)


@pytest.fixture
def layouts(mesh, make_mesh, four_devices):
    reversed_mesh = make_mesh(four_devices[::-1], (2, 2), ("x", "y"))
    return {
        "first": SingleDeviceSharding(four_devices[0]),
        "second": SingleDeviceSharding(four_devices[1]),
        "x": NamedSharding(mesh, ("x",)),
        "y": NamedSharding(mesh, ("y",)),
        "xy": NamedSharding(mesh, (("x", "y"),)),
        "everywhere": NamedSharding(mesh, ()),
        "reversed": NamedSharding(reversed_mesh, ("x",)),
    }


NAMES = ["first", "second", "x", "y", "xy", "everywhere", "reversed"]


@pytest.mark.parametrize("target", NAMES)
@pytest.mark.parametrize("source", NAMES)
def test_transfer_keeps_the_values(layouts, programs, source, target):
    x = placement.put_sharded(VALUE, programs.F32_8, layouts[source])
    moved = placement.transfer(x, layouts[target])
    assert moved.sharding == layouts[target] and moved.committed
    assert np.array_equal(moved, VALUE) and np.array_equal(x, VALUE)
    for shard in moved.addressable_shards:
        assert np.array_equal(shard.data, VALUE[shard.index])
    assert placement.transfer(x, layouts[target], committed=False).committed is False


@pytest.mark.parametrize("target", NAMES)
def test_transfer_may_have_to_copy(layouts, programs, target):
    x = placement.put_sharded(VALUE, programs.F32_8, layouts["first"])
    moved = placement.transfer(x, layouts[target], may_alias=False)
    x.delete()
    assert np.array_equal(moved, VALUE)


@pytest.mark.parametrize("target", NAMES)
def test_transfer_may_free_the_source(layouts, programs, target):
    x = placement.put_sharded(VALUE, programs.F32_8, layouts["first"])
    moved = placement.transfer(x, layouts[target], donate=True)
    assert x.is_deleted() and np.array_equal(moved, VALUE)


def test_a_copy_has_its_own_buffers(programs):
    x = programs.f32(VALUE)
    y = placement.copy(x)
    x.delete()
    assert np.array_equal(y, VALUE)


def test_arrays_are_assembled_from_parts(mesh, four_devices, programs):
    sharding = NamedSharding(mesh, ("x",))
    parts = [
        programs.f32(VALUE[index], device)
        for device, index in sharding.devices_indices_map((8,)).items()
    ]
    x = placement.make_array_from_single_device_arrays((8,), sharding, parts[::-1])
    assert np.array_equal(x, VALUE) and x.sharding is sharding and x.committed
    with pytest.raises(ValueError, match="expected one array for each of the 4 devices"):
        placement.make_array_from_single_device_arrays((8,), sharding, parts[1:])
    with pytest.raises(ValueError, match=r"expected parts of shape \(8,\) and dtype float32"):
        placement.make_array_from_single_device_arrays((16,), sharding, parts)
    with pytest.raises(ValueError, match="each part of a sharded array must be on one device"):
        placement.make_array_from_single_device_arrays((8,), sharding, [x])
    with pytest.raises(TypeError, match=r"takes a list of arrays; got a list of \['ndarray'\]"):
        placement.make_array_from_single_device_arrays((8,), sharding, [VALUE] * 4)


def test_arrays_are_made_part_by_part(mesh):
    asked = []

    def part(index):
        asked.append(index)
        return VALUE[index]

    x = placement.make_array_from_callback((8,), NamedSharding(mesh, ("x",)), part)
    assert np.array_equal(x, VALUE) and x.dtype == np.float32
    assert asked == [(slice(0, 4),), (slice(4, 8),)]
    with pytest.raises(ValueError, match=r"must return arrays of shape \(4,\).* got shape \(8,\)"):
        placement.make_array_from_callback((8,), NamedSharding(mesh, ("x",)), lambda index: VALUE)


@pytest.mark.parametrize("target", NAMES)
@pytest.mark.parametrize("value", [VALUE, VALUE.astype(np.float64)], ids=["f32", "f64"])
def test_arguments_are_put_where_a_program_wants_them(layouts, value, target):
    x = placement.shard_argument(value, layouts[target])
    assert x.dtype == np.float32 and x.sharding == layouts[target]
    assert np.array_equal(x, VALUE)


def test_install_gives_the_class_new_members(programs):
    arrays.install("twice_the_size", property(lambda self: 2 * self.size))
    try:
        assert programs.f32(VALUE).twice_the_size == 16
    finally:
        del arrays.Array.twice_the_size

"""Arrays are lent to other libraries and borrowed from them without copies."""

import numpy as np
import pytest

from jx_core.aval import ShapedArray
from jx_core.config import enable_x64
from jx_core.errors import DonatedArrayError
from jx_xla.runtime import clients, placement
from jx_xla.runtime.dlpack import DLDeviceType, from_dlpack
from jx_xla.runtime.named_sharding import NamedSharding
from jx_xla.runtime.shardings import SingleDeviceSharding

VALUE = np.arange(32, dtype=np.float32)


def address(value):
    return np.asarray(value).__array_interface__["data"][0]


def test_numpy_borrows_without_a_copy(programs):
    x = programs.f32(VALUE)
    borrowed = np.from_dlpack(x)
    assert np.array_equal(borrowed, VALUE)
    assert address(borrowed) == x.unsafe_buffer_pointer()
    assert x.__dlpack_device__() == (DLDeviceType.kDLCPU, 0)


def test_the_memory_outlives_the_array(programs):
    x = programs.f32(VALUE)
    borrowed = np.from_dlpack(x)
    del x
    assert np.array_equal(borrowed, VALUE)


def test_a_copy_may_be_asked_for(programs):
    x = programs.f32(VALUE)
    copied = np.from_dlpack(x, copy=True)
    assert address(copied) != x.unsafe_buffer_pointer() and np.array_equal(copied, VALUE)


def test_arrays_are_borrowed_from_numpy():
    x = from_dlpack(VALUE)
    assert x.aval == ShapedArray((32,), np.float32) and np.array_equal(x, VALUE)
    y = from_dlpack(x)
    assert y.unsafe_buffer_pointer() == x.unsafe_buffer_pointer()


def test_borrowed_arrays_go_where_they_are_wanted(four_devices):
    x = from_dlpack(VALUE, device=four_devices[2])
    assert x.device == four_devices[2] and np.array_equal(x, VALUE)
    x = from_dlpack(VALUE, device=SingleDeviceSharding(four_devices[1]))
    assert x.device == four_devices[1]
    with pytest.raises(ValueError, match="takes a copy, since the data is on"):
        from_dlpack(VALUE, device=four_devices[2], copy=False)


def test_64_bits_become_32_unless_they_are_on():
    value = np.arange(3.0)
    doubles = placement.put(value, ShapedArray((3,), value.dtype), clients.default_device())
    assert doubles.dtype == np.float64
    assert from_dlpack(value).dtype == from_dlpack(doubles).dtype == np.float32
    with pytest.raises(ValueError, match="becomes float32 unless enable_x64"):
        from_dlpack(doubles, copy=False)
    with enable_x64(True):
        assert from_dlpack(np.arange(3.0)).dtype == np.float64


def test_what_can_not_be_lent_says_so(mesh, programs):
    sharded = placement.put_sharded(
        VALUE, ShapedArray((32,), np.float32), NamedSharding(mesh, ("x",))
    )
    with pytest.raises(BufferError, match="on one device can be lent.* is on 4"):
        np.from_dlpack(sharded)
    with pytest.raises(BufferError, match="DLPack device type 99"):
        programs.f32(VALUE).__dlpack__(dl_device=(99, 0))
    gone = programs.f32(VALUE)
    gone.delete()
    with pytest.raises(DonatedArrayError):
        np.from_dlpack(gone)


def test_what_can_not_be_borrowed_says_so(mesh):
    with pytest.raises(TypeError, match="takes an array with __dlpack__ .* got list"):
        from_dlpack([1, 2])
    with pytest.raises(ValueError, match="the sharding has 4"):
        from_dlpack(VALUE, device=NamedSharding(mesh, ()))


def test_the_default_device_is_where_the_data_is():
    assert from_dlpack(VALUE).device == clients.devices("cpu")[0]

"""Reading arrays: NumPy, text, Python numbers, pickles and copies."""

import copy
import pickle
import sys

import ml_dtypes
import numpy as np
import pytest

from jx_core.aval import ShapedArray
from jx_xla.runtime import clients, placement
from jx_xla.runtime.named_sharding import NamedSharding

DTYPES = [
    np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint32, np.float16, np.float32,
    np.float64, np.complex64, np.complex128, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn,
    ml_dtypes.float8_e5m2, ml_dtypes.int4, ml_dtypes.uint4, ml_dtypes.int2, ml_dtypes.uint2,
]  # fmt: skip


def array(value, weak_type=False):
    value = np.asarray(value)
    aval = ShapedArray(value.shape, value.dtype, weak_type)
    return placement.put(value, aval, clients.default_device(), committed=False)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).name)
def test_every_dtype_survives_the_way_there_and_back(dtype):
    value = np.asarray([[1, 0, 1], [0, 1, 1]]).astype(dtype)
    x = array(value)
    for back in (np.asarray(x), np.array(x), x._value, pickle.loads(pickle.dumps(x))):
        back = np.asarray(back)
        assert back.dtype == value.dtype and back.shape == (2, 3)
        assert back.tobytes() == value.tobytes()


@pytest.mark.parametrize(
    "value",
    [np.zeros((0, 3), np.float32), np.float32(1), np.arange(6.0)[::-2], np.ones((2, 3)).T],
    ids=["empty", "scalar", "backwards", "transposed"],
)
def test_every_shape_survives(value):
    assert np.array_equal(np.asarray(array(value)), value)


def test_numpy_may_ask_for_a_dtype_or_a_copy():
    x = array(np.arange(3, dtype=np.float32))
    assert np.asarray(x, np.int32).dtype == np.int32
    writable = np.array(x, copy=True)
    writable[0] = 7
    assert x.tolist() == [0.0, 1.0, 2.0]
    assert x.__array__(np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="copy"):
        x.__array__(np.float64, copy=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.array([1, 2], np.float32), "Array([1., 2.], dtype=float32)"),
        (np.float32(2), "Array(2., dtype=float32)"),
        (np.zeros((0, 3), np.int32), "Array([], shape=(0, 3), dtype=int32)"),
        (np.array([[1, 2], [3, 4]]), "Array([[1, 2],\n       [3, 4]], dtype=int64)"),
        (np.array([True]), "Array([ True], dtype=bool)"),
        (np.ones(2, ml_dtypes.bfloat16), "Array([1, 1], dtype=bfloat16)"),
        (
            np.arange(20, dtype=np.int8),
            "Array([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16,\n"
            "       17, 18, 19], dtype=int8)",
        ),
    ],
)
def test_repr_reads_like_numpys(value, text):
    assert repr(array(value)) == text


def test_repr_tells_weak_types_and_breaks_long_lines():
    assert repr(array(np.float32(1), weak_type=True)) == "Array(1., dtype=float32, weak_type=True)"
    lines = repr(array(np.full(5, 0.123456789), weak_type=True)).splitlines()
    assert lines[-1] == "      dtype=float64, weak_type=True)"
    assert max(map(len, lines)) <= 75


def test_str_and_format_are_numpys():
    value = np.arange(4, dtype=np.float32)
    assert str(array(value)) == f"{array(value)}" == str(value)
    assert f"{array(np.float32(2.345)):.1f}" == "2.3"
    with pytest.raises(TypeError):
        format(array(value), ".1f")


def test_a_scalar_is_a_python_number():
    assert float(array(np.float32(2.5))) == 2.5
    assert int(array(np.int32(-3))) == -3
    assert complex(array(np.complex64(1j))) == 1j
    assert bool(array(np.float32(0))) is False and bool(array(np.ones((1, 1)))) is True
    assert ["a", "b"][array(np.uint8(1))] == "b"
    assert array(np.arange(6).reshape(2, 3)).item(1, 2) == 5
    assert type(array(ml_dtypes.bfloat16(1.5)).item()) is float


def test_more_than_a_scalar_is_not():
    many = array(np.arange(3))
    with pytest.raises(ValueError, match=r"more than one element is ambiguous.*\.any\(\) or \.all"):
        bool(many)
    with pytest.raises(ValueError, match="empty array is ambiguous"):
        bool(array(np.zeros(0)))
    for convert in (int, float, complex):
        with pytest.raises(TypeError, match=r"Only scalar arrays can be converted .* shape \(3,\)"):
            convert(many)
    with pytest.raises(TypeError, match=r"scalar index; got int64\[3\]"):
        range(many)
    with pytest.raises(TypeError, match=r"scalar index; got float32\[\]"):
        range(array(np.float32(1)))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
def test_copies_outlive_the_original(duplicate):
    x = array(np.arange(3), weak_type=True)
    y = duplicate(x)
    x.delete()
    assert y.tolist() == [0, 1, 2] and y.weak_type


def test_pickles_keep_the_type():
    x = pickle.loads(pickle.dumps(array(np.float32(1), weak_type=True)))
    assert x.weak_type and not x.committed and x.dtype == np.float32


def test_a_sharded_array_is_read_as_a_whole(mesh):
    value = np.arange(16, dtype=np.float32).reshape(4, 4)
    aval = ShapedArray(value.shape, value.dtype)
    for spec in (("x", "y"), ("y",), (None, ("y", "x")), ()):
        x = placement.put_sharded(value, aval, NamedSharding(mesh, spec))
        assert np.array_equal(np.asarray(x), value)
        assert np.asarray(x) is np.asarray(x) or spec == ()
        assert repr(x) == repr(array(value))
        assert pickle.loads(pickle.dumps(x)).tolist() == value.tolist()


def test_reading_can_be_begun_early(mesh):
    value = np.arange(4, dtype=np.float32)
    x = placement.put_sharded(value, ShapedArray((4,), np.float32), NamedSharding(mesh, ("x",)))
    assert x.copy_to_host_async() is None
    assert x.tobytes() == value.tobytes()


def test_reading_asks_nobody_for_jax(monkeypatch):
    """jaxlib looks names of JAX's up by importing it: a search of all of the path, each time."""
    asked = []

    class Watcher:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name.partition(".")[0] == "jax":
                asked.append(name)

    monkeypatch.setattr(sys, "meta_path", [Watcher, *sys.meta_path])
    for dtype in (np.float32, np.int32, np.bool_, np.complex64, ml_dtypes.bfloat16):
        x = array(np.ones((), dtype))
        x.copy_to_host_async()
        for read in (bool, complex, np.asarray, str, array(0).__class__.tolist):
            read(x)
    assert not asked

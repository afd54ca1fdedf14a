"""The methods and properties of arrays and tracers are the functions of the namespace."""

import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import grad
from jx_core import jit

X = np.array([[3.0, 1.0, 2.0], [9.0, 7.0, 8.0]], np.float32)
I = np.array([[3, 1, 2], [9, 7, 8]], np.int32)  # noqa: E741

# Methods that NumPy's arrays have as well, with arguments that mean the same.
SHARED = [
    ("all", ()), ("any", (0,)), ("argmax", ()), ("argmax", (1,)), ("argmin", (0,)),
    ("argsort", (1,)), ("clip", (2, 8)), ("conj", ()), ("conjugate", ()), ("copy", ()),
    ("cumprod", (0,)), ("cumsum", (1,)), ("diagonal", ()), ("dot", (X.T.copy(),)),
    ("flatten", ()), ("flatten", ("F",)), ("max", ()), ("max", (1,)), ("mean", ()),
    ("mean", (0,)), ("min", (0,)), ("prod", (1,)), ("ravel", ()), ("ravel", ("F",)),
    ("repeat", (2,)), ("repeat", (2, 1)), ("reshape", (3, 2)), ("reshape", ((3, 2),)),
    ("reshape", (-1,)), ("reshape", ([3, 2],)), ("round", (1,)), ("squeeze", ()), ("std", ()),
    ("sum", ()), ("sum", ((0, 1),)), ("swapaxes", (0, 1)), ("take", (np.array([0, 5]),)),
    ("tolist", ()), ("trace", ()), ("transpose", ()), ("transpose", (1, 0)),
    ("transpose", ((1, 0),)), ("var", (1,)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args"), SHARED, ids=lambda v: v if isinstance(v, str) else "")
@pytest.mark.parametrize("x", [X, I], ids=["float32", "int32"])
def test_methods_are_numpys(x, name, args):
    expected = getattr(x, name)(*args)
    result = getattr(jnp.asarray(x), name)(*args)
    np.testing.assert_allclose(np.asarray(result), np.asarray(expected), rtol=1e-6)
    if name != "tolist":
        traced = jit(lambda x: getattr(x, name)(*args))(x)
        np.testing.assert_allclose(np.asarray(traced), np.asarray(expected), rtol=1e-6)
        grad(lambda x: jnp.sum(jnp.real(getattr(x, name)(*args)) * 1.0))(X)


def test_methods_with_keywords():
    x = jnp.asarray(X)
    assert x.sum(axis=1, keepdims=True).shape == (2, 1)
    assert x.sum(axis=[0]).shape == (3,)
    assert float(x.max(initial=10, where=X > 100)) == 10
    assert x.argsort(axis=1, descending=True).tolist() == [[0, 2, 1], [0, 2, 1]]
    assert x.reshape(3, 2, order="F").tolist() == X.reshape(3, 2, order="F").tolist()
    assert x.clip(max=2).tolist() == X.clip(max=2).tolist()
    assert x.mean(dtype="float16").dtype == np.float16
    assert x.sort(axis=0).shape == (2, 3) and x.ptp().tolist() == 8
    assert x.compress(np.array([True, False]), axis=0).tolist() == [[3, 1, 2]]
    assert jnp.array([1, 2, 3]).searchsorted(2).tolist() == 1
    assert [i.tolist() for i in jnp.array([0, 1, 1]).nonzero()] == [[1, 2]]
    assert jnp.array([0, 1]).choose([jnp.array([5, 6]), jnp.array([7, 8])]).tolist() == [5, 8]


def test_properties():
    x = jnp.arange(6.0).reshape(1, 2, 3)
    assert x.T.shape == (3, 2, 1) and x.mT.shape == (1, 3, 2)
    z = jnp.array([1 + 2j])
    assert z.real.tolist() == [1.0] and z.imag.tolist() == [2.0]
    assert x.real.dtype == np.float32 and x.imag.tolist() == [[[0, 0, 0], [0, 0, 0]]]
    f = jit(lambda x: (x.T, x.mT, x.real, x.nbytes, x.itemsize, x.size, x.ndim))
    assert [int(n) for n in f(x)[3:]] == [24, 4, 6, 3]


def test_astype():
    x = jnp.array([1.7, -1.7, 300.0])
    assert x.astype(int).tolist() == [1, -1, 300] and x.astype("int8").dtype == np.int8
    assert x.astype(bool).tolist() == [True, True, True]
    assert x.astype(x.dtype) is x
    assert x.astype(x.dtype, copy=True) is not x
    assert not jnp.asarray(1.0).astype("float32").weak_type
    assert jnp.array([1.5 + 1j]).astype("float32").tolist() == [1.5]
    with pytest.raises(TypeError, match="dtype"):
        x.astype("nonsense")


@pytest.mark.parametrize(
    ("dtype", "to"),
    [
        ("float32", "int32"), ("float32", "uint8"), ("uint8", "int16"), ("int16", "float32"),
        ("float32", "complex64"), ("complex64", "float32"), ("bool", "uint8"),
        ("uint8", "bool"), ("complex64", "uint16"), ("int32", "uint32"),
    ],
)  # fmt: skip
def test_view_reads_the_bits_of_another_dtype(dtype, to):
    x = np.arange(16).reshape(2, 8).astype(dtype)
    if to == "bool":
        x = x % 2
    np.testing.assert_array_equal(jnp.asarray(x).view(to), x.view(to))
    np.testing.assert_array_equal(jit(lambda x: x.view(to))(x), x.view(to))


def test_view_and_byteswap():
    assert jnp.array(1.0).view("int32").tolist() == 1065353216
    with pytest.raises(ValueError, match="whole number"):
        jnp.zeros(3, "uint8").view("int16")
    with pytest.raises(ValueError, match="zero-dimensional"):
        jnp.float32(1).view("int8")
    x = np.array([1, 256], np.int32)
    assert jnp.asarray(x).byteswap().tolist() == x.byteswap().tolist()
    assert jnp.asarray(x).tobytes() == x.tobytes()


def test_iteration():
    assert [row.tolist() for row in jnp.asarray(I)] == I.tolist()
    a, b = jit(lambda x: tuple(row.sum() for row in x))(I)
    assert (int(a), int(b)) == (6, 24)
    assert sum(1 for _ in jnp.zeros((300, 2))) == 300
    assert [int(v) for v in jnp.arange(300)][-1] == 299
    with pytest.raises(TypeError, match="0-d"):
        iter(jnp.array(1.0)).__next__()
    assert 7 in jnp.asarray(I) and 70 not in jnp.asarray(I)
    first, *rest = jnp.arange(3)
    assert int(first) == 0 and len(rest) == 2


def test_conversions():
    x = jnp.asarray(X)
    assert x.item(0) == 3.0 if hasattr(x, "item") else True
    assert x.to_device(x.device) is not None
    assert x.__array_namespace__() is jnp
    assert float(round(jnp.array(2.567), 2)) == np.float32(2.57)
    assert round(jnp.array([2.5, 3.6])).dtype == np.int32
    assert round(jnp.array([2.5, 3.6])).tolist() == [2, 4]
    with pytest.raises(ValueError, match="api_version|API version"):
        x.__array_namespace__(api_version="1999.01")
    with pytest.raises(NotImplementedError, match="'out'"):
        x.sum(out=x)


def test_the_array_class():
    x = jnp.asarray(X)
    assert isinstance(x, jnp.ndarray)
    seen = []
    jit(lambda x: seen.append(isinstance(x, jnp.ndarray)) or x)(x)
    assert seen == [True]

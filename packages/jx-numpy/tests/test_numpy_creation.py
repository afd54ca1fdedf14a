"""Making arrays: values, dtypes, weak types, and what bad input gets."""

import io
import warnings

import numpy as np
import pytest

import jx_numpy as jnp
from jx_core import ShapeDtypeStruct, errors, jit, make_jaxpr
from jx_core.config import enable_x64


def described(x):
    return ("~" if x.weak_type else "") + x.aval.str_short()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.0, "~f32[]"),
        (1, "~i32[]"),
        (True, "bool[]"),
        (1j, "~c64[]"),
        ([1.0, 2], "f32[2]"),
        ([1, True], "i32[2]"),
        ([True, False], "bool[2]"),
        ([], "f32[0]"),
        ([[], []], "f32[2,0]"),
        ([[1, 2], (3, 4)], "i32[2,2]"),
        (range(3), "i32[3]"),
        (np.float64(1), "f32[]"),
        (np.arange(3), "i32[3]"),
        ([np.float16(1), 2.0], "f16[2]"),
        ([np.float64(1), 2], "f32[2]"),
        ([np.int8(1), np.uint8(1)], "i16[2]"),
        ([np.arange(3, dtype=np.int8), [1, 2, 3]], "i8[2,3]"),
        (np.ones(2, jnp.bfloat16.dtype), "bf16[2]"),
        (bytearray(b"ab"), "u8[2]"),
    ],
)
def test_array_finds_the_dtype(value, expected):
    assert described(jnp.array(value)) == expected
    assert described(jnp.asarray(value)) == expected
    np.testing.assert_array_equal(jnp.array(value), np.array(value))


def test_a_dtype_that_is_asked_for_is_strong():
    assert described(jnp.array(1.0, dtype=float)) == "f32[]"
    assert described(jnp.array([1.7, -1.7], dtype="int8")) == "i8[2]"
    assert jnp.array([1.7, -1.7], dtype="int8").tolist() == [1, -1]
    assert described(jnp.asarray(jnp.asarray(1.0), dtype=jnp.float32)) == "f32[]"
    assert described(jnp.float32(3)) == "f32[]"
    assert jnp.int32(2.7).tolist() == 2 and jnp.bool_(3).tolist() is True
    assert described(jnp.bfloat16([1, 2])) == "bf16[2]"
    assert described(jnp.array(3, ndmin=2)) == "~i32[1,1]"


def test_64_bit_dtypes_warn_at_the_users_line_unless_enabled():
    with pytest.warns(UserWarning, match="float64") as caught:
        x = jnp.zeros(2, "float64")
    assert x.dtype == np.float32 and caught[0].filename == __file__
    with pytest.warns(UserWarning, match="int64") as caught:
        jnp.ones(2).astype(jnp.int64)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jnp.zeros(2, int)
        jnp.asarray(np.zeros(2))
        with enable_x64(True):
            assert jnp.zeros(2, "float64").dtype == np.float64
            assert jnp.zeros(2).dtype == np.float64
            assert jnp.array([1, 2]).dtype == np.int64
            assert jnp.sin(jnp.ones(2, "int8")).dtype == np.float32
            assert jnp.sin(jnp.ones(2, "int64")).dtype == np.float64


def test_copies_and_identity():
    x = jnp.arange(3)
    assert jnp.asarray(x) is x
    assert jnp.array(x) is not x
    y = np.zeros(3, np.float32)
    z = jnp.asarray(y)
    y[0] = 1
    assert z.tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="copy=False"):
        jnp.asarray([1, 2], copy=False)


def test_ragged_lists_say_where():
    with pytest.raises(ValueError, match=r"element \[1\] has shape \(1,\).*\[0\] has shape \(2,\)"):
        jnp.array([[1, 2], [3]])
    with pytest.raises(ValueError, match=r"element \[1\]\[1\] has shape"):
        jnp.array([[[1], [2]], [[3], [4, 5]]])
    with pytest.raises(ValueError, match="ragged"):
        jnp.array([1, [2]])


def test_elements_that_are_no_numbers_are_named():
    with pytest.raises(TypeError, match=r"element at \[1\] is 'a'"):
        jnp.array([1, "a"])
    with pytest.raises(TypeError, match="'a'"):
        jnp.array("a")
    with pytest.raises(ValueError, match="None is not a valid value"):
        jnp.array(None)
    with pytest.raises(ValueError, match=r"None .*\[0\]\[1\]"):
        jnp.array([[1, None]])
    with pytest.raises(TypeError, match="dict"):
        jnp.array({1: 2})
    with pytest.raises(TypeError, match="generator"):
        jnp.array(x for x in [1])
    with pytest.raises(TypeError, match="object"):
        jnp.array(np.array([1, "a"], object))
    with pytest.raises(OverflowError):
        jnp.array(2**33)
    with pytest.raises(OverflowError):
        jnp.array([2**33])


def test_lists_of_tracers_are_stacked():
    @jit
    def f(x):
        return jnp.array([[x[0], 2], [x[1], x[2] * 3.0]])

    np.testing.assert_array_equal(f(jnp.arange(3.0)), [[0, 2], [1, 6]])
    assert described(jit(lambda x: jnp.array([x, 1.0]))(np.float16(1))) == "f16[2]"


def test_array_of_constants_is_concrete_while_tracing():
    def f(x):
        y = jnp.array([1, 2])
        assert y.tolist() == [1, 2]
        assert bool(jnp.asarray(True))
        return x + y

    np.testing.assert_array_equal(jit(f)(jnp.ones(2)), [2, 3])
    assert jnp.array([1.0, 2.0]).tolist() == [1, 2]


def test_filling_functions():
    assert described(jnp.zeros((2, 3))) == "f32[2,3]"
    assert described(jnp.zeros([2, 3], dtype=jnp.int8)) == "i8[2,3]"
    assert described(jnp.ones(3, int)) == "i32[3]"
    assert described(jnp.empty(np.array([2, 2]), bool)) == "bool[2,2]"
    assert described(jnp.full(3, 2)) == "~i32[3]"
    assert described(jnp.full((2,), np.float16(2))) == "f16[2]"
    assert jnp.full((2, 2), jnp.array([1, 2])).tolist() == [[1, 2], [1, 2]]
    assert described(jnp.ones_like(jnp.asarray(1.0))) == "~f32[]"
    assert described(jnp.zeros_like(3.0)) == "~f32[]"
    assert jnp.full_like(jnp.arange(3, dtype="int8"), 2.7).tolist() == [2, 2, 2]
    assert described(jnp.zeros_like(jnp.ones(3), shape=(2,), dtype=int)) == "i32[2]"
    assert described(jnp.zeros_like(ShapeDtypeStruct((2,), np.int8))) == "i8[2]"


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: jnp.zeros(-1), ValueError, r"non-negative.*-1"),
        (lambda: jnp.zeros((2.5,)), TypeError, r"shape must be .* integers.*2.5"),
        (lambda: jnp.zeros(3, "nonsense"), TypeError, "dtype must be"),
        (lambda: jnp.zeros(3, object), TypeError, "object"),
        (lambda: jnp.full((2,), [1, 2]), TypeError, "full requires ndarray or scalar"),
        (lambda: jnp.zeros_like([1, 2]), TypeError, "zeros_like requires ndarray or scalar"),
        (lambda: jnp.arange("a"), TypeError, "arange"),
        (lambda: jnp.arange(0, 1, 0), ZeroDivisionError, "step"),
        (lambda: jnp.eye(-1), ValueError, "non-negative"),
        (lambda: jnp.linspace(0, 1, -1), ValueError, "num"),
        (lambda: jnp.tril(jnp.ones(3)), ValueError, "two axes"),
        (lambda: jnp.diag(jnp.ones((2, 2, 2))), ValueError, "one axis or two"),
        (lambda: jnp.meshgrid(jnp.ones((2, 2))), ValueError, "position 0"),
    ],
)
def test_bad_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_traced_sizes_are_refused_with_the_cure():
    with pytest.raises(errors.ConcretizationTypeError, match="arange"):
        jit(lambda n: jnp.arange(n))(3)
    with pytest.raises(errors.TracerIntegerConversionError, match="zeros"):
        jit(lambda n: jnp.zeros(n))(3)


def test_filling_binds_one_primitive_while_tracing():
    names = [e.primitive.name for e in make_jaxpr(lambda: (jnp.zeros(3), jnp.arange(4)))().eqns]
    assert names == ["broadcast_in_dim", "iota"]


@pytest.mark.parametrize(
    "args",
    [(3,), (0,), (-2,), (3.0,), (1, 4), (10, 0, -3), (1, 2, 0.3), (0, 10, 3), (2.0, 5.0), (5, 1)],
)
def test_arange(args):
    expected = np.arange(*args)
    result = jnp.arange(*args)
    assert result.dtype.kind == expected.dtype.kind and not result.weak_type
    np.testing.assert_allclose(result, expected, rtol=1e-6)


def test_arange_dtypes():
    assert jnp.arange(3, dtype="float16").dtype == np.float16
    assert jnp.arange(np.int8(3)).dtype == np.int8
    assert jnp.arange(0, 10, 3, dtype=float).tolist() == [0, 3, 6, 9]


def test_linspace_and_its_kin(same_as_numpy):
    for args in ((0, 1, 5), (0, 1, 1), (0, 1, 0), (3, -2, 4), (2, 2, 3)):
        for endpoint in (True, False):
            same_as_numpy("linspace", *args, endpoint=endpoint)
    low, high = np.array([0.0, 1.0], np.float32), np.array([[2.0], [8.0]], np.float32)
    for axis in (0, 1, -1):
        same_as_numpy("linspace", low, high, 4, axis=axis)
    same_as_numpy("logspace", 0, 3, 4)
    same_as_numpy("logspace", 0, 3, 4, base=2, rtol=1e-5)
    same_as_numpy("geomspace", 1, 1000, 4, rtol=1e-5)
    same_as_numpy("geomspace", -1, -100, 3, rtol=1e-5)
    same_as_numpy("geomspace", 1, 256, 9, endpoint=False, rtol=1e-5)
    np.testing.assert_array_equal(
        jnp.linspace(0, -3.5, 5, dtype="int32"), np.linspace(0, -3.5, 5, dtype="int32")
    )
    points, step = jnp.linspace(0, 1, 5, retstep=True)
    assert float(step) == 0.25 and float(points[-1]) == 1.0
    assert float(jnp.linspace(0, 1.1, 7)[-1]) == np.float32(1.1)
    assert jnp.linspace(0, 1, 3, dtype=jnp.float16).dtype == np.float16


def test_matrices(same_as_numpy):
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    stack = np.arange(24, dtype=np.int32).reshape(2, 3, 4)
    for k in (-4, -2, -1, 0, 1, 3, 5):
        same_as_numpy("eye", 3, 4, k)
        same_as_numpy("tri", 3, 4, k)
        same_as_numpy("tril", x, k)
        same_as_numpy("triu", stack, k)
        same_as_numpy("diag", x[0], k)
        same_as_numpy("diagflat", x, k)
        same_as_numpy("diagonal", x, k)
        same_as_numpy("diagonal", stack, k, 2, 0)
        same_as_numpy("trace", stack, k, 1, 2)
    same_as_numpy("diag", x)
    same_as_numpy("identity", 3)
    same_as_numpy("vander", x[0], 3)
    same_as_numpy("vander", x[0], increasing=True)
    same_as_numpy("tril_indices", 3, 1, 4)
    same_as_numpy("triu_indices", 3, -1)
    same_as_numpy("diag_indices", 3, 3)
    same_as_numpy("mask_indices", 3, np.triu)
    assert jnp.eye(2, dtype=bool).dtype == np.bool_
    for got, expected in zip(jnp.tril_indices_from(x), np.tril_indices_from(x)):
        np.testing.assert_array_equal(got, expected)


def test_grids(same_as_numpy):
    x, y, z = np.arange(3.0), np.arange(2.0), np.arange(4.0)
    for indexing in ("xy", "ij"):
        for sparse in (False, True):
            same_as_numpy("meshgrid", x, y, z, indexing=indexing, sparse=sparse)
    same_as_numpy("meshgrid", x)
    same_as_numpy("indices", (2, 3))
    same_as_numpy("indices", (2, 3), sparse=True)
    np.testing.assert_allclose(jnp.mgrid[0:2, 1:3:0.5], np.mgrid[0:2, 1:3:0.5])
    np.testing.assert_allclose(jnp.mgrid[0:1:5j], np.mgrid[0:1:5j])
    for got, expected in zip(jnp.ogrid[0:2, 0:1:3j], np.ogrid[0:2, 0:1:3j]):
        np.testing.assert_allclose(got, expected)
    np.testing.assert_allclose(
        jnp.fromfunction(lambda i, j: i * 10 + j, (2, 3)),
        np.fromfunction(lambda i, j: i * 10 + j, (2, 3)),
    )
    for got, expected in zip(jnp.ix_([0, 2], [True, False]), np.ix_([0, 2], [True, False])):
        np.testing.assert_array_equal(got, expected)


def test_index_tricks():
    a, b = np.array([1, 2]), np.array([3, 4])
    np.testing.assert_array_equal(jnp.r_[a, 0, b], np.r_[a, 0, b])
    np.testing.assert_array_equal(jnp.r_[0:3, 5], np.r_[0:3, 5])
    np.testing.assert_array_equal(jnp.r_["0,2", a, b], np.r_["0,2", a, b])
    for places in ("0,2,-2", "0,3", "1,3,0", "0,3,1", "0,3,-2", "1,3,-3"):
        np.testing.assert_array_equal(jnp.r_[places, a, b], np.r_[places, a, b])
    assert jnp.c_["r", a, b].tolist() == [[1, 3], [2, 4]]
    assert jnp.r_["r", a, b].tolist() == [[1, 2, 3, 4]]
    assert jnp.r_["c", a].tolist() == [[1], [2]]
    np.testing.assert_array_equal(jnp.c_[a, b], np.c_[a, b])
    np.testing.assert_array_equal(jnp.c_[a.reshape(2, 1), b], np.c_[a.reshape(2, 1), b])
    assert jnp.s_[1:2, None] == np.s_[1:2, None] and jnp.index_exp[0] == (0,)
    x = np.zeros((3, 3), np.int32)
    expected = x.copy()
    np.fill_diagonal(expected, [1, 2, 3])
    np.testing.assert_array_equal(
        jnp.fill_diagonal(x, np.array([1, 2, 3]), inplace=False), expected
    )


def test_buffers_and_files(tmp_path):
    assert jnp.frombuffer(np.arange(3, dtype=np.int16).tobytes(), jnp.int16).tolist() == [0, 1, 2]
    assert jnp.fromstring("1.5 2", sep=" ").tolist() == [1.5, 2.0]
    assert jnp.fromiter(range(3), int).tolist() == [0, 1, 2]
    path = tmp_path / "x.npy"
    jnp.save(path, jnp.ones(2, jnp.bfloat16))
    assert described(jnp.load(path)) == "bf16[2]"
    buffer = io.BytesIO()
    jnp.savez(buffer, a=jnp.arange(2))
    buffer.seek(0)
    assert jnp.load(buffer)["a"].tolist() == [0, 1]
    assert jnp.from_dlpack(np.arange(3, dtype=np.int32)).tolist() == [0, 1, 2]


def test_scalar_types_name_dtypes():
    assert np.dtype(jnp.bfloat16) == jnp.bfloat16.dtype
    assert jnp.float32 == np.float32 and jnp.float32 == np.dtype("float32")
    assert hash(jnp.float32) == hash(np.float32)
    assert jnp.float32 != jnp.float16 and jnp.bool is jnp.bool_
    assert isinstance(np.float32(1), jnp.float32) and isinstance(jnp.float32, type)
    assert jnp.issubdtype(jnp.bfloat16, jnp.floating)
    assert jnp.finfo(jnp.bfloat16).bits == 16 and jnp.iinfo(jnp.int8).max == 127
    assert jnp.promote_types(jnp.int8, jnp.uint8) == np.int16
    assert jnp.result_type(jnp.ones(2, "int8"), 1.0) == np.float32
    assert jnp.can_cast(jnp.int8, jnp.int32) and not jnp.can_cast("float32", "int8")
    assert {jnp.float32: 1}[np.float32] == 1


def test_questions_about_arrays():
    x = jnp.zeros((2, 3))
    assert (jnp.shape(x), jnp.ndim(x), jnp.size(x), jnp.size(x, 1), jnp.size(x, (0, 1))) == (
        (2, 3), 2, 6, 3, 6,
    )  # fmt: skip
    assert jnp.isscalar(1) and jnp.isscalar(jnp.array(1)) and not jnp.isscalar(x)
    assert jnp.iscomplexobj(1j) and jnp.isrealobj(x) and jnp.iscomplexobj([1j])
    assert jnp.iterable(x) and not jnp.iterable(3)
    with pytest.raises(TypeError, match="shape requires"):
        jnp.shape({"a": 1})
    with pytest.warns(DeprecationWarning, match="requires ndarray or scalar arguments"):
        assert (jnp.shape([1, 2]), jnp.size((1, 2)), jnp.ndim([[1]])) == ((2,), 2, 2)
        assert jit(lambda x: jnp.zeros(jnp.shape([x, x])))(x).shape == (2, 2, 3)


def test_strings_are_read_as_the_dtype_that_is_asked_for():
    assert jnp.float32("1.5") == 1.5 and jnp.int32(b"2").dtype == np.int32
    assert jnp.asarray(np.array(["1", "2"]), "float32").tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="could not convert string to float: 'x'"):
        jnp.float32("x")
    with pytest.raises(TypeError, match="not a valid array type"):
        jnp.array("1")


def test_objects_that_become_arrays_are_stacked():
    class Wrapped:
        def __init__(self, value):
            self.value = value

        def __jax_array__(self):
            return self.value

    x = jnp.arange(3.0)
    pair = lambda x: jnp.array([Wrapped(x), x])  # noqa: E731
    assert pair(x).tolist() == jit(pair)(x).tolist() == [[0, 1, 2], [0, 1, 2]]
    assert jnp.array([Wrapped(jnp.int32(1)), 2.5]).tolist() == [1.0, 2.5]

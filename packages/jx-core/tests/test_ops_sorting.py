"""Sorting: ascending, NaNs last, zeros equal, ties in order; the k greatest in IEEE's order."""

import numpy as np
import pytest

from jx_core import ShapedArray, ShapeDtypeStruct, backend, eval_shape, lax, make_jaxpr
from jx_core.backend import Array
from jx_core.dtypes import ExtendedDType, prng_key
from jx_core.errors import ShapeError

NAN, INF = np.nan, np.inf
X = np.zeros((2, 3), np.float32)


@pytest.fixture(autouse=True)
def numpy_backend():
    with backend.use("numpy"):
        yield


class ToyKey(ExtendedDType):
    """A key dtype of eight bytes an element."""

    __slots__ = ()
    name = "key<toy>"
    type = prng_key
    itemsize = 8


def keys(n):
    words = np.arange(n, dtype=np.int64).view("V8")
    return Array(words, ShapedArray((n,), ToyKey()))


def sample(shape, dtype):
    low = 0 if dtype.startswith("u") or dtype == "bool" else -4
    return np.asarray(np.random.default_rng(0).integers(low, 4, shape)).astype(dtype)


@pytest.mark.parametrize("dimension", [0, 1, -1, -2])
@pytest.mark.parametrize("shape", [(5, 4), (0, 3), (3, 0), (1, 1)])
@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint32", "int4", "float32", "float16", "bfloat16", "float8_e4m3fn"]
)
def test_sort_is_numpys(dtype, shape, dimension):
    x = sample(shape, dtype)
    result = lax.sort(x, dimension)
    assert np.asarray(result).dtype == x.dtype
    expected = np.sort(x.astype(np.float32), dimension)
    np.testing.assert_array_equal(np.asarray(result).astype(np.float32), expected)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_nans_are_last_and_zeros_equal(dtype):
    x = np.array([1, NAN, -0.0, 0.0, -NAN, -INF, INF, -0.0]).astype(dtype)
    values, places = lax.sort((x, np.arange(8)))
    assert np.asarray(places).tolist() == [5, 2, 3, 7, 0, 6, 1, 4]
    np.testing.assert_array_equal(np.signbit(np.asarray(values)[1:4]), [True, False, True])


def test_complex_numbers_are_sorted_by_real_part_then_imaginary_part():
    x = np.array(
        [1 + 2j, 1 - 2j, complex(NAN, 1), complex(1, NAN), 0, complex(NAN, 0), 2], np.complex64
    )
    _, places = lax.sort((x, np.arange(7)))
    assert np.asarray(places).tolist() == [4, 1, 0, 3, 6, 5, 2]


def test_later_keys_break_ties_and_the_rest_follows():
    a, b = np.array([2, 1, 2, 1]), np.array([0.5, 3, 0.25, 2], np.float32)
    first, second, rest = lax.sort((a, b, np.arange(4)), num_keys=2)
    assert np.asarray(first).tolist() == [1, 1, 2, 2]
    assert np.asarray(second).tolist() == [2, 3, 0.25, 0.5]
    assert np.asarray(rest).tolist() == [3, 1, 2, 0]


def test_equal_keys_keep_their_order():
    a = np.tile([1, 0], 50)
    _, places = lax.sort((a, np.arange(100)))
    assert np.asarray(places).tolist() == [*range(1, 100, 2), *range(0, 100, 2)]


def test_an_array_gives_an_array_and_a_sequence_a_tuple():
    assert isinstance(lax.sort(X), Array)
    assert type(lax.sort([X])) is tuple
    assert len(lax.sort((X, X))) == 2


def test_sort_key_val_takes_values_of_any_dtype():
    sorted_keys, values = lax.sort_key_val(np.array([2, 0, 1]), keys(3))
    assert np.asarray(sorted_keys).tolist() == [0, 1, 2]
    assert values.dtype == ToyKey()
    np.testing.assert_array_equal(values.value, keys(3).value[[1, 2, 0]])


def test_weak_types_stay_with_their_operands():
    weak, strong = lax.full((2,), 1.0), lax.full((2,), 1.0, np.float32)
    assert [x.weak_type for x in lax.sort((weak, strong))] == [True, False]
    values, indices = lax.top_k(weak, 1)
    assert (values.weak_type, indices.weak_type) == (True, False)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("k", [0, 1, 3])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int4", "float32", "bfloat16"])
def test_top_k_is_the_start_of_the_descending_order(dtype, k, axis):
    x = sample((4, 5), dtype)
    values, indices = lax.top_k(x, k, axis=axis)
    order = np.argsort(-x.astype(np.float32), axis, kind="stable")
    expected = np.take(order, range(k), axis)
    np.testing.assert_array_equal(indices, expected)
    assert np.asarray(indices).dtype == np.int32
    np.testing.assert_array_equal(values, np.take_along_axis(x, expected, axis))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_top_k_is_in_total_order(dtype):
    x = np.array([1, -NAN, -0.0, 2, 0.0, -INF, NAN, INF]).astype(dtype)
    _, indices = lax.top_k(x, 8)
    assert np.asarray(indices).tolist() == [6, 7, 3, 0, 4, 2, 5, 1]


def test_top_k_of_extreme_integers():
    x = np.array([0, -128, 127, -1], np.int8)
    values, indices = lax.top_k(x, 4)
    assert np.asarray(values).tolist() == [127, 0, -1, -128]
    assert np.asarray(indices).tolist() == [2, 0, 3, 1]


def test_top_k_of_no_rows():
    values, indices = lax.top_k(np.zeros((0, 3), np.float32), 2)
    assert values.shape == indices.shape == (0, 2)


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (lax.sort, "b:f32[2,3] = sort[dimension=1 is_stable=True num_keys=1] a"),
        (
            lambda x: lax.sort((x, x), dimension=0, is_stable=False, num_keys=2),
            "b:f32[2,3] c:f32[2,3] = sort[dimension=0 is_stable=False num_keys=2] a a",
        ),
        (lambda x: lax.top_k(x, 2), "b:f32[2,2] c:i32[2,2] = top_k[axis=1 k=2] a"),
    ],
)
def test_equations_read_as_jaxs(function, line):
    assert line in " ".join(str(make_jaxpr(function)(X)).split())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lax.sort((X, X[0])), ShapeError, r"equal shapes, got \(2, 3\), \(3,\)"),
        (lambda: lax.sort((X, X), num_keys=3), ValueError, "operands 2, got 3"),
        (lambda: lax.sort(X, num_keys=0), ValueError, "between 1 and"),
        (
            lambda: lax.sort(X, 3),
            ShapeError,
            "dimension 3 is out of bounds for array of dimension 2",
        ),
        (lambda: lax.sort(np.float32(1)), ShapeError, "dimension -1 is out of bounds"),
        (lambda: lax.sort(()), TypeError, "non-empty sequence, got none"),
        (lambda: lax.sort(keys(3)), TypeError, r"does not accept dtype key<toy>"),
        (lambda: lax.top_k(X, 4), ShapeError, "between 0 and the length 3 of axis 1, got 4"),
        (lambda: lax.top_k(X, -1), ShapeError, "got -1"),
        (lambda: lax.top_k(X[0, 0], 1), ShapeError, "axis -1 is out of bounds"),
        (lambda: lax.top_k(X, 1, axis=2), ShapeError, "axis 2 is out of bounds"),
        (lambda: lax.top_k(X + 0j, 1), TypeError, "top_k does not accept dtype complex64"),
        (lambda: lax.top_k(X, 1.0), TypeError, "integer"),
    ],
)
def test_errors_say_what_was_got_and_expected(call, error, message):
    with pytest.raises(error, match=message):
        call()


# Recorded from the function of jaxlib's that knows it, `approx_top_k_reduction_output_size`.
@pytest.mark.parametrize(
    ("shape", "k", "recall_target", "override", "size"),
    [
        ((100_000,), 10, 0.95, -1, 2048),
        ((2, 100_000), 10, 0.95, -1, 256),
        ((2, 100_000), 10, 1.0, -1, 100_000),
        ((2, 100), 10, 0.95, -1, 100),
        ((2, 731_271), 1, 0.9, -1, 128),
        ((2, 18_190), 2639, 0.95, 127_330, 9216),
        ((2, 562), 3, 0.9, 1124, 256),
        ((2, 1205), 255, 0.99, -1, 1205),
    ],
)
def test_what_bins_leave_is_as_much_as_on_a_tpu(shape, k, recall_target, override, size):
    x = ShapeDtypeStruct(shape, np.float32)
    values, places = eval_shape(
        lambda x: lax.approx_max_k(
            x, k, -1, recall_target, reduction_input_size_override=override,
            aggregate_to_topk=False,
        ),
        x,
    )  # fmt: skip
    assert values.shape == places.shape == (*shape[:-1], size)
    aggregated, _ = eval_shape(lambda x: lax.approx_max_k(x, k, -1, recall_target, override), x)
    assert aggregated.shape == (*shape[:-1], k)

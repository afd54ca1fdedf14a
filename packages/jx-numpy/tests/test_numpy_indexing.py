"""Reading `x[index]` against NumPy, and the functions that select and find elements."""

import importlib.util
import pathlib

import numpy as np
import pytest
from hypothesis import given

import jx_numpy as jnp
from jx_ad import grad
from jx_batching import vmap
from jx_core import dtypes, errors, jit, lax, make_jaxpr
from jx_core.config import enable_x64
from jx_numpy.indexing import reading, updating

_spec = importlib.util.spec_from_file_location(
    "indexing_cases", pathlib.Path(__file__).with_name("indexing_cases.py")
)
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)
X = cases.X


def _reads_as_numpy(index):
    want = X[index]
    x = jnp.asarray(X)
    for got in (x[index], jit(lambda y: y[index])(x)):
        assert got.shape == want.shape
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("index", cases.WRITTEN, ids=str)
def test_written_indices_read_as_in_numpy(index):
    _reads_as_numpy(index)


@given(cases.indices())
def test_any_index_reads_as_in_numpy(index):
    _reads_as_numpy(index)


@pytest.mark.parametrize(
    ("index", "operands"),
    [
        (lambda i: i, (2,)),
        (lambda i: (..., i), (-1,)),
        (lambda i: (slice(None), i, slice(1, 3)), (-2,)),
        (lambda i: (i, slice(None, None, 2)), (3,)),
        (lambda i, j: (i, slice(None), j), (1, -2)),
        (lambda i: (slice(None), i), (np.array([[0, -1]]),)),
        (lambda i, j: (i, j), (1, np.array([0, 3]))),
        (lambda i, j: (i, slice(1, 4), j), (np.array([0, 3]), -1)),
    ],
)
def test_traced_places(index, operands):
    want = X[index(*operands)]
    got = jit(lambda x, *o: x[index(*o)])(X, *operands)
    np.testing.assert_array_equal(got, want)


def test_places_out_of_bounds_read_the_nearest_inside():
    x = jnp.arange(5)
    assert [int(x[7]), int(x[-9]), int(x[jnp.asarray(7)])] == [4, 0, 4]
    assert x[jnp.array([-9, 9])].tolist() == [0, 4]
    assert jit(lambda x, i: x[i])(x, 9) == 4


def test_places_share_a_program():
    traces = []

    def first(x, i):
        traces.append(i)
        return x[i]

    staged = jit(first)
    x = jnp.arange(5)
    assert [int(staged(x, i)) for i in (0, 3, -1)] == [0, 3, 4]
    assert len(traces) == 1


def test_eager_places_share_a_program():
    x = jnp.arange(11.0)
    programs = [reading._read_one, reading._read_span, updating._update_plan]

    def count():
        return [len(p.spec.cache) for p in programs]

    x[0], x[1:3], x.at[2].set(1.0)
    before = count()
    assert [float(x[i]) for i in (3, -1, 99)] == [3, 10, 10]
    assert x[4:6].tolist() == [4, 5]
    assert x.at[7].set(-1.0)[7] == -1
    assert count() == before


def test_static_indices_are_slices_without_gather():
    def read(x):
        return x[1], x[1:3, ::2], x[..., None, -1], x[::-1]

    names = {eqn.primitive.name for eqn in make_jaxpr(read)(X).eqns}
    assert names == {"slice", "squeeze", "broadcast_in_dim", "rev"}


def test_reading_whole_arrays_records_nothing():
    assert make_jaxpr(lambda x: x[:])(X).eqns == []
    assert make_jaxpr(lambda x: x[..., :])(X).eqns == []


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        ([0, 1], TypeError, "non-tuple sequence"),
        (range(2), TypeError, "non-tuple sequence"),
        ("a", TypeError, "string indexing; got idx='a'"),
        ((None, "a"), TypeError, "string indexing"),
        (1.5, TypeError, "integer or boolean type, got indexer with type float64"),
        (np.float32([1]), TypeError, "got indexer with type float32"),
        (object, IndexError, "only integers, slices"),
        ((1, 2, 3, 4), IndexError, "array is 3-dimensional, but 4 were indexed"),
        ((..., 1, ...), IndexError, "single ellipsis"),
        (slice(None, None, 0), ValueError, "step cannot be zero"),
        (slice(1.0, 2), TypeError, "slice indices must be integers"),
        (np.ones(3, bool), IndexError, r"index 0: got \(3,\), expected \(4,\)"),
        ((0, np.ones((5, 7), bool)), IndexError, r"index 1: got \(5, 7\), expected \(5, 6\)"),
        (np.ones((4, 5, 6, 1), bool), IndexError, "3-dimensional, but 4 were indexed"),
        ((np.arange(2), np.arange(3)), ValueError, r"\(2,\), \(3,\)"),
        (([0, [1, 2]],), TypeError, "ragged"),
    ],
)
def test_bad_indices(index, error, message):
    x = jnp.asarray(X)
    with pytest.raises(error, match=message):
        x[index]
    with pytest.raises(error, match=message):
        jit(lambda x: x[index])(x)
    assert float(x[0, 0, 1]) == 1.0


def test_empty_axes():
    x = jnp.zeros((0, 3))
    for index in (0, jnp.array([0]), jnp.asarray(0)):
        with pytest.raises(IndexError, match="out of bounds for axis 0 with size 0"):
            x[index]
    assert x[jnp.zeros((2, 0), int)].shape == (2, 0, 3)
    assert x[:, 1].shape == (0,)


def test_scalars_have_no_axis_to_index():
    with pytest.raises(IndexError, match="0-dimensional, but 1 were indexed"):
        jnp.float32(3)[0]
    assert jnp.float32(3)[None].shape == (1,)


def test_traced_masks_and_slices_are_named_errors():
    with pytest.raises(errors.NonConcreteBooleanIndexError, match="jnp.where"):
        jit(lambda x, m: x[m])(X, X > 3)
    with pytest.raises(IndexError, match="static integers.*dynamic_slice"):
        jit(lambda x, i: x[i : i + 2])(X, 1)


def test_masks_known_under_a_gradient():
    got = grad(lambda x: (x[x > 1] ** 2).sum())(jnp.array([0.5, 2.0, 3.0]))
    assert got.tolist() == [0.0, 4.0, 6.0]


def test_lists_of_traced_integers_within_a_tuple():
    assert jit(lambda x, i: x[[i, 0], 1])(X[0], 2).tolist() == [13.0, 1.0]


def test_typed_keys_are_indexed_as_others():
    keys = jnp.random.split(jnp.random.key(0), 4)
    words = np.asarray(jnp.random.key_data(keys))
    for index in (1, slice(1, 3), np.array([0, 2]), (None, 0)):
        np.testing.assert_array_equal(jnp.random.key_data(keys[index]), words[index])


def test_gradients_of_reads():
    x = jnp.arange(5.0)
    assert grad(lambda x: x[1] ** 2)(x).tolist() == [0, 2, 0, 0, 0]
    assert grad(lambda x: x[::-2].sum())(x).tolist() == [1, 0, 1, 0, 1]
    repeated = grad(lambda x: x[jnp.array([1, 1, 3])].sum())(x)
    assert repeated.tolist() == [0, 2, 0, 1, 0]


def test_reads_under_vmap():
    rows = vmap(lambda x, i: x[i])(X[:, :, 0], np.array([0, 1, -1, 2]))
    np.testing.assert_array_equal(rows, X[np.arange(4), [0, 1, -1, 2], 0])
    columns = vmap(lambda i: jnp.asarray(X)[:, i])(np.array([[0, 1], [2, 2]]))
    np.testing.assert_array_equal(columns, np.moveaxis(X[:, [[0, 1], [2, 2]]], 1, 0))


def test_assignment_is_refused_with_the_cure():
    x = jnp.arange(3)
    with pytest.raises(TypeError, match=r"immutable.*x = x.at\[idx\].set\(y\)"):
        x[0] = 1
    with pytest.raises(TypeError, match="immutable"):
        jit(lambda x: x.__setitem__(0, 1))(x)


# --- take, take_along_axis and what writes like them ---


@pytest.mark.parametrize("axis", [None, 0, -1, 1])
@pytest.mark.parametrize("mode", ["wrap", "clip", "fill"])
def test_take_in_bounds(axis, mode):
    places = np.array([[0, 2], [3, 1]])
    got = jnp.take(X, places, axis=axis, mode=mode)
    np.testing.assert_array_equal(got, np.take(X, places, axis=axis))


def test_take_out_of_bounds():
    x, places = jnp.arange(4), jnp.array([1, 9, -1, -9])
    assert jnp.take(x, places).tolist() == [1, -(2**31), 3, -(2**31)]
    assert jnp.take(x, places, fill_value=7).tolist() == [1, 7, 3, 7]
    assert jnp.take(x, places, mode="clip").tolist() == [1, 3, 0, 0]
    assert jnp.take(x, places, mode="wrap").tolist() == [1, 1, 3, 3]
    assert np.isnan(jnp.take(jnp.arange(4.0), 9))
    assert jnp.take(x, True) == 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: jnp.take([1, 2], 0), TypeError, "take requires ndarray or scalar"),
        (lambda: jnp.take(X, [0, 1]), TypeError, "take requires ndarray or scalar"),
        (lambda: jnp.take(X, np.array([1.0])), TypeError, "integer type, got float32"),
        (lambda: jnp.take(X, 1, axis=3), ValueError, "axis 3"),
        (lambda: jnp.take(X, 1, mode="x"), ValueError, "Invalid mode 'x'"),
        (lambda: jnp.take(X, 1, mode="raise"), NotImplementedError, "'raise' mode"),
        (lambda: jnp.take(X, 1, out=X), NotImplementedError, "'out'"),
        (lambda: jnp.take(jnp.zeros(0), 0), IndexError, "empty axis"),
        (lambda: jnp.take_along_axis(X, np.array([1]), 0), ValueError, "1 vs. 3"),
        (lambda: jnp.take_along_axis(X[0], np.zeros((3, 3), int), 1), ValueError, r"\(3, 3\)"),
        (lambda: jnp.take_along_axis(X[0], X[0], 1), TypeError, "integer type, got float32"),
        (lambda: jnp.put_along_axis(X, X, 0, 0), ValueError, "inplace=False"),
        (lambda: jnp.put(X, 0, 0), ValueError, "inplace=False"),
        (lambda: jnp.place(X, X > 1, 0), ValueError, "inplace=False"),
        (lambda: jnp.place(X, X > 1, np.ones(0), inplace=False), ValueError, "no values"),
        (lambda: jnp.nonzero(jnp.float32(1)), ValueError, "0d arrays"),
        (lambda: jnp.nonzero(X, size=2, fill_value=(1, 2)), ValueError, "one value for each"),
        (lambda: jnp.where(X > 1, X), TypeError, "where requires ndarray"),
        (lambda: jnp.where([True], X, 1), TypeError, "position 0"),
        (lambda: jnp.where(X > 1, X, 1, size=3), ValueError, "three-term where"),
        (lambda: jnp.where(X > 1, np.ones(4), 1), ValueError, "broadcast"),
        (lambda: jnp.select([], []), ValueError, "non-empty"),
        (lambda: jnp.select([X > 1], [X, X]), ValueError, "1 vs 2"),
        (lambda: jnp.choose(np.array([2]), [X, X]), ValueError, "invalid entry"),
        (lambda: jnp.choose(np.array([0.5]), [X, X]), ValueError, "integer typed"),
        (lambda: jnp.compress(np.ones((2, 2), bool), X), ValueError, "1D array"),
        (lambda: jnp.compress(np.ones(9, bool), X, axis=0), ValueError, "out of bounds"),
        (lambda: jnp.ravel_multi_index((1,), (4, 6)), ValueError, "one index for each axis"),
        (lambda: jnp.ravel_multi_index((9, 1), (4, 6)), ValueError, "invalid entry"),
        (lambda: jnp.ravel_multi_index((1, 1), (4, 6), order="Q"), ValueError, "order='Q'"),
        (lambda: jnp.unravel_index(1.5, (4, 6)), TypeError, "integers, got float32"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_take_along_axis(axis):
    order = np.argsort(-X, axis=axis)
    np.testing.assert_array_equal(
        jnp.take_along_axis(X, order, axis), np.take_along_axis(X, order, axis)
    )
    flat = np.array([5, -1, 0])
    np.testing.assert_array_equal(
        jnp.take_along_axis(X, flat, None), np.take_along_axis(X, flat, None)
    )


@pytest.mark.parametrize(
    ("shape", "places"), [((4, 5), (1, 3)), ((1, 5), (4, 3)), ((2, 1, 3), (1, 4, 2))]
)
def test_take_along_axis_broadcasts(shape, places):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    index = np.random.default_rng(1).integers(-shape[-1], shape[-1], places)
    want = np.take_along_axis(
        np.broadcast_to(x, np.broadcast_shapes(shape[:-1], places[:-1]) + shape[-1:]),
        np.broadcast_to(index, np.broadcast_shapes(shape[:-1], places[:-1]) + places[-1:]),
        -1,
    )
    np.testing.assert_array_equal(jnp.take_along_axis(x, index, -1), want)


def test_take_along_an_axis_of_length_0_reads_what_is_filled_in():
    nothing, places = jnp.zeros((0, 3)), np.zeros((2, 3), int)
    assert np.isnan(jnp.take_along_axis(nothing, places, 0)).all()
    got = jnp.take_along_axis(nothing, places[:, :1], 0, fill_value=7.0)
    np.testing.assert_array_equal(got, np.full((2, 3), 7.0))
    assert jnp.take_along_axis(nothing, places[:0], 0, mode="clip").shape == (0, 3)
    with pytest.raises(IndexError, match=r"axis 0 of arr has length 0, got shape \(0, 3\)"):
        jnp.take_along_axis(nothing, places, 0, mode="clip")


def test_take_along_axis_out_of_bounds():
    x, places = jnp.arange(3.0), jnp.array([1, 5, -1])
    assert np.isnan(jnp.take_along_axis(x, places, 0)[1])
    assert jnp.take_along_axis(x, places, 0, mode="clip").tolist() == [1, 2, 2]
    assert np.isnan(jnp.take_along_axis(x, places, 0, wrap_negative_indices=False)[2])


def test_gradient_and_batching_of_take_along_axis():
    x, order = jnp.asarray(X[:, :, 0]), np.array([[1, 1], [0, 2], [3, 3], [4, 0]])
    got = grad(lambda x: jnp.take_along_axis(x, order, 1).sum())(x)
    want = np.zeros((4, 5))
    np.add.at(want, (np.arange(4)[:, None], order), 1)
    np.testing.assert_array_equal(got, want)
    rows = vmap(lambda x, i: jnp.take_along_axis(x, i, 0))(x, order)
    np.testing.assert_array_equal(rows, np.take_along_axis(X[:, :, 0], order, 1))


def test_put_and_place():
    want = X.copy()
    np.put_along_axis(want, np.array([[[1]]]), 9.0, 1)
    got = jnp.put_along_axis(X, np.full((1, 1, 1), 1), 9.0, 1, inplace=False)
    assert float(got[0, 1, 0]) == 9.0
    want = X.copy()
    np.put(want, [1, 30], [9.0, 8.0], "clip")
    np.testing.assert_array_equal(jnp.put(X, np.array([1, 30]), [9.0, 8.0], inplace=False), want)
    assert jnp.put(np.arange(3), np.array([7, -2]), 5, inplace=False).tolist() == [0, 5, 5]
    assert jnp.put(np.arange(3), np.array([7]), 5, "clip", inplace=False).tolist() == [0, 1, 5]
    assert jnp.put(np.arange(3), np.array([7]), 5, "wrap", inplace=False).tolist() == [0, 5, 2]
    want = X.copy()
    np.place(want, X > 100, [1.0, 2.0, 3.0])
    got = jnp.place(X, X > 100, np.array([1.0, 2.0, 3.0]), inplace=False)
    np.testing.assert_array_equal(got, want)


# --- choosing and finding ---


def test_where_promotes_and_broadcasts():
    x = jnp.arange(4)
    assert jnp.where(x > 1, jnp.int8(1), 2.5).tolist() == [2.5, 2.5, 1, 1]
    assert jnp.where(x, 1, 2).tolist() == [2, 1, 1, 1]
    assert jnp.where(True, 1.0, 2).weak_type
    assert jnp.where(x > 1, x, jnp.float16(0)).dtype == np.float16
    assert jnp.where(True, jnp.ones(3), jnp.zeros((2, 1))).shape == (2, 3)
    keys = jnp.random.split(jnp.random.key(0), 2)
    chosen = jnp.where(np.array([True, False]), keys, keys[0])
    assert bool(jnp.all(chosen == keys[0]))


def test_where_keeps_gradients_apart():
    got = grad(lambda x: jnp.where(x > 0, x * 3, x * 5).sum())(jnp.array([1.0, -1.0]))
    assert got.tolist() == [3.0, 5.0]


@pytest.mark.parametrize("x", [X[0, :, 0] % 2, X % 7 > 4, np.zeros((2, 3)), np.ones((0, 2))])
def test_nonzero_as_numpy(x):
    for got, want in zip(jnp.nonzero(jnp.asarray(x)), np.nonzero(x), strict=True):
        assert got.dtype == np.int32
        np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(jnp.argwhere(x), np.argwhere(x))
    np.testing.assert_array_equal(jnp.flatnonzero(x), np.flatnonzero(x))
    np.testing.assert_array_equal(jnp.where(jnp.asarray(x))[0], np.where(x)[0])


@pytest.mark.parametrize("size", [0, 2, 5, 40])
def test_nonzero_of_known_size_can_be_traced(size):
    x = X[:, :, 0] % 7 > 4
    want = np.nonzero(x)
    for find in (jnp.nonzero, jit(jnp.nonzero, static_argnames="size")):
        for got, places in zip(find(x, size=size), want, strict=True):
            padded = np.zeros(size, int)
            padded[: places.size] = places[:size]
            np.testing.assert_array_equal(got, padded)
    filled = jnp.nonzero(x, size=40, fill_value=(-1, 7))
    assert [int(f[-1]) for f in filled] == [-1, 7]
    assert jnp.argwhere(x, size=3, fill_value=-1).shape == (3, 2)
    assert jnp.flatnonzero(np.array([0, 1]), size=3, fill_value=9).tolist() == [1, 9, 9]


def test_unknown_sizes_while_tracing_are_errors():
    for find in (jnp.nonzero, jnp.where, jnp.flatnonzero, jnp.argwhere):
        with pytest.raises(errors.ConcretizationTypeError, match="size"):
            jit(find)(X)


def test_argwhere_of_scalars():
    assert jnp.argwhere(3).shape == (1, 0)
    assert jnp.argwhere(0).shape == (0, 0)


def test_select_choose_piecewise():
    x = np.arange(6, dtype=np.float32)
    conditions, values = [x < 2, x < 4], [x, -x]
    np.testing.assert_array_equal(
        jnp.select(conditions, values, 9), np.select(conditions, values, 9)
    )
    a, choices = np.array([0, 1, 0]), [np.arange(3), np.arange(3) + 10]
    np.testing.assert_array_equal(jnp.choose(a, choices), np.choose(a, choices))
    for mode in ("wrap", "clip"):
        odd = np.array([-1, 5, 1])
        np.testing.assert_array_equal(
            jnp.choose(odd, choices, mode=mode), np.choose(odd, choices, mode=mode)
        )
    assert jit(lambda a: jnp.choose(a, choices, mode="clip"))(a).tolist() == [0, 11, 2]
    with pytest.raises(errors.ConcretizationTypeError, match="mode='wrap' or 'clip'"):
        jit(lambda a: jnp.choose(a, choices))(a)
    pieces = [lambda x: -x, 3.0, lambda x: x * 10]
    np.testing.assert_array_equal(
        jnp.piecewise(x, [x < 2, x > 4], pieces), np.piecewise(x, [x < 2, x > 4], pieces)
    )
    # An array of scalar conditions: each is for all of x.
    np.testing.assert_array_equal(jnp.piecewise(x, jnp.array([False, True, False]), pieces), 3.0)


def test_compress_and_extract():
    keep = np.array([True, False, True])
    np.testing.assert_array_equal(jnp.compress(keep, X, axis=1), np.compress(keep, X, axis=1))
    np.testing.assert_array_equal(jnp.compress(keep, X), np.compress(keep, X))
    np.testing.assert_array_equal(jnp.extract(X > 100, X), np.extract(X > 100, X))
    filled = jit(lambda m, x: jnp.compress(m, x, axis=0, size=3))(keep, X)
    assert filled.shape == (3, 5, 6)
    assert float(jnp.abs(filled[2]).max()) == 0.0
    assert jnp.extract(X > 117, X, size=4, fill_value=-1.0).tolist() == [118, 119, -1, -1]


@pytest.mark.parametrize("order", ["C", "F"])
def test_flat_indices_and_back(order):
    shape = (4, 5, 6)
    flat = np.array([[0, 7], [119, 60]])
    places = np.unravel_index(flat, shape)
    for got, want in zip(jnp.unravel_index(flat, shape), places, strict=True):
        np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(
        jnp.ravel_multi_index(places, shape, order=order),
        np.ravel_multi_index(places, shape, order=order),
    )


def test_flat_indices_out_of_bounds():
    rows, columns = jnp.unravel_index(jnp.array([30, -1, -30]), (4, 6))
    assert (rows.tolist(), columns.tolist()) == ([3, 3, 0], [5, 5, 0])
    odd = (np.array([5, -1]), np.array([0, 7]))
    for mode in ("wrap", "clip"):
        np.testing.assert_array_equal(
            jnp.ravel_multi_index(odd, (4, 6), mode=mode),
            np.ravel_multi_index(odd, (4, 6), mode=mode),
        )


def test_dtypes_of_indices_under_x64():
    with enable_x64(True):
        x = jnp.arange(10.0)
        assert x.dtype == np.float64
        assert x[np.array([1, -1])].tolist() == [1.0, 9.0]
        assert x.at[np.int64(3)].set(7)[3] == 7.0
        assert float(x[jnp.asarray(2)]) == 2.0
        assert dtypes.issubdtype(jnp.nonzero(x)[0].dtype, np.int64)


def test_index_helpers_of_lax_agree():
    places = lax.index_take(jnp.asarray(X), (np.array([1, 2]),), (0,))
    np.testing.assert_array_equal(places, X[[1, 2]])

"""Sorting, searching and sets: values by NumPy, traced sizes, errors."""

import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import grad
from jx_core import errors, jit, make_jaxpr

RNG = np.random.default_rng(0)
X = RNG.integers(0, 5, (3, 4, 5)).astype(np.float32)
V = np.array([3, 1, 2, 3, 1, 7], np.int32)
F = np.array([2.0, np.nan, -1.0, np.inf, 0.5, np.nan], np.float32)


@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_sort_and_argsort(same_as_numpy, axis):
    same_as_numpy("sort", X, axis=axis)
    same_as_numpy("argsort", X, axis=axis, stable=True)
    down = np.argsort(-X, axis=axis, stable=True)
    np.testing.assert_array_equal(jnp.argsort(X, axis, descending=True), down)
    np.testing.assert_array_equal(jnp.sort(X, axis, descending=True), -np.sort(-X, axis=axis))


def test_nan_sorts_last(same_as_numpy):
    same_as_numpy("sort", F)
    same_as_numpy("argsort", F, stable=True)
    same_as_numpy("sort", np.array([1 + 1j, 1 - 1j, 0 + 5j], np.complex64))
    same_as_numpy("sort_complex", V)


def test_dtypes_and_equations():
    assert jnp.argsort(X).dtype == np.int32 and jnp.argsort(X, dtype="int8").dtype == np.int8
    assert [e.primitive.name for e in make_jaxpr(jnp.sort)(V).eqns] == ["sort"]
    assert [e.primitive.name for e in make_jaxpr(jnp.argsort)(V).eqns] == ["iota", "sort"]
    np.testing.assert_allclose(grad(lambda x: jnp.sort(x)[0] * 3)(np.float32([2, 1])), [0, 3])


def test_partitions_and_lexsort(same_as_numpy):
    for kth in (0, 2, -1):
        for name in ("partition", "argpartition"):
            places = getattr(jnp, name)(X, kth, axis=1)
            values = places if name == "partition" else np.take_along_axis(X, np.asarray(places), 1)
            kept = np.asarray(values)
            k = kth % 4
            assert (kept[:, :k] <= kept[:, k : k + 1]).all()
            assert (kept[:, k + 1 :] >= kept[:, k : k + 1]).all()
            np.testing.assert_array_equal(np.sort(kept, 1), np.sort(X, 1))
    x = jnp.array([6, 8, 4, 3, 1, 9, 7, 5, 2, 3])
    assert jnp.partition(x, 4).tolist() == [1, 2, 3, 3, 4, 9, 8, 7, 6, 5]
    assert jnp.argpartition(x, 4).tolist() == [4, 8, 3, 9, 2, 0, 1, 5, 6, 7]
    same_as_numpy("lexsort", (V, V[::-1].copy()))
    same_as_numpy("lexsort", np.stack([V, V[::-1]]))
    same_as_numpy("lexsort", (X, X[::-1].copy()), axis=1)


@pytest.mark.parametrize("method", ["scan", "scan_unrolled", "sort", "compare_all"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted(method, side):
    for n in (0, 1, 2, 7, 8):
        a = np.sort(RNG.integers(0, 6, n)).astype(np.float32)
        v = np.array([[-1.0, 0.0, 2.5], [3.0, 5.0, 9.0]], np.float32)
        expected = np.searchsorted(a, v, side)
        np.testing.assert_array_equal(jnp.searchsorted(a, v, side, method=method), expected)
        np.testing.assert_array_equal(
            jit(lambda a, v: jnp.searchsorted(a, v, side, method=method))(a, v), expected
        )
    with_nan = np.array([1.0, 2.0, np.nan], np.float32)
    v = np.array([np.nan, np.inf, 1.5], np.float32)
    np.testing.assert_array_equal(
        jnp.searchsorted(with_nan, v, side, method=method), np.searchsorted(with_nan, v, side)
    )
    order = np.argsort(V)
    np.testing.assert_array_equal(
        jnp.searchsorted(V, 2, side, order, method=method), np.searchsorted(V, 2, side, order)
    )


def test_digitize(same_as_numpy):
    bins = np.array([0.0, 1.0, 2.5], np.float32)
    x = np.array([-1.0, 0.0, 0.5, 1.0, 2.5, 9.0], np.float32)
    for right in (False, True):
        same_as_numpy("digitize", x, bins, right)
        same_as_numpy("digitize", x, bins[::-1].copy(), right)


def test_unique():
    for x in (V, F, X, np.zeros(0, np.float32), X[:, :2, :2]):
        for axis in (None, 0) if x.size else (None,):
            for equal_nan in (True, False):
                options = {
                    "return_index": True, "return_inverse": True, "return_counts": True,
                    "axis": axis, "equal_nan": equal_nan,
                }  # fmt: skip
                for got, expected in zip(jnp.unique(x, **options), np.unique(x, **options)):
                    np.testing.assert_array_equal(np.asarray(got).ravel(), np.ravel(expected))
    np.testing.assert_array_equal(jnp.unique(X[0], axis=1), np.unique(X[0], axis=1))
    values, inverse = jnp.unique_inverse(V)
    np.testing.assert_array_equal(values[inverse], V)
    np.testing.assert_array_equal(jnp.unique_counts(V).counts, np.unique_counts(V).counts)
    assert jnp.unique_all(V)._fields == ("values", "indices", "inverse_indices", "counts")


def test_unique_of_a_traced_array_takes_a_size():
    f = jit(lambda x: jnp.unique(x, size=6, fill_value=-1, return_counts=True, return_index=True))
    values, indices, counts = f(V)
    assert values.tolist() == [1, 2, 3, 7, -1, -1]
    assert indices.tolist()[:4] == [1, 2, 0, 5]
    assert counts.tolist() == [2, 1, 2, 1, 0, 0]
    assert jit(lambda x: jnp.unique(x, size=5))(V).tolist() == [1, 2, 3, 7, 1]
    assert jit(lambda x: jnp.unique(x, size=2))(V).tolist() == [1, 2]
    with pytest.raises(errors.ConcretizationTypeError, match="size="):
        jit(jnp.unique)(V)


def test_sets(same_as_numpy):
    a, b = np.array([5, 1, 2, 3, 3, 1]), np.array([3, 4, 1, 9])
    for name in ("union1d", "intersect1d", "setdiff1d", "setxor1d"):
        np.testing.assert_array_equal(getattr(jnp, name)(a, b), getattr(np, name)(a, b))
        np.testing.assert_array_equal(getattr(jnp, name)(b, a), getattr(np, name)(b, a))
        empty = np.zeros(0, int)
        np.testing.assert_array_equal(getattr(jnp, name)(a, empty), getattr(np, name)(a, empty))
        np.testing.assert_array_equal(getattr(jnp, name)(empty, b), getattr(np, name)(empty, b))
    for got, expected in zip(
        jnp.intersect1d(a, b, return_indices=True), np.intersect1d(a, b, return_indices=True)
    ):
        np.testing.assert_array_equal(got, expected)
    for method in ("auto", "compare_all", "binary_search", "sort"):
        for invert in (False, True):
            many = np.arange(0, 100, 3)
            np.testing.assert_array_equal(
                jnp.isin(a, many, invert=invert, method=method), np.isin(a, many, invert=invert)
            )
    same_as_numpy("isin", X, b)
    assert jnp.setdiff1d(a, np.float32([1, 2.5])).dtype == jnp.asarray(a).dtype


def test_sets_of_traced_arrays_take_a_size():
    a, b = np.array([0.0, 1.0, 2.0, 3.0]), np.array([3.0, 1.0])
    assert jit(lambda a, b: jnp.union1d(a, b, size=5))(a, b).tolist() == [0, 1, 2, 3, 0]
    assert jit(lambda a, b: jnp.setdiff1d(a, b, size=3))(a, b).tolist() == [0, 2, 0]
    assert jit(lambda a, b: jnp.intersect1d(a, b, size=3))(a, b).tolist() == [1, 3, 1]
    assert jit(lambda a, b: jnp.setxor1d(a, b, size=3, fill_value=9))(a, b).tolist() == [0, 2, 9]
    assert jit(lambda a, b: jnp.setxor1d(a + 1, b, size=4))(a, b).tolist() == [2, 4, 2, 2]
    assert jnp.setxor1d(a, a, size=2).tolist() == [0, 0]
    assert jnp.setxor1d(a, b, size=0).shape == (0,)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: jnp.sort(3), ValueError, "axis -1"),
        (lambda: jnp.sort(V, 2), ValueError, "axis 2"),
        (lambda: jnp.sort(V, kind="quicksort"), TypeError, "kind"),
        (lambda: jnp.searchsorted(V, 1, side="x"), ValueError, "side='x'"),
        (lambda: jnp.searchsorted(X, 1), ValueError, "vector"),
        (lambda: jnp.searchsorted(V, 1, method="x"), ValueError, "method='x'"),
        (lambda: jnp.partition(V, 9), ValueError, "kth 9"),
        (lambda: jnp.lexsort([]), TypeError, "keys"),
        (lambda: jnp.isin(V, V, method="x"), ValueError, "method"),
    ],
)
def test_bad_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call()

"""The array API standard, version 2024.12: what holds of arrays drawn at random.

Hypothesis draws them by the standard's functions alone, so that it is a program written against
the standard itself. Shapes have axes of length 0, and arrays without axes come along.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.array_api import make_strategies_namespace

import array_api_standard as standard
import jx_xla  # noqa: F401  one of the back ends under test
from array_api_standard import COMPLEX, DTYPES, INTEGERS, REAL_FLOATS
from jx_core import backend, jit
from jx_core.config import enable_x64

xp = pytest.importorskip("jx_numpy")

with enable_x64(True):
    drawn = make_strategies_namespace(xp, api_version=standard.VERSION)
FLOATS = (*REAL_FLOATS, *COMPLEX)
NUMERIC = (*INTEGERS, *FLOATS)
few = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True, params=["xla", "numpy"])
def back_end(request):
    with enable_x64(True), backend.use(request.param), np.errstate(all="ignore"):
        yield


def shapes(**limits):
    limits = {"min_dims": 0, "min_side": 0, "max_dims": 3, "max_side": 4, **limits}
    return drawn.array_shapes(**limits)


def arrays(dtypes, shape, **limits):
    """Arrays of one of some dtypes, with numbers that squares of do not overflow."""
    names = (dtypes,) if isinstance(dtypes, str) else dtypes

    def of(name):
        dtype = getattr(xp, name)
        return drawn.arrays(dtype, shape, elements=numbers(name, **limits))

    return st.sampled_from(names).flatmap(of)


def numbers(name, **limits):
    if name == "bool":
        return st.booleans()
    if name in COMPLEX:
        part = numbers("float32" if name == "complex64" else "float64", **limits)
        return st.builds(complex, part, part)
    if name in INTEGERS:
        info = np.iinfo(name)
        low, high = int(max(info.min, -(2**31))), int(min(info.max, 2**31))
        return st.integers(limits.get("min_value", low), limits.get("max_value", high))
    limits = {"min_value": -(2.0**60), "max_value": 2.0**60, **limits}
    return drawn.from_dtype(getattr(xp, name), **limits)


def same(got, want):
    """Equal shapes, dtypes and elements, a NaN being itself."""
    want = np.asarray(want)
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    np.testing.assert_array_equal(np.asarray(got), want)


# --- indexing ---


@few
@given(st.data(), shapes())
def test_basic_indexing(data, shape):
    x = data.draw(arrays(DTYPES, shape))
    key = data.draw(drawn.indices(shape, allow_newaxis=True))
    same(x[key], np.asarray(x)[key])


@few
@given(st.data(), shapes(min_dims=1))
def test_masks_of_which_axes_may_be_empty(data, shape):
    """A mask has the lengths of the first axes, or 0, and then selects nothing."""
    x = data.draw(arrays(DTYPES, shape))
    lengths = data.draw(st.tuples(*(st.sampled_from([n, 0]) for n in shape)))
    lengths = lengths[: data.draw(st.integers(0, len(shape)))]
    mask = data.draw(arrays("bool", lengths))
    same(x[mask], np.asarray(x)[np.asarray(mask)])
    want = np.array(x)
    want[np.asarray(mask)] = 1
    same(x.at[mask].set(x.dtype.type(1)), want)
    if 0 in lengths:
        same(jit(lambda x, mask: x.at[mask].set(x.dtype.type(1)))(x, mask), want)


def test_masks_of_other_lengths_are_refused():
    for shape in ((2,), (3, 2), (0, 2), (3, 0, 0)):
        with pytest.raises(IndexError):
            xp.ones((3, 4))[xp.ones(shape, dtype="bool")]


@few
@given(st.data(), shapes(min_dims=1, min_side=1))
def test_elements_taken_along_an_axis(data, shape):
    x = data.draw(arrays(DTYPES, shape))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    count = data.draw(st.integers(0, 5))
    where = list(shape)
    where[axis] = count
    last = shape[axis] - 1
    places = data.draw(arrays(("int64", "uint8"), tuple(where), min_value=0, max_value=last))
    given_axis = {} if axis == -1 else {"axis": axis}
    want = np.take_along_axis(np.asarray(x), np.asarray(places).astype(int), axis)
    same(xp.take_along_axis(x, places, **given_axis), want)
    row = data.draw(arrays("int32", (count,), min_value=-last - 1, max_value=last))
    same(xp.take(x, row, axis=axis), np.take(np.asarray(x), np.asarray(row), axis))


@pytest.mark.parametrize("shape", [(0, 3), (2, 0, 3), (0, 1, 3), (0, 4, 3)])
def test_elements_taken_along_no_vectors(shape):
    x = xp.ones(shape)
    places = xp.zeros((*shape[:-1], 2), dtype="int64")
    assert xp.take_along_axis(x, places).shape == places.shape


# --- what is made ---


@few
@given(st.data(), st.integers(0, 50), st.sampled_from(REAL_FLOATS))
def test_linspace_without_its_end_is_the_start_of_a_longer_one(data, count, dtype):
    start, stop = (data.draw(numbers(dtype)) for _ in range(2))
    short = xp.linspace(start, stop, count, dtype=dtype, endpoint=False)
    same(short, np.asarray(xp.linspace(start, stop, count + 1, dtype=dtype))[:-1])
    whole = xp.linspace(start, stop, count, dtype=dtype)
    assert count < 1 or whole[0] == start
    assert count < 2 or whole[-1] == stop


@few
@given(st.integers(0, 4), st.none() | st.integers(0, 4), st.integers())
def test_eye_of_any_diagonal(rows, columns, k):
    want = np.zeros((rows, rows if columns is None else columns), "int16")
    for i, j in np.ndindex(want.shape):
        want[i, j] = j - i == k
    same(xp.eye(rows, columns, k=k, dtype=xp.int16), want)


def test_triangles_beyond_every_diagonal():
    x = xp.ones((2, 3))
    for far in (2**31, 2**40):
        same(xp.tril(x, k=far), np.ones((2, 3)))
        same(xp.triu(x, k=-far), np.ones((2, 3)))
        same(xp.tril(x, k=-far), np.zeros((2, 3)))
        same(xp.triu(x, k=xp.asarray(far)), np.zeros((2, 3)))


@few
@given(st.data(), shapes(min_dims=1))
def test_repeat(data, shape):
    x = data.draw(arrays(DTYPES, shape))
    axis = data.draw(st.none() | st.integers(-len(shape), len(shape) - 1))
    count = math.prod(shape) if axis is None else shape[axis]
    lengths = st.sampled_from([(1,), (count,)])
    times = data.draw(st.integers(0, 3) | arrays(INTEGERS, lengths, min_value=0, max_value=3))
    plain = times if isinstance(times, int) else np.asarray(times).astype(int)
    same(xp.repeat(x, times, axis=axis), np.repeat(np.asarray(x), plain, axis))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_repeat_by_integers_of_every_dtype(dtype):
    x = xp.asarray([1.5, 2.5, 3.5])
    same(xp.repeat(x, xp.asarray([2, 0, 1], dtype=dtype)), [1.5, 1.5, 3.5])


# --- sets, order, sums ---

SPECIAL = st.sampled_from([0.0, -0.0, 1.0, math.nan, -math.nan, math.inf, -math.inf])


@few
@given(st.data(), shapes(), st.sampled_from(FLOATS))
def test_nans_are_different_and_zeros_equal(data, shape, dtype):
    elements = st.builds(complex, SPECIAL, SPECIAL) if dtype in COMPLEX else SPECIAL
    x = data.draw(drawn.arrays(getattr(xp, dtype), shape, elements=elements))
    values, indices, inverse, counts = (np.asarray(part) for part in xp.unique_all(x))
    flat = np.asarray(x).ravel()
    known = flat[~np.isnan(flat)].tolist()
    assert int(np.isnan(values).sum()) == flat.size - len(known)
    distinct = values[~np.isnan(values)].tolist()
    assert set(known) == set(distinct) and len(distinct) == len(set(distinct))
    np.testing.assert_array_equal(values[inverse], np.asarray(x))
    np.testing.assert_array_equal(flat[indices], values)
    for value, first, count in zip(values.tolist(), indices, counts, strict=True):
        if value == value:
            assert (known.count(value), flat.tolist().index(value)) == (count, first)
        else:
            assert count == 1


@pytest.mark.parametrize("shape", [(0,), (0, 0), (2, 0)])
def test_nothing_is_distinct(shape):
    x = xp.ones(shape, dtype="float32")
    values, indices, inverse, counts = xp.unique_all(x)
    assert (inverse.shape, inverse.dtype) == (shape, "int64")
    assert values.shape == indices.shape == counts.shape == (0,)
    assert xp.unique_inverse(x).inverse_indices.shape == shape


@few
@given(st.data(), shapes(min_dims=1), st.booleans(), st.booleans())
def test_orders_are_stable(data, shape, descending, stable):
    x = data.draw(arrays((*INTEGERS, *REAL_FLOATS), shape, min_value=0, max_value=3))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    options = {"axis": axis, "descending": descending, "stable": stable}
    key = np.asarray(x).astype(float)
    want = np.argsort(-key if descending else key, axis=axis, kind="stable")
    if stable:
        same(xp.argsort(x, **options), want)
    same(xp.sort(x, **options), np.take_along_axis(np.asarray(x), want, axis))


@few
@given(st.data(), shapes(), st.sampled_from(NUMERIC))
def test_sums_over_any_axes(data, shape, dtype):
    """None of them is an empty tuple of axes, and leaves the array as it is."""
    x = data.draw(arrays(dtype, shape, min_value=0, max_value=9))
    axes = st.none() if not shape else st.none() | drawn.valid_tuple_axes(len(shape))
    axis, keep = data.draw(axes), data.draw(st.booleans())
    for name in ("sum", "any", "count_nonzero"):
        want = getattr(np, name)(np.asarray(x), axis=axis, keepdims=keep)
        got = getattr(xp, name)(x, axis=axis, keepdims=keep)
        assert got.shape == np.shape(want)
        np.testing.assert_allclose(np.asarray(got), want, rtol=1e-5)


@few
@given(st.data(), shapes(min_dims=2), st.integers(-5, 5))
def test_the_trace_is_of_numbers_converted_before(data, shape, offset):
    x = data.draw(arrays(NUMERIC, shape, min_value=0, max_value=100))
    dtype = data.draw(st.sampled_from(INTEGERS))
    if np.dtype(x.dtype).kind == "c":
        x = xp.real(x)
    diagonal = np.diagonal(np.asarray(x), offset, -2, -1).astype(dtype)
    same(xp.linalg.trace(x, offset=offset, dtype=dtype), diagonal.sum(-1, dtype=dtype))


# --- products, equations, transforms ---


@few
@given(st.data(), st.sampled_from(FLOATS), st.integers(0, 3), st.integers(0, 3))
def test_equations_of_stacks(data, dtype, n, k):
    stack = data.draw(shapes(max_dims=2, max_side=2))
    a = xp.broadcast_to(2 * xp.eye(n, dtype=dtype), (*stack, n, n))
    for b in (xp.ones(n, dtype=dtype), xp.ones((*stack, n, k), dtype=dtype)):
        x = xp.linalg.solve(a, b)
        same(x, np.full((*stack, n, *b.shape[1:][-1:] * (b.ndim > 1)), 0.5, dtype))
    same(xp.linalg.inv(a), np.broadcast_to(np.eye(n, dtype=dtype) / 2, a.shape))
    same(xp.linalg.matrix_power(a, -2), np.broadcast_to(np.eye(n, dtype=dtype) / 4, a.shape))
    assert xp.linalg.det(a).shape == stack
    eigenvalues, vectors = xp.linalg.eigh(a)
    assert (eigenvalues.shape, vectors.shape) == ((*stack, n), (*stack, n, n))


@few
@given(st.data(), shapes(min_dims=1, min_side=1), st.sampled_from(COMPLEX))
def test_lengths_of_transforms(data, shape, dtype):
    x = data.draw(arrays(dtype, shape))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    n = data.draw(st.integers(1, 6))
    norm = data.draw(st.sampled_from(["backward", "ortho", "forward"]))
    options = {"n": n, "axis": axis, "norm": norm}
    for name, y in {"fft": x, "irfft": x, "hfft": x, "rfft": xp.real(x)}.items():
        want = getattr(np.fft, name)(np.asarray(y), **options)
        got = getattr(xp.fft, name)(y, **options)
        assert (got.shape, got.dtype) == (want.shape, want.dtype)
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True))
    lengths = tuple(data.draw(st.integers(1, 5)) for _ in axes)
    assume(len(axes) > 0)
    for name, y in {"fftn": x, "irfftn": x, "rfftn": xp.real(x)}.items():
        want = getattr(np.fft, name)(np.asarray(y), s=lengths, axes=axes)
        got = getattr(xp.fft, name)(y, s=lengths, axes=axes)
        assert (got.shape, got.dtype) == (want.shape, want.dtype)

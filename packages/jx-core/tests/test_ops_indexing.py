"""Slices, gather and scatter: against NumPy and brute force, and what bad input gets."""

import itertools

import ml_dtypes
import numpy as np
import pytest

from jx_core import ShapeDtypeStruct, backend, eval_shape, lax, make_jaxpr
from jx_core.config import enable_x64
from jx_core.errors import ShapeError
from jx_core.ops.rng import prng_impl, random_seed, random_unwrap

GatherDims, ScatterDims = lax.GatherDimensionNumbers, lax.ScatterDimensionNumbers
X = np.arange(20, dtype=np.float32).reshape(4, 5)


@pytest.fixture(autouse=True)
def numpy_backend():
    with backend.use("numpy"):
        yield


# --- slice ---


@pytest.mark.parametrize(
    ("start", "limit", "strides"),
    [
        ((0, 0), (4, 5), None),
        ((1, 2), (3, 5), (1, 2)),
        ((4, 5), (4, 5), None),
        ((0, 1), (4, 2), (3, 7)),
    ],
)
def test_slice_is_numpy_slicing(start, limit, strides):
    expected = X[tuple(map(slice, start, limit, strides or (1, 1)))]
    result = lax.slice(X, start, limit, strides)
    np.testing.assert_array_equal(result, expected)
    assert result.dtype == X.dtype


def test_slice_in_dim_reads_none_and_negative_bounds_as_python_does():
    np.testing.assert_array_equal(lax.slice_in_dim(X, -3, None, 2, axis=-1), X[:, -3::2])
    np.testing.assert_array_equal(lax.slice_in_dim(X, None, -1), X[:-1])


def test_index_in_dim_takes_or_keeps_the_axis():
    np.testing.assert_array_equal(lax.index_in_dim(X, -1, 1), X[:, -1:])
    np.testing.assert_array_equal(lax.index_in_dim(X, 2, keepdims=False), X[2])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (((1,), (2,)), r"start_indices must have one entry for each of the operand's 2 axes"),
        (((0, 0), (2, 9)), r"got start 0 and limit 9 on axis 1 of size 5"),
        (((-1, 0), (2, 3)), r"0 <= start <= limit <= size .* got start -1"),
        (((3, 0), (2, 3)), r"got start 3 and limit 2 on axis 0"),
        (((0, 0), (2, 3), (0, 1)), r"strides must be positive, got \(0, 1\); lax.rev"),
        (((0, 0), (2, 3), (1,)), r"strides must have one entry .* got \(1,\)"),
    ],
)
def test_bad_slices_say_what_was_wrong(args, message):
    with pytest.raises(ShapeError, match=message):
        lax.slice(X, *args)


def test_index_in_dim_out_of_bounds():
    with pytest.raises(IndexError, match="index 7 is out of bounds for axis 0 with size 4"):
        lax.index_in_dim(X, 7)
    with pytest.raises(ShapeError, match="axis 2 is out of bounds"):
        lax.slice_in_dim(X, 0, 1, axis=2)


# --- dynamic_slice, dynamic_update_slice ---


@pytest.mark.parametrize("start", [(0, 0), (1, 2), (3, 4), (9, 9), (-1, -2), (-9, 0)])
@pytest.mark.parametrize("dtype", [int, np.int8, np.int32])
def test_dynamic_slice_counts_negative_starts_from_the_end_then_clamps(start, dtype):
    i, j = (min(max(s + n if s < 0 else s, 0), n - 2) for s, n in zip(start, X.shape, strict=True))
    starts = [dtype(s) for s in start]
    np.testing.assert_array_equal(lax.dynamic_slice(X, starts, (2, 2)), X[i : i + 2, j : j + 2])
    np.testing.assert_array_equal(
        lax.dynamic_slice(X, np.array(start), (2, 2)), X[i : i + 2, j : j + 2]
    )


def test_negative_starts_may_be_taken_as_they_are():
    result = lax.dynamic_slice(X, (np.int32(-1), -1), (2, 2), allow_negative_indices=False)
    np.testing.assert_array_equal(result, X[:2, :2])
    result = lax.dynamic_slice(X, (-1, -1), (2, 2), allow_negative_indices=(True, False))
    np.testing.assert_array_equal(result, X[2:, :2])


def test_python_starts_take_the_dtype_of_the_others():
    for dtype in (np.uint8, np.int16, np.uint32):
        i = lax.add(dtype(1), dtype(0))
        np.testing.assert_array_equal(lax.dynamic_slice(X, (i, 3), (2, 2)), X[1:3, 3:])
    with enable_x64(True):
        i = lax.add(np.int64(1), np.int64(0))
        np.testing.assert_array_equal(lax.dynamic_slice(X, (i, -1), (2, 1)), X[1:3, 4:])


def test_an_index_of_a_narrow_dtype_reaches_the_end_of_a_long_axis():
    x = np.arange(300)
    assert lax.dynamic_slice(x, (lax.neg(np.int8(1)),), (1,)).tolist() == [299]


def test_known_starts_may_be_any_python_integer():
    np.testing.assert_array_equal(lax.dynamic_slice(X, (2**70, -(2**70)), (2, 2)), X[2:, :2])


def test_known_starts_cost_no_operations():
    jaxpr = make_jaxpr(lambda x: lax.dynamic_slice(x, (-1, 2), (1, 1)))(X)
    assert [e.primitive.name for e in jaxpr.eqns] == ["dynamic_slice"]


def test_computed_starts_are_examined_for_their_sign():
    jaxpr = make_jaxpr(lambda x, i: lax.dynamic_slice(x, (i, 0), (3, 5)))(X, 1)
    assert [e.primitive.name for e in jaxpr.eqns] == ["lt", "add", "select_n", "dynamic_slice"]
    plain = make_jaxpr(
        lambda x, i: lax.dynamic_slice(x, (i, 0), (3, 5), allow_negative_indices=False)
    )(X, 1)
    assert [e.primitive.name for e in plain.eqns] == ["dynamic_slice"]


def test_dynamic_update_slice_writes_a_clamped_block():
    update = np.full((2, 2), -1, np.float32)
    for start, block in (((1, 1), np.s_[1:3, 1:3]), ((-1, 9), np.s_[2:, 3:])):
        expected = X.copy()
        expected[block] = -1
        np.testing.assert_array_equal(lax.dynamic_update_slice(X, update, start), expected)
        computed = [lax.add(s, 0) for s in start]
        np.testing.assert_array_equal(lax.dynamic_update_slice(X, update, computed), expected)
    np.testing.assert_array_equal(X[0], np.arange(5))


def test_the_in_dim_forms_leave_other_axes_whole():
    i = lax.add(1, 0)
    np.testing.assert_array_equal(lax.dynamic_slice_in_dim(X, i, 2, axis=-1), X[:, 1:3])
    np.testing.assert_array_equal(lax.dynamic_index_in_dim(X, -1, keepdims=False), X[-1])
    np.testing.assert_array_equal(lax.dynamic_index_in_dim(X, i, 1), X[:, 1:2])
    expected = X.copy()
    expected[:, 1] = X[:, 0]
    np.testing.assert_array_equal(lax.dynamic_update_index_in_dim(X, X[:, 0], i, 1), expected)
    np.testing.assert_array_equal(lax.dynamic_update_slice_in_dim(X, X[:, :1], i, 1), expected)
    assert lax.dynamic_update_index_in_dim(np.zeros(3), 2.0, i, 0).tolist() == [0.0, 2.0, 0.0]


def test_weak_types_of_slices_are_the_operands():
    def types(f):
        return make_jaxpr(f)(1.0, 1).out_avals[0].weak_type

    def weak(v, shape=(4,)):
        return lax.broadcast(v, shape)

    assert types(lambda v, i: lax.dynamic_slice(weak(v), (i,), (2,)))
    assert types(lambda v, i: lax.slice(weak(v), (0,), (2,)))
    assert not types(lambda v, i: lax.dynamic_update_slice(weak(v), np.ones(1, np.float32), (i,)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lax.dynamic_slice(X, (1,), (2, 2)), ShapeError, "one entry for each axis, got 1"),
        (lambda: lax.dynamic_slice(X, (1, 1), (2,)), ShapeError, r"slice_sizes .* got \(2,\)"),
        (
            lambda: lax.dynamic_slice(X, (1, 1), (2, 6)),
            ShapeError,
            r"got \(2, 6\) for operand shape",
        ),
        (lambda: lax.dynamic_slice(X, (1.0, 1), (2, 1)), TypeError, "must be integers of the same"),
        (lambda: lax.dynamic_slice(X, (np.ones(1, int), 1), (2, 1)), TypeError, "must be scalars"),
        (
            lambda: lax.dynamic_slice(
                X, (lax.add(np.uint32(0), np.uint32(0)), np.array(1)), (2, 1)
            ),
            TypeError,
            "integers of the same type, got: uint32, int32",
        ),
        (
            lambda: lax.dynamic_slice(X, np.zeros((2, 1), int), (2, 1)),
            ShapeError,
            r"array of rank 1, got i32\[2,1\]",
        ),
        (
            lambda: lax.dynamic_slice(X, (0, 0), (1, 1), allow_negative_indices=(True,)),
            ShapeError,
            "allow_negative_indices needs one entry for each axis, got 1",
        ),
        (
            lambda: lax.dynamic_update_slice(X, X[0], (0, 0)),
            ShapeError,
            r"same rank as operand, got update shape \(5,\) for operand shape \(4, 5\)",
        ),
        (
            lambda: lax.dynamic_update_slice(X, np.ones((5, 5), np.float32), (0, 0)),
            ShapeError,
            "not be larger than operand",
        ),
        (
            lambda: lax.dynamic_update_slice(X, X.astype(np.float16), (0, 0)),
            TypeError,
            "same dtypes, got float32, float16",
        ),
        (
            lambda: lax.dynamic_update_index_in_dim(X, 1.0, 0, 0),
            ShapeError,
            r"update must have rank 2 or 1 .* got update shape \(\)",
        ),
    ],
)
def test_bad_dynamic_slices_say_what_was_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- gather and scatter against the definition, element by element ---


def _cases(count):
    """Random gathers and scatters: operand shape, indices, numbers, block sizes, updates shape."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        ndim = int(rng.integers(1, 5))
        shape = tuple(rng.integers(1, 5, ndim).tolist())
        axes = rng.permutation(ndim).tolist()
        paired = int(rng.integers(0, min(ndim, 3)))
        batching, rest = tuple(sorted(axes[:paired])), axes[paired:]
        index_map = tuple(rest[: rng.integers(0, len(rest) + 1)])
        collapsed = tuple(sorted(rng.permutation(rest)[: rng.integers(0, len(rest) + 1)].tolist()))
        batch = rng.integers(1, 4, paired + int(rng.integers(0, 3))).tolist()
        along = tuple(rng.permutation(len(batch))[:paired].tolist())
        for a, b in zip(batching, along, strict=True):
            batch[b] = shape[a]
        sizes = tuple(
            1 if a in collapsed or a in batching else int(rng.integers(0, d + 1))
            for a, d in enumerate(shape)
        )
        window = [n for a, n in enumerate(sizes) if a not in collapsed and a not in batching]
        total = len(batch) + len(window)
        offset = tuple(sorted(rng.permutation(total)[: len(window)].tolist()))
        inner, outer = iter(window), iter(batch)
        updates = tuple(next(inner) if a in offset else next(outer) for a in range(total))
        indices = rng.integers(-2, 6, (*batch, len(index_map))).astype(rng.choice(["i4", "i1"]))
        yield rng, shape, indices, (offset, collapsed, index_map, batching, along), sizes, updates


def _elements(shape, indices, numbers, sizes, updates_shape, clip):
    """Pairs (place in updates or result, place in the operand or None where out of bounds)."""
    offset, collapsed, index_map, batching, along = numbers
    keep = [a for a in range(len(shape)) if a not in collapsed and a not in batching]
    for place in itertools.product(*map(range, updates_shape)):
        at = tuple(i for a, i in enumerate(place) if a not in offset)
        start = [0] * len(shape)
        for k, axis in enumerate(index_map):
            start[axis] = int(indices[(*at, k)])
        for axis, b in zip(batching, along, strict=True):
            start[axis] = at[b]
        inside = all(0 <= s <= d - n for s, d, n in zip(start, shape, sizes, strict=True))
        if not inside and not clip:
            yield place, None
            continue
        start = [min(max(s, 0), d - n) for s, d, n in zip(start, shape, sizes, strict=True)]
        for axis, i in zip(keep, (place[a] for a in offset), strict=True):
            start[axis] += i
        yield place, tuple(start)


@pytest.mark.parametrize("mode", ["clip", "fill"])
def test_gather_by_its_definition(mode):
    for rng, shape, indices, numbers, sizes, result_shape in _cases(60):
        x = rng.normal(size=shape).astype(np.float32)
        expected = np.full(result_shape, np.nan, np.float32)
        for place, source in _elements(
            shape, indices, numbers, sizes, result_shape, mode == "clip"
        ):
            if source is not None:
                expected[place] = x[source]
        result = lax.gather(x, indices, GatherDims(*numbers), sizes, mode=mode)
        np.testing.assert_array_equal(result, expected, err_msg=f"{shape} {indices} {numbers}")


COMBINERS = {
    "scatter_add": lambda old, new: old + new,
    "scatter_sub": lambda old, new: old - new,
    "scatter_mul": lambda old, new: old * new,
    "scatter_min": min,
    "scatter_max": max,
}


@pytest.mark.parametrize("mode", ["clip", "drop"])
@pytest.mark.parametrize("name", COMBINERS)
def test_combining_scatters_by_their_definition(name, mode):
    for rng, shape, indices, numbers, sizes, updates_shape in _cases(30):
        x = rng.integers(-3, 4, shape).astype(np.int32)
        updates = rng.integers(-3, 4, updates_shape).astype(np.int32)
        expected = x.copy()
        for place, target in _elements(
            shape, indices, numbers, sizes, updates_shape, mode == "clip"
        ):
            if target is not None:
                expected[target] = COMBINERS[name](expected[target], updates[place])
        result = getattr(lax, name)(x, indices, updates, ScatterDims(*numbers), mode=mode)
        np.testing.assert_array_equal(result, expected, err_msg=f"{shape} {indices} {numbers}")


def test_scatter_writes_where_gather_reads():
    rows = np.array([[2], [0]])
    updates = lax.gather(X, rows, GatherDims((1,), (0,), (0,)), (1, 5))
    result = lax.scatter(np.zeros_like(X), rows, updates, ScatterDims((1,), (0,), (0,)))
    expected = np.zeros_like(X)
    expected[[2, 0]] = X[[2, 0]]
    np.testing.assert_array_equal(result, expected)


def test_a_block_partly_outside_is_dropped_or_moved_whole():
    y, at, ones = np.arange(5.0), np.array([[3], [-1], [4]]), np.ones((3, 2))
    pairs = ScatterDims((1,), (), (0,))
    assert lax.scatter_add(y, at, ones, pairs).tolist() == [0, 1, 2, 4, 5]
    assert lax.scatter_add(y, at, ones, pairs, mode="clip").tolist() == [1, 2, 2, 5, 6]
    read = GatherDims((1,), (), (0,))
    result = lax.gather(y, at, read, (2,), mode="fill", fill_value=-9)
    assert result.tolist() == [[3, 4], [-9, -9], [-9, -9]]
    assert lax.gather(y, at, read, (2,), mode="clip").tolist() == [[3, 4], [0, 1], [3, 4]]


@pytest.mark.parametrize(
    ("dtype", "fill"),
    [
        (np.int8, -128),
        (np.int32, -(2**31)),
        (np.uint8, 255),
        (np.bool_, True),
        (ml_dtypes.int4, -8),
        (ml_dtypes.uint4, 15),
    ],
)
def test_out_of_bounds_reads_the_dtypes_extreme(dtype, fill):
    points = GatherDims((), (0,), (0,))
    result = lax.gather(np.zeros(3, dtype), np.array([[7]]), points, (1,), mode="fill")
    assert int(np.asarray(result)[0]) == int(fill)


def test_reads_without_a_mode_are_promised_to_be_inside():
    points = GatherDims((), (0,), (0,))
    assert lax.gather(np.arange(3), np.array([[7], [-1]]), points, (1,)).tolist() == [2, 0]
    jaxpr = make_jaxpr(lambda x: lax.gather(x, np.array([[1]]), points, (1,)))(np.arange(3))
    assert jaxpr.eqns[0].params["mode"] is lax.GatherScatterMode.PROMISE_IN_BOUNDS


@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16, np.complex64])
def test_out_of_bounds_reads_nan(dtype):
    points = GatherDims((), (0,), (0,))
    result = lax.gather(np.zeros(3, dtype), np.array([[7]]), points, (1,), mode="fill")
    assert np.isnan(np.asarray(result)).all()
    assert result.dtype == dtype


def test_min_and_max_keep_nan():
    points = ScatterDims((), (0,), (0,))
    x, at = np.array([1.0, np.nan]), np.array([[0], [1]])
    for f in (lax.scatter_min, lax.scatter_max):
        assert np.isnan(np.asarray(f(x, at, np.array([np.nan, 3.0]), points))).all()


def test_indices_beyond_int64_are_out_of_bounds():
    with enable_x64(True):
        at = np.array([[2**64 - 1], [1]], np.uint64)
        result = lax.gather(np.arange(3), at, GatherDims((), (0,), (0,)), (1,), mode="clip")
        assert result.tolist() == [2, 1]


def test_empty_blocks_and_empty_batches():
    rows = GatherDims((1,), (0,), (0,))
    assert lax.gather(X, np.zeros((0, 1), int), rows, (1, 5)).shape == (0, 5)
    assert lax.gather(X, np.zeros((2, 1), int), rows, (1, 0)).shape == (2, 0)
    none = ScatterDims((1,), (0,), (0,))
    np.testing.assert_array_equal(
        lax.scatter_add(X, np.zeros((0, 1), int), np.ones((0, 5), np.float32), none), X
    )


def test_index_take_wraps_indices_around():
    x = np.arange(15).reshape(5, 3)
    assert lax.index_take(x, (np.array([1, -1, 9, -7]),), (0,)).tolist() == x[[1, 4, 4, 3]].tolist()
    rows, columns = np.array([0, -1]), np.array([4, 0])
    assert lax.index_take(x, (columns, rows), (1, 0)).tolist() == [x[0, 1], x[4, 0]]


def test_keys_are_moved_whole():
    keys = random_seed(np.arange(5), impl=prng_impl())

    def seeds(k):
        return np.asarray(random_unwrap(k))[..., 1].tolist()

    points, at = GatherDims((), (0,), (0,)), np.array([[4], [0]])
    taken = lax.gather(keys, at, points, (1,), mode="clip")
    assert seeds(taken) == [4, 0]
    assert seeds(lax.slice(keys, (1,), (5,), (2,))) == [1, 3]
    assert seeds(lax.dynamic_slice(keys, (-2,), (2,))) == [3, 4]
    assert seeds(lax.dynamic_update_slice(keys, taken, (1,))) == [0, 4, 0, 3, 4]
    assert seeds(lax.scatter(keys, at, taken, ScatterDims((), (0,), (0,)))) == [0, 1, 2, 3, 4]
    filled = lax.gather(keys, np.array([[9], [3]]), points, (1,), mode="fill")
    assert seeds(filled) == [2**32 - 1, 3]
    with pytest.raises(TypeError, match="scatter-add does not accept dtype key<fry>"):
        lax.scatter_add(keys, at, taken, ScatterDims((), (0,), (0,)))


def test_weak_types_of_gather_and_scatter_are_the_operands():
    rows = np.array([[1]])

    def weak(f):
        return make_jaxpr(lambda v: f(lax.broadcast(v, (4,))))(1.0).out_avals[0].weak_type

    assert weak(lambda x: lax.gather(x, rows, GatherDims((), (0,), (0,)), (1,)))
    points, one = ScatterDims((), (0,), (0,)), np.ones(1, np.float32)
    assert weak(lambda x: lax.scatter_add(x, rows, one, points))


def test_modes_by_name():
    mode = lax.GatherScatterMode
    assert (
        mode.from_any(None) is mode.FILL_OR_DROP is mode.from_any("fill") is mode.from_any("drop")
    )
    assert mode.from_any("clip") is mode.CLIP is mode.from_any(mode.CLIP)
    assert mode.from_any("promise_in_bounds") is mode.PROMISE_IN_BOUNDS
    assert mode.from_any("one_hot") is mode.ONE_HOT
    with pytest.raises(ValueError, match="Unknown gather/scatter mode 'wrap': expected"):
        mode.from_any("wrap")
    with pytest.raises(ValueError, match="lax.gather has no mode 'one_hot'"):
        lax.gather(X, np.array([[1]]), GatherDims((1,), (0,), (0,)), (1, 5), mode="one_hot")


AT = np.array([[1], [2]])


@pytest.mark.parametrize(
    ("indices", "numbers", "sizes", "message"),
    [
        (AT, ((1,), (0,), (0,)), (1, 6), r"slice_sizes\[1\] must be in \[0, 5\], got 6"),
        (AT, ((1,), (0,), (0,)), (2, 5), r"slice_sizes\[0\] must be 1, as .* collapsed .* got 2"),
        (AT, ((1,), (0,), (0,)), (1,), r"slice_sizes must have one entry for each axis"),
        (AT, ((1,), (0,), (0, 1)), (1, 5), r"names 2 axes, \(0, 1\), but index vectors have 1"),
        (AT, ((1,), (), (0,)), (1, 5), r"offset_dims must name 2 axes .* got \(1,\)"),
        (AT, ((1,), (5,), (0,)), (1, 5), r"collapsed_slice_dims must lie in \[0, 2\), got \(5,\)"),
        (AT, ((4,), (0,), (0,)), (1, 5), r"offset_dims must lie in \[0, 2\), got \(4,\)"),
        (AT, ((1,), (0,), (7,)), (1, 5), r"start_index_map must lie in \[0, 2\), got \(7,\)"),
        (AT, ((2, 1), (), (0,)), (1, 5), r"offset_dims must be increasing and distinct"),
        (AT, ((1,), (), (0,), (0,), (0,)), (1, 5), "both in start_index_map"),
        (AT[[0, 1, 0, 1]], ((1,), (0,), (1,), (0,), (0,)), (1, 5), "both in collapsed_slice_dims"),
        (AT, ((1,), (), (1,), (0,), (0,)), (1, 5), r"must have equal sizes, got \[4\] and \[2\]"),
        (np.array(1), ((1,), (0,), (0,)), (1, 5), r"the index vector \[i\], of shape \(1,\)"),
    ],
)
def test_bad_gathers_say_what_was_wrong(indices, numbers, sizes, message):
    with pytest.raises(ShapeError, match=message):
        lax.gather(X, indices, GatherDims(*numbers), sizes)


@pytest.mark.parametrize(
    ("updates", "numbers", "message"),
    [
        ((2, 6), ((1,), (0,), (0,)), r"not be larger than the operand, got block \(1, 6\)"),
        ((3, 5), ((1,), (0,), (0,)), r"must have the indices' sizes \(2,\), got \(3,\)"),
        ((2,), ((1,), (0,), (0,)), r"updates must be of rank 2 .* got updates of shape \(2,\)"),
        ((2, 5), ((1,), (0, 1), (0,)), "must count 2 axes together"),
        ((2, 5), ((1,), (), (0,)), "must count 2 axes together"),
        ((2, 5), ((2,), (0,), (0,)), r"update_window_dims must lie in \[0, 2\), got \(2,\)"),
        ((2, 5), ((1,), (0,), (3,)), r"scatter_dims_to_operand_dims must lie in \[0, 2\)"),
        ((2, 5), ((1,), (0,), (1,), (0,), (0,)), r"must have equal sizes, got \[4\] and \[2\]"),
    ],
)
def test_bad_scatters_say_what_was_wrong(updates, numbers, message):
    with pytest.raises(ShapeError, match=message):
        lax.scatter(X, AT, np.ones(updates, np.float32), ScatterDims(*numbers))


def test_operands_of_wrong_kinds():
    rows = ScatterDims((1,), (0,), (0,))
    with pytest.raises(TypeError, match="indices must have an integer dtype, got float32"):
        lax.gather(X, np.float32(AT), GatherDims((1,), (0,), (0,)), (1, 5))
    with pytest.raises(TypeError, match="same dtypes, got operand float32 and updates int32"):
        lax.scatter(X, AT, np.ones((2, 5), int), rows)
    with pytest.raises(TypeError, match="scatter-add does not accept dtype bool"):
        lax.scatter_add(X > 0, AT, X[:2] > 0, rows)
    with pytest.raises(TypeError, match="dimension_numbers must be a ScatterDimensionNumbers"):
        lax.scatter_add(X, AT, X[:2], GatherDims((1,), (0,), (0,)))


def test_lists_in_dimension_numbers_are_as_good_as_tuples():
    numbers = GatherDims([1], [0], [0])
    np.testing.assert_array_equal(lax.gather(X, AT, numbers, [1, 5]), X[1:3])
    jaxpr = make_jaxpr(lambda x: lax.gather(x, AT, numbers, [1, 5]))(X)
    hash(tuple(jaxpr.eqns[0].params.values()))


# --- scatter_apply ---


def test_scatter_apply_applies_as_often_as_an_element_is_pointed_to():
    result = lax.scatter_apply(
        X,
        np.array([[1], [1], [7]]),
        lambda v: lax.mul(v, 2.0),
        ScatterDims((1,), (0,), (0,)),
        update_shape=(3, 5),
    )
    expected = X.copy()
    expected[1] *= 4
    np.testing.assert_array_equal(result, expected)


def test_scatter_apply_refuses_what_it_cannot_carry():
    points = ScatterDims((), (0,), (0,))
    x, at = np.arange(3.0), np.array([[0]])

    def shifted(y):
        return lax.scatter_apply(x, at, lambda v: lax.add(v, y), points, update_shape=(1,))

    with pytest.raises(TypeError, match="uses an array or a traced value other than its argument"):
        make_jaxpr(shifted)(np.float32(1))
    with pytest.raises(ShapeError, match=r"must return a scalar, got f32\[2\]"):
        lax.scatter_apply(x, at, lambda v: lax.broadcast(v, (2,)), points, update_shape=(1,))


def test_shapes_without_data():
    result = eval_shape(
        lambda x, i: lax.dynamic_slice(x, (i, 0), (2, 5)),
        ShapeDtypeStruct((4, 5), np.float16),
        ShapeDtypeStruct((), np.int32),
    )
    assert result == ShapeDtypeStruct((2, 5), np.float16)

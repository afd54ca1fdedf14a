"""Reductions agree with NumPy: over any axes, of no elements, with NaNs, in narrow dtypes."""

import functools
import math

import numpy as np
import pytest

from jx_core import ShapedArray, backend, lax, make_jaxpr
from jx_core.errors import ShapeError
from jx_core.ops.reduction import identity

F32 = np.dtype("float32")
INTEGERS = ["int8", "int32", "uint8", "int4"]
FLOATS = ["float16", "bfloat16", "float32", "float8_e5m2"]
SHAPES_AND_AXES = [
    ((), ()),
    ((3,), (0,)),
    ((2, 3), ()),
    ((2, 3), (0,)),
    ((2, 3), (1, 0)),
    ((2, 3, 4), (0, 2)),
    ((0, 3), (0,)),
    ((0, 3), (1,)),
]


@pytest.fixture(autouse=True)
def numpy_backend():
    with backend.use("numpy"):
        yield


def sample(shape, dtype, seed=0):
    """Small integers of a dtype, so that every order of summation is exact."""
    low = 0 if np.dtype(dtype).kind == "u" or dtype == "bool" else -3
    values = np.random.default_rng(seed).integers(low, 3, shape)
    return np.asarray(values).astype(dtype)


def same(result, expected, dtype):
    assert np.asarray(result).dtype == np.dtype(dtype)
    np.testing.assert_array_equal(np.asarray(result).astype(complex), expected.astype(complex))


MONOIDS = {
    "reduce_sum": (np.add, [*INTEGERS, *FLOATS, "complex64"]),
    "reduce_prod": (np.multiply, [*INTEGERS, *FLOATS, "complex64"]),
    "reduce_max": (np.maximum, [*INTEGERS, *FLOATS, "bool", "complex64"]),
    "reduce_min": (np.minimum, [*INTEGERS, *FLOATS, "bool", "complex64"]),
    "reduce_and": (np.bitwise_and, [*INTEGERS, "bool"]),
    "reduce_or": (np.bitwise_or, [*INTEGERS, "bool"]),
    "reduce_xor": (np.bitwise_xor, [*INTEGERS, "bool"]),
}
OPERATIONS = {
    "reduce_sum": "add", "reduce_prod": "mul", "reduce_max": "max", "reduce_min": "min",
    "reduce_and": "and", "reduce_or": "or", "reduce_xor": "xor",
}  # fmt: skip


@pytest.mark.parametrize(("shape", "axes"), SHAPES_AND_AXES)
@pytest.mark.parametrize(
    ("name", "dtype"), [(name, dtype) for name, (_, kinds) in MONOIDS.items() for dtype in kinds]
)
def test_a_reduction_folds_its_operation_from_the_identity(name, dtype, shape, axes):
    x = sample(shape, dtype)
    ufunc = MONOIDS[name][0]
    kept = [d for d in range(len(shape)) if d not in axes]
    length = math.prod([shape[d] for d in axes])
    rows = x.transpose(*kept, *axes).reshape(*[shape[d] for d in kept], length)
    start = np.full(rows.shape[:-1], identity(OPERATIONS[name], x.dtype), x.dtype)
    rows = rows.astype(np.float32) if dtype in FLOATS else rows
    folded = functools.reduce(ufunc, np.moveaxis(rows, -1, 0), start.astype(rows.dtype))
    same(getattr(lax, name)(x, axes), folded.astype(dtype), dtype)


@pytest.mark.parametrize(
    ("operation", "dtype", "expected"),
    [
        ("max", "int8", -128),
        ("min", "uint8", 255),
        ("max", "float32", -np.inf),
        ("min", "bfloat16", np.inf),
        ("max", "float8_e4m3fn", -448),
        ("min", "float4_e2m1fn", 6),
        ("max", "int4", -8),
        ("max", "bool", False),
        ("min", "bool", True),
        ("max", "complex64", complex(-np.inf, 0)),
        ("and", "uint8", 255),
        ("and", "int32", -1),
        ("and", "bool", True),
        ("or", "int32", 0),
        ("mul", "float16", 1),
        ("add", "complex64", 0),
    ],
)
def test_the_identity_of_an_operation(operation, dtype, expected):
    value = identity(operation, np.dtype(dtype))
    assert value.dtype == np.dtype(dtype)
    assert complex(value) == expected


def test_integers_wrap_around():
    assert int(lax.reduce_sum(np.array([100, 100], np.int8), (0,))) == -56
    assert int(lax.reduce_prod(np.array([100, 3], np.int8), (0,))) == 44
    assert int(lax.reduce_sum(np.array([7, 7], "int4"), (0,))) == -2


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_sums_are_rounded_once(dtype):
    x = np.full(3000, 1.01).astype(dtype)
    exact = np.asarray(float(x[0]) * 3000).astype(dtype)
    assert np.asarray(lax.reduce_sum(x, (0,))) == exact
    assert np.asarray(lax.cumsum(x))[-1] == exact


@pytest.mark.parametrize("dtype", FLOATS)
def test_nan_is_in_the_result_of_what_it_is_in(dtype):
    x = np.array([[1, np.nan, 3], [1, 2, 3]]).astype(dtype)
    for reduction in (lax.reduce_max, lax.reduce_min, lax.reduce_sum, lax.reduce_prod):
        assert np.isnan(np.asarray(reduction(x, (1,)))).tolist() == [True, False]


def test_complex_numbers_are_ordered_by_real_part_first():
    x = np.array([2 + 3j, 2 + 5j, -7 + 9j], np.complex64)
    assert complex(lax.reduce_max(x, (0,))) == 2 + 5j
    assert complex(lax.reduce_min(x, (0,))) == -7 + 9j


def test_reductions_keep_weak_types():
    weak = lax.full((2, 3), 1.0)
    assert lax.reduce_sum(weak, (0,)).aval is ShapedArray((3,), F32, True)
    assert lax.cumsum(weak, 1).weak_type
    assert not lax.argmax(weak, 0, int).weak_type


@pytest.mark.parametrize("dtype", [*INTEGERS, "float16", "bfloat16", "float32", "bool"])
@pytest.mark.parametrize(("shape", "axis"), [((5,), 0), ((4, 3), 0), ((4, 3), 1), ((0, 3), 1)])
def test_argmax_and_argmin_find_the_first(shape, axis, dtype):
    x = sample(shape, dtype, seed=1)
    plain = x.astype(np.float32)
    same(lax.argmax(x, axis, np.int32), np.argmax(plain, axis), "int32")
    same(lax.argmin(x, axis, np.uint8), np.argmin(plain, axis), "uint8")


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_argmax_and_argmin_find_the_first_nan(dtype):
    x = np.array([1, np.nan, 2, np.nan]).astype(dtype)
    assert int(lax.argmax(x, 0, int)) == 1
    assert int(lax.argmin(x, 0, int)) == 1


CUMULATIVE = {
    "cumsum": np.add, "cumprod": np.multiply, "cummax": np.maximum, "cummin": np.minimum,
}  # fmt: skip


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("shape", "axis"), [((4,), 0), ((2, 3), 0), ((2, 3), 1), ((0, 2), 0)])
@pytest.mark.parametrize("dtype", ["int8", "int4", "float32", "bfloat16", "complex64"])
@pytest.mark.parametrize("name", CUMULATIVE)
def test_cumulative_operations_fold_from_one_end(name, dtype, shape, axis, reverse):
    x = sample(shape, dtype)
    rows = list(np.moveaxis(x, axis, 0))[:: -1 if reverse else 1]
    totals = [functools.reduce(CUMULATIVE[name], rows[: k + 1]) for k in range(len(rows))]
    expected = np.stack(totals[:: -1 if reverse else 1], axis) if totals else x
    same(getattr(lax, name)(x, axis, reverse), expected.astype(dtype), dtype)


def test_from_a_nan_on_all_running_extremes_are_nan():
    x = np.array([1, np.nan, 2], np.float32)
    np.testing.assert_array_equal(lax.cummax(x), [1, np.nan, np.nan])
    np.testing.assert_array_equal(lax.cummin(x, reverse=True), [np.nan, np.nan, 2])


@pytest.mark.parametrize("reverse", [False, True])
def test_cumlogsumexp_is_the_logarithm_of_the_running_sum(reverse):
    x = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    order = np.s_[:, ::-1] if reverse else np.s_[:]
    expected = np.log(np.cumsum(np.exp(x.astype(float))[order], 1))[order]
    np.testing.assert_allclose(lax.cumlogsumexp(x, 1, reverse), expected, rtol=1e-5, atol=1e-6)


def test_cumlogsumexp_does_not_overflow_and_takes_infinities():
    big = np.array([1000, 1000, -1000], np.float32)
    np.testing.assert_allclose(lax.cumlogsumexp(big), 1000 + np.log([1, 2, 2]), rtol=1e-6)
    x = np.array([-np.inf, -np.inf, 2, np.inf, 1, np.nan], np.float32)
    expected = [-np.inf, -np.inf, 2, np.inf, np.inf, np.nan]
    np.testing.assert_array_equal(lax.cumlogsumexp(x), expected)
    assert lax.cumlogsumexp(x[:0]).shape == (0,)


def test_cumlogsumexp_of_complex_numbers_is_the_principal_logarithm():
    x = np.array([1 + 2j, 3 - 1j, -2 + 0.5j, 1 + 5j], np.complex64)
    expected = np.log(np.cumsum(np.exp(x.astype(complex))))
    np.testing.assert_allclose(lax.cumlogsumexp(x), expected, rtol=1e-5)


class TestReduce:
    x = np.array([[3, 1, 2], [2, 2, 5]], np.float32)

    @pytest.mark.parametrize(
        ("computation", "init", "name"),
        [
            (lax.add, 0.0, "reduce_sum"),
            (lax.mul, 1.0, "reduce_prod"),
            (lax.max, -np.inf, "reduce_max"),
            (lax.min, np.inf, "reduce_min"),
            (lambda a, b: lax.add(b, a), 0.0, "reduce_sum"),
        ],
    )
    def test_a_known_operation_becomes_its_own_primitive(self, computation, init, name):
        jaxpr = make_jaxpr(lambda x: lax.reduce(x, init, computation, (0,)))(self.x)
        assert [(e.primitive.name, e.params) for e in jaxpr.eqns] == [(name, {"axes": (0,)})]

    @pytest.mark.parametrize(
        ("computation", "init", "name"),
        [
            (lax.bitwise_and, -1, "reduce_and"),
            (lax.bitwise_or, 0, "reduce_or"),
            (lax.bitwise_xor, 0, "reduce_xor"),
        ],
    )
    def test_so_do_bitwise_ones(self, computation, init, name):
        x = np.array([5, 3], np.int32)
        jaxpr = make_jaxpr(lambda x: lax.reduce(x, init, computation, (0,)))(x)
        assert [e.primitive.name for e in jaxpr.eqns] == [name]

    def test_an_initial_value_that_is_no_identity_counts(self):
        result = lax.reduce(self.x, 10.0, lax.add, (0, 1))
        assert float(result) == 10 + self.x.sum()
        traced = make_jaxpr(lambda x, init: lax.reduce(x, init, lax.add, (0,)))(
            self.x, np.float32(0)
        )
        assert [e.primitive.name for e in traced.eqns] == ["reduce_sum", "add"]

    def test_a_function_that_only_looks_like_one_is_run_as_it_is(self):
        result = lax.reduce(self.x, 0.0, lambda a, b: lax.add(b, b), (1,))
        np.testing.assert_array_equal(result, 2 * self.x[:, -1])

    def test_any_function_folds_from_the_initial_value(self):
        result = lax.reduce(self.x, 0.0, lambda a, b: lax.add(a, lax.mul(b, b)), (0,))
        np.testing.assert_array_equal(result, (self.x**2).sum(0))
        same = lax.reduce(self.x, 0.0, lambda a, b: lax.add(a, lax.mul(b, b)), ())
        np.testing.assert_array_equal(same, self.x**2)
        none = lax.reduce(self.x[:0], 7.0, lambda a, b: lax.sub(a, b), (0,))
        np.testing.assert_array_equal(none, [7, 7, 7])

    def test_its_program_is_part_of_the_equation(self):
        def squares(a, b):
            return lax.add(a, lax.mul(b, b))

        jaxpr = make_jaxpr(lambda x: lax.reduce(x, 0.0, squares, (0,)))(self.x)
        (eqn,) = jaxpr.eqns
        assert eqn.primitive.name == "reduce"
        assert eqn.params["dimensions"] == (0,)
        assert [e.primitive.name for e in eqn.params["jaxpr"].eqns] == ["mul", "add"]
        assert jaxpr.out_avals == [ShapedArray((3,), F32)]

    def test_several_operands_are_reduced_together(self):
        def first_greatest(a, b):
            better = lax.gt(b["value"], a["value"])
            return {k: lax.select(better, b[k], a[k]) for k in a}

        operands = {"value": self.x, "index": np.asarray(lax.broadcasted_iota(np.int32, (2, 3), 1))}
        result = lax.reduce(operands, {"value": -np.inf, "index": -1}, first_greatest, (1,))
        np.testing.assert_array_equal(result["value"], self.x.max(1))
        np.testing.assert_array_equal(result["index"], self.x.argmax(1))

    @pytest.mark.parametrize(
        ("call", "error", "message"),
        [
            (lambda x: lax.reduce((x, x), 0.0, lax.add, (0,)), ValueError, "must be alike"),
            (lambda x: lax.reduce((), (), lax.add, (0,)), ValueError, "not empty"),
            (
                lambda x: lax.reduce(x, x[0], lax.add, (0,)),
                ShapeError,
                r"scalars, got shapes \(3,\)",
            ),
            (
                lambda x: lax.reduce(x, np.int32(0), lax.add, (0,)),
                TypeError,
                "int32 for an operand of",
            ),
            (
                lambda x: lax.reduce(x, 0.0, lax.add, (2,)),
                ShapeError,
                r"dimensions must be in \[0, 2\)",
            ),
            (
                lambda x: lax.reduce(x, 0.0, lambda a, b: (a, b), (0,)),
                TypeError,
                "must return what",
            ),
            (lambda x: lax.reduce(x, 0.0, lax.gt, (0,)), TypeError, r"expected f32\[\].*bool\[\]"),
            (
                lambda x: lax.reduce((x, x[0]), (0.0, 0.0), lambda a, b: a, (0,)),
                ShapeError,
                r"equal shapes, got \(2, 3\), \(3,\)",
            ),
        ],
    )
    def test_errors(self, call, error, message):
        with pytest.raises(error, match=message):
            call(self.x)

    def test_the_function_may_not_use_traced_values_around_it(self):
        def f(x, w):
            return lax.reduce(x, 0.0, lambda a, b: lax.add(a, lax.mul(b, w)), (0,))

        with pytest.raises(TypeError, match="must not use traced values from around it"):
            make_jaxpr(f)(self.x, np.float32(2))


X = np.zeros((2, 3), np.float32)


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (lambda x: lax.reduce_max(x, (0,)), "b:f32[3] = reduce_max[axes=(0,)] a"),
        (lambda x: lax.reduce_sum(x, [1, 0]), "b:f32[] = reduce_sum[axes=(1, 0)"),
        (lambda x: lax.reduce_prod(x, ()), "b:f32[2,3] = reduce_prod[axes=()] a"),
        (lambda x: lax.argmax(x, 1, np.int32), "b:i32[2] = argmax[axes=(1,) index_dtype=int32] a"),
        (lambda x: lax.cumsum(x, 1, True), "b:f32[2,3] = cumsum[axis=1 reverse=True] a"),
        (lambda x: lax.cumlogsumexp(x), "b:f32[2,3] = cumlogsumexp[axis=0 reverse=False] a"),
    ],
)
def test_equations_read_as_jaxs(function, line):
    assert line in " ".join(str(make_jaxpr(function)(X)).split())


ERRORS = [
    (
        lambda: lax.reduce_sum(X, (2,)),
        ShapeError,
        r"axes must be in \[0, 2\) .*shape \(2, 3\), got \(2,\)",
    ),
    (
        lambda: lax.reduce_sum(X, (-1,)),
        ShapeError,
        r"got \(-1,\)\. .*jx.numpy functions take negative",
    ),
    (
        lambda: lax.reduce_max(X, (0, 0)),
        ShapeError,
        r"reduce_max: axes must be distinct, got \(0, 0\)",
    ),
    (lambda: lax.reduce_max(X, 0), TypeError, "axes must be a sequence of integers, got 0"),
    (lambda: lax.reduce_sum(X > 0, (0,)), TypeError, "reduce_sum does not accept dtype bool"),
    (lambda: lax.reduce_or(X, (0,)), TypeError, "reduce_or does not accept dtype float32"),
    (lambda: lax.reduce_sum(X, (0,), out_sharding=1), TypeError, "out_sharding is for meshes"),
    (lambda: lax.argmax(X, 2, int), ShapeError, r"argmax: axes must be in \[0, 2\)"),
    (lambda: lax.argmax(X[:0], 0, int), ShapeError, r"must not be empty, got axis 0 .*\(0, 3\)"),
    (
        lambda: lax.argmin(X, 0, float),
        TypeError,
        "index_dtype must be an integer dtype, got float32",
    ),
    (lambda: lax.argmin(X + 0j, 0, int), TypeError, "argmin does not accept dtype complex64"),
    (lambda: lax.cumsum(X, 2), ShapeError, r"cumsum: axis must be in \[0, 2\) .*got 2"),
    (lambda: lax.cumsum(X, -1), ShapeError, "got -1. .*jx.numpy functions take negative"),
    (lambda: lax.cumsum(X[0, 0]), ShapeError, r"cumsum: axis must be in \[0, 0\)"),
    (lambda: lax.cummax(X > 0), TypeError, "cummax does not accept dtype bool"),
    (lambda: lax.cumlogsumexp(np.arange(3)), TypeError, "cumlogsumexp does not accept dtype int32"),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_errors_say_what_was_got_and_expected(call, error, message):
    with pytest.raises(error, match=message):
        call()

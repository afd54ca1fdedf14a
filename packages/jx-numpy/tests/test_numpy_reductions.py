"""Reductions, running totals, quantiles and statistics: values by NumPy, dtypes by JAX's rules."""

import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import grad
from jx_core import errors, jit, make_jaxpr

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4, 2)).astype(np.float32)
I = RNG.integers(-5, 6, (3, 4, 2)).astype(np.int32)  # noqa: E741
B = RNG.random((3, 4, 2)) > 0.3
C = (X + 1j * X[::-1]).astype(np.complex64)
WITH_NAN = np.where(RNG.random((4, 5)) > 0.4, RNG.normal(size=(4, 5)), np.nan).astype(np.float32)
WITH_NAN[:, 0] = 1.0
AXES = [None, 0, -1, (0, 2), (1, -1), ()]


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions_are_numpys(same_as_numpy, axis, keepdims):
    for name in ("sum", "prod", "max", "min", "mean", "all", "any", "var", "std"):
        for x in (X, I, B):
            if x is B and name in ("var", "std", "max", "min"):
                continue
            same_as_numpy(name, x, axis=axis, keepdims=keepdims, rtol=2e-5)
    for name in ("sum", "prod", "mean", "var", "std"):
        same_as_numpy(name, C, axis=axis, keepdims=keepdims, rtol=2e-5)
    same_as_numpy("count_nonzero", I, axis=axis, keepdims=keepdims)
    same_as_numpy("ptp", X, axis=axis, keepdims=keepdims)


def test_max_of_booleans_and_complex_numbers():
    assert bool(jnp.max(B)) and jnp.max(B).dtype == np.bool_
    z = np.array([1 + 1j, 1 + 2j, 0 + 9j], np.complex64)
    assert complex(jnp.max(z)) == 1 + 2j and complex(jnp.min(z)) == 9j


@pytest.mark.parametrize("axis", [None, 0, 2])
def test_where_and_initial(same_as_numpy, axis):
    same_as_numpy("sum", X, axis=axis, where=B, initial=2.0, rtol=1e-5)
    same_as_numpy("prod", X, axis=axis, where=B, initial=2.0, rtol=1e-5)
    same_as_numpy("max", X, axis=axis, where=B, initial=-1.0)
    same_as_numpy("min", I, axis=axis, where=B[:1], initial=1)
    some = B | (np.arange(2) == 0)  # at least one in each row
    same_as_numpy("mean", X, axis=axis, where=some, rtol=1e-4)
    same_as_numpy("var", X, axis=axis, where=some, rtol=1e-3)
    same_as_numpy("all", I, axis=axis, where=B)
    same_as_numpy("any", I, axis=axis, where=B)
    assert float(jnp.max(jnp.zeros(0), initial=3)) == 3.0


SUM_DTYPES = {
    "bool": "int32", "int8": "int32", "uint8": "uint32", "int32": "int32", "float16": "float16",
    "bfloat16": "bfloat16", "float32": "float32", "complex64": "complex64",
}  # fmt: skip


@pytest.mark.parametrize("dtype", SUM_DTYPES)
def test_result_dtypes_are_jaxs(dtype):
    x = jnp.ones(3, dtype)
    assert jnp.sum(x).dtype == jnp.prod(x).dtype == SUM_DTYPES[dtype]
    assert jnp.max(x).dtype == dtype
    floats = dtype if dtype in ("float16", "bfloat16", "complex64") else "float32"
    assert jnp.mean(x).dtype == floats
    assert jnp.var(x).dtype == ("float32" if dtype == "complex64" else floats)
    assert jnp.cumsum(x).dtype == ("int32" if dtype == "bool" else dtype)
    assert jnp.cumulative_sum(x).dtype == SUM_DTYPES[dtype]
    assert not jnp.sum(jnp.asarray(1.0)).weak_type
    assert jnp.argmax(jnp.ones(3)).dtype == np.int32


def test_dtypes_that_are_asked_for():
    x = jnp.array([1.5, 2.5])
    assert jnp.sum(x, dtype="int8").dtype == np.int8
    assert jnp.sum(jnp.ones(3, "int8"), promote_integers=False).dtype == np.int8
    assert jnp.mean(jnp.array([1, 2, 6], "int8"), dtype="int32").tolist() == 3
    assert bool(jnp.sum(x, dtype=bool)) is True


def test_narrow_floats_accumulate_in_float32():
    x = jnp.ones(10_000, "float16")
    assert float(jnp.mean(x)) == 1.0
    assert float(jnp.var(x)) == 0.0
    y = jnp.full(4096, 0.25, jnp.bfloat16)
    assert float(jnp.sum(y)) == 1024.0
    inner = [e.primitive.name for e in make_jaxpr(jnp.mean)(x).eqns]
    assert inner == ["convert_element_type", "reduce_sum", "div", "convert_element_type"]


def test_a_sum_is_one_equation():
    assert [e.primitive.name for e in make_jaxpr(jnp.sum)(X).eqns] == ["reduce_sum"]
    assert [e.primitive.name for e in make_jaxpr(jnp.max)(X).eqns] == ["reduce_max"]


def test_var_and_std_options(same_as_numpy):
    for ddof in (0, 1, 2):
        same_as_numpy("var", X, ddof=ddof, rtol=1e-5)
        same_as_numpy("std", X, axis=1, ddof=ddof, rtol=1e-5)
    assert np.isnan(float(jnp.var(jnp.ones(2), ddof=3)))
    np.testing.assert_allclose(jnp.var(X, correction=1), np.var(X, ddof=1), rtol=1e-5)
    known = np.mean(X, axis=0, keepdims=True)
    np.testing.assert_allclose(jnp.var(X, axis=0, mean=known), np.var(X, axis=0), rtol=1e-4)
    with pytest.raises(ValueError, match="correction"):
        jnp.var(X, ddof=1, correction=1)


def test_average(same_as_numpy):
    w = np.abs(X) + 0.1
    same_as_numpy("average", X, rtol=1e-5)
    same_as_numpy("average", X, weights=w, rtol=1e-5)
    same_as_numpy("average", X, axis=1, weights=w, returned=True, rtol=1e-5)
    same_as_numpy("average", X, axis=1, weights=np.arange(4.0), rtol=1e-5)
    same_as_numpy("average", X, axis=(2, 0), weights=np.ones((2, 3)), keepdims=True, rtol=1e-5)
    with pytest.raises(TypeError, match="axis must be given"):
        jnp.average(X, weights=np.ones(4))


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_places_of_extremes(same_as_numpy, name):
    for x in (X, I, B):
        same_as_numpy(name, x)
        for axis in (0, 1, -1):
            same_as_numpy(name, x, axis=axis)
            same_as_numpy(name, x, axis=axis, keepdims=True)
    same_as_numpy(name, np.array([1.0, np.nan, 3.0]))
    with pytest.raises(ValueError, match=f"{name} of an empty sequence"):
        getattr(jnp, name)(jnp.zeros((0, 2)))


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_reductions_without_nan(same_as_numpy, axis):
    for name in ("nansum", "nanprod", "nanmax", "nanmin", "nanmean", "nanvar", "nanstd"):
        same_as_numpy(name, WITH_NAN, axis=axis, rtol=1e-4)
        same_as_numpy(name, WITH_NAN, axis=axis, keepdims=True, rtol=1e-4)
    for name in ("nanargmax", "nanargmin", "nancumsum", "nancumprod"):
        same_as_numpy(name, WITH_NAN, axis=axis, rtol=1e-5)
    same_as_numpy("nansum", I[0], axis=None if axis is None else axis)
    assert np.isnan(float(jnp.nanmax(jnp.array([jnp.nan]))))
    assert int(jnp.nanargmax(jnp.array([jnp.nan]))) == -1
    assert float(grad(lambda x: jnp.nansum(x))(jnp.array([1.0, jnp.nan])).sum()) == 1.0


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_running_totals(same_as_numpy, axis):
    for x in (X, I):
        same_as_numpy("cumsum", x, axis=axis, rtol=1e-5)
        same_as_numpy("cumprod", x, axis=axis, rtol=1e-4)
    if axis is not None:
        same_as_numpy("cumulative_sum", X, axis=axis, include_initial=True, rtol=1e-5)
        same_as_numpy("cumulative_prod", X, axis=axis, rtol=1e-4)


METHODS = ["linear", "lower", "higher", "midpoint", "nearest"]


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 2)])
def test_quantiles(same_as_numpy, axis):
    # No quantile lies half way between two elements: NumPy rounds these to even places.
    for q in (np.float32(0.28), np.array([0.0, 0.24, 0.92, 1.0], np.float32)):
        for method in METHODS:
            same_as_numpy("quantile", X, q, axis=axis, method=method, rtol=1e-5)
        same_as_numpy("quantile", X, q, axis=axis, keepdims=True, rtol=1e-5)
        same_as_numpy("percentile", X, q * 100, axis=axis, rtol=1e-5)
    same_as_numpy("median", X, axis=axis)
    same_as_numpy("median", I, axis=axis, keepdims=True)


def test_quantiles_and_nan(same_as_numpy):
    q = np.array([0.1, 0.5], np.float32)
    for axis in (None, 0, 1):
        same_as_numpy("nanquantile", WITH_NAN, q, axis=axis, rtol=1e-5)
        same_as_numpy("nanmedian", WITH_NAN, axis=axis, rtol=1e-5)
        same_as_numpy("nanpercentile", WITH_NAN, q * 100, axis=axis, rtol=1e-5)
        same_as_numpy("quantile", WITH_NAN, q, axis=axis)
        same_as_numpy("median", WITH_NAN, axis=axis)
    same_as_numpy("quantile", X, q, axis=1, method="inverted_cdf")
    w = np.abs(X).astype(np.float64)
    same_as_numpy("quantile", X, q, axis=1, method="inverted_cdf", weights=w)
    with pytest.raises(ValueError, match="method"):
        jnp.quantile(X, 0.5, method="cubic")


def test_counting(same_as_numpy):
    x = np.array([1, 1, 3, 0], np.int32)
    assert jnp.bincount(x).tolist() == [1, 2, 0, 1]
    np.testing.assert_allclose(
        jnp.bincount(x, np.array([0.5, 1, 2, 3], np.float32), 6), [3, 1.5, 0, 2, 0, 0]
    )
    assert jit(lambda x: jnp.bincount(x, length=3))(x).tolist() == [1, 2, 0]
    with pytest.raises(errors.ConcretizationTypeError, match="length="):
        jit(jnp.bincount)(x)
    v = RNG.normal(size=50).astype(np.float32)
    same_as_numpy("histogram", v, 7, rtol=1e-5)
    same_as_numpy("histogram", v, 5, (-1.0, 1.0), rtol=1e-5)
    same_as_numpy("histogram", v, 5, density=True, rtol=1e-4)
    same_as_numpy("histogram", v, np.array([-1.0, 0.0, 0.5, 2.0]), rtol=1e-5)
    same_as_numpy("histogram", v, 4, weights=np.abs(v), rtol=1e-5)
    same_as_numpy("histogram2d", v, v[::-1].copy(), (3, 4), rtol=1e-5)
    same_as_numpy("histogramdd", RNG.random((20, 3)).astype(np.float32), 2, rtol=1e-5)
    assert jnp.histogram(jnp.array([2.0, 2.0]), 2)[0].tolist() == [0, 2]


def test_covariances(same_as_numpy):
    m = RNG.normal(size=(3, 6)).astype(np.float32)
    same_as_numpy("cov", m, rtol=1e-4)
    same_as_numpy("cov", m.T.copy(), rowvar=False, rtol=1e-4)
    same_as_numpy("cov", m[0], m[1], rtol=1e-4)
    same_as_numpy("cov", m, bias=True, rtol=1e-4)
    same_as_numpy("cov", m, fweights=np.array([1, 2, 1, 1, 3, 1]), rtol=1e-4)
    same_as_numpy("cov", m, aweights=np.array([1, 2, 1, 1, 3, 0.5]), rtol=1e-4)
    same_as_numpy("cov", m + 1j * m[::-1], rtol=1e-4)
    same_as_numpy("corrcoef", m, rtol=1e-4)
    same_as_numpy("corrcoef", m[0], m[1], rtol=1e-4)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: jnp.sum(jnp.ones(3), axis=1), ValueError, "axis 1 is out of bounds"),
        (lambda: jnp.sum(jnp.ones(3), axis=(0, 0)), ValueError, "distinct"),
        (lambda: jnp.sum(jnp.ones(3), axis=0.5), TypeError, "axis"),
        (lambda: jnp.sum([1, 2]), TypeError, "sum requires ndarray or scalar.*position 0"),
        (lambda: jnp.sum(jnp.ones(3), out=jnp.ones(())), NotImplementedError, "'out'.*jnp.sum"),
        (lambda: jnp.sum(jnp.ones(3), where=[True] * 3), TypeError, "sum requires"),
        (lambda: jnp.max(jnp.zeros(0)), ValueError, "zero-size array to reduction operation max"),
        (lambda: jnp.max(jnp.ones(2), where=True), ValueError, "initial"),
        (lambda: jnp.sum(jnp.ones(2), initial=jnp.ones(2)), ValueError, "scalar"),
        (lambda: jnp.cumulative_sum(jnp.ones((2, 2))), ValueError, "axis may be left out"),
        (lambda: jnp.quantile(jnp.ones(2), jnp.ones((1, 1))), ValueError, "q must be"),
    ],
)
def test_bad_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_axes_may_be_given_as_lists_and_arrays():
    np.testing.assert_allclose(jnp.sum(X, axis=[0, 1]), np.sum(X, axis=(0, 1)), rtol=1e-5)
    np.testing.assert_allclose(jnp.max(X, axis=np.int64(1)), np.max(X, axis=1))
    np.testing.assert_allclose(jnp.max(X, axis=jnp.array(1)), np.max(X, axis=1))

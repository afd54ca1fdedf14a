"""Derivatives where formulas are at their edges: at zeros, ties, infinities, NaNs, singularities.

`docs/gradients.md` has the conventions, and a test of its own for the first derivatives. Here are
the second ones, those in forward mode, of complex numbers and under masks: none of them may be
NaN where the function has a value.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import grad, hessian, jvp, value_and_grad
from jx_ad.testing import check_grads
from jx_core.config import enable_x64
from jx_numpy import nn
from jx_numpy.scipy import special, stats

INF, NAN = np.inf, np.nan
ZEROS, ONES = np.zeros(2), np.ones(3)


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    with enable_x64(True):
        yield


def norm(order):
    return lambda x: jnp.linalg.norm(x, ord=order)


# Functions, points and the gradients there.
AT_EDGES = {
    **{f"norm of order {p} at 0": (norm(p), ZEROS, ZEROS) for p in (None, 1, 2, 3, 1.5, INF, -INF)},
    "norm of order 0.5 at a zero": (norm(0.5), [0.0, 1.0], [0.0, 1.0]),
    "norm of order 3 at a zero": (norm(3), [0.0, 1.0], [0.0, 1.0]),
    "norm of order -1 at a zero": (norm(-1), [0.0, 1.0], [0.0, 0.0]),
    "norm of order -2 at a zero": (norm(-2), [0.0, 1.0], [0.0, 0.0]),
    "vector_norm at 0": (jnp.linalg.vector_norm, ZEROS, ZEROS),
    "Frobenius norm at 0": (norm("fro"), np.zeros((2, 2)), np.zeros((2, 2))),
    "std of constants": (jnp.std, ONES, 0 * ONES),
    "var of constants": (jnp.var, ONES, 0 * ONES),
    "nanstd of constants": (jnp.nanstd, [2.0, 2.0, NAN], 0 * ONES),
    "sinc": (jnp.sinc, 0.0, 0.0),
    "abs": (jnp.abs, 0.0, 0.0),
    "sign": (jnp.sign, 0.0, 0.0),
    "square": (lambda x: x**2, 0.0, 0.0),
    "power 0": (lambda x: x**0, 0.0, 0.0),
    "power 0 that is traced": (lambda x: jnp.power(x, 0.0), 0.0, 0.0),
    "power 1": (lambda x: jnp.power(x, 1.0), 0.0, 1.0),
    "power of zero": (lambda y: jnp.power(0.0, y), 2.0, 0.0),
    "hypot": (lambda x: jnp.hypot(x[0], x[1]), ZEROS, ZEROS),
    "angle": (lambda x: jnp.arctan2(x[0], x[1]), ZEROS, ZEROS),
    "prod of two zeros": (jnp.prod, [0.0, 0.0, 3.0], 0 * ONES),
    "prod of a zero": (jnp.prod, [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
    "cumprod of a zero": (lambda x: jnp.cumprod(x)[-1], [2.0, 0.0, 3.0], [0.0, 6.0, 0.0]),
    "max of a tie": (jnp.max, [1.0, 1.0, 0.0], [0.5, 0.5, 0.0]),
    "min of a tie": (jnp.min, [1.0, 1.0, 2.0], [0.5, 0.5, 0.0]),
    "median of a tie": (jnp.median, [1.0, 1.0], [0.5, 0.5]),
    "quantile of a tie": (lambda x: jnp.quantile(x, 0.25), [1.0, 1.0], [0.75, 0.25]),
    "sort of a tie": (lambda x: jnp.sort(x)[1], [2.0, 2.0, 1.0], [1.0, 0.0, 0.0]),
    "maximum of a tie": (lambda x: jnp.maximum(x[0], x[1]), np.ones(2), [0.5, 0.5]),
    "clip at a bound": (lambda x: jnp.clip(x, 0.0, 1.0), 1.0, 0.5),
    "logsumexp of nothing": (nn.logsumexp, [-INF, -INF], ZEROS),
    "logsumexp of something": (nn.logsumexp, [-INF, 1.0], [0.0, 1.0]),
    "logmeanexp of nothing": (nn.logmeanexp, [-INF, -INF], ZEROS),
    "logaddexp of nothing": (lambda x: jnp.logaddexp(x[0], x[1]), [-INF, -INF], [0.0, 1.0]),
    "logaddexp of infinities": (lambda x: jnp.logaddexp(x[0], x[1]), [INF, INF], [0.0, 1.0]),
    "softmax of one": (lambda x: nn.softmax(x)[1], [-INF, 1.0], ZEROS),
    "logsumexp of an infinity": (nn.logsumexp, [INF, 1.0], [1.0, 0.0]),
    "logsumexp of infinities": (nn.logsumexp, [INF, INF, 1.0], [0.5, 0.5, 0.0]),
    "logmeanexp of an infinity": (nn.logmeanexp, [INF, 1.0], [1.0, 0.0]),
    "hypot of an infinity": (lambda x: jnp.hypot(x[0], x[1]), [-INF, 1.0], [-1.0, 0.0]),
    "hypot of equal legs": (lambda x: jnp.hypot(x[0], x[1]), np.ones(2), np.full(2, 0.5**0.5)),
    "angle of large legs": (lambda x: jnp.arctan2(x[0], x[1]), np.full(2, 1e200), ZEROS),
    **{f"{f.__name__} at {x}": (f, x, float(x > 0))
       for f in (nn.silu, nn.mish, nn.squareplus, nn.gelu, nn.relu, nn.softplus)
       for x in (INF, -INF)},
    **{f"{f.__name__} at {x}": (f, x, 0.0)
       for f in (special.erf, special.ndtr, special.dawsn, jnp.arctan, jnp.arcsinh)
       for x in (INF, -INF)},
    "erfcx at inf": (special.erfcx, INF, 0.0),
    "gamma.pdf at the end": (lambda x: stats.gamma.pdf(x, 2.0), 0.0, 1.0),
    "beta.pdf at the end": (lambda x: stats.beta.pdf(x, 3.0, 2.0), 1.0, -12.0),
    "beta.pdf by parameters": (lambda p: stats.beta.pdf(0.0, p[0], p[1]), [3.0, 2.0], ZEROS),
    "pareto.cdf by its exponent": (lambda b: stats.pareto.cdf(INF, b), 2.0, 0.0),
    "gennorm.cdf by its exponent": (lambda b: stats.gennorm.cdf(INF, b), 2.0, 0.0),
    "norm of a difference": (lambda x: jnp.linalg.norm(x - 1.0), np.ones(2), ZEROS),
}  # fmt: skip


@pytest.mark.parametrize("name", AT_EDGES)
def test_gradients(name):
    fun, at, expected = AT_EDGES[name]
    x = np.asarray(at, float)
    np.testing.assert_allclose(grad(fun)(x), expected, atol=1e-15)
    for direction in np.eye(max(x.size, 1)):
        tangent = direction.reshape(x.shape)
        got = jvp(fun, (x,), (tangent,))[1]
        np.testing.assert_allclose(got, np.vdot(tangent, expected), atol=1e-15)


@pytest.mark.parametrize("name", AT_EDGES)
def test_second_derivatives_are_numbers(name):
    fun, at, _ = AT_EDGES[name]
    assert np.isfinite(hessian(fun)(np.asarray(at, float))).all()


# What is skipped or left out by a mask has no say, not even as NaN or infinity.
SKIPPING = {
    "nansum": jnp.nansum, "nanprod": jnp.nanprod, "nanmean": jnp.nanmean, "nanvar": jnp.nanvar,
    "nanstd": jnp.nanstd, "nanmax": jnp.nanmax, "nanmin": jnp.nanmin, "nanmedian": jnp.nanmedian,
    "nanquantile": lambda x: jnp.nanquantile(x, 0.3),
    "nancumsum": lambda x: jnp.nancumsum(x)[-1], "nancumprod": lambda x: jnp.nancumprod(x)[-1],
}  # fmt: skip
MASKED = {
    "sum": jnp.sum, "prod": jnp.prod, "mean": jnp.mean, "var": jnp.var, "std": jnp.std,
    "max": lambda x, where: jnp.max(x, where=where, initial=-9.0),
    "min": lambda x, where: jnp.min(x, where=where, initial=9.0),
    "logsumexp": nn.logsumexp, "logmeanexp": nn.logmeanexp,
    "softmax": lambda x, where: nn.softmax(x, where=where)[0],
    "log_softmax": lambda x, where: nn.log_softmax(x, where=where)[0],
    "standardize": lambda x, where: nn.standardize(x, where=where)[0],
}  # fmt: skip


@pytest.mark.parametrize("name", SKIPPING)
def test_nans_that_are_skipped_do_no_harm(name):
    fun = SKIPPING[name]
    value, slope = value_and_grad(fun)(np.array([1.5, NAN, 4.0]))
    want, want_slope = value_and_grad(fun)(np.array([1.5, 4.0]))
    np.testing.assert_allclose(value, want)
    np.testing.assert_allclose(slope, [want_slope[0], 0, want_slope[1]], atol=1e-15)
    assert np.isfinite(hessian(fun)(np.array([1.5, NAN, 4.0]))).all()


@pytest.mark.parametrize("outside", [NAN, INF, -INF, 7.0])
@pytest.mark.parametrize("name", MASKED)
def test_what_masks_leave_out_does_no_harm(name, outside):
    if name == "standardize" and not np.isfinite(outside):
        outside = 1e6  # it has a result there, which is not finite and says so
    where = np.array([True, False, True])

    def fun(x):
        return MASKED[name](x, where=where)

    x = np.array([1.5, outside, 4.0])
    value, slope = value_and_grad(fun)(x)
    want, want_slope = value_and_grad(fun)(np.array([1.5, 0.0, 4.0]))
    np.testing.assert_allclose(value, want)
    np.testing.assert_allclose(slope, want_slope, atol=1e-15)
    assert slope[1] == 0 and np.isfinite(hessian(fun)(x)).all()


def test_where_around_nan():
    def guarded(x):
        return jnp.where(x > 0, jnp.log(jnp.where(x > 0, x, 1.0)), 0.0)

    np.testing.assert_array_equal(grad(lambda x: guarded(x).sum())(np.array([-1.0, 0, 2])),
                                  [0, 0, 0.5])  # fmt: skip
    assert grad(lambda x: jnp.where(jnp.isnan(x), 0.0, 2 * x))(NAN) == 0
    assert grad(lambda x: jnp.nan_to_num(x) ** 2)(NAN) == 0


COMPLEX = {
    "abs": lambda z: jnp.abs(z).sum(), "norm": jnp.linalg.norm, "norm of order 1": norm(1),
    "norm of order 3": norm(3), "std": jnp.std, "var": jnp.var, "angle": lambda z: jnp.angle(z[0]),
    "sign": lambda z: jnp.sign(z).real.sum(), "square": lambda z: jnp.abs(z**2).sum(),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_zeros_have_derivatives_of_zero(name):
    z = np.zeros(2, complex)
    np.testing.assert_array_equal(grad(COMPLEX[name])(z), z)


SINGULAR = {
    "of rank 1": np.array([[1.0, 2.0], [2.0, 4.0]]),
    "zero": np.zeros((2, 2)),
    "of rank 2 of 3": np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]]),
    "of rank 3 of 4": np.array(
        [[1.0, 2.0, 0.0, 1.0], [2.0, 4.0, 0.0, 2.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 2.0, 1.0]]
    ),
    "of rank 2 of 4": np.outer([1.0, 2, 3, 4], [1.0, 0, 1, 2]) + np.diag([0.0, 0, 0, 1]),
}


@pytest.mark.parametrize("name", SINGULAR)
def test_determinants_of_singular_matrices_are_smooth(name):
    check_grads(jnp.linalg.det, (SINGULAR[name],), order=2)


@pytest.mark.parametrize("x", [[0.0, 0.0, 3.0], [0.0, 2.0, 3.0], [1.0, 0.0, 0.0]], ids=str)
def test_products_with_zeros_are_smooth(x):
    check_grads(jnp.prod, (np.array(x),), order=2)
    check_grads(jnp.cumprod, (np.array(x),), order=2)


@pytest.mark.parametrize(
    "fun",
    [
        jnp.sinc, jnp.square, jnp.expm1, jnp.log1p, jnp.tan, nn.elu, nn.celu, nn.gelu, nn.silu,
        nn.softplus, nn.mish, nn.squareplus, lambda x: jnp.power(x, 2.0), lambda x: x**3,
        lambda x: jnp.polyval(np.array([1.0, 2.0, 3.0]), x),
    ],
)  # fmt: skip
def test_functions_that_are_smooth_at_zero(fun):
    check_grads(fun, (0.0,), order=1)
    if fun not in (nn.elu, nn.celu):  # whose second derivatives jump
        check_grads(fun, (0.0,), order=2)


def test_slogdet():
    regular = np.diag([1.0, 2.0])
    slope = grad(lambda x: jnp.linalg.slogdet(x)[1])(regular)
    np.testing.assert_allclose(slope, np.diag([1.0, 0.5]), atol=1e-15)
    sign, size = jnp.linalg.slogdet(SINGULAR["of rank 1"])
    assert sign == 0 and size == -INF
    assert not np.isfinite(grad(lambda x: jnp.linalg.slogdet(x)[1])(SINGULAR["of rank 1"])).any()


def test_pseudo_inverses_keep_their_rank():
    x = SINGULAR["of rank 1"]
    p = np.asarray(jnp.linalg.pinv(x))
    # Along matrices of the same rank the derivative is that of the inverse on their range.
    tangent = jvp(jnp.linalg.pinv, (x,), (x,))[1]
    np.testing.assert_allclose(tangent, -p, atol=1e-15)
    np.testing.assert_array_equal(jvp(jnp.linalg.pinv, (0 * x,), (x,))[1], 0 * x)


def test_equal_eigenvalues():
    x = np.diag([2.0, 2.0, 3.0])
    np.testing.assert_allclose(grad(lambda x: jnp.linalg.eigvalsh(x).sum())(x), np.eye(3))
    np.testing.assert_allclose(grad(lambda x: (jnp.linalg.eigvalsh(x) ** 2).sum())(x), 2 * x)
    values, vectors = jvp(jnp.linalg.eigh, (x,), (np.eye(3),))[1]
    np.testing.assert_allclose(values, np.ones(3))
    np.testing.assert_array_equal(vectors, 0 * x)
    np.testing.assert_allclose(
        grad(lambda x: jnp.linalg.svd(x, compute_uv=False).sum())(x), np.eye(3), atol=1e-15
    )


def test_infinite_slopes_are_infinite():
    for fun, at, expected in (
        (jnp.sqrt, 0.0, INF), (jnp.cbrt, 0.0, INF), (jnp.log, 0.0, INF), (jnp.log1p, -1.0, INF),
        (jnp.arcsin, 1.0, INF), (jnp.arccos, 1.0, -INF), (jnp.arccosh, 1.0, INF),
        (stats.gumbel_r.ppf, 0.0, INF), (stats.gumbel_r.ppf, 1.0, INF),
        (stats.gumbel_l.ppf, 0.0, INF), (stats.gumbel_l.ppf, 1.0, INF),
        (stats.norm.ppf, 0.0, INF), (stats.cauchy.isf, 0.0, -INF),
        (jnp.arctanh, 1.0, INF), (jnp.reciprocal, 0.0, -INF), (lambda x: x**0.5, 0.0, INF),
    ):  # fmt: skip
        assert grad(fun)(at) == expected


def test_slopes_of_erfcx_keep_their_digits():
    # 2 x erfcx(x) - 2 / sqrt(pi) loses them all; the slope goes by -1 / (sqrt(pi) x^2).
    x = 1e8
    np.testing.assert_allclose(grad(special.erfcx)(x), -1 / (np.sqrt(np.pi) * x * x), rtol=1e-14)


def test_entropies_of_python_numbers_have_derivatives():
    np.testing.assert_allclose(grad(special.entr)(0.5), np.log(2) - 1)
    np.testing.assert_allclose(grad(grad(special.entr))(0.5), -2.0)

"""The gradients at edges are those that `docs/gradients.md` promises, row by row of its tables."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

import jx_numpy as jnp
import jx_xla  # noqa: F401  so that programs are compiled
from jx_ad import grad
from jx_core import backend, jit, lax
from jx_core.config import enable_x64
from jx_numpy import nn
from jx_numpy.scipy import stats

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "gradients.md"
NUMBERS = {"inf": np.inf, "nan": np.nan}
NAMES = {"jnp": jnp, "lax": lax, "nn": nn, "logsumexp": nn.logsumexp, "stats": stats}


def rows():
    """The rows of the page's tables: function, point, jx's and JAX's gradients, reason."""
    for line in PAGE.read_text().splitlines():
        if line.startswith("| `"):
            yield [cell.strip(" `") for cell in line.strip("| ").split(" | ")]


def values(text):
    return [np.asarray(v, float) for v in eval(f"({text},)", NUMBERS)]


def gradient(function, points):
    names = ", ".join("xy"[: len(points)])
    fun = eval(f"lambda {names}: {function}", NAMES)
    return grad(fun, tuple(range(len(points))))


ROWS = list(rows())
FUNCTIONS = [gradient(function, values(at)) for function, at, *_ in ROWS]
POINTS = [values(at) for _, at, *_ in ROWS]


@pytest.fixture(autouse=True)
def double_precision():
    with enable_x64(True):
        yield


@pytest.mark.parametrize("row", range(len(ROWS)), ids=lambda i: f"{ROWS[i][0]} at {ROWS[i][1]}")
def test_gradients_are_as_the_page_says(row):
    with backend.use("numpy"):
        got = FUNCTIONS[row](*map(jnp.asarray, POINTS[row]))
    for x, y in zip(got, values(ROWS[row][2]), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5)


def test_compiled_gradients_are_the_same():
    program = jit(lambda points: [f(*xs) for f, xs in zip(FUNCTIONS, points, strict=True)])
    for row, got in zip(ROWS, program(POINTS), strict=True):
        for x, y in zip(got, values(row[2]), strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-5, err_msg=" at ".join(row[:2]))


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r[0]} at {r[1]}")
def test_no_gradient_is_nan_where_that_of_jax_is_not(row):
    """But where the value itself is NaN."""
    function, at, ours, theirs, _ = row
    names = ", ".join("xy"[: len(values(at))])
    with backend.use("numpy"):
        value = eval(f"lambda {names}: {function}", NAMES)(*map(jnp.asarray, values(at)))
    if not np.isnan(float(value)):
        for x, y in zip(values(ours), values(theirs), strict=True):
            assert not (np.isnan(x) & ~np.isnan(y)).any()


def test_every_row_has_a_reason_where_the_two_differ():
    for function, at, ours, theirs, why in ROWS:
        assert ours == theirs or len(why) > 3, f"{function} at {at}"


def test_small_and_large_operands_of_the_angle():
    slope = grad(lax.atan2, (0, 1))
    with backend.use("numpy"):
        np.testing.assert_allclose(slope(1e-100, 1e-100), (5e99, -5e99))


def test_second_derivatives_at_the_same_edges():
    with backend.use("numpy"):
        twice = [
            grad(grad(lambda x: x**2))(0.0),
            grad(grad(lambda x: lax.pow(x, 1.0)))(0.0),
            grad(grad(lambda x: lax.integer_pow(x, 1)))(0.0),
            grad(grad(lax.abs))(0.0),
            grad(grad(lambda x: lax.atan2(x, x)))(0.0),
        ]
        level = [
            grad(grad(f))(x)
            for f in (lax.erf, lax.erfc, lax.atan, lax.asinh, lax.cbrt, stats.norm.cdf)
            for x in (np.inf, -np.inf)
        ]
    assert [float(x) for x in twice] == [2, 0, 0, 0, 0]
    assert not np.any([float(x) for x in level])

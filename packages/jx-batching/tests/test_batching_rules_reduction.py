"""Reductions, positions of extremes and running totals, on batches."""

from __future__ import annotations

import numpy as np
import pytest

from jx_core import lax


@pytest.fixture
def x(rng):
    return rng.normal(size=(3, 2, 4)).astype(np.float32)


@pytest.mark.parametrize("axes", [(), (0,), (1,), (0, 1)])
@pytest.mark.parametrize(
    "reduction", [lax.reduce_sum, lax.reduce_prod, lax.reduce_max, lax.reduce_min]
)
def test_reductions_of_numbers(check_rows, x, reduction, axes):
    check_rows(lambda x: reduction(x, axes), x)


@pytest.mark.parametrize("reduction", [lax.reduce_and, lax.reduce_or, lax.reduce_xor])
def test_reductions_of_bits(check_rows, x, reduction):
    check_rows(lambda x: reduction(x, (1,)), x > 0)
    check_rows(lambda x: reduction(x, (0, 1)), (x * 100).astype(np.int32))


def test_positions_of_extremes(check_rows, x):
    for axis in (0, 1):
        check_rows(lambda x, axis=axis: lax.argmax(x, axis, np.int32), x)
        check_rows(lambda x, axis=axis: lax.argmin(x, axis, np.int32), x)


@pytest.mark.parametrize(
    "total", [lax.cumsum, lax.cumprod, lax.cummax, lax.cummin, lax.cumlogsumexp]
)
def test_running_totals(check_rows, x, total):
    check_rows(lambda x: [total(x, axis=0), total(x, axis=1, reverse=True)], x)


def _affine(a, b):
    """Composition of the maps t -> m t + c: associative, not commutative."""
    (m, c), (n, d) = a, b
    return lax.mul(m, n), lax.add(lax.mul(n, c), d)


@pytest.mark.parametrize("dimensions", [(), (0,), (1,), (0, 1), (1, 0)])
def test_reduction_by_any_function(check_rows, x, dimensions):
    check_rows(lambda x, y: lax.reduce((x, y), (1.0, 0.0), _affine, dimensions), x, x + 1)


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_reduction_from_initial_values_of_each_row(check_rows, rng, n):
    x, y = rng.normal(size=(2, 3, 2, n)).astype(np.float32)
    start = np.float32([2.0, 3.0, 4.0])
    check_rows(lambda x, y, a, b: lax.reduce((x, y), (a, b), _affine, (1,)), x, y, start, start + 1)

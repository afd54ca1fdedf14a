"""Sorts on batches."""

from __future__ import annotations

import numpy as np
import pytest

from jx_core import lax


@pytest.fixture
def x(rng):
    return rng.permutation(24).reshape(3, 2, 4).astype(np.float32)


@pytest.mark.parametrize("axis", [0, 1])
def test_sort(check_rows, x, axis):
    check_rows(lambda x: lax.sort(x, dimension=axis), x)


@pytest.mark.parametrize("axis", [0, 1])
def test_sort_of_several_operands_together(check_rows, x, axis):
    keys = (x % 3).astype(np.int32)
    check_rows(lambda k, x: lax.sort((k, x), dimension=axis, num_keys=1), keys, x)
    check_rows(lambda k, x: lax.sort((k, x), dimension=axis, num_keys=2), keys, x)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_top_k(check_rows, x, axis):
    check_rows(lambda x: lax.top_k(x, 2, axis=axis), x)

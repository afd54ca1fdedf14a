"""Operations that move elements about, on batches."""

from __future__ import annotations

import numpy as np
import pytest

from jx_batching import batch_rules, vmap
from jx_core import lax, make_jaxpr


@pytest.fixture
def x(rng):
    return rng.normal(size=(3, 2, 4)).astype(np.float32)


def test_broadcast_in_dim(check_rows, x):
    check_rows(lambda x: lax.broadcast_in_dim(x, (2, 5, 4), (0, 2)), x)
    check_rows(lambda x: lax.broadcast_in_dim(x, (5, 2, 4), (1, 2)), x)
    check_rows(lambda x: lax.broadcast_in_dim(x, (2, 3), ()), x[:, 0, 0])
    check_rows(lambda x: lax.broadcast_in_dim(x, (4, 6), (1,)), x[:, :1, 0])


def test_reshape(check_rows, x):
    check_rows(lambda x: lax.reshape(x, (8,)), x)
    check_rows(lambda x: lax.reshape(x, (4, 2)), x)
    check_rows(lambda x: lax.reshape(x, (2, 2, 2, 1)), x)
    check_rows(lambda x: lax.reshape(x, (8,), (1, 0)), x)
    check_rows(lambda x: lax.reshape(x, (0, 7)), x[:, :, :0])
    check_rows(lambda x: lax.reshape(x, (1, 1)), x[:, 0, 0])


def test_reshape_leaves_the_batch_axis_where_it_can(x):
    split_last = vmap(lambda x: lax.reshape(x, (3, 2, 2)), in_axes=1, out_axes=1)
    assert [e.primitive.name for e in make_jaxpr(split_last)(x).eqns] == ["reshape"]


def test_transpose(check_rows, x):
    check_rows(lambda x: lax.transpose(x, (1, 0)), x)
    check_rows(lambda x: lax.transpose(x, (2, 0, 1)), x[..., None])


def test_squeeze_and_expand_dims(check_rows, x):
    check_rows(lambda x: lax.squeeze(x, (0, 2)), x[:, :1, :, None])
    check_rows(lambda x: lax.expand_dims(x, (0, 2)), x)


def test_rev(check_rows, x):
    check_rows(lambda x: lax.rev(x, (1,)), x)
    check_rows(lambda x: lax.rev(x, (0, 1)), x)


def test_tile(check_rows, x):
    check_rows(lambda x: lax.tile(x, (2, 3)), x)


def test_concatenate(check_rows, x):
    for axis in (0, 1):
        check_rows(lambda x, y, axis=axis: lax.concatenate([x, y, x], axis), x, x + 1)


def test_stack_and_unstack(check_rows, x):
    for axis in (0, 1, 2):
        check_rows(lambda x, y, axis=axis: lax.stack([x, y], axis), x, x + 1)
    for axis in (0, 1):
        check_rows(lambda x, axis=axis: lax.unstack(x, axis), x)


def test_split(check_rows, x):
    check_rows(lambda x: lax.split(x, (1, 3), 1), x)
    check_rows(lambda x: lax.split(x, (0, 2), 0), x)


def test_pad(check_rows, x):
    value = np.float32([7.0, 8.0, 9.0])
    check_rows(lambda x: lax.pad(x, 0.0, ((1, 0, 0), (0, 2, 1))), x)
    check_rows(lambda x, v: lax.pad(x, v, ((1, 0, 0), (0, 2, 1))), x, value)
    check_rows(lambda x, v: lax.pad(x, v, ((-1, 1, 0), (2, -1, 0))), x, value)


def test_pad_with_values_of_no_rows():
    pad = vmap(lambda x, v: lax.pad(x, v, ((1, 1, 0),)), in_axes=(None, 0))
    assert pad(np.zeros(3, np.float32), np.zeros(0, np.float32)).shape == (0, 5)


def test_arrays_made_of_nothing_are_not_batched(x):
    out = vmap(lambda x: lax.iota(np.int32, 4), out_axes=None)(x)
    np.testing.assert_array_equal(np.asarray(out), np.arange(4))
    assert "no operands" in batch_rules.reason(lax.iota_p)

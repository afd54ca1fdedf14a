"""`jx.ops` and `jx.flatten_util`."""

from __future__ import annotations

import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import grad
from jx_batching import vmap
from jx_core import jit
from jx_core.errors import ConcretizationTypeError
from jx_numpy import ops
from jx_numpy.flatten_util import ravel_pytree

DATA = np.arange(1.0, 7.0, dtype=np.float32)
IDS = np.array([0, 0, 2, 2, 2, 0])

REDUCTIONS = [
    (ops.segment_sum, np.sum, 0),
    (ops.segment_prod, np.prod, 1),
    (ops.segment_max, np.max, -np.inf),
    (ops.segment_min, np.min, np.inf),
]
each = pytest.mark.parametrize("function, reduce, empty", REDUCTIONS)


@each
@pytest.mark.parametrize("bucket_size", [None, 1, 2, 4, 10])
def test_segments_are_reduced(function, reduce, empty, bucket_size):
    want = [reduce(DATA[IDS == i]) if i in IDS else empty for i in range(4)]
    np.testing.assert_allclose(function(DATA, IDS, 4, bucket_size=bucket_size), want)
    compiled = jit(lambda x, i: function(x, i, 4, bucket_size=bucket_size))
    np.testing.assert_allclose(compiled(DATA, IDS), want)
    np.testing.assert_allclose(function(DATA, IDS), want[:3])


@each
def test_rows_are_values_too(function, reduce, empty):
    rows = np.stack([DATA, 2 * DATA], 1)
    got = function(rows, IDS, 3)
    np.testing.assert_allclose(got[2], reduce(rows[IDS == 2], axis=0))


@each
def test_ids_out_of_bounds_are_dropped(function, reduce, empty):
    got = function(DATA, np.array([0, 0, 9, -1, 1, 1]), 2)
    np.testing.assert_allclose(got, [reduce(DATA[:2]), reduce(DATA[4:])])


def test_empty_segments_of_integers_and_booleans():
    ids = np.array([0, 2])
    least, greatest = np.iinfo(np.int32).min, np.iinfo(np.int32).max
    assert ops.segment_max(np.int32([1, 2]), ids).tolist() == [1, least, 2]
    assert ops.segment_min(np.int32([1, 2]), ids).tolist() == [1, greatest, 2]
    assert ops.segment_min(np.array([True, False]), ids).tolist() == [True, True, False]
    assert ops.segment_max(np.array([True, False]), ids).tolist() == [True, False, False]


def test_segments_are_differentiable_and_batchable():
    weights = jnp.array([1.0, 2.0, 3.0])
    slope = grad(lambda x: (ops.segment_sum(x, IDS, 3) * weights).sum())(DATA)
    np.testing.assert_allclose(slope, weights[IDS])
    both = vmap(lambda x: ops.segment_sum(x, IDS, 3))(np.stack([DATA, -DATA]))
    np.testing.assert_allclose(both[1], -both[0])


def test_segments_say_what_they_want():
    with pytest.raises(ValueError, match=r"one entry for each row of data, shape \(6,\), got"):
        ops.segment_sum(DATA, IDS[:3])
    with pytest.raises(TypeError, match="segment_ids must be integers, got f32"):
        ops.segment_sum(DATA, DATA)
    with pytest.raises(ConcretizationTypeError, match="pass num_segments"):
        jit(ops.segment_sum)(DATA, IDS)


def test_a_pytree_becomes_a_vector_and_a_pytree_again():
    tree = {"w": jnp.arange(6.0).reshape(2, 3), "b": (jnp.arange(2), 0.5)}
    vector, unravel = ravel_pytree(tree)
    assert vector.tolist() == [0, 1, 0.5, 0, 1, 2, 3, 4, 5]
    back = unravel(vector)
    assert back["b"][0].dtype == jnp.int32
    np.testing.assert_array_equal(back["w"], tree["w"])
    _, again = ravel_pytree(tree)
    assert unravel == again and hash(unravel) == hash(again)
    empty, unravel = ravel_pytree({})
    assert empty.shape == (0,) and unravel(empty) == {}


def test_raveling_is_traced_and_differentiated():
    def loss(vector, unravel):
        tree = unravel(vector)
        return (tree["w"] ** 2).sum() + tree["b"]

    vector, unravel = ravel_pytree({"w": jnp.arange(3.0), "b": 1.0})
    np.testing.assert_allclose(grad(loss)(vector, unravel), [1, 0, 2, 4])
    np.testing.assert_allclose(jit(lambda t: ravel_pytree(t)[0])({"a": 1.0, "b": DATA})[0], 1)


def test_arrays_of_one_dtype_take_that_of_the_vector():
    vector, unravel = ravel_pytree({"w": jnp.ones(2), "b": 3.0 * jnp.ones(())})
    for dtype in ("bfloat16", "int32", "complex64"):
        back = unravel(vector.astype(dtype))
        assert back["w"].dtype == back["b"].dtype == dtype
        assert back["b"] == 3


def test_numbers_are_arrays_of_the_default_dtypes():
    vector, unravel = ravel_pytree({"a": 1, "b": jnp.arange(2, dtype="int8")})
    assert vector.dtype == jnp.int32
    assert unravel(vector)["b"].dtype == jnp.int8
    vector, unravel = ravel_pytree([1, 2])
    assert vector.weak_type and unravel(vector)[0].weak_type
    assert not ravel_pytree([1, jnp.int32(2)])[0].weak_type


def test_the_way_back_takes_what_it_made():
    vector, unravel = ravel_pytree([jnp.ones(2), jnp.ones(3, "bfloat16")])
    with pytest.raises(ValueError, match=r"of shape \(4,\), but expected shape \(5,\)"):
        unravel(vector[:4])
    with pytest.raises(TypeError, match="dtype int32, but expected dtype float32"):
        unravel(vector.astype(int))

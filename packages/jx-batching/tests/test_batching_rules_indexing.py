"""Reads and writes of blocks, on batches: same places in every row, and different ones."""

from __future__ import annotations

import numpy as np
import pytest

from jx_batching import vmap
from jx_core import lax, make_jaxpr
from jx_core.lax import GatherDimensionNumbers, GatherScatterMode, ScatterDimensionNumbers


@pytest.fixture
def x(rng):
    return rng.normal(size=(3, 4, 5)).astype(np.float32)


def names(fun, *args):
    return [e.primitive.name for e in make_jaxpr(fun)(*args).eqns]


def test_slice(check_rows, x):
    check_rows(lambda x: lax.slice(x, (1, 0), (3, 5)), x)
    check_rows(lambda x: lax.slice(x, (0, 1), (4, 5), (2, 3)), x)


def bind_dynamic_slice(sizes):
    return lambda x, *starts: lax.dynamic_slice_p.bind(x, *starts, slice_sizes=sizes)


# Among the start indices are some that have to be clamped, at either end.
STARTS = np.int32([1, -2, 7]), np.int32([0, 3, 9])


@pytest.mark.parametrize("sizes", [(2, 3), (4, 2), (4, 5), (1, 1), (0, 2)])
def test_dynamic_slice(check_rows, x, sizes):
    check_rows(bind_dynamic_slice(sizes), x, *STARTS)


def test_dynamic_slice_of_a_scalar(check_rows):
    check_rows(lambda x: lax.dynamic_slice_p.bind(x, slice_sizes=()), np.arange(3))


def test_dynamic_slice_at_one_place_stays_a_slice(x):
    fun = vmap(bind_dynamic_slice((2, 3)), in_axes=(0, None, None))
    assert names(fun, x, *[s[0] for s in STARTS]) == ["dynamic_slice"]


@pytest.mark.parametrize("size", [(2, 3), (4, 2), (4, 5), (0, 2)])
def test_dynamic_update_slice(check_rows, x, rng, size):
    update = rng.normal(size=(3, *size)).astype(np.float32)
    check_rows(lax.dynamic_update_slice_p.bind, x, update, *STARTS)


def test_dynamic_update_slice_at_one_place_stays_one(x):
    fun = vmap(lax.dynamic_update_slice_p.bind, in_axes=(0, 0, None, None))
    assert names(fun, x, x[:, :2], *[s[0] for s in STARTS]) == ["dynamic_update_slice"]


# Dimension numbers of gathers from a row of shape (4, 5), with the indices' shape, the sizes
# of blocks, and what is tried.
GATHERS = {
    "rows": (GatherDimensionNumbers((1,), (0,), (0,)), (3, 6, 1), (1, 5)),
    "columns, blocks first": (GatherDimensionNumbers((0,), (1,), (1,)), (3, 6, 1), (4, 1)),
    "points": (GatherDimensionNumbers((), (0, 1), (0, 1)), (3, 2, 6, 2), (1, 1)),
    "one point": (GatherDimensionNumbers((), (0, 1), (1, 0)), (3, 2), (1, 1)),
    "blocks": (GatherDimensionNumbers((0, 2), (), (0, 1)), (3, 6, 2), (2, 3)),
    "blocks, batch between": (GatherDimensionNumbers((1, 3), (), (1, 0)), (3, 6, 2, 2), (3, 2)),
    "batched rows": (GatherDimensionNumbers((1,), (), (1,), (0,), (0,)), (3, 4, 1), (1, 2)),
    "batched, second axis": (
        GatherDimensionNumbers((), (0,), (0,), (1,), (1,)),
        (3, 2, 5, 1),
        (1, 1),
    ),
    "no index": (GatherDimensionNumbers((1, 2), (), ()), (3, 2, 0), (2, 3)),
}


@pytest.mark.parametrize("mode", ["fill", "clip", "promise_in_bounds"])
@pytest.mark.parametrize("case", GATHERS)
def test_gather(check_rows, x, rng, case, mode):
    numbers, shape, sizes = GATHERS[case]
    low, high = (0, 2) if mode == "promise_in_bounds" else (-2, 7)
    indices = rng.integers(low, high, shape).astype(np.int32)
    check_rows(lambda x, i: lax.gather(x, i, numbers, sizes, mode=mode), x, indices)


def test_gather_keeps_only_the_promises_that_hold(x):
    numbers = GatherDimensionNumbers((1,), (0,), (0,))
    indices = np.int32([[[0], [1]], [[0], [1]], [[0], [1]]])

    def promises(in_axes, *args):
        def fun(x, i):
            return lax.gather(
                x, i, numbers, (1, 5), unique_indices=True, indices_are_sorted=True, mode="clip"
            )

        (eqn,) = make_jaxpr(vmap(fun, in_axes=in_axes))(*args).eqns
        return eqn.params["unique_indices"], eqn.params["indices_are_sorted"]

    assert promises((0, None), x, indices[0]) == (True, True)
    assert promises((None, 0), x[0], indices) == (False, False)
    assert promises((0, 0), x, indices) == (True, True)
    assert promises((1, 0), x.swapaxes(0, 1), indices) == (True, False)


SCATTERS = {
    "rows": (ScatterDimensionNumbers((1,), (0,), (0,)), (3, 6, 1), (3, 6, 5)),
    "columns, blocks first": (ScatterDimensionNumbers((0,), (1,), (1,)), (3, 6, 1), (3, 4, 6)),
    "points": (ScatterDimensionNumbers((), (0, 1), (0, 1)), (3, 2, 6, 2), (3, 2, 6)),
    "one point": (ScatterDimensionNumbers((), (0, 1), (1, 0)), (3, 2), (3,)),
    "blocks": (ScatterDimensionNumbers((0, 2), (), (0, 1)), (3, 6, 2), (3, 2, 6, 3)),
    "batched rows": (ScatterDimensionNumbers((1,), (), (1,), (0,), (0,)), (3, 4, 1), (3, 4, 2)),
    "batched, second axis": (
        ScatterDimensionNumbers((), (0,), (0,), (1,), (1,)),
        (3, 2, 5, 1),
        (3, 2, 5),
    ),
}


@pytest.mark.parametrize(
    "scatter",
    [lax.scatter_add, lax.scatter_sub, lax.scatter_mul, lax.scatter_min, lax.scatter_max],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("case", SCATTERS)
def test_scatters_that_combine(check_rows, x, rng, case, scatter):
    numbers, index_shape, update_shape = SCATTERS[case]
    indices = rng.integers(-2, 7, index_shape).astype(np.int32)
    updates = rng.normal(size=update_shape).astype(np.float32)
    check_rows(lambda x, i, u: scatter(x, i, u, numbers, mode="drop"), x, indices, updates)


@pytest.mark.parametrize("mode", ["drop", "clip"])
def test_scatter(check_rows, x, mode):
    # Distinct places, so that the result does not depend on the order of updates.
    numbers = ScatterDimensionNumbers((1,), (0,), (0,))
    indices = np.int32([[[3], [0]], [[1], [9]], [[2], [0]]])
    updates = np.float32(np.arange(3 * 2 * 5).reshape(3, 2, 5))
    check_rows(lambda x, i, u: lax.scatter(x, i, u, numbers, mode=mode), x, indices, updates)


@pytest.mark.parametrize("case", SCATTERS)
def test_scatter_apply(check_rows, x, rng, case):
    numbers, index_shape, update_shape = SCATTERS[case]
    indices = rng.integers(-2, 7, index_shape).astype(np.int32)
    check_rows(
        lambda x, i: lax.scatter_apply(
            x, i, lambda v: lax.mul(v, 2.0), numbers, update_shape=update_shape[1:]
        ),
        x,
        indices,
    )


def test_updates_are_left_in_place_where_that_fits(x):
    numbers = ScatterDimensionNumbers((1,), (0,), (0,))
    fun = vmap(lambda x, i, u: lax.scatter_add(x, i, u, numbers), in_axes=(0, None, 1), out_axes=0)
    assert names(fun, x, np.int32([[0], [1]]), np.zeros((2, 3, 5), np.float32)) == ["scatter-add"]


def test_clip_mode_is_kept_for_dynamic_slices(x):
    eqns = make_jaxpr(vmap(bind_dynamic_slice((2, 3))))(x, *STARTS).eqns
    assert eqns[-1].params["mode"] is GatherScatterMode.CLIP


def test_reading_from_a_batch_of_none_gives_none():
    x, places = np.zeros((0, 3, 2), np.float32), np.zeros((0, 4), np.int32)
    taken = vmap(lambda x, i: lax.index_take(x, (i,), (0,)))(x, places)
    assert taken.shape == (0, 4, 2)
    block = vmap(lambda x, i: lax.dynamic_slice(x, (i, 0), (2, 2)))(x, places[:, 0])
    assert block.shape == (0, 2, 2)

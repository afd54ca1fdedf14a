"""Every sample on the NumPy back end: jx-core alone is a complete evaluator.

Values are compared with what XLA computes in `test_opdb_xla.py`, and with other libraries in the
tests of jx-core; here it is that results are of the types that the shape rules promise, and that
staged programs, with derivatives and batches in them, run as the same operations do one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest

from jx_ad import jvp
from jx_batching import vmap
from jx_core import backend, check_jaxpr, dtypes, eval_jaxpr, jit, make_jaxpr, typeof
from jx_core.config import enable_x64
from opdb import Sample, all_samples, mismatches, samples_of
from opdb.derive import (
    arrays,
    batched,
    differentiable,
    distinct,
    moving_operands,
    pulled,
    restricted,
    tangent,
)


@pytest.fixture(autouse=True)
def on_numpy() -> Iterator[None]:
    with enable_x64(True), backend.use("numpy"):
        yield


def assert_exact(sample: Sample, got: object, want: object) -> None:
    message = mismatches(arrays(got), arrays(want))
    assert not message, f"{sample}: {message}"


@pytest.mark.parametrize("name", all_samples())
def test_results_are_of_the_types_that_the_shape_rules_promise(name):
    for sample in samples_of(name):
        program = make_jaxpr(sample)(*sample.operands)
        for result, aval in zip(sample(*sample.operands), program.out_avals, strict=True):
            # Which weak types results have is the programs' business; arrays remember them.
            assert typeof(result).update(weak_type=False) is aval.update(weak_type=False), sample


@pytest.mark.parametrize("name", all_samples())
def test_operands_are_left_as_they_are(name):
    for sample in distinct(samples_of(name), 8):
        before = [x.copy() for x in sample.operands]
        sample(*sample.operands)
        assert all(map(np.array_equal, map(bits, before), map(bits, sample.operands))), sample


def moved(sample: Sample, *xs: np.ndarray) -> list[np.ndarray]:
    """The results' tangents that are not of integers, for fixed tangents of the operands."""
    ts = tuple(tangent(np.zeros(x.shape, x.dtype)) for x in xs)
    _, out = jvp(restricted(sample), xs, ts)
    return [t for t in out if t.dtype != dtypes.float0]


def bits(x: np.ndarray) -> np.ndarray:
    return np.frombuffer(x.tobytes(), np.uint8)


@pytest.mark.parametrize("name", all_samples())
def test_programs_give_what_operations_do_one_by_one(name):
    for sample in distinct(samples_of(name), 12):
        want = sample(*sample.operands)
        assert_exact(sample, jit(sample)(*sample.operands), want)
        closed = make_jaxpr(sample)(*sample.operands)
        check_jaxpr(closed)
        assert_exact(sample, eval_jaxpr(closed.jaxpr, closed.consts, *sample.operands), want)


@pytest.mark.parametrize("name", [n for n, samples in all_samples().items() if samples[0].operands])
def test_staged_batches_give_what_eager_ones_do(name):
    samples = [s for s in samples_of(name) if not s.params.get("indices_are_sorted")]
    for sample in distinct(samples or samples_of(name), 3):
        batches = [batched(sample, i, 0) for i in range(len(sample.operands))]
        assert_exact(sample, jit(vmap(sample))(*batches), vmap(sample)(*batches))


@pytest.mark.parametrize(
    "name", [n for n, samples in all_samples().items() if differentiable(samples, "float64")]
)
def test_staged_derivatives_give_what_eager_ones_do(name):
    for sample in distinct(differentiable(samples_of(name), "float64"), 3):
        xs = moving_operands(sample)
        of_mode = {"fwd": partial(moved, sample), "rev": pulled(sample)}
        for fun in (of_mode[mode] for mode in sample.modes):
            message = mismatches(arrays(jit(fun)(*xs)), arrays(fun(*xs)), 16, 1e-12)
            assert not message, f"{sample}: {message}"

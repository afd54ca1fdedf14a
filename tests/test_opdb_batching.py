"""Every sample on batches: `vmap` over each operand along each axis gives what a loop does."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import jx_xla  # noqa: F401  so that programs are compiled
from jx_batching import vmap
from jx_core import backend, check_jaxpr, jit, make_jaxpr
from jx_core.config import enable_x64
from opdb import all_samples, mismatches, samples_of
from opdb.derive import arrays, batched, distinct, dtypes_of

# One dtype of each kind: what batching does with elements does not depend on them.
DTYPES = {"float32", "int32", "bool", "uint8", "uint32", "complex64"}
NAMES = [name for name, samples in all_samples().items() if samples[0].operands]


@pytest.fixture(autouse=True)
def all_dtypes():
    with enable_x64(True):
        yield


def batchable(name, most=None):
    samples = [
        s for s in samples_of(name)
        if dtypes_of(s) <= DTYPES and not s.params.get("indices_are_sorted")
    ]  # fmt: skip
    return distinct(samples or samples_of(name), most)


def rows_of(sample, axes):
    """The results of a loop over the rows of batches along `axes`, stacked."""
    rows = []
    for row in (0, 1):
        operands = [
            x if axis is None else np.take(batched(sample, i, axis), row, axis)
            for i, (x, axis) in enumerate(zip(sample.operands, axes, strict=True))
        ]
        rows.append(arrays(sample(*operands)))
    return [np.stack(column) for column in zip(*rows, strict=True)]


def placements(sample):
    """Batch axes: each operand alone along each of its axes, all along the first or last."""
    last = [x.ndim - (i in sample.keys) for i, x in enumerate(sample.operands)]
    for i, n in enumerate(last):
        for axis in range(n + 1):
            yield tuple(axis if j == i else None for j in range(len(last)))
    yield tuple(0 for _ in last)
    yield tuple(last)


def batches(sample, axes):
    return [
        x if axis is None else batched(sample, i, axis)
        for i, (x, axis) in enumerate(zip(sample.operands, axes, strict=True))
    ]


@pytest.mark.parametrize("name", NAMES)
def test_batches_are_their_rows(name):
    wrong = []
    with backend.use("numpy"):
        for sample in batchable(name, 24):
            for axes in dict.fromkeys(placements(sample)):
                got = arrays(vmap(sample, in_axes=axes)(*batches(sample, axes)))
                message = mismatches(got, rows_of(sample, axes), 16, 1e-6)
                if message:
                    wrong.append(f"{sample} along {axes}: {message}")
    assert not wrong, "\n".join([f"{len(wrong)} differ:", *wrong[:10]])


@pytest.mark.parametrize("name", NAMES)
def test_compiled_batches_agree_with_the_reference(name):
    """Batches along the last axis, batches of batches, of several samples in one program."""
    samples = batchable(name, 2)
    last = [list(placements(s))[-1] for s in samples]
    operands = [batches(s, axes) for s, axes in zip(samples, last, strict=True)]
    twice = [[np.stack([x, x]) for x in xs] for xs in operands]

    def program(operands, twice):
        once = [vmap(s, in_axes=a)(*xs) for s, a, xs in zip(samples, last, operands, strict=True)]
        both = [
            vmap(vmap(s, in_axes=a))(*xs) for s, a, xs in zip(samples, last, twice, strict=True)
        ]
        return once, both

    with backend.use("numpy"):
        wanted = program(operands, twice)
    for got, want in zip(jit(program)(operands, twice), wanted, strict=True):
        for sample, x, y in itertools.zip_longest(samples, got, want):
            message = mismatches(arrays(x), arrays(y), max(sample.slack, 16), 1e-6 + sample.atol)
            assert not message, f"{sample}: {message}"


@pytest.mark.parametrize("name", NAMES)
def test_programs_of_batches_are_well_typed(name):
    for sample in batchable(name, 4):
        for axes in list(placements(sample))[-2:]:
            check_jaxpr(make_jaxpr(vmap(sample, in_axes=axes))(*batches(sample, axes)))

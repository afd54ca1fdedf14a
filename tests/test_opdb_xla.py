"""Every sample on XLA gives what the reference meaning gives, in value, shape, dtype and type.

All samples of one primitive are compiled as one program, since compiling is what takes time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import jx_xla  # noqa: F401  the back end under test
from jx_core import backend, check_jaxpr, jit, make_jaxpr
from jx_core.config import enable_x64
from opdb import Sample, all_samples, mismatches, samples_of


@pytest.fixture(autouse=True)
def all_dtypes() -> Iterator[None]:
    with enable_x64(True):
        yield


def reference(sample: Sample) -> list[np.ndarray]:
    with backend.use("numpy"):
        return [np.asarray(x) for x in sample(*sample.operands)]


@pytest.mark.parametrize("name", all_samples())
def test_compiled_results_are_those_of_the_reference_meaning(name):
    samples = samples_of(name)
    operands = [s.operands for s in samples]
    program = jit(lambda groups: [s(*xs) for s, xs in zip(samples, groups, strict=True)])
    wrong = []
    for sample, got in zip(samples, program(operands), strict=True):
        message = mismatches(
            [np.asarray(x) for x in got], reference(sample), sample.slack, sample.atol
        )
        if message:
            wrong.append(f"{sample}: {message}")
    assert not wrong, "\n".join([f"{len(wrong)} of {len(samples)} samples differ:", *wrong[:20]])


@pytest.mark.parametrize("name", all_samples())
def test_one_call_at_a_time_gives_what_one_program_does(name):
    """Eager dispatch of single primitives, on the first sample and on the last."""
    for sample in (samples_of(name)[0], samples_of(name)[-1]):
        got = [np.asarray(x) for x in sample(*sample.operands)]
        message = mismatches(got, reference(sample), sample.slack, sample.atol)
        assert not message, f"{sample}: {message}"


@pytest.mark.parametrize("name", all_samples())
def test_programs_are_well_typed(name):
    samples = samples_of(name)
    program = make_jaxpr(lambda groups: [s(*xs) for s, xs in zip(samples, groups, strict=True)])(
        [s.operands for s in samples]
    )
    check_jaxpr(program)

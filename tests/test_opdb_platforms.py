"""Every primitive can be lowered for accelerators too: programs that MLIR reads and verifies.

No such device is needed to write a program for it. What they compute there is checked where
there is one, by running `test_opdb_xla.py` on it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import jx_xla  # noqa: F401  the back end under test
from jx_core import jit
from jx_core.config import enable_x64
from opdb import all_samples, samples_of
from opdb.derive import distinct


@pytest.fixture(autouse=True)
def all_dtypes() -> Iterator[None]:
    with enable_x64(True):
        yield


@pytest.mark.parametrize("platform", ["cuda", "rocm", "tpu"])
@pytest.mark.parametrize("name", all_samples())
def test_it_is_lowered(name: str, platform: str) -> None:
    samples = distinct(samples_of(name), 6)
    program = jit(lambda groups: [s(*xs) for s, xs in zip(samples, groups, strict=True)])
    traced = program.trace([s.operands for s in samples])
    text = traced.lower(lowering_platforms=(platform,)).as_text()
    assert "func.func public @main" in text
    assert "lapack_" not in text

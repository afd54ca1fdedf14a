"""Bad input to operations: the right class of error, which says what was got, and no harm done."""

from __future__ import annotations

import numpy as np
import pytest

import jx_xla  # noqa: F401  the default back end
from jx_core import backend, jit, lax, make_jaxpr
from opdb import all_errors

ERRORS = {e.name: e for e in all_errors()}


def test_names_tell_errors_apart():
    assert len(ERRORS) == len(all_errors())


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_the_same_in_every_setting(name):
    """Eager on both back ends, and under tracing; the next correct call works."""
    sample = ERRORS[name]
    with pytest.raises(sample.error, match=sample.text):
        sample.call()
    with backend.use("numpy"), pytest.raises(sample.error, match=sample.text):
        sample.call()
    with pytest.raises(sample.error, match=sample.text):
        make_jaxpr(lambda: sample.call())()
    assert float(jit(lambda x: lax.add(x, 1.0))(1.0)) == 2.0


def test_tracers_in_bad_calls_are_described_by_their_types():
    x = np.zeros((2, 3), np.float32)
    with pytest.raises(TypeError, match=r"add got incompatible shapes.*\(2, 3\), \(3, 2\)"):
        jit(lambda x: lax.add(x, lax.transpose(x, (1, 0))))(x)

"""Random numbers on XLA are JAX's to the last bit (distributions that pass through the
likes of `log`: to a few units in the last place, as processors and versions of XLA differ)."""

import importlib.util
import itertools
import pathlib
import warnings

import numpy as np
import pytest

import jx_xla  # noqa: F401  (the back end under test)
from jx_core import backend, dtypes

_PATH = pathlib.Path(__file__).parents[1] / "packages/jx-numpy/tests/random_records.py"
_spec = importlib.util.spec_from_file_location("random_records", _PATH)
recorded = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(recorded)

EXACT = ("bits", "choice", "fold_in", "key", "permutation", "randint", "split", "uniform")


@pytest.fixture(autouse=True)
def on_xla():
    with backend.use("xla"):
        yield


def _some():
    """A few records of each function: each compiles a program of its own."""
    found = sorted((r for r in recorded.records() if "result" in r), key=lambda r: r["call"])
    for name, group in itertools.groupby(found, key=lambda r: r["call"]):
        records = list(group)
        yield name, records[:: max(1, len(records) // 5)]


@pytest.mark.parametrize(("call", "records"), list(_some()), ids=lambda v: str(v)[:12])
def test_values_are_those_of_jax(call, records):
    for record in records:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # 64-bit dtypes that are narrowed
            got = recorded.replay(record)
        want = recorded.expected(record["result"])
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        if call in EXACT or not dtypes.issubdtype(want.dtype, np.inexact):
            np.testing.assert_array_equal(got, want, err_msg=str(record))
        else:
            wide = np.complex128 if want.dtype.kind == "c" else np.float64
            eps = 16 * float(dtypes.finfo(want.dtype).eps)
            np.testing.assert_allclose(got.astype(wide), want.astype(wide), rtol=eps)

"""Indexing on XLA: the same elements as in NumPy, one compiled program for all places."""

import importlib.util
import pathlib

import numpy as np
import pytest

import jx_numpy as jnp
import jx_xla  # noqa: F401  (the back end under test)
from jx_core import backend

_PATH = pathlib.Path(__file__).parents[1] / "packages/jx-numpy/tests/indexing_cases.py"
_spec = importlib.util.spec_from_file_location("indexing_cases", _PATH)
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)
X = cases.X
SOME = cases.WRITTEN[::3]


@pytest.fixture(autouse=True)
def on_xla():
    with backend.use("xla"):
        yield


@pytest.mark.parametrize("index", SOME, ids=str)
def test_reads_and_updates(index):
    x = jnp.asarray(X)
    np.testing.assert_array_equal(x[index], X[index])
    want = X.copy()
    want[index] = 7.0
    np.testing.assert_array_equal(x.at[index].set(7.0), want)
    np.add.at(want, index, 2.0)
    np.testing.assert_array_equal(x.at[index].set(7.0).at[index].add(2.0), want)


def test_places_out_of_bounds():
    x = jnp.arange(4.0)
    assert [float(x[i]) for i in (9, -9)] == [3, 0]
    assert x[np.array([9, -9])].tolist() == [3, 0]
    assert x.at[np.array([9, 1])].set(5.0).tolist() == [0, 5, 2, 3]
    assert np.isnan(x.at[9].get(mode="fill"))


def test_typed_keys():
    keys = jnp.random.split(jnp.random.key(0), 3)
    words = np.asarray(jnp.random.key_data(keys))
    np.testing.assert_array_equal(jnp.random.key_data(keys[np.array([2, 0])]), words[[2, 0]])
    assert bool(keys.at[1].set(keys[0])[1] == keys[0])

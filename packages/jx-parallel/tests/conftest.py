"""Fixtures of the tests of jx-parallel: devices, meshes, and shardings on them."""

import os

os.environ.setdefault("JX_NUM_CPU_DEVICES", "8")

import pytest

import jx_xla
from jx_parallel import NamedSharding, PartitionSpec, make_mesh


@pytest.fixture(scope="session")
def devices():
    found = jx_xla.devices("cpu")
    assert len(found) >= 8, "run the tests with JX_NUM_CPU_DEVICES=8 or more"
    return found


@pytest.fixture(scope="session")
def mesh(devices):
    return make_mesh((2, 2), ("x", "y"))


@pytest.fixture(scope="session")
def on(mesh):
    """The sharding on the mesh with the given parts."""
    return lambda *parts: NamedSharding(mesh, PartitionSpec(*parts))

"""Runs every test of pytrees on both implementations: Python's and jaxlib's.

One implementation serves a process, chosen when `jx_core.tree` is imported. The
other is loaded here a second time, under another package name, so that one run
of the tests covers both; without jaxlib, only Python's is tested.
"""

import importlib
import os
import sys
import types

import pytest

import jx_core
from jx_core.tree import implementation as chosen


def load(name):
    """A package that holds `tree` and `tree_util` with the implementation `name`."""
    if chosen.NAME == name:
        importlib.import_module("jx_core.tree_util")
        return jx_core
    alias = f"jx_core_with_{name}_trees"
    if alias not in sys.modules:
        package = types.ModuleType(alias)
        package.__path__ = list(jx_core.__path__)
        sys.modules[alias] = package
        before = os.environ.get("JX_PYTREES")
        os.environ["JX_PYTREES"] = name
        try:
            package.tree = importlib.import_module(f"{alias}.tree")
            package.tree_util = importlib.import_module(f"{alias}.tree_util")
        finally:
            if before is None:
                del os.environ["JX_PYTREES"]
            else:
                os.environ["JX_PYTREES"] = before
    return sys.modules[alias]


@pytest.fixture(scope="session")
def both():
    """`tree_util` with Python's implementation, and with jaxlib's."""
    pytest.importorskip("jaxlib")
    return load("python").tree_util, load("native").tree_util


@pytest.fixture(params=["python", "native"])
def package(request):
    if request.param == "native":
        pytest.importorskip("jaxlib")
    return load(request.param)


@pytest.fixture
def tree(package):
    """`jx_core.tree`."""
    return package.tree


@pytest.fixture
def tu(package):
    """`jx_core.tree_util`."""
    return package.tree_util

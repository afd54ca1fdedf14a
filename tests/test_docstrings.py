"""The examples in docstrings run, and give what they say."""

import doctest
import importlib
from contextlib import nullcontext

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx_core import backend
from source_imports import PACKAGES, modules_of

MODULES = [
    module
    for package in PACKAGES
    for module, file in modules_of(package).items()
    if ">>> " in file.read_text(encoding="utf-8")
]

# What an example may use without an import: it is what every user's program begins with.
COMMON = {"np": np, "jnp": jnp, "jx": jx}

# The layers that know no XLA show what NumPy computes: last digits and typed keys' text differ.
ON_NUMPY = ("jx_core", "jx_ad", "jx_batching", "jx_numpy")


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_module(name: str) -> None:
    module = importlib.import_module(name)
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    with backend.use("numpy") if name.startswith(ON_NUMPY) else nullcontext():
        for test in doctest.DocTestFinder().find(module, name, extraglobs=COMMON):
            runner.run(test, out=told.append)
    assert not runner.failures, "".join(told)

"""The examples in docstrings run, and give what they say."""

import doctest
import importlib

import pytest

from source_imports import PACKAGES, modules_of

MODULES = [
    module
    for package in PACKAGES
    for module, file in modules_of(package).items()
    if ">>> " in file.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_module(name: str) -> None:
    module = importlib.import_module(name)
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for test in doctest.DocTestFinder().find(module, name):
        runner.run(test, out=told.append)
    assert not runner.failures, "".join(told)

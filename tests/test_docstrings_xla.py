"""The examples of the array library give what they say when XLA computes them, too.

What they print is what NumPy computes. XLA's last digits differ, and where those are zeros the
width of a column with them: so words must be the same, and numbers close.
"""

import doctest
import importlib
import math
import re

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx_core import backend
from source_imports import modules_of

MODULES = [
    module
    for module, file in modules_of("jx_numpy").items()
    if ">>> " in file.read_text(encoding="utf-8")
]
COMMON = {"np": np, "jnp": jnp, "jx": jx}
NUMBER = re.compile(r"[-+]?(?:\d+\.\d*(?:e[-+]?\d+)?|\d+(?:e[-+]?\d+)?|\.\d+)(?![\w])")
# Arrays of the NumPy back end say nothing of where they are, and print keys' words in one line.
RTOL, ATOL = 2e-4, 2e-5


class Close(doctest.OutputChecker):
    """Compares words as they are, and numbers by their difference."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        if super().check_output(want, got, optionflags):
            return True
        texts = [re.sub(r"\s+", "", NUMBER.sub("#", text)) for text in (want, got)]
        numbers = [[float(x) for x in NUMBER.findall(text)] for text in (want, got)]
        same = texts[0].replace("+#", "#") == texts[1].replace("+#", "#")
        return (
            same
            and len(numbers[0]) == len(numbers[1])
            and all(
                math.isclose(a, b, rel_tol=RTOL, abs_tol=ATOL)
                for a, b in zip(*numbers, strict=True)
            )
        )


def test_the_comparison_finds_differences():
    check = Close().check_output
    assert check("Array([1., 2.5], dtype=float32)", "Array([1.0000001, 2.5], dtype=float32)", 0)
    assert not check("Array([1., 2.5], dtype=float32)", "Array([1., 2.6], dtype=float32)", 0)
    assert not check("Array([1., 2.5], dtype=float32)", "Array([1., 2.5], dtype=float64)", 0)
    assert not check("Array([1., 2.5])", "Array([1.])", 0)


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_module(name: str) -> None:
    module = importlib.import_module(name)
    told: list[str] = []
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(checker=Close(), optionflags=flags)
    with backend.use("xla"):
        for test in doctest.DocTestFinder().find(module, name, extraglobs=COMMON):
            runner.run(test, out=told.append)
    assert not runner.failures, "".join(told)

"""Calls of a compiled function, so small that finding and starting it is what is timed."""

from types import ModuleType

import numpy as np

from .case import Case, Sample, per_call


def two_arguments(lib: ModuleType) -> Sample:
    x = lib.numpy.asarray(np.ones(8, np.float32))
    y = lib.numpy.asarray(np.ones(8, np.float32))
    function = lib.jit(lambda a, b: a * b + a)
    return per_call(lambda: function(x, y))


def hundred_leaves(lib: ModuleType) -> Sample:
    """A dict of arrays in, a dict of arrays out, as parameters go through an update."""
    params = {f"w{i}": lib.numpy.asarray(np.ones(8, np.float32)) for i in range(100)}
    function = lib.jit(lambda tree: {name: leaf + 1 for name, leaf in tree.items()})
    return per_call(lambda: function(params))


CASES = [
    Case("jit call/2 arguments", 1.0, two_arguments),
    Case("jit call/dict of 100 leaves", 1.0, hundred_leaves),
]

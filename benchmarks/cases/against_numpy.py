"""Functions of a million elements in jx and in NumPy, each call waited for.

The peer is NumPy itself (`--peer numpy`), in the environment of jx. Where jx asks for a size that
NumPy need not know (`unique`), NumPy is called without.
"""

from types import ModuleType
from typing import Any

import numpy as np

from .case import Case, Sample, per_call, wait

N = 1_000_000

CALLS = {
    "x + y": "x + y",
    "x * y + 1": "x * y + 1",
    "exp": "np.exp(x)",
    "log": "np.log(x)",
    "sin": "np.sin(x)",
    "tanh": "np.tanh(x)",
    "sqrt": "np.sqrt(x)",
    "power": "x ** 3",
    "where": "np.where(x > y, x, y)",
    "sum": "np.sum(x)",
    "sum of rows": "np.sum(m, axis=1)",
    "sum of columns": "np.sum(m, axis=0)",
    "mean": "np.mean(x)",
    "max": "np.max(x)",
    "argmax": "np.argmax(x)",
    "std": "np.std(x)",
    "matmul": "m @ m",
    "sort": "np.sort(x)",
    "argsort": "np.argsort(x)",
    "cumsum": "np.cumsum(x)",
    "unique": "np.unique(i, **size)",
    "searchsorted": "np.searchsorted(ordered, x)",
    "histogram": "np.histogram(x, 100)",
    "percentile": "np.percentile(x, 30.0)",
    "median": "np.median(x)",
    "x[indices]": "x[i]",
    "bincount": "np.bincount(i, **length)",
}


def operands(lib: ModuleType) -> dict[str, Any]:
    """The arrays and names that the calls use; `np` is whichever library is measured."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0.5, 1.5, N).astype(np.float32)
    arrays = {
        "x": x,
        "y": rng.uniform(0.5, 1.5, N).astype(np.float32),
        "m": x.reshape(1000, 1000),
        "i": rng.integers(0, 1000, N).astype(np.int32),
        "ordered": np.sort(x[:1000]),
    }
    if lib.__name__ == "numpy":
        return arrays | {"np": lib, "size": {}, "length": {}}
    jnp = lib.numpy
    arrays = {name: jnp.asarray(a) for name, a in arrays.items()}
    return arrays | {"np": jnp, "size": {"size": 1000}, "length": {"length": 1000}}


def case(name: str, text: str) -> Case:
    def prepare(lib: ModuleType) -> Sample:
        call = eval(f"lambda: {text}", operands(lib))
        return per_call(lambda: wait(call()))

    return Case(f"numpy/{name}", 1.0, prepare, peers=("numpy",))


CASES = [case(name, text) for name, text in CALLS.items()]

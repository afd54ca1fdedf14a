"""One library's side of the measurement of accuracy: values of functions at given points.

    python accuracy_worker.py LIBRARY BACKEND POINTS VALUES

POINTS and VALUES are .npz files; points are stored under "FUNCTION/DTYPE/OPERAND", values under
"FUNCTION/DTYPE". BACKEND is "numpy" for jx's reference meaning, anything else for the default.
"""

import contextlib
import importlib
import sys
from types import ModuleType

import numpy as np


def values(lib: ModuleType, points: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What `lib.lax` computes, compiled, for each function and dtype among the points."""
    operands: dict[str, list[np.ndarray]] = {}
    for name in sorted(points):
        operands.setdefault(name.rsplit("/", 1)[0], []).append(points[name])
    found = {}
    for name, arrays in operands.items():
        function = getattr(lib.lax, name.split("/")[0])
        found[name] = np.asarray(lib.jit(function)(*arrays))
        assert found[name].dtype == arrays[0].dtype, "64-bit floats must be enabled"
    return found


def main() -> None:
    library, backend, source, target = sys.argv[1:]
    lib = importlib.import_module(library)
    chosen = contextlib.nullcontext()
    if backend == "numpy":
        chosen = importlib.import_module("jx_core.backend").use("numpy")
    with chosen, np.load(source) as points:
        np.savez(target, **values(lib, dict(points)))


if __name__ == "__main__":
    main()

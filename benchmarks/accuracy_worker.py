"""One library's side of the measurement of accuracy: values of functions at given points.

    python accuracy_worker.py LIBRARY BACKEND POINTS VALUES

POINTS and VALUES are .npz files; points are stored under "FUNCTION/DTYPE/OPERAND", values under
"FUNCTION/DTYPE". FUNCTION is its path in the library, with a colon and a place after it where
there are several results.
BACKEND is "numpy" for jx's reference meaning, anything else for the default.
"""

import contextlib
import functools
import importlib
import sys
from types import ModuleType

import numpy as np

# Arguments that are no operands, and how many of the first operands are integers.
OPTIONS = {
    "scipy.special.bessel_jn": {"v": 5},
    "scipy.special.multigammaln": {"d": 3},
    "scipy.special.sph_harm_y": {"n_max": 8},
}
INTEGERS = {"scipy.special.sph_harm_y": 2, "scipy.special.polygamma": 1}


def _like(result: np.ndarray, dtype: np.dtype) -> np.dtype:
    return np.result_type(dtype, np.complex64) if np.iscomplexobj(result) else dtype


def values(lib: ModuleType, points: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the library computes, compiled, for each function and dtype among the points."""
    operands: dict[str, list[np.ndarray]] = {}
    for name in sorted(points):
        operands.setdefault(name.rsplit("/", 1)[0], []).append(points[name])
    found = {}
    for name, arrays in operands.items():
        path, _, place = name.split("/")[0].partition(":")
        *module, last = path.split(".")
        home = importlib.import_module(".".join([lib.__name__, *module]))
        function = functools.partial(getattr(home, last), **OPTIONS.get(path, {}))
        whole, dtype = INTEGERS.get(path, 0), arrays[-1].real.dtype
        cast = [x.astype(np.int32) for x in arrays[:whole]] + arrays[whole:]
        result = lib.jit(function)(*cast)
        result = np.asarray(result[int(place)] if place else result)
        # Some of JAX's are wider than their operands: they are rounded as the others are.
        found[name] = result if result.real.dtype == dtype else result.astype(_like(result, dtype))
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

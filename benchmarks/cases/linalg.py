"""Factorisations of one matrix, compiled: what surrounds the libraries' own work must be cheap."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from .case import Case, Sample, per_call

SIZE = 512


def _general() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((SIZE, SIZE)).astype(np.float32)


def _positive() -> np.ndarray:
    x = _general()
    return x @ x.T / SIZE + np.eye(SIZE, dtype=np.float32)


def _case(name: str, matrix: Callable[[], np.ndarray], call: Callable[[Any, Any], Any]) -> Case:
    def prepare(lib: ModuleType) -> Sample:
        compiled, x = lib.jit(lambda x: call(lib.lax.linalg, x)), lib.numpy.asarray(matrix())
        return per_call(lambda: compiled(x))

    return Case(f"linalg/{name} of {SIZE} by {SIZE} float32", 1.0, prepare)


CASES = [
    _case("cholesky", _positive, lambda linalg, x: linalg.cholesky(x)),
    _case("qr", _general, lambda linalg, x: linalg.qr(x)),
    _case("lu", _general, lambda linalg, x: linalg.lu(x)),
    _case(
        "triangular_solve", _positive,
        lambda linalg, x: linalg.triangular_solve(x, x, left_side=True, lower=True),
    ),
]  # fmt: skip

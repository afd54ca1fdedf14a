"""Spectral decompositions of matrices of 512 by 512, compiled: nearly all of the time is LAPACK's.

Their gradients, and a batch of many small matrices, show what is around it.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from .case import Case, Sample, per_call

SIZE, SMALL, MANY = 512, 8, 2048


def on(shape: tuple[int, ...], function: Callable[[ModuleType, Any], Any]) -> Callable:
    """A sample of `function(linalg, x)`, compiled, on random matrices."""

    def prepare(lib: ModuleType) -> Sample:
        x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        operand = lib.numpy.asarray(x)
        compiled = lib.jit(lambda x: function(lib, x))
        return per_call(lambda: compiled(operand))

    return prepare


def eigh(lib: ModuleType, x: Any) -> Any:
    return lib.lax.linalg.eigh(x)


def eig(lib: ModuleType, x: Any) -> Any:
    return lib.lax.linalg.eig(x)


def svd(lib: ModuleType, x: Any) -> Any:
    return lib.lax.linalg.svd(x, full_matrices=False)


def singular_values(lib: ModuleType, x: Any) -> Any:
    return lib.lax.linalg.svd(x, compute_uv=False)


def eigh_gradient(lib: ModuleType, x: Any) -> Any:
    def loss(x: Any) -> Any:
        v, w = lib.lax.linalg.eigh(x)
        return (v * w).sum()

    return lib.grad(loss)(x)


def svd_gradient(lib: ModuleType, x: Any) -> Any:
    def loss(x: Any) -> Any:
        u, s, vh = lib.lax.linalg.svd(x, full_matrices=False)
        return (u * s).sum() + vh.sum()

    return lib.grad(loss)(x)


LARGE, BATCH = (SIZE, SIZE), (MANY, SMALL, SMALL)
CASES = [
    Case("spectral/eigh of 512 x 512", 1.0, on(LARGE, eigh)),
    Case("spectral/eig of 512 x 512", 1.0, on(LARGE, eig)),
    Case("spectral/svd of 512 x 512", 1.0, on(LARGE, svd)),
    Case("spectral/singular values of 512 x 512", 1.0, on(LARGE, singular_values)),
    Case("spectral/gradient of eigh, 512 x 512", 1.0, on(LARGE, eigh_gradient)),
    Case("spectral/gradient of svd, 512 x 512", 1.0, on(LARGE, svd_gradient)),
    Case("spectral/eigh of 2,048 of 8 x 8", 1.0, on(BATCH, eigh)),
    Case("spectral/svd of 2,048 of 8 x 8", 1.0, on(BATCH, svd)),
]

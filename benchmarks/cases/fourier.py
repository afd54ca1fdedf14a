"""Fourier transforms of large arrays, where the time is that of the transform itself."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from .case import Case, Sample, per_call


def transform(name: str, function: str, shape: tuple[int, ...], dtype: str) -> Case:
    """A case that times `jnp.fft.<function>` of a random array."""

    def prepare(lib: ModuleType) -> Sample:
        values = np.random.default_rng(0).standard_normal(shape)
        x = lib.numpy.asarray(values.astype(dtype))
        call: Callable[[Any], Any] = getattr(lib.numpy.fft, function)
        return per_call(lambda: call(x), at_least=0.2)

    return Case(f"fft/{name}", 1.0, prepare)


def gradient(lib: ModuleType) -> Sample:
    """The derivative of a function of a spectrum, whose transpose is an inverse transform."""
    jnp = lib.numpy
    x = jnp.asarray(np.random.default_rng(0).standard_normal(2**18).astype(np.float32))
    call = lib.jit(lib.grad(lambda x: jnp.sum(jnp.abs(jnp.fft.rfft(x)) ** 2)))
    return per_call(lambda: call(x), at_least=0.2)


CASES = [
    transform("fft 2^20", "fft", (2**20,), "complex64"),
    transform("rfft 2^20", "rfft", (2**20,), "float32"),
    transform("fft2 1024 x 1024", "fft2", (1024, 1024), "complex64"),
    transform("fft 8", "fft", (8,), "complex64"),
    Case("fft/grad of rfft 2^18", 1.0, gradient),
]

"""Compiled reductions, running totals, windows and sorts, of arrays large enough to matter."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from .case import Case, Sample, per_call

Operation = Callable[[ModuleType, Any], Any]


def compiled(operation: Operation, *shape: int) -> Callable[[ModuleType], Sample]:
    """An operation on random float32 numbers, compiled as a program of its own."""

    def prepare(lib: ModuleType) -> Sample:
        values = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        x = lib.numpy.asarray(values)
        program = lib.jit(lambda x: operation(lib, x))
        return per_call(lambda: program(x))

    return prepare


def pooled(kind: str) -> Operation:
    """Windows of 3 by 3 elements of images, every second one, as convolutional networks have."""

    def operation(lib: ModuleType, x: Any) -> Any:
        lax = lib.lax
        init, combine = (-np.inf, lax.max) if kind == "max" else (0.0, lax.add)
        return lax.reduce_window(x, init, combine, (1, 3, 3, 1), (1, 2, 2, 1), "SAME")

    return operation


def gradient(operation: Operation) -> Operation:
    def of_squares(lib: ModuleType, x: Any) -> Any:
        return lib.grad(lambda x: lib.numpy.sum(operation(lib, x) ** 2))(x)

    return of_squares


def summed(axis: int) -> Operation:
    return lambda lib, x: lib.lax.cumsum(x, axis)


def greatest(k: int) -> Operation:
    return lambda lib, x: lib.lax.top_k(x, k)


IMAGES = (32, 112, 112, 64)
MILLION = 10**6

CASES = [
    Case("reductions/cumsum 1e6", 1.0, compiled(summed(0), MILLION)),
    Case("reductions/cumsum 1000x1000 axis 0", 1.0, compiled(summed(0), 1000, 1000)),
    Case("reductions/cumsum 1000x1000 axis 1", 1.0, compiled(summed(1), 1000, 1000)),
    Case("reductions/argmax 1e6", 1.0, compiled(lambda lib, x: lib.numpy.argmax(x), MILLION)),
    Case(
        "reductions/argmax 1000x1000 axis 1",
        1.0,
        compiled(lambda lib, x: lib.numpy.argmax(x, 1), 1000, 1000),
    ),
    Case("reductions/sort 1e6", 1.0, compiled(lambda lib, x: lib.lax.sort(x), MILLION)),
    Case("reductions/argsort 1e6", 1.0, compiled(lambda lib, x: lib.numpy.argsort(x), MILLION)),
    Case("reductions/top_k 100 of 1e6", 1.0, compiled(greatest(100), MILLION)),
    Case("reductions/top_k 100 of 128x10000", 1.0, compiled(greatest(100), 128, 10000)),
    Case("reductions/max pooling", 1.0, compiled(pooled("max"), *IMAGES)),
    Case("reductions/sum pooling", 1.0, compiled(pooled("sum"), *IMAGES)),
    Case("reductions/gradient of max pooling", 1.0, compiled(gradient(pooled("max")), *IMAGES)),
    Case("reductions/gradient of sum pooling", 1.0, compiled(gradient(pooled("sum")), *IMAGES)),
]

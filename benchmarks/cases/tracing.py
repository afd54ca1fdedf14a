"""Tracing, transforming and lowering two programs, and transforming them eagerly."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from .case import Case, Sample, once
from .programs import elementwise, elementwise_input, mix, mix_input

Transformed = Callable[[ModuleType, Callable], Callable]


def plain(lib: ModuleType, program: Callable) -> Callable:
    return program


def gradient(lib: ModuleType, program: Callable) -> Callable:
    return lib.grad(lambda x: program(x).sum())


def batched(lib: ModuleType, program: Callable) -> Callable:
    return lib.vmap(program)


def hessian(lib: ModuleType, program: Callable) -> Callable:
    return lib.hessian(lambda x: program(x).sum())


def argument(lib: ModuleType, maker: Callable, transform: Transformed) -> Any:
    x = (elementwise_input if maker is elementwise else mix_input)(lib)
    return lib.numpy.stack([x, 2 * x, 3 * x]) if transform is batched else x


def trace(maker: Callable, transform: Transformed, *size: int) -> Callable[[ModuleType], Sample]:
    """Time `jit(transform(program)).trace(x)`."""

    def prepare(lib: ModuleType) -> Sample:
        x = argument(lib, maker, transform)
        return once(
            lambda jitted: jitted.trace(x),
            setup=lambda: lib.jit(transform(lib, maker(lib, *size))),
        )

    return prepare


def lower(maker: Callable, transform: Transformed) -> Callable[[ModuleType], Sample]:
    """Time `.lower()` of what is traced already."""

    def prepare(lib: ModuleType) -> Sample:
        x = argument(lib, maker, transform)
        return once(
            lambda traced: traced.lower(),
            setup=lambda: lib.jit(transform(lib, maker(lib))).trace(x),
        )

    return prepare


def run_eagerly(maker: Callable, transform: Transformed) -> Callable[[ModuleType], Sample]:
    """Time the transformed program run without `jit`, operation by operation."""

    def prepare(lib: ModuleType) -> Sample:
        x = argument(lib, maker, transform)
        return once(
            lambda function: function(x),
            setup=lambda: transform(lib, maker(lib)),
        )

    return prepare


CASES = [
    Case("trace/elementwise", 0.3, trace(elementwise, plain)),
    Case("trace/mix", 0.4, trace(mix, plain)),
    Case("trace/grad of elementwise", 0.25, trace(elementwise, gradient)),
    Case("trace/grad of mix", 0.35, trace(mix, gradient)),
    Case("trace/vmap of elementwise", 0.4, trace(elementwise, batched)),
    Case("trace/vmap of mix", 0.4, trace(mix, batched)),
    Case("trace/hessian of elementwise (150)", 0.4, trace(elementwise, hessian, 150)),
    Case("trace/hessian of mix (150)", 0.4, trace(mix, hessian, 150)),
    Case("lower/elementwise", 0.8, lower(elementwise, plain)),
    Case("lower/mix", 0.8, lower(mix, plain)),
    Case("lower/grad of mix", 0.8, lower(mix, gradient)),
    Case("eager/grad of elementwise", 0.3, run_eagerly(elementwise, gradient)),
    Case("eager/grad of mix", 0.3, run_eagerly(mix, gradient)),
    Case("eager/vmap of elementwise", 0.3, run_eagerly(elementwise, batched)),
    Case("eager/vmap of mix", 0.3, run_eagerly(mix, batched)),
]

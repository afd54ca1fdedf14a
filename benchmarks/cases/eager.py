"""Single operations on 8 elements, run eagerly: nearly all of the time is dispatch."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from .case import Case, Sample, per_call


def operation(name: str, budget: float, function: Callable[..., Any]) -> Case:
    """A case that times `function(lib, x, y, indices)`; `x` and `y` have 8 elements."""

    def prepare(lib: ModuleType) -> Sample:
        x = lib.numpy.asarray(np.linspace(0.5, 1.5, 8, dtype=np.float32))
        y = lib.numpy.asarray(np.linspace(-1.0, 1.0, 8, dtype=np.float32))
        indices = lib.numpy.asarray(np.array([3, 0, 7], dtype=np.int32))
        return per_call(function(lib, x, y, indices))

    return Case(f"eager/{name}", budget, prepare)


def add(lib: ModuleType, x: Any, y: Any, indices: Any) -> Callable:
    return lambda: x + y


def sin(lib: ModuleType, x: Any, y: Any, indices: Any) -> Callable:
    jnp = lib.numpy
    return lambda: jnp.sin(x)


def where(lib: ModuleType, x: Any, y: Any, indices: Any) -> Callable:
    jnp, condition = lib.numpy, x > 1
    return lambda: jnp.where(condition, x, y)


def total(lib: ModuleType, x: Any, y: Any, indices: Any) -> Callable:
    jnp = lib.numpy
    return lambda: jnp.sum(x)


def item(lib: ModuleType, x: Any, y: Any, indices: Any) -> Callable:
    return lambda: x[0]


def part(lib: ModuleType, x: Any, y: Any, indices: Any) -> Callable:
    return lambda: x[1:3]


def take(lib: ModuleType, x: Any, y: Any, indices: Any) -> Callable:
    return lambda: x[indices]


def put(lib: ModuleType, x: Any, y: Any, indices: Any) -> Callable:
    return lambda: x.at[2].set(1.0)


def zeros(lib: ModuleType, x: Any, y: Any, indices: Any) -> Callable:
    jnp = lib.numpy
    return lambda: jnp.zeros((2, 4))


def arange(lib: ModuleType, x: Any, y: Any, indices: Any) -> Callable:
    jnp = lib.numpy
    return lambda: jnp.arange(8)


def reshape(lib: ModuleType, x: Any, y: Any, indices: Any) -> Callable:
    jnp = lib.numpy
    return lambda: jnp.reshape(x, (2, 4))


def concatenate(lib: ModuleType, x: Any, y: Any, indices: Any) -> Callable:
    jnp = lib.numpy
    return lambda: jnp.concatenate([x, y])


def einsum(lib: ModuleType, x: Any, y: Any, indices: Any) -> Callable:
    jnp, a, b = lib.numpy, x.reshape(2, 4), y.reshape(4, 2)
    return lambda: jnp.einsum("ij,jk->ik", a, b)


def softmax(lib: ModuleType, x: Any, y: Any, indices: Any) -> Callable:
    nn = lib.nn
    return lambda: nn.softmax(x)


CASES = [
    operation("x + y", 0.95, add),
    operation("jnp.sin(x)", 1.0, sin),
    operation("jnp.where(c, x, y)", 1.0, where),
    operation("jnp.sum(x)", 1.0, total),
    operation("x[0]", 0.35, item),
    operation("x[1:3]", 0.4, part),
    operation("x[indices]", 0.25, take),
    operation("x.at[2].set(1.)", 0.25, put),
    operation("jnp.zeros((2, 4))", 0.5, zeros),
    operation("jnp.arange(8)", 0.5, arange),
    operation("jnp.reshape(x, (2, 4))", 0.5, reshape),
    operation("jnp.concatenate([x, y])", 0.5, concatenate),
    operation("jnp.einsum('ij,jk->ik')", 0.5, einsum),
    operation("nn.softmax(x)", 0.5, softmax),
]

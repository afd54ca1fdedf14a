"""The two programs that are traced, transformed and lowered.

Each maker gives a new function every time, because tracing is cached by function.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

Program = Callable[[Any], Any]


def elementwise(lib: ModuleType, equations: int = 1500) -> Program:
    """A chain of elementwise equations, ten of them in each turn of the loop."""
    jnp = lib.numpy

    def program(x: Any) -> Any:
        for _ in range(equations // 10):
            sine, cosine = jnp.sin(x), jnp.cos(x)
            x = x * sine + cosine
            x = jnp.tanh(x) - 0.5 * sine
            x = jnp.exp(-jnp.maximum(x, cosine))
        return x

    return program


def elementwise_input(lib: ModuleType) -> Any:
    return lib.numpy.asarray(np.linspace(-1.0, 1.0, 8, dtype=np.float32))


def mix(lib: ModuleType, calls: int = 1500) -> Program:
    """Array functions, operators and indexing, fifteen of them in each turn of the loop."""
    jnp = lib.numpy
    weight = jnp.asarray(np.eye(8, dtype=np.float32) + 0.1)
    order = jnp.asarray(np.arange(8)[::-1].astype(np.int32))

    def program(x: Any) -> Any:
        for _ in range(calls // 15):
            y = jnp.transpose(jnp.reshape(x, (8, 4)))
            y = jnp.concatenate([x[:2], y[2:]])
            mean = jnp.mean(y, axis=1, keepdims=True)
            y = jnp.where(x > mean, y, x * 0.5)
            z = jnp.clip(jnp.matmul(y, weight), -1.0, 1.0)
            z = z.at[0].add(jnp.sum(x, axis=0))
            x = jnp.tanh(z[:, order])
        return x

    return program


def mix_input(lib: ModuleType) -> Any:
    return lib.numpy.asarray(np.linspace(-1.0, 1.0, 32, dtype=np.float32).reshape(4, 8))

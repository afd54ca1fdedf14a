"""Training steps of three models with Adam: compiled, and on their way to being compiled."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from .case import Case, Sample, once, per_call
from .models import Model, cnn, mlp, transformer


def make_step(lib: ModuleType, loss: Callable) -> Callable:
    """`step(state, *batch)` gives the next state and the loss; state is (params, m, v, t)."""
    jnp, tree = lib.numpy, lib.tree

    def step(state: Any, *batch: Any) -> Any:
        params, mean, square, count = state
        value, grads = lib.value_and_grad(loss)(params, *batch)
        count = count + 1
        mean = tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, grads)
        square = tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, grads)
        rate = 1e-3 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        params = tree.map(lambda p, m, s: p - rate * m / (jnp.sqrt(s) + 1e-8), params, mean, square)
        return (params, mean, square, count), value

    return step


def start(lib: ModuleType, params: Any) -> Any:
    def zeros() -> Any:
        return lib.tree.map(lib.numpy.zeros_like, params)

    return params, zeros(), zeros(), lib.numpy.zeros(())


def compiled_step(model: Callable[[ModuleType], Model]) -> Callable[[ModuleType], Sample]:
    def prepare(lib: ModuleType) -> Sample:
        params, loss, batch = model(lib)
        step = lib.jit(make_step(lib, loss), donate_argnums=0)
        state = start(lib, params)

        def advance() -> Any:
            nonlocal state
            state, value = step(state, *batch)
            return value.block_until_ready()

        return per_call(advance, at_least=0.3)

    return prepare


def traced_step(model: Callable[[ModuleType], Model]) -> Callable[[ModuleType], Sample]:
    def prepare(lib: ModuleType) -> Sample:
        params, loss, batch = model(lib)
        state = start(lib, params)
        return once(
            lambda jitted: jitted.trace(state, *batch),
            setup=lambda: lib.jit(make_step(lib, loss)),
        )

    return prepare


def first_step(model: Callable[[ModuleType], Model]) -> Callable[[ModuleType], Sample]:
    """Trace, lower, compile and run: what a user waits for before training begins."""

    def prepare(lib: ModuleType) -> Sample:
        params, loss, batch = model(lib)
        state = start(lib, params)
        return once(
            lambda jitted: jitted(state, *batch),
            setup=lambda: lib.jit(make_step(lib, loss)),
        )

    return prepare


CASES = [
    Case("training/MLP step", 1.0, compiled_step(mlp)),
    Case("training/CNN step", 1.0, compiled_step(cnn)),
    Case("training/transformer step", 1.0, compiled_step(transformer)),
    Case("training/trace of transformer step", None, traced_step(transformer)),
    Case("training/first transformer step", None, first_step(transformer)),
]

"""Tracing and differentiating programs made of programs: loops, checkpoints, nested calls."""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from .case import Case, Sample, once

WIDTH = 16
SHAPES = {
    "scale": (WIDTH,),
    "queries": (WIDTH, WIDTH),
    "keys": (WIDTH, WIDTH),
    "values": (WIDTH, WIDTH),
    "out": (WIDTH, WIDTH),
    "up": (WIDTH, 4 * WIDTH),
    "down": (4 * WIDTH, WIDTH),
}


def weights(layers: int) -> dict[str, np.ndarray]:
    """The weights of some layers, stacked."""
    draw = np.random.default_rng(0)
    return {
        name: draw.normal(size=(layers, *shape)).astype(np.float32) / 4
        for name, shape in SHAPES.items()
    }


def inputs() -> np.ndarray:
    return np.linspace(-1.0, 1.0, 8 * WIDTH, dtype=np.float32).reshape(8, WIDTH)


def block(lib: ModuleType, w: dict[str, Any], x: Any) -> Any:
    """One transformer layer on tokens of shape (length, width)."""
    jnp = lib.numpy
    centred = x - jnp.mean(x, axis=-1, keepdims=True)
    normal = centred / jnp.sqrt(jnp.mean(centred**2, axis=-1, keepdims=True) + 1e-5)
    normal = normal * w["scale"]
    scores = (normal @ w["queries"]) @ (normal @ w["keys"]).T / WIDTH**0.5
    mixed = lib.nn.softmax(scores, axis=-1) @ (normal @ w["values"])
    x = x + mixed @ w["out"]
    return x + lib.nn.gelu(x @ w["up"]) @ w["down"]


def scan_of_layers(lib: ModuleType, layers: int = 64) -> Callable[..., Any]:
    def loss(params: Any, x: Any) -> Any:
        def body(x: Any, w: Any) -> tuple[Any, None]:
            return block(lib, w, x), None

        return lib.lax.scan(body, x, params)[0].sum()

    return lib.grad(loss)


def unrolled_with_checkpoint(lib: ModuleType, layers: int = 24) -> Callable[..., Any]:
    def loss(params: Any, x: Any) -> Any:
        layer = lib.checkpoint(partial(block, lib))
        for i in range(layers):
            x = layer({name: w[i] for name, w in params.items()}, x)
        return x.sum()

    return lib.grad(loss)


def traced_gradient(
    maker: Callable[[ModuleType], Any], layers: int
) -> Callable[[ModuleType], Sample]:
    def prepare(lib: ModuleType) -> Sample:
        jnp = lib.numpy
        params = {name: jnp.asarray(w) for name, w in weights(layers).items()}
        x = jnp.asarray(inputs())
        return once(lambda jitted: jitted.trace(params, x), setup=lambda: lib.jit(maker(lib)))

    return prepare


def while_in_vmap(lib: ModuleType) -> Sample:
    """Newton's method to a tolerance, each example with a trip count of its own."""
    jnp = lib.numpy

    def maker() -> Any:
        def root(a: Any, x: Any) -> Any:
            def unfinished(state: tuple[Any, Any]) -> Any:
                x, steps = state
                return (jnp.abs(x**3 + a * x - jnp.cos(x)) > 1e-5) & (steps < 50)

            def step(state: tuple[Any, Any]) -> tuple[Any, Any]:
                x, steps = state
                value = x**3 + a * x - jnp.cos(x)
                slope = 3 * x**2 + a + jnp.sin(x)
                return x - value / slope, steps + 1

            return lib.lax.while_loop(unfinished, step, (x, 0))[0]

        return lib.jit(lib.vmap(root))

    a = jnp.asarray(np.linspace(1.0, 2.0, 32, dtype=np.float32))
    return once(lambda jitted: jitted.trace(a, a), setup=maker)


def nested_jit(lib: ModuleType, depth: int = 50) -> Callable[..., Any]:
    def inner(params: Any, x: Any) -> Any:
        return lib.numpy.tanh(x @ params["out"][0])

    fun = lib.jit(inner)
    for _ in range(depth):

        def wrapped(params: Any, x: Any, fun: Any = fun) -> Any:
            return lib.numpy.tanh(fun(params, x) * 0.5)

        fun = lib.jit(wrapped)
    return lib.grad(lambda params, x: fun(params, x).sum())


CASES = [
    Case("compose/grad of scan, 64 layers", 0.6, traced_gradient(scan_of_layers, 64)),
    Case("compose/grad of 24 checkpoints", 0.6, traced_gradient(unrolled_with_checkpoint, 24)),
    Case("compose/vmap of while", 0.6, while_in_vmap),
    Case("compose/grad of jit, 50 deep", 0.6, traced_gradient(nested_jit, 1)),
]

"""Three models to train: parameters, a loss, and a batch for each.

Every maker takes the namespace and gives `(params, loss, batch)`, where
`loss(params, *batch)` is a scalar. Values come from NumPy, so that the two
libraries compute the same numbers.
"""

from types import ModuleType
from typing import Any

import numpy as np

Model = tuple[Any, Any, tuple]


class Maker:
    """Draws arrays from NumPy and hands them to the library."""

    def __init__(self, lib: ModuleType):
        self.asarray = lib.numpy.asarray
        self.rng = np.random.default_rng(0)

    def weight(self, *shape: int) -> Any:
        scale = np.sqrt(2 / np.prod(shape[:-1]))
        return self.asarray((scale * self.rng.standard_normal(shape)).astype(np.float32))

    def zeros(self, *shape: int) -> Any:
        return self.asarray(np.zeros(shape, np.float32))

    def ones(self, *shape: int) -> Any:
        return self.asarray(np.ones(shape, np.float32))

    def values(self, *shape: int) -> Any:
        return self.asarray(self.rng.standard_normal(shape).astype(np.float32))

    def labels(self, classes: int, *shape: int) -> Any:
        return self.asarray(self.rng.integers(0, classes, shape).astype(np.int32))


def cross_entropy(lib: ModuleType, logits: Any, labels: Any) -> Any:
    picked = lib.nn.one_hot(labels, logits.shape[-1]) * lib.nn.log_softmax(logits)
    return -lib.numpy.mean(lib.numpy.sum(picked, axis=-1))


def mlp(lib: ModuleType) -> Model:
    """784-256-256-10 on a batch of 128."""
    make = Maker(lib)
    sizes = [784, 256, 256, 10]
    params = [
        {"w": make.weight(fan_in, fan_out), "b": make.zeros(fan_out)}
        for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True)
    ]

    def loss(params: Any, x: Any, labels: Any) -> Any:
        *hidden, last = params
        for layer in hidden:
            x = lib.nn.relu(x @ layer["w"] + layer["b"])
        return cross_entropy(lib, x @ last["w"] + last["b"], labels)

    return params, loss, (make.values(128, 784), make.labels(10, 128))


def cnn(lib: ModuleType) -> Model:
    """Three convolutions, two of them of stride 2, on a batch of 32 images of 16 x 16 x 3."""
    make = Maker(lib)
    params = {
        "convs": [make.weight(3, 3, a, b) for a, b in ((3, 16), (16, 32), (32, 32))],
        "biases": [make.zeros(16), make.zeros(32), make.zeros(32)],
        "output": {"w": make.weight(4 * 4 * 32, 10), "b": make.zeros(10)},
    }

    def loss(params: Any, x: Any, labels: Any) -> Any:
        for i, (kernel, bias) in enumerate(zip(params["convs"], params["biases"], strict=True)):
            x = lib.lax.conv_general_dilated(
                x,
                kernel,
                window_strides=(1, 1) if i == 0 else (2, 2),
                padding="SAME",
                dimension_numbers=("NHWC", "HWIO", "NHWC"),
            )
            x = lib.nn.relu(x + bias)
        x = x.reshape(x.shape[0], -1)
        return cross_entropy(lib, x @ params["output"]["w"] + params["output"]["b"], labels)

    return params, loss, (make.values(32, 16, 16, 3), make.labels(10, 32))


def transformer(lib: ModuleType) -> Model:
    """A decoder of 2 layers, 64 wide, with 4 heads, on 8 sequences of 32 tokens out of 100."""
    jnp = lib.numpy
    make = Maker(lib)
    width, heads, length, vocabulary = 64, 4, 32, 100

    def layer_params() -> dict:
        return {
            "norm1": {"scale": make.ones(width), "bias": make.zeros(width)},
            "norm2": {"scale": make.ones(width), "bias": make.zeros(width)},
            "qkv": make.weight(width, 3 * width),
            "project": make.weight(width, width),
            "up": make.weight(width, 4 * width),
            "down": make.weight(4 * width, width),
        }

    params = {
        "tokens": make.weight(vocabulary, width),
        "positions": make.weight(length, width),
        "layers": [layer_params(), layer_params()],
        "norm": {"scale": make.ones(width), "bias": make.zeros(width)},
    }

    def layer_norm(norm: Any, x: Any) -> Any:
        mean = jnp.mean(x, axis=-1, keepdims=True)
        variance = jnp.var(x, axis=-1, keepdims=True)
        return (x - mean) / jnp.sqrt(variance + 1e-6) * norm["scale"] + norm["bias"]

    def attention(layer: Any, x: Any) -> Any:
        batch = x.shape[0]
        q, k, v = (
            a.reshape(batch, length, heads, width // heads)
            for a in jnp.split(x @ layer["qkv"], 3, axis=-1)
        )
        scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) / np.sqrt(width // heads).astype(np.float32)
        positions = jnp.arange(length)
        visible = positions[:, None] >= positions[None, :]
        weights = lib.nn.softmax(jnp.where(visible, scores, -1e9), axis=-1)
        mixed = jnp.einsum("bhqk,bkhd->bqhd", weights, v)
        return mixed.reshape(batch, length, width) @ layer["project"]

    def loss(params: Any, tokens: Any) -> Any:
        inputs, targets = tokens[:, :-1], tokens[:, 1:]
        x = params["tokens"][inputs] + params["positions"]
        for layer in params["layers"]:
            x = x + attention(layer, layer_norm(layer["norm1"], x))
            hidden = lib.nn.gelu(layer_norm(layer["norm2"], x) @ layer["up"])
            x = x + hidden @ layer["down"]
        logits = layer_norm(params["norm"], x) @ params["tokens"].T
        return cross_entropy(lib, logits, targets)

    return params, loss, (make.labels(vocabulary, 8, length + 1),)

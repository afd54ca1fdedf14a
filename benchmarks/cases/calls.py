"""A hundred common calls on small arrays, run eagerly: nearly all of the time is dispatch.

Each is written as users write it. Together they have one budget, of the geometric mean of their
ratios (`MEANS`), and each has one of its own, which says that none is much slower than in JAX.
"""

from types import ModuleType
from typing import Any

import numpy as np

from .case import Case, Sample, per_call

GROUP = "call/"
MEANS = {GROUP: 0.6}

CALLS = """
x + y
x * 2
2.0 - x
x / y
x ** 2
-x
abs(x)
x > y
x == y
x @ y
m @ v
m @ m.T
i + 1
i // 3
i % 3
i << 1
b & b
~b
jnp.add(x, y)
jnp.multiply(x, 3.0)
jnp.exp(x)
jnp.log(x)
jnp.tanh(x)
jnp.sqrt(x)
jnp.square(x)
jnp.sin(x)
jnp.arctan2(x, y)
jnp.maximum(x, 0)
jnp.minimum(x, y)
jnp.clip(x, 0.0, 1.0)
jnp.power(x, 2.0)
jnp.abs(x)
jnp.sign(x)
jnp.floor(x)
jnp.round(x)
jnp.isnan(x)
jnp.isfinite(x)
jnp.logical_and(b, b)
jnp.where(b, x, y)
jnp.where(x > 0, x, 0.0)
jnp.sum(x)
jnp.sum(m, axis=0)
jnp.mean(m, axis=1)
jnp.max(m, axis=-1, keepdims=True)
jnp.min(x)
jnp.prod(x)
jnp.std(x)
jnp.var(m, axis=0)
jnp.any(b)
jnp.all(b)
jnp.argmax(x)
jnp.argmin(m, axis=1)
jnp.cumsum(x)
jnp.cumprod(x)
jnp.sort(x)
jnp.argsort(x)
jnp.median(x)
jnp.percentile(x, 30.0)
jnp.count_nonzero(b)
jnp.dot(x, y)
jnp.matmul(m, m.T)
jnp.vdot(x, y)
jnp.inner(x, y)
jnp.outer(x, y)
jnp.tensordot(m, m, axes=2)
jnp.einsum('ij,kj->ik', m, m)
jnp.linalg.norm(x)
jnp.linalg.inv(s)
jnp.linalg.solve(s, s)
jnp.linalg.det(s)
jnp.trace(s)
jnp.diag(s)
jnp.tril(s)
jnp.zeros((2, 4))
jnp.ones(8)
jnp.full((3,), 7.0)
jnp.zeros_like(m)
jnp.arange(8)
jnp.linspace(0.0, 1.0, 8)
jnp.eye(4)
jnp.asarray([1.0, 2.0, 3.0])
jnp.reshape(m, (4, 2))
m.T
m.reshape(-1)
jnp.transpose(m)
jnp.expand_dims(x, 0)
x[:, None]
jnp.squeeze(m[:1])
jnp.concatenate([x, y])
jnp.stack([x, y])
jnp.split(x, 2)
jnp.tile(x, 2)
jnp.repeat(x, 2)
jnp.broadcast_to(x, (2, 8))
jnp.pad(x, 1)
jnp.roll(x, 1)
jnp.flip(x)
jnp.take(x, i)
m[0]
x[-1]
m[:, 1]
x[2:5]
x[::2]
x[i]
x.at[2].set(1.0)
x.at[i].add(1.0)
x.astype(jnp.int32)
jnp.searchsorted(x, y)
jnp.bincount(i, length=8)
nn.relu(x)
nn.softmax(x)
nn.one_hot(i, 8)
jnp.allclose(x, y)
random.normal(key, (8,))
random.split(key)
float(jnp.sum(x))
jnp.max(m).item()
bool(jnp.all(b))
""".strip().splitlines()


def operands(lib: ModuleType) -> dict[str, Any]:
    """The arrays and modules that the calls name."""
    jnp = lib.numpy
    x = np.linspace(0.5, 1.5, 8, dtype=np.float32)
    return {
        "jnp": jnp,
        "nn": lib.nn,
        "random": lib.random,
        "x": jnp.asarray(x),
        "y": jnp.asarray(x[::-1].copy()),
        "v": jnp.asarray(x[:4].copy()),
        "m": jnp.asarray(x.reshape(2, 4)),
        "s": jnp.asarray(np.eye(3, dtype=np.float32) + 0.1),
        "b": jnp.asarray(x > 1),
        "i": jnp.asarray(np.arange(8, dtype=np.int32)[::-1].copy()),
        "key": lib.random.key(0),
    }


def case(text: str) -> Case:
    def prepare(lib: ModuleType) -> Sample:
        call = eval(f"lambda: {text}", operands(lib))
        return per_call(call, at_least=0.02)

    return Case(GROUP + text, 1.1, prepare)


CASES = [case(text) for text in CALLS]

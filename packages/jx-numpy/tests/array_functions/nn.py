"""Calls of `jx.nn`: activations by their formulas, normalisations, attention, encodings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from jx_numpy import nn

from .call import Call, of
from .data import BF16, bools, complexes, empty, ints, reals

X = 2 * reals(2, 5)
MASK = np.array([[True, False, True, True, True], [False, True, True, False, True]])
erf = np.vectorize(math.erf, otypes=[float])


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softplus(x: Any) -> Any:
    return np.log1p(np.exp(x))


ACTIVATIONS: dict[Callable[..., Any], Callable[[Any], Any]] = {
    nn.relu: lambda x: np.maximum(x, 0),
    nn.relu6: lambda x: np.clip(x, 0, 6),
    nn.sigmoid: sigmoid,
    nn.softplus: softplus,
    nn.log_sigmoid: lambda x: -softplus(-x),
    nn.silu: lambda x: x * sigmoid(x),
    nn.swish: lambda x: x * sigmoid(x),
    nn.soft_sign: lambda x: x / (1 + np.abs(x)),
    nn.mish: lambda x: x * np.tanh(softplus(x)),
    nn.hard_tanh: lambda x: np.clip(x, -1, 1),
    nn.hard_sigmoid: lambda x: np.clip(x / 6 + 0.5, 0, 1),
    nn.hard_silu: lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    nn.hard_swish: lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    nn.selu: lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    nn.elu: lambda x: np.where(x > 0, x, np.expm1(x)),
    nn.celu: lambda x: np.where(x > 0, x, np.expm1(x)),
    nn.leaky_relu: lambda x: np.where(x > 0, x, 0.01 * x),
    nn.gelu: lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    nn.squareplus: lambda x: (x + np.sqrt(x * x + 4)) / 2,
    nn.sparse_plus: lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)),
    nn.sparse_sigmoid: lambda x: np.clip((x + 1) / 2, 0, 1),
    nn.identity: lambda x: x,
}
WITH_PARAMETERS = [
    (nn.elu, {"alpha": 0.5}, lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x))),
    (nn.celu, {"alpha": 2.0}, lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x / alpha))),
    (nn.leaky_relu, {"negative_slope": 0.2},
     lambda x, negative_slope: np.where(x > 0, x, negative_slope * x)),
    (nn.gelu, {"approximate": False}, lambda x, approximate: 0.5 * x * (1 + erf(x / np.sqrt(2)))),
    (nn.squareplus, {"b": 1.5}, lambda x, b: (x + np.sqrt(x * x + b)) / 2),
]  # fmt: skip


def activations() -> Iterator[Call]:
    for f, oracle in ACTIVATIONS.items():
        yield of(f, X).having(moving=(0,), expected=oracle, slack=16, atol=1e-15)
        yield of(f, X.astype(np.float32)).having(expected=oracle, slack=16, atol=1e-6)
        yield of(f, X[0].astype(BF16)).having(expected=oracle, dtype=BF16, atol=3e-2)
        yield of(f, np.array(0.7)).having(expected=oracle, slack=16)
        yield of(f, empty(0, 2)).having(expected=oracle)
    for f, kwargs, oracle in WITH_PARAMETERS:
        yield of(f, X, **kwargs).having(moving=(0,), expected=oracle, slack=32)
        yield of(f, X.astype(np.float32), **kwargs).having(expected=oracle, slack=32, atol=1e-6)
    yield of(nn.relu, ints(4)).having(expected=lambda x: np.maximum(x, 0))
    below = -np.abs(X)
    yield of(nn.log1mexp, -below).having(
        moving=(0,), expected=lambda x: np.log(-np.expm1(-x)), slack=64
    )
    for axis in (-1, 0):
        a = X[:, :4] if axis else X
        yield of(nn.glu, a, axis=axis).having(moving=(0,), expected=gated, slack=16)


def gated(x: Any, axis: int) -> Any:
    a, b = np.split(x, 2, axis)
    return a * sigmoid(b)


def log_sum(x: Any, axis: Any = None, b: Any = 1.0, keepdims: bool = False,
            return_sign: bool = False, where: Any = True, mean: bool = False) -> Any:  # fmt: skip
    terms = np.where(where, b * np.exp(x), 0)
    total = terms.sum(axis=axis, keepdims=keepdims)
    if mean:
        total = total / np.broadcast_to(where, x.shape).sum(axis=axis, keepdims=keepdims)
    if return_sign:
        return np.log(np.abs(total)), np.sign(total)
    return np.log(total)


def normalised(x: Any, axis: Any = -1, where: Any = True) -> Any:
    terms = np.where(where, np.exp(x), 0)
    return terms / terms.sum(axis=axis, keepdims=True)


def log_normalised(x: Any, axis: Any = -1, where: Any = True) -> Any:
    with np.errstate(all="ignore"):
        return np.log(normalised(x, axis, where))


def standardised(
    x: Any, axis: Any = -1, mean: Any = None, variance: Any = None, epsilon: float = 1e-5,
    where: Any = True, algorithm: str = "fast",
) -> Any:  # fmt: skip
    mean = x.mean(axis=axis, keepdims=True, where=where) if mean is None else mean
    if variance is None:
        variance = (np.abs(x - mean) ** 2).mean(axis=axis, keepdims=True, where=where)
    return (x - mean) / np.sqrt(variance + epsilon)


def normalisations() -> Iterator[Call]:
    for f, oracle in ((nn.softmax, normalised), (nn.log_softmax, log_normalised)):
        yield of(f, X).having(moving=(0,), expected=oracle, slack=16)
        yield of(f, X, axis=0).having(moving=(0,), expected=oracle, slack=16)
        yield of(f, X, axis=(0, 1)).having(expected=oracle, slack=16)
        yield of(f, X, where=MASK).having(
            moving=(0,) if f is nn.softmax else (), expected=oracle, slack=16
        )
        yield of(f, X.astype(np.float32)).having(expected=oracle, slack=16)
        yield of(f, X.astype(BF16)).having(expected=oracle, dtype=BF16, atol=4e-2)
    yield of(nn.logsumexp, X).having(moving=(0,), expected=log_sum, slack=8)
    yield of(nn.logsumexp, X, axis=1, b=np.abs(X[::-1]), keepdims=True).having(
        moving=(0, 1), expected=log_sum, slack=8
    )
    yield of(nn.logsumexp, X, axis=0, b=X, return_sign=True).having(expected=log_sum, slack=64)
    yield of(nn.logsumexp, X, axis=1, where=MASK).having(moving=(0,), expected=log_sum, slack=8)
    yield of(nn.logsumexp, complexes(4)).having(moving=(0,), expected=log_sum, slack=32)
    yield of(nn.logsumexp, ints(5)).having(expected=log_sum, slack=8)
    yield of(nn.logmeanexp, X).having(
        moving=(0,), expected=lambda x: log_sum(x, mean=True), slack=16
    )
    yield of(nn.logmeanexp, X, axis=1, keepdims=True, where=MASK).having(
        moving=(0,), expected=lambda x, **kw: log_sum(x, mean=True, **kw), slack=16
    )
    for algorithm in ("fast", "stable"):
        yield of(nn.standardize, X, algorithm=algorithm).having(
            moving=(0,), expected=standardised, slack=64
        )
    yield of(nn.standardize, X, axis=0, epsilon=1e-3).having(expected=standardised, slack=64)
    yield of(nn.standardize, X, where=MASK).having(expected=standardised, slack=64)
    yield of(nn.standardize, X, mean=np.array(0.5), variance=np.array(2.0)).having(
        moving=(0, 1, 2), expected=standardised, slack=64
    )


def encoded(x: Any, n: int, dtype: Any = float, axis: int = -1) -> Any:
    return np.moveaxis((x[..., None] == np.arange(n)).astype(dtype), -1, axis)


def encodings() -> Iterator[Call]:
    yield of(nn.one_hot, ints(4, low=-1, high=4), 4).having(expected=encoded)
    yield of(nn.one_hot, ints(2, 3, low=0, high=4), num_classes=3, dtype=np.int32, axis=0).having(
        expected=lambda x, num_classes, dtype, axis: encoded(x, num_classes, dtype, axis)
    )
    q, k, v = reals(2, 3, 2, 4), reals(2, 5, 2, 4, low=-1, high=2), reals(2, 5, 2, 4)
    yield of(nn.dot_product_attention, q, k, v).having(
        moving=(0, 1, 2), expected=attended, slack=64
    )
    yield of(nn.dot_product_attention, q, q, q, scale=0.3, is_causal=True).having(
        expected=attended, slack=64
    )
    bias, mask = reals(2, 2, 3, 5), bools(2, 1, 3, 5)
    mask[..., 0] = True
    yield of(nn.dot_product_attention, q, k, v, bias=bias, mask=mask, implementation="xla").having(
        moving=(0, 3), expected=attended, slack=64
    )
    yield of(nn.dot_product_attention, q, k, v, query_seq_lengths=np.array([2, 3]),
             key_value_seq_lengths=np.array([4, 1]), local_window_size=(3, 3)).having(
        expected=attended, slack=64)  # fmt: skip
    yield of(nn.dot_product_attention, q, k, v, return_residual=True).having(
        expected=attended, slack=64
    )


def attended(q: Any, k: Any, v: Any, bias: Any = None, mask: Any = None, scale: Any = None,
             is_causal: bool = False, query_seq_lengths: Any = None,
             key_value_seq_lengths: Any = None, local_window_size: Any = None,
             implementation: Any = None, return_residual: bool = False) -> Any:  # fmt: skip
    scores = np.einsum("btnh,bsnh->bnts", q, k) * (q.shape[-1] ** -0.5 if scale is None else scale)
    scores = scores if bias is None else scores + bias
    t, s = np.arange(q.shape[1])[:, None], np.arange(k.shape[1])
    allowed = np.ones(scores.shape, bool) if mask is None else np.broadcast_to(mask, scores.shape)
    if is_causal:
        allowed = allowed & (s <= t)
    if local_window_size is not None:
        left, right = local_window_size
        allowed = allowed & (s >= t - left) & (s <= t + right)
    if key_value_seq_lengths is not None:
        allowed = allowed & (s < key_value_seq_lengths[:, None, None, None])
    scores = np.where(allowed, scores, -np.inf)
    total = log_sum(scores, axis=-1, keepdims=True)
    result = np.einsum("bnts,bsnh->btnh", np.exp(scores - total), v)
    if query_seq_lengths is not None:
        inside = np.arange(q.shape[1]) < query_seq_lengths[:, None]
        result = np.where(inside[:, :, None, None], result, 0)
    return (result, np.moveaxis(total[..., 0], 1, 2)) if return_residual else result


CALLS = [*activations(), *normalisations(), *encodings()]

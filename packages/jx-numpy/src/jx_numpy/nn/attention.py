"""Scaled dot-product attention, for many heads, with shared key heads, masks and windows.

The plain formula in array operations, which the compiler fuses; it holds the whole matrix
of logits.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from jx_core import dtypes, lax, operators
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert

from ..functions import array_function, plain
from ..operands import (
    Array,
    ArrayLike,
    accumulation_dtype,
    an_integer,
    as_operand,
    broadcast_to,
    is_floating,
    is_integer,
    typeof,
)
from .logarithms import logsumexp
from .normalization import softmax

__all__ = ["dot_product_attention"]

_NAME = "dot_product_attention"
_INT = np.dtype(np.int32)


class _Sizes(NamedTuple):
    """The lengths of the axes, under the letters of the docstring."""

    B: int
    T: int
    S: int
    N: int
    K: int
    H: int

    @property
    def logits(self) -> tuple[int, int, int, int]:
        return self.B, self.N, self.T, self.S


@array_function("is_causal", "local_window_size", "implementation", "return_residual")
def dot_product_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    bias: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    *,
    scale: ArrayLike | None = None,
    is_causal: bool = False,
    query_seq_lengths: ArrayLike | None = None,
    key_value_seq_lengths: ArrayLike | None = None,
    local_window_size: int | tuple[int, int] | None = None,
    implementation: str | None = None,
    return_residual: bool = False,
) -> Any:
    """Attention: means of values, weighted by how well their keys answer each query.

    For each head, softmax(scale query key^T + bias) value, with the softmax along the keys. In
    the shapes below, B is the number of sequences, T and S the lengths of those of queries and
    keys, N and K the numbers of their heads, and H the length of a head's vectors.

    Args:
        query: floats, of shape (B, T, N, H), or (T, N, H) for one sequence.
        key: an array of the dtype of `query` and of shape (B, S, K, H), or (S, K, H). N is a
            multiple of K: each key head serves N / K query heads next to each other.
        value: an array of the shape and dtype of `key`.
        bias: added to the logits; its shape broadcasts to (B, N, T, S).
        mask: booleans that say which keys a query attends to; the shape broadcasts to
            (B, N, T, S). A query that may attend to none attends to all alike.
        scale: a factor of the logits; 1 / sqrt(H) if None.
        is_causal: let query number t attend only to keys up to number t.
        query_seq_lengths: how many queries each sequence has, integers of shape (B,); results
            for queries beyond are 0.
        key_value_seq_lengths: how many keys each sequence has, integers of shape (B,); those
            beyond are not attended to.
        local_window_size: how many keys before and after its own number a query attends to,
            as a pair; one integer stands for both.
        implementation: `"xla"` or None, which are the same.
        return_residual: whether to return the logarithms of the sums of exponentials as well.

    Returns:
        An array of the shape and dtype of `query`; with `return_residual`, a pair of it and an
        array of shape (B, T, N), or (T, N). Logits and softmax are in float32 at least.

    Raises:
        ShapeError: the shapes don't fit together.
        TypeError: the arrays are not floats of one dtype, or a mask not of booleans.
        ValueError: an unknown implementation; a negative window.

    See Vaswani et al., "Attention is all you need" (2017), https://arxiv.org/abs/1706.03762,
    and, for shared key heads, Ainslie et al., "GQA" (2023), https://arxiv.org/abs/2305.13245.

    >>> x = jnp.ones((4, 2, 8))
    >>> jx.nn.dot_product_attention(x, x, x, is_causal=True).shape
    (4, 2, 8)
    """
    if implementation not in (None, "xla"):
        raise ValueError(f"{_NAME}: implementation must be None or 'xla', got {implementation!r}")
    query, key, value, sizes, batched = _operands(query, key, value)
    query_lengths = _lengths("query_seq_lengths", query_seq_lengths, sizes)
    key_lengths = _lengths("key_value_seq_lengths", key_value_seq_lengths, sizes)
    logits = _products(query, key, sizes)
    logits = operators.multiply(logits, 1 / math.sqrt(sizes.H) if scale is None else scale)
    logits = convert(logits, accumulation_dtype(typeof(query).dtype))
    if bias is not None:
        logits = operators.add(logits, _like_logits("bias", bias, sizes))
    allowed = _allowed(mask, sizes, is_causal, local_window_size, query_lengths, key_lengths)
    if allowed is not None:
        # Finite, so that a query that may attend to nothing has a softmax and derivatives.
        lowest = -0.7 * float(dtypes.finfo(typeof(logits).dtype).max)
        logits = lax.select(broadcast_to(allowed, sizes.logits), logits, lowest)
    weights = convert(plain(softmax)(logits), typeof(value).dtype)
    results = [_means(weights, value, sizes)]
    if query_lengths is not None:
        shape = (sizes.B, sizes.T, sizes.N, sizes.H)
        results = [lax.select(_first(query_lengths, shape, 1), results[0], 0.0)]
    if return_residual:
        residual = lax.transpose(plain(logsumexp)(logits, -1), (0, 2, 1))
        results.append(convert(residual, typeof(query).dtype))
    if not batched:
        results = [lax.squeeze(x, (0,)) for x in results]
    return tuple(results) if return_residual else results[0]


# Arguments.


def _operands(query: Any, key: Any, value: Any) -> tuple[Array, Array, Array, _Sizes, bool]:
    """Query, key and value as batches, their sizes, and whether they were batches before."""
    arrays = [as_operand(_NAME, x, i) for i, x in enumerate((query, key, value))]
    avals = [typeof(x) for x in arrays]
    names = ("query", "key", "value")
    shapes = ", ".join(f"{name} {a.shape}" for name, a in zip(names, avals, strict=True))
    if any(a.dtype != avals[0].dtype or not is_floating(a.dtype) for a in avals):
        got = ", ".join(f"{name} {a.dtype.name}" for name, a in zip(names, avals, strict=True))
        raise TypeError(f"{_NAME}: query, key and value must be floats of one dtype, got {got}")
    if {a.ndim for a in avals} not in ({3}, {4}):
        raise ShapeError(
            f"{_NAME}: query must have shape (B, T, N, H) or (T, N, H), and key and value "
            f"(B, S, K, H) or (S, K, H); got shapes {shapes}"
        )
    batched = avals[0].ndim == 4
    if not batched:
        arrays = [lax.expand_dims(x, (0,)) for x in arrays]
    q, k, v = [typeof(x).shape for x in arrays]
    sizes = _Sizes(B=q[0], T=q[1], S=k[1], N=q[2], K=k[2], H=q[3])
    if k != v or (q[0], q[3]) != (k[0], k[3]):
        raise ShapeError(
            f"{_NAME}: key and value must have one shape, which has the first axis of query (if "
            f"that has 4) and the last; got shapes {shapes}"
        )
    if not sizes.K or sizes.N % sizes.K:
        raise ShapeError(
            f"{_NAME}: the number of query heads must be a multiple of that of key heads, got "
            f"{sizes.N} and {sizes.K} (shapes {shapes})"
        )
    return (*arrays, sizes, batched)  # type: ignore[return-value]


def _lengths(argument: str, lengths: Any, sizes: _Sizes) -> Any:
    """Lengths of sequences, checked."""
    if lengths is None:
        return None
    aval = typeof(as_operand(_NAME, lengths))
    if not is_integer(aval.dtype):
        raise TypeError(f"{_NAME}: {argument} must be integers, got dtype {aval.dtype.name}")
    if aval.shape != (sizes.B,):
        raise ShapeError(
            f"{_NAME}: {argument} must have a length for each sequence, so shape {(sizes.B,)}; "
            f"got shape {aval.shape}"
        )
    return convert(lengths, _INT)


def _like_logits(argument: str, x: Any, sizes: _Sizes) -> Array:
    """`x`, an operand whose shape must broadcast to that of the logits."""
    x = as_operand(_NAME, x)
    shape = typeof(x).shape
    padded = (1,) * (4 - len(shape)) + shape
    if len(padded) > 4 or any(m not in (1, n) for m, n in zip(padded, sizes.logits, strict=True)):
        raise ShapeError(
            f"{_NAME}: {argument} must broadcast to the shape (B, N, T, S) of the logits, which "
            f"is {sizes.logits}; got shape {shape}"
        )
    return x


# The masks.


def _allowed(
    mask: Any, sizes: _Sizes, is_causal: bool, window: Any, query_lengths: Any, key_lengths: Any
) -> Any:
    """Which keys each query attends to, broadcasting to the logits; None where all are."""
    masks = []
    if mask is not None:
        masks.append(_like_logits("mask", mask, sizes))
        if typeof(masks[0]).dtype != np.bool_:
            raise TypeError(
                f"{_NAME}: mask must hold booleans, got dtype {typeof(masks[0]).dtype.name}; a "
                f"mask to be added to the logits is a bias"
            )
    masks += _near(sizes, is_causal, window)
    if query_lengths is not None:
        masks.append(_first(query_lengths, (sizes.B, 1, sizes.T, 1), 2))
    if key_lengths is not None:
        masks.append(_first(key_lengths, (sizes.B, 1, 1, sizes.S), 3))
    return functools.reduce(operators.bitwise_and, masks) if masks else None


def _near(sizes: _Sizes, is_causal: bool, window: Any) -> list[Array]:
    """The masks of shape (T, S) for queries that attend only to keys of certain numbers."""
    before = after = None
    if window is not None:
        pair = window if isinstance(window, tuple) else (window, window)
        before, after = [an_integer(_NAME, n, "local_window_size") for n in pair]
        if before < 0 or after < 0:
            raise ValueError(f"{_NAME}: local_window_size must not be negative, got {window}")
    if is_causal:
        after = 0
    if before is None and after is None:
        return []
    shape = (sizes.T, sizes.S)
    t, s = lax.broadcasted_iota(_INT, shape, 0), lax.broadcasted_iota(_INT, shape, 1)
    masks = [] if after is None else [lax.le(s, lax.add(t, after) if after else t)]
    return masks if before is None else [*masks, lax.ge(s, lax.sub(t, before))]


def _first(lengths: Array, shape: tuple[int, ...], axis: int) -> Array:
    """Whether an index along `axis` is below the length of its sequence, along the first."""
    index = lax.broadcasted_iota(_INT, shape, axis)
    return lax.lt(index, lax.broadcast_in_dim(lengths, shape, (0,)))


# The products. With shared key heads, (K, G) stands for the N query heads.


def _products(query: Array, key: Array, sizes: _Sizes) -> Array:
    """The inner product of each query and key, of shape (B, N, T, S), in float32 at least."""
    B, T, _, N, K, H = sizes
    dtype = accumulation_dtype(typeof(query).dtype)
    if N == K:
        axes = (((3,), (3,)), ((0, 2), (0, 2)))
        return lax.dot_general(query, key, axes, preferred_element_type=dtype)
    grouped = lax.reshape(query, (B, T, K, N // K, H))
    axes = (((4,), (3,)), ((0, 2), (0, 2)))
    products = lax.dot_general(grouped, key, axes, preferred_element_type=dtype)  # BKTGS
    return lax.reshape(lax.transpose(products, (0, 1, 3, 2, 4)), sizes.logits)


def _means(weights: Array, value: Array, sizes: _Sizes) -> Array:
    """The mean of the values for each query, of shape (B, T, N, H)."""
    B, T, S, N, K, H = sizes
    if N == K:
        means = lax.dot_general(weights, value, (((3,), (1,)), ((0, 1), (0, 2))))  # BNTH
        return lax.transpose(means, (0, 2, 1, 3))
    grouped = lax.reshape(weights, (B, K, N // K, T, S))
    means = lax.dot_general(grouped, value, (((4,), (1,)), ((0, 1), (0, 2))))  # BKGTH
    return lax.reshape(lax.transpose(means, (0, 3, 1, 2, 4)), (B, T, N, H))

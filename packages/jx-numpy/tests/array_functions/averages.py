"""Calls of means, variances, quantiles, histograms, covariances and counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import jx_numpy as jnp

from .call import Call, of
from .data import BF16, bools, complexes, empty, ints, reals

X = reals(3, 4)
CUBE = reals(2, 3, 2, dtype=np.float32)
I, U, B = ints(3, 4), ints(3, 4, dtype=np.uint8), bools(3, 4)  # noqa: E741
Z = complexes(3, 4)
MASK = np.array([[True, False, True, True], [True, True, False, True], [False, True, True, True]])
HOLES = np.where(MASK, X, np.nan)
WEIGHTS = reals(4, low=0.3, high=1.9)
METHODS = ("linear", "lower", "higher", "nearest", "midpoint", "inverted_cdf")


def means() -> Iterator[Call]:
    for f in (jnp.mean, jnp.nanmean):
        yield of(f, X).having(moving=(0,))
        yield of(f, X, axis=0, keepdims=True).having(moving=(0,))
        yield of(f, X, axis=1, where=MASK).having(moving=(0,))
        yield of(f, CUBE, axis=(0, 2)).having(atol=1e-7)
        yield of(f, I)
        yield of(f, U, axis=1, dtype=np.float32)
        yield of(f, B, axis=0)
        yield of(f, Z, axis=-1).having(moving=(0,))
        yield of(f, X.astype(BF16), axis=1).having(dtype=BF16, atol=2e-2)
        yield of(f, empty(0, 3), axis=0)
        yield of(f, np.array(2.0))
    yield of(jnp.nanmean, HOLES, axis=0)
    yield of(jnp.nanmean, HOLES, axis=1, where=X > 0)
    yield of(jnp.average, X).having(moving=(0,))
    yield of(jnp.average, X, axis=1, weights=WEIGHTS, keepdims=True).having(moving=(0, 1))
    yield of(jnp.average, X, axis=(0, 1), weights=np.abs(X), returned=True).having(slack=4)
    yield of(jnp.average, I, axis=0)
    yield of(jnp.average, Z, axis=1, weights=WEIGHTS)


def spreads() -> Iterator[Call]:
    for f in (jnp.var, jnp.std, jnp.nanvar, jnp.nanstd):
        yield of(f, X).having(moving=(0,), slack=4)
        yield of(f, X, axis=1, ddof=1, keepdims=True).having(moving=(0,), slack=4)
        yield of(f, X, axis=0, where=MASK).having(moving=(0,), slack=4)
        yield of(f, X, axis=1, mean=X.mean(1, keepdims=True)).having(slack=4)
        yield of(f, CUBE, axis=(0, 2))
        yield of(f, I, dtype=np.float32)
        yield of(f, U, axis=1)
        yield of(f, Z, axis=-1).having(moving=(0,), slack=4)
        yield of(f, X.astype(BF16), axis=1).having(dtype=BF16, atol=2e-2)
        yield of(f, np.array(2.0))
    for f in (jnp.var, jnp.std):
        yield of(f, X, axis=1, correction=1).having(moving=(0,), slack=4)
        yield of(f, empty(0, 3), axis=0)
    for f in (jnp.nanvar, jnp.nanstd):
        yield of(f, HOLES, axis=0, ddof=1).having(slack=4)
        yield of(f, HOLES).having(slack=4)


def quantiles() -> Iterator[Call]:
    q = np.array([0.1, 0.5, 0.83])
    for f, scale in ((jnp.quantile, 1), (jnp.percentile, 100), (jnp.nanquantile, 1),
                     (jnp.nanpercentile, 100)):  # fmt: skip
        yield of(f, X, q * scale, axis=1).having(moving=(0,), slack=8)
        yield of(f, X, q[1] * scale, axis=None, keepdims=True).having(moving=(0,), slack=8)
        yield of(f, X, np.array([0.31, 0.77]) * scale).having(moving=(1,), slack=8)
        yield of(f, CUBE, q.astype(np.float32) * scale, axis=(0, 2)).having(slack=4, atol=1e-6)
        yield of(f, I, 0.3 * scale, axis=0, overwrite_input=False)
        yield of(f, HOLES, q * scale, axis=1).having(slack=8)
        for method in METHODS:
            yield of(f, X, 0.4 * scale, axis=1, method=method).having(
                slack=8, moving=(0,) if method == "midpoint" else ()
            )
        yield of(f, X, 0.4 * scale, axis=1, method="inverted_cdf", weights=np.abs(X)).having(
            slack=8
        )
    for f in (jnp.median, jnp.nanmedian):
        yield of(f, X).having(moving=(0,))
        yield of(f, X, axis=1, keepdims=True).having(moving=(0,))
        yield of(f, CUBE, axis=(0, 1), overwrite_input=False)
        yield of(f, I, axis=0)
        yield of(f, U)
        yield of(f, HOLES, axis=1)
        yield of(f, HOLES[:, :3])
        yield of(f, X.astype(BF16), axis=1).having(dtype=BF16, atol=2e-2)


def covariances() -> Iterator[Call]:
    for f in (jnp.cov, jnp.corrcoef):
        yield of(f, X).having(moving=(0,), slack=16, atol=1e-14)
        yield of(f, X, X[::-1] ** 2, rowvar=False).having(slack=64, atol=1e-13)
        yield of(f, X[0], X[1]).having(moving=(0, 1), slack=16, atol=1e-14)
        yield of(f, X.astype(np.float32), dtype=np.float64).having(slack=16, atol=1e-14)
        yield of(f, X.astype(np.float32)).having(slack=16, atol=1e-6)
        yield of(f, Z).having(slack=16, atol=1e-14)
        yield of(f, I).having(slack=16, atol=1e-14)
    yield of(jnp.cov, X, bias=True).having(slack=16, atol=1e-14)
    yield of(jnp.cov, X, ddof=0).having(slack=16, atol=1e-14)
    yield of(jnp.cov, X, fweights=np.array([1, 2, 3, 1])).having(slack=16, atol=1e-14)
    yield of(jnp.cov, X, aweights=WEIGHTS).having(moving=(0, 1), slack=16, atol=1e-14)


def histograms() -> Iterator[Call]:
    data = reals(30)
    weights = reals(30, low=0.2, high=1.2)
    edges = np.array([-2.0, -0.5, 0.1, 2.0])
    whole = {"batch": "the edges of each row are others", "slack": 16}
    yield of(jnp.histogram, data, bins=edges).having(slack=4, expected=counted)
    yield of(jnp.histogram, data, bins=edges, weights=weights).having(slack=8)
    yield of(jnp.histogram, data, bins=edges, density=True).having(slack=8)
    for dtype in (bool, np.int32, np.float32):
        yield of(jnp.histogram, data, bins=edges, weights=(3 * weights).astype(dtype)).having(
            slack=8, expected=counted
        )
    yield of(jnp.histogram, data).having(expected=counted, **whole)
    yield of(jnp.histogram, data, bins=6, range=(-1.0, 1.4)).having(expected=counted, **whole)
    yield of(jnp.histogram, ints(20), bins=4).having(expected=counted, **whole)
    yield of(jnp.histogram_bin_edges, data).having(atol=1e-14)
    yield of(jnp.histogram_bin_edges, data, bins=4, range=(-1, 2), weights=weights).having(
        atol=1e-14
    )
    yield of(jnp.histogram_bin_edges, data, bins=edges)
    x, y = data, reals(30, low=-1.1, high=2.9)[::-1].copy()
    yield of(jnp.histogram2d, x, y, bins=[edges, edges + 0.3]).having(expected=whole_counts)
    yield of(jnp.histogram2d, x, y, bins=4, range=((-2, 2), (-1, 2.5))).having(
        expected=whole_counts, atol=1e-13
    )
    yield of(jnp.histogram2d, x, y, bins=edges, weights=weights, density=True).having(slack=16)
    sample = np.stack([x, y], 1)
    yield of(jnp.histogramdd, sample, bins=3, range=((-2, 2), (-1, 2.5))).having(
        expected=lambda x, **kwargs: whole_counts(x, of=np.histogramdd, **kwargs), atol=1e-13
    )
    yield of(jnp.histogramdd, sample, bins=(edges, edges), weights=weights).having(slack=8)
    yield of(jnp.histogramdd, sample, bins=(edges, edges), density=True).having(slack=8)


def counted(*args: Any, **kwargs: Any) -> Any:
    """NumPy's histogram with counts and weights as floats, as JAX has them."""
    if "weights" in kwargs:
        kwargs["weights"] = np.asarray(kwargs["weights"], float)
    counts, edges = np.histogram(*args, **kwargs)
    return counts.astype(float), edges


def whole_counts(*args: Any, of: Any = np.histogram2d, **kwargs: Any) -> Any:
    """NumPy's histogram of points with counts as integers, as JAX gives them."""
    counts, *edges = of(*args, **kwargs)
    return counts.astype(int), *edges


def counts() -> Iterator[Call]:
    n = ints(12, low=0, high=6)
    yield of(jnp.bincount, n).having(jit="the length goes with the values", batch="likewise")
    yield of(jnp.bincount, n, minlength=9).having(jit="the same", batch="the same")
    yield of(jnp.bincount, n, length=7).having(expected=lambda x, length: np.bincount(x, None, 7))
    yield of(jnp.bincount, n, length=4).having(
        expected=lambda x, length: np.bincount(x, minlength=7)[:4]
    )
    yield of(jnp.bincount, n, weights=reals(12), length=7).having(
        moving=(1,), expected=lambda x, weights, length: np.bincount(x, weights, 7), atol=1e-14
    )
    yield of(jnp.bincount, n.astype(np.uint8), length=7).having(
        expected=lambda x, length: np.bincount(x, None, 7)
    )


CALLS = [*means(), *spreads(), *quantiles(), *covariances(), *histograms(), *counts()]

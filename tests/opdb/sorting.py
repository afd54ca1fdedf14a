"""Samples of the sorting family."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jx_core import lax
from jx_core.errors import ShapeError

from .sample import ALL, FLOATS, REAL, ErrorSample, Sample, apart, array, dtype_of, words


def samples() -> Iterator[Sample]:
    plain = {"dimension": 1, "is_stable": True, "num_keys": 1}
    for dtype in ALL:
        moving = (0,) if "float" in dtype or "complex" in dtype else ()
        x = array((2, 5), dtype) if dtype == "bool" else apart((2, 5), dtype)
        for dimension in (0, 1):
            params = {**plain, "dimension": dimension}
            yield Sample(lax.sort_p, (x,), params, moving=moving, order=1)
        ties, places = array((2, 5), dtype, 0, 3), np.arange(10).reshape(2, 5)
        yield Sample(lax.sort_p, (ties, places), plain, note="ties")
        other = apart((2, 5), "float32", seed=1)
        yield Sample(lax.sort_p, (array((2, 5), "int32", 0, 2), x, other), {**plain, "num_keys": 2})
    for dtype in FLOATS:
        x = np.float64([np.nan, 1, -np.inf, 0.0, -0.0, np.inf, -1, -np.nan, 0.0, -0.0])
        places = np.arange(10)
        yield Sample(
            lax.sort_p, (x.astype(dtype_of(dtype)), places), {**plain, "dimension": 0}, note="NaN"
        )
    yield Sample(lax.sort_p, (array((0, 3), "float32"),), plain, note="empty")
    yield Sample(lax.sort_p, (apart((2, 5), "float32"), words((2, 5))), plain, keys=(1,))
    for dtype in ("bool", *REAL):
        moving = (0,) if "float" in dtype else ()
        x = array((3, 5), dtype) if dtype == "bool" else apart((3, 5), dtype)
        for k, axis in ((2, 1), (3, 0), (5, 1), (0, 1)):
            yield Sample(
                lax.top_k_p, (x,), {"k": k, "axis": axis}, moving=moving if k else (), order=1
            )
        yield Sample(lax.top_k_p, (array((3, 5), dtype, 0, 3),), {"k": 3, "axis": 1}, note="ties")
    for dtype in FLOATS:
        x = np.float64([[np.nan, 1, -np.inf, 0.0, -0.0, np.inf, -1, 0.0]]).astype(dtype_of(dtype))
        yield Sample(lax.top_k_p, (x,), {"k": 8, "axis": 1}, note="NaN")


def error_samples() -> Iterator[ErrorSample]:
    x = np.zeros((2, 3), np.float32)
    yield ErrorSample(
        "sort_axis", lambda: lax.sort(x, dimension=2), ShapeError, "dimension 2 is out of"
    )
    yield ErrorSample("sort_shapes", lambda: lax.sort((x, x[0])), ShapeError, "equal shapes")
    yield ErrorSample("sort_keys", lambda: lax.sort((x,), num_keys=2), ValueError, "num_keys")
    yield ErrorSample("top_k", lambda: lax.top_k(x, 4), ShapeError, "k must be between 0 and")
    yield ErrorSample("top_k_complex", lambda: lax.top_k(x + 1j, 1), TypeError, "top_k does not")

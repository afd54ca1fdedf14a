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
    for dtype in ("int32", "uint32"):
        info = np.iinfo(dtype)
        x = np.array([[info.max, info.min, 0, 1, info.max - 1, info.min + 1, 2**30, 7]], dtype)
        yield Sample(lax.top_k_p, (x,), {"k": 8, "axis": 1}, note="extremes")
    yield from _selected()
    yield from _approximate()


def _approximate() -> Iterator[Sample]:
    def params(k, dimension, largest, aggregate=True, override=-1) -> dict:
        return {
            "k": k,
            "reduction_dimension": dimension,
            "recall_target": 0.95,
            "is_max_k": largest,
            "reduction_input_size_override": override,
            "aggregate_to_topk": aggregate,
        }

    for dtype in FLOATS:
        x = apart((3, 5), dtype)
        for k, axis, largest in ((2, 1, True), (3, 0, False), (5, 1, False), (1, 0, True)):
            yield Sample(
                lax.approx_top_k_p, (x,), params(k, axis, largest), moving=(0,), order=1
            )
        x = np.float64([[np.nan, 1, -np.inf, np.inf, -1, 2, -np.nan]]).astype(dtype_of(dtype))
        for largest in (True, False):
            yield Sample(lax.approx_top_k_p, (x,), params(7, 1, largest), note="NaN")
    # Long enough for bins, with one axis and with two.
    for shape, axis in (((2100,), 0), ((2, 600), 1)):
        x = apart(shape, "float32")
        for largest, override in ((True, -1), (False, 9000)):
            yield Sample(lax.approx_top_k_p, (x,), params(2, axis, largest, False, override))


def error_samples() -> Iterator[ErrorSample]:
    x = np.zeros((2, 3), np.float32)
    yield ErrorSample(
        "sort_axis", lambda: lax.sort(x, dimension=2), ShapeError, "dimension 2 is out of"
    )
    yield ErrorSample("sort_shapes", lambda: lax.sort((x, x[0])), ShapeError, "equal shapes")
    yield ErrorSample("sort_keys", lambda: lax.sort((x,), num_keys=2), ValueError, "num_keys")
    yield ErrorSample("top_k", lambda: lax.top_k(x, 4), ShapeError, "k must be between 0 and")
    for name, call, error, text in (
        ("zero", lambda: lax.approx_max_k(x, 0), ShapeError, "approx_max_k: k must be between 1"),
        ("many", lambda: lax.approx_min_k(x, 4), ShapeError, "approx_min_k: k must be between 1"),
        ("int", lambda: lax.approx_max_k(np.arange(3), 1), TypeError, "approx_max_k does not"),
        ("axis", lambda: lax.approx_max_k(x, 1, 2), ShapeError, "reduction_dimension 2 is out of"),
        ("recall", lambda: lax.approx_max_k(x, 1, recall_target=0), ValueError, "recall_target"),
        (
            "override",
            lambda: lax.approx_max_k(x, 1, reduction_input_size_override=2),
            ValueError,
            "reduction_input_size_override",
        ),
    ):
        yield ErrorSample(f"approx_{name}", call, error, text)
    yield from _order_statistics_errors()
    yield ErrorSample("top_k_complex", lambda: lax.top_k(x + 1j, 1), TypeError, "top_k does not")


def _selected() -> Iterator[Sample]:
    place = np.int32([0, 3])
    for dtype in ("bool", *REAL):
        x = array((2, 5), dtype) if dtype == "bool" else apart((2, 5), dtype)
        moving = (0,) if "float" in dtype else ()
        yield Sample(lax.order_statistics_p, (x, place), moving=moving, order=1)
        yield Sample(lax.order_statistics_p, (array((2, 5), dtype, 0, 3), place), note="ties")
    for dtype in ("float32", "float64", "int32", "uint32", "int64", "uint64"):
        long = np.tile(apart((4, 1200), dtype), (1, 4))
        places = np.int32([0, 4799, 2400, 77])
        yield Sample(lax.order_statistics_p, (long, places), note="long rows")
        yield Sample(lax.order_statistics_p, (long[0], places[2]), note="one long row")
    special = np.resize([np.nan, 1, -np.inf, 0.0, -0.0, np.inf, -1, -np.nan], (3, 4096))
    for dtype in ("float32", "float64"):
        x = special.astype(dtype)
        yield Sample(lax.order_statistics_p, (x, np.int32([0, 600, 3500])), note="NaN")


def _order_statistics_errors() -> Iterator[ErrorSample]:
    statistics = lax.order_statistics
    yield ErrorSample(
        "order_statistics of nothing",
        lambda: statistics(np.ones((2, 0)), np.int32([0, 0])), ShapeError, "not empty",
    )  # fmt: skip
    yield ErrorSample(
        "order_statistics at places of another shape",
        lambda: statistics(np.ones((2, 3)), np.int32(0)), ShapeError, r"shape \(2,\).*got \(\)",
    )  # fmt: skip
    yield ErrorSample(
        "order_statistics at places that are no integers",
        lambda: statistics(np.ones((2, 3)), np.ones(2)), TypeError, "must be int32",
    )  # fmt: skip
    yield ErrorSample(
        "order_statistics of complex numbers",
        lambda: statistics(np.ones(3) * 1j, np.int32(0)), TypeError, "order_statistics",
    )  # fmt: skip

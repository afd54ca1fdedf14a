"""How far special functions are from mpmath's values, and what they are at the edges.

`benchmarks/accuracy.py` measures more of the same, beside JAX.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jx
from jx import lax
from jx_core import backend
from jx_core.config import enable_x64

mp = pytest.importorskip("mpmath")
COUNT = 12
INF, NAN = math.inf, math.nan


def upper(a: Any, x: Any) -> Any:
    return mp.gammainc(a, x, mp.inf, regularized=True)


def lower(a: Any, x: Any) -> Any:
    return mp.gammainc(a, 0, x, regularized=True) if x < a + 1 else 1 - upper(a, x)


def by_order(a: Any, x: Any) -> Any:
    with mp.workdps(60):
        return mp.diff(lower, (a, x), (1, 0))


def moved(a: Any, x: Any) -> Any:
    return -by_order(a, x) / mp.exp(-x + (a - 1) * mp.log(x) - mp.loggamma(a))


def zeta(x: Any, q: Any) -> Any:
    with mp.workdps(120):
        return mp.zeta(x, q)


# The function, its exact values, the logarithmic ranges of its operands, and the bound in ULPs.
# Where results are near the smallest numbers, a bound takes in what the exponential magnifies.
CASES: tuple[tuple[str, Callable[..., Any], tuple[tuple[float, float], ...], float], ...] = (
    ("erfc", mp.erfc, ((0.1, 20),), 32),
    ("lgamma", mp.loggamma, ((1e-3, 1e4),), 4),
    ("digamma", mp.digamma, ((1e-3, 1e4),), 4),
    ("polygamma", lambda n, x: mp.polygamma(int(n), x), ((1, 40), (0.02, 300)), 16),
    ("zeta", zeta, ((1.01, 60), (0.02, 300)), 8),
    ("igamma", lower, ((0.01, 20), (0.01, 20)), 64),
    ("igammac", upper, ((0.01, 20), (0.01, 20)), 32),
    ("igamma", lower, ((60, 120), (60, 120)), 64),
    ("igammac", upper, ((60, 120), (60, 120)), 64),
    ("igamma_grad_a", by_order, ((0.01, 100), (0.5, 100)), 400),
    ("random_gamma_grad", moved, ((0.1, 100), (0.5, 100)), 16),
    (
        "betainc", lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True),
        ((0.05, 60), (0.05, 60), (0.1, 0.95)), 128,
    ),
    ("bessel_i0e", lambda x: mp.besseli(0, x) * mp.exp(-x), ((1e-3, 1e3),), 3),
    ("bessel_i1e", lambda x: mp.besseli(1, x) * mp.exp(-x), ((1e-3, 1e3),), 3),
)  # fmt: skip


def told(value: object) -> str:
    """A part of a test's name: none for functions, whose text is an address."""
    return "" if callable(value) else str(value)[:24]


@pytest.mark.parametrize("name, exact, domain, bound", CASES, ids=told)
def test_ulps(name: str, exact: Callable[..., Any], domain: Any, bound: float) -> None:
    rng = np.random.default_rng(7)
    operands = [np.exp(rng.uniform(np.log(a), np.log(b), COUNT)) for a, b in domain]
    if name == "polygamma":
        operands[0] = np.floor(operands[0])
    function = getattr(lax, name)
    with enable_x64(True), mp.workdps(25):
        values = [exact(*map(mp.mpf, map(float, point))) for point in zip(*operands, strict=True)]
        check(np.asarray(jx.jit(function)(*operands)), values, bound)
        with backend.use("numpy"):
            check(np.asarray(function(*operands)), values, bound)
    narrow = [x.astype(np.float32) for x in operands]
    with mp.workdps(25):
        values = [exact(*map(mp.mpf, map(float, point))) for point in zip(*narrow, strict=True)]
        check(np.asarray(jx.jit(function)(*narrow)), values, 6 if name == "erfc" else 0.51)


def check(got: np.ndarray, values: list[Any], bound: float) -> None:
    for x, value in zip(got, values, strict=True):
        if np.finfo(got.dtype).tiny < abs(value) < np.finfo(got.dtype).max:
            unit = float(np.spacing(np.abs(got.dtype.type(float(value)))))
            assert abs(mp.mpf(float(x)) - value) <= bound * unit, (float(x), float(value))


# Functions and their exact values, with roots: the doubles nearest to them and near them.
ROOTS: dict[str, tuple[Callable[..., Any], Callable[..., Any], tuple[float, ...]]] = {
    "digamma": (
        lax.digamma, mp.digamma,
        (1.4616321449683622, -0.5040830082644554, -3.635293366436901, -13.723347457363827),
    ),
    "expi": (jx.scipy.special.expi, mp.ei, (0.3725074107813666,)),
    "Ci": (
        lambda x: jx.scipy.special.sici(x)[1], mp.ci,
        (0.6165054856207163, 3.3841804225511862, 12.643546829711378, 47.145059968415396),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROOTS)
def test_results_beside_roots_are_precise(name: str) -> None:
    function, exact, roots = ROOTS[name]
    steps = [0.0, *(s * 10.0**-k for k in range(1, 16, 2) for s in (1, -1))]
    points = np.array([root + step for root in roots for step in steps])
    with enable_x64(True), mp.workdps(50):
        values = [exact(mp.mpf(float(x))) for x in points]
        check(np.asarray(jx.jit(function)(points)), values, 8)
        with backend.use("numpy"):
            check(np.asarray(function(points)), values, 8)


EDGES = {
    "zeta": {
        (1, 1): INF, (0.5, 1): NAN, (2, 0): INF, (3, 0): NAN, (2, -1): INF, (3, -1): NAN,
        (2.5, -1.5): NAN, (INF, 2): 0, (INF, 1): 1, (2, INF): 0, (NAN, 1): NAN, (2, NAN): NAN,
    },
    "polygamma": {
        (1, 0): INF, (2, 0): NAN, (1, -1): INF, (1.5, 1): NAN, (-1, 1): NAN, (1, INF): 0,
        (NAN, 1): NAN, (0, 0): NAN, (0, -1): NAN, (1, NAN): NAN, (0, NAN): NAN,
    },
    "igamma": {
        (0, 0): NAN, (0, 1): 1, (1, 0): 0, (1, INF): 1, (INF, 1): 0, (INF, INF): 1, (0, INF): 1,
        (-1, 1): NAN, (1, -1): NAN, (NAN, 1): NAN, (1, NAN): NAN,
    },
    "igammac": {
        (0, 0): NAN, (0, 1): 0, (1, 0): 1, (1, INF): 0, (INF, 1): 1, (INF, INF): 0, (0, INF): 0,
        (-1, 1): NAN, (1, -1): NAN, (NAN, 1): NAN, (1, NAN): NAN,
    },
    "igamma_grad_a": {
        (1, 0): 0, (1, INF): 0, (INF, 1): 0, (0, 0): NAN, (-1, 1): NAN, (1, -1): NAN,
    },
    "random_gamma_grad": {(1, 0): 0, (0, 0): NAN, (-1, 1): NAN, (1, NAN): NAN},
    "betainc": {
        (1, 1, 0): 0, (1, 1, 1): 1, (1, 1, -0.5): NAN, (1, 1, 1.5): NAN, (0, 1, 0.5): 1,
        (1, 0, 0.5): 0, (0, 0, 0.5): NAN, (INF, 1, 0.5): 0, (1, INF, 0.5): 1,
        (INF, INF, 0.5): NAN, (-1, 1, 0.5): NAN, (1, 1, NAN): NAN, (1, 0, 1): 1, (0, 1, 0): 0,
    },
    "bessel_i0e": {(0,): 1, (INF,): 0, (-INF,): 0, (NAN,): NAN},
    "bessel_i1e": {(0,): 0, (INF,): 0, (-INF,): 0, (NAN,): NAN},
}  # fmt: skip


@pytest.mark.parametrize("name", EDGES)
def test_edges(name: str) -> None:
    points = np.float32(list(EDGES[name])).T
    expected = np.float32(list(EDGES[name].values()))
    np.testing.assert_array_equal(np.asarray(getattr(lax, name)(*points)), expected)
    with backend.use("numpy"):
        np.testing.assert_array_equal(np.asarray(getattr(lax, name)(*points)), expected)


def test_large_orders_end_and_keep_their_digits() -> None:
    with enable_x64(True):
        for a in (1e8, 1e15, 1e300):
            near_half = float(lax.igamma(np.float64(a), np.float64(a)))
            assert near_half == pytest.approx(0.5 + 1 / (3 * math.sqrt(2 * math.pi * a)), abs=1e-12)
        half = float(lax.betainc(np.float64(1e6), np.float64(1e6), np.float64(0.5)))
        assert half == pytest.approx(0.5, abs=1e-13)
        tiny = float(lax.betainc(np.float64(1), np.float64(1e-10), np.float64(0.9)))
        assert tiny == pytest.approx(-math.expm1(1e-10 * math.log1p(-0.9)), rel=1e-13)

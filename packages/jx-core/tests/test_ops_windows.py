"""Reductions of windows, and picking from them, against loops over windows and elements."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
import pytest

from jx_core import backend, eval_shape, jit, lax, make_jaxpr
from jx_core.errors import ShapeError


@pytest.fixture(autouse=True)
def on_numpy():
    with backend.use("numpy"):
        yield


def windows(x, dims, strides, padding, base, holes):
    """The elements of each window with their indices; None in padding and in holes."""
    spans = [(d - 1) * h + 1 for d, h in zip(dims, holes, strict=True)]
    sizes = [
        max(n - 1, -1) * b + 1 + lo + hi if n else lo + hi
        for n, b, (lo, hi) in zip(x.shape, base, padding, strict=True)
    ]
    counts = [max((n - w) // s + 1, 0) for n, w, s in zip(sizes, spans, strides, strict=True)]
    for number in itertools.product(*map(range, counts)):
        found = []
        for place in itertools.product(*map(range, dims)):
            at = [
                i * s + p * h - lo
                for i, s, p, h, (lo, _) in zip(number, strides, place, holes, padding, strict=True)
            ]
            inside = all(
                i % b == 0 and 0 <= i // b < n for i, b, n in zip(at, base, x.shape, strict=True)
            )
            found.append(tuple(i // b for i, b in zip(at, base, strict=True)) if inside else None)
        yield tuple(counts), number, found


CASES = [
    ((2, 2), (1, 1), ((0, 0), (0, 0)), (1, 1), (1, 1)),
    ((2, 3), (2, 1), ((1, 0), (1, 2)), (1, 1), (1, 1)),
    ((2, 2), (1, 2), ((0, 1), (2, 0)), (2, 1), (1, 2)),
    ((3, 1), (1, 1), ((-1, 2), (0, -1)), (1, 3), (2, 1)),
    ((5, 6), (1, 1), ((4, 4), (5, 5)), (1, 1), (1, 1)),
]
NAMES = ("window_dimensions", "window_strides", "padding", "base_dilation", "window_dilation")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("function", "init"),
    [(lax.add, 0.0), (lax.max, -np.inf), (lax.min, np.inf), (lax.mul, 1.0), (lax.add, 2.0)],
)
def test_each_window_is_folded_from_the_initial_value(case, function, init):
    x = np.random.default_rng(1).standard_normal((4, 5)).astype(np.float32)
    got = np.asarray(lax.reduce_window(x, init, function, *case))
    for counts, number, places in windows(x, *case):
        assert got.shape == counts == lax.reduce_window_shape_tuple(x.shape, *case)
        elements = [np.float32(init) if p is None else x[p] for p in places]
        want = functools.reduce(lambda a, b: np.asarray(function(a, b)), elements, np.float32(init))
        assert got[number] == pytest.approx(want, rel=1e-5, abs=1e-6)


def test_functions_need_not_be_commutative():
    """The last of the elements that are there, and how many there are: order matters."""

    def later(a, b):
        return lax.select(lax.gt(b[1], 0), b[0], a[0]), lax.add(a[1], b[1])

    x, there = np.arange(12.0, dtype=np.float32).reshape(3, 4), np.ones((3, 4), np.int32)
    with backend.use("numpy"):
        last, count = lax.reduce_window(
            (x, there), (np.float32(-1), np.int32(0)), later, (2, 2), (1, 2), "SAME"
        )
        program = make_jaxpr(
            lambda x, n: lax.reduce_window((x, n), (-1.0, 0), later, (2, 2), (1, 2), "SAME")
        )(x, there)
        (equation,) = program.eqns
        apart = equation.primitive.decompose(x, there, -1.0, 0, **equation.params)
    assert np.asarray(last).tolist() == [[5, 7], [9, 11], [9, 11]]
    assert np.asarray(count).tolist() == [[4, 4], [4, 4], [2, 2]]
    assert [np.asarray(a).tolist() for a in apart] == [last.tolist(), count.tolist()]


@pytest.mark.parametrize("length", [1, 2, 7, 16, 29, 64])
def test_long_windows_are_taken_apart_in_few_steps(length):
    x = np.random.default_rng(2).uniform(0.5, 1.5, 80).astype(np.float32)
    program = make_jaxpr(lambda x: lax.reduce_window(x, 1.0, lax.mul, (length,)))(x)
    (equation,) = program.eqns

    def apart(x):
        return equation.primitive.decompose(x, np.float32(1), **equation.params)

    want = lax.reduce_window(x, 1.0, lax.mul, (length,))
    np.testing.assert_allclose(apart(x)[0], want, rtol=1e-5)
    assert len(make_jaxpr(apart)(x).eqns) <= 10 * math.log2(length) + 8


@pytest.mark.parametrize(
    ("function", "init", "name"),
    [
        (lax.add, 0, "reduce_window_sum"),
        (lambda a, b: b + a, 0, "reduce_window_sum"),
        (jit(lax.add), 0, "reduce_window"),
        (lax.max, -np.inf, "reduce_window_max"),
        (lax.min, np.inf, "reduce_window_min"),
        (lax.mul, 1, "reduce_window"),
        (lax.add, 1, "reduce_window"),
        (lax.max, 0.0, "reduce_window"),
    ],
)
def test_known_operations_from_their_identity_have_primitives(function, init, name):
    program = make_jaxpr(lambda x: lax.reduce_window(x, init, function, (2,)))(np.ones(3))
    assert [e.primitive.name for e in program.eqns] == [name]


def test_an_initial_value_may_be_traced():
    total = jit(lambda x, init: lax.reduce_window(x, init, lax.add, (2,)))
    assert np.asarray(total(np.ones(3), 5.0)).tolist() == [7, 7]


def test_padding_by_name_is_as_for_convolutions():
    x = np.arange(5.0)
    for name in ("SAME", "SAME_LOWER", "VALID", "same"):
        pads = lax.padtype_to_pads((5,), (3,), (2,), name)
        by_name = lax.reduce_window(x, 0.0, lax.add, (3,), (2,), name)
        assert by_name.tolist() == lax.reduce_window(x, 0.0, lax.add, (3,), (2,), pads).tolist()


def test_complex_numbers_have_sums_and_other_functions():
    z = np.array([1 + 2j, 3, -1j], np.complex64)
    assert lax.reduce_window(z, 0, lax.add, (2,)).tolist() == [4 + 2j, 3 - 1j]
    assert lax.reduce_window(z, -np.inf, lax.max, (2,)).tolist() == [3, 3]


def test_types_without_computing():
    x = np.zeros((8, 8, 3), np.float16)
    out = eval_shape(lambda x: lax.reduce_window(x, 0, lax.add, (2, 2, 1), (2, 2, 1)), x)
    assert (out.shape, out.dtype) == ((4, 4, 3), np.float16)


def test_half_precision_windows_are_rounded_once():
    x = np.full(2049, 1, np.float16)
    assert np.asarray(lax.reduce_window(x, 0, lax.add, (2049,))).tolist() == [2048]
    assert np.asarray(lax.reduce_window(x[1:] + x[1:], 0, lax.add, (2048,))).tolist() == [4096]


# --- picking ---


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("select_prim", ["ge", "le"])
def test_the_first_of_the_extremes_is_picked(case, select_prim):
    rng = np.random.default_rng(3)
    x = rng.integers(-1, 2, (4, 5)).astype(np.float32)
    x[rng.random((4, 5)) < 0.3] = -np.inf if select_prim == "ge" else np.inf
    x[1, 2] = np.nan
    tangents = rng.integers(1, 100, (4, 5)).astype(np.float32)
    params = dict(zip(NAMES, case, strict=True)) | {"select_prim": select_prim}
    got = np.asarray(lax.select_and_gather_add_p.bind(tangents, x, **params))
    apart = np.asarray(lax.select_and_gather_add_p.decompose(tangents, x, **params))
    for _, number, places in windows(x, *case):
        own = [p for p in places if p is not None]
        sign = 1 if select_prim == "ge" else -1
        nans = [p for p in own if np.isnan(x[p])]
        most = max([sign * x[p] for p in own], default=0)
        best = (nans or [p for p in own if sign * x[p] == most] or [None])[0]
        want = 0 if best is None else tangents[best]
        assert got[number] == apart[number] == want


@pytest.mark.parametrize("case", [c for c in CASES if c[3:] == ((1, 1), (1, 1))])
def test_scattering_is_the_transpose_of_gathering(case):
    rng = np.random.default_rng(4)
    x = rng.integers(-1, 2, (4, 5)).astype(np.float32)
    plain = dict(zip(NAMES[:3], case[:3], strict=True)) | {"select_prim": "ge"}
    counts = lax.reduce_window_shape_tuple(x.shape, *case)
    source = rng.integers(1, 100, counts).astype(np.float32)
    tangents = rng.integers(1, 100, x.shape).astype(np.float32)
    ones = {"base_dilation": (1, 1), "window_dilation": (1, 1)}
    gathered = lax.select_and_gather_add_p.bind(tangents, x, **plain, **ones)
    scattered = lax.select_and_scatter_add_p.bind(source, x, **plain)
    assert np.sum(np.asarray(gathered) * source) == np.sum(np.asarray(scattered) * tangents)


def test_equations_of_windows_read_as_jaxs():
    text = str(make_jaxpr(lambda x: lax.reduce_window(x, 0, lax.add, (2,)))(np.ones(3)))
    assert "b:f32[2] = reduce_window_sum[" in text
    for param in NAMES:
        assert f"{param}=(" in text


def test_shapes_are_checked_before_tracing_the_function_into_a_program():
    with pytest.raises(ShapeError, match="window_dimensions must have an entry for each axis"):
        lax.reduce_window(np.ones((2, 2)), 0, lax.add, (2,))

"""Elementwise operations on batches: each subset of operands, scalar rows beside array rows."""

from __future__ import annotations

import numpy as np
import pytest

from jx_batching import batch_rules, vmap
from jx_core import Primitive, lax, make_jaxpr
from jx_core.ops import elementwise, special


@pytest.mark.parametrize("family", [elementwise, special], ids=["elementwise", "special"])
def test_every_primitive_has_a_rule(family):
    primitives = [p for n in family.__all__ if isinstance(p := getattr(family, n), Primitive)]
    assert [p.name for p in primitives if p not in batch_rules] == []


@pytest.mark.parametrize(
    "fun",
    [lax.sin, lax.neg, lax.exp, lax.floor, lax.is_finite, lambda x: lax.integer_pow(x, 3)],
)
def test_unary(check_rows, rng, fun):
    check_rows(fun, rng.normal(size=(3, 2, 4)).astype(np.float32))
    check_rows(fun, rng.normal(size=3).astype(np.float32))


@pytest.mark.parametrize("fun", [lax.add, lax.mul, lax.sub, lax.max, lax.lt, lax.atan2])
def test_binary(check_rows, rng, fun):
    x, y = rng.normal(size=(2, 3, 2, 4)).astype(np.float32)
    check_rows(fun, x, y)


def test_a_scalar_row_beside_an_array_row(check_rows, rng):
    x = rng.normal(size=(3, 2, 4)).astype(np.float32)
    s = rng.normal(size=3).astype(np.float32)
    check_rows(lax.sub, x, s)
    check_rows(lax.sub, s, x)
    check_rows(lax.sub, s, s + 1)


def test_python_numbers_stay_literals(check_rows, rng):
    x = rng.normal(size=(3, 4)).astype(np.float32)
    check_rows(lambda x: lax.mul(2.0, lax.add(x, 1.0)), x)
    jaxpr = make_jaxpr(vmap(lambda x: lax.mul(x, 2.0)))(x)
    assert str(jaxpr) == "{ lambda ; a:f32[3,4]. let b:f32[3,4] = mul a 2.0:f32[] in (b,) }"


def test_batches_that_agree_are_not_moved(rng):
    x = rng.normal(size=(2, 3, 4)).astype(np.float32)
    jaxpr = make_jaxpr(vmap(lambda x, y: lax.sin(lax.add(x, y)), in_axes=1, out_axes=1))(x, x)
    assert [e.primitive.name for e in jaxpr.eqns] == ["add", "sin"]


def test_a_batch_that_disagrees_is_moved_once(rng):
    x = rng.normal(size=(3, 3)).astype(np.float32)
    jaxpr = make_jaxpr(vmap(lax.add, in_axes=(0, 1)))(x, x)
    assert [e.primitive.name for e in jaxpr.eqns] == ["transpose", "add"]


def test_select_n(check_rows, rng):
    x, y = rng.normal(size=(2, 3, 2, 4)).astype(np.float32)
    check_rows(lax.select_n, x > 0, x, y)
    check_rows(lax.select_n, np.array([True, False, True]), x, y)
    check_rows(lax.select_n, np.array([True, False, True]), x[:, 0, 0], y[:, 0, 0])
    check_rows(lax.select_n, np.array([2, 0, 1], np.int32), x, y, x + y)


def test_clamp(check_rows, rng):
    x = rng.normal(size=(3, 2, 4)).astype(np.float32)
    low, high = np.float32([-0.5, -0.1, 0.1]), np.float32([0.5, 0.2, 0.3])
    check_rows(lax.clamp, low, x, high)
    check_rows(lax.clamp, low, x[:, 0, 0], high)
    check_rows(lax.clamp, x - 0.5, x, x + 0.5)


def test_conversions(check_rows, rng):
    x = rng.normal(size=(3, 2, 4)).astype(np.float32) * 5
    check_rows(lambda x: lax.convert_element_type(x, np.int32), x)
    check_rows(lambda x: lax.reduce_precision(x, 5, 4), x)
    check_rows(lax.complex, x, x + 1)
    check_rows(lambda x: [lax.real(x), lax.conj(x)], x + 1j * x)


def test_bitcast_between_widths(check_rows, rng):
    x = rng.normal(size=(3, 2, 4)).astype(np.float32)
    check_rows(lambda x: lax.bitcast_convert_type(x, np.int32), x)
    check_rows(lambda x: lax.bitcast_convert_type(x, np.uint8), x)
    check_rows(
        lambda x: lax.bitcast_convert_type(x, np.float32), x.view(np.uint8).reshape(3, 2, 4, 4)
    )


def test_fences(check_rows, rng):
    x = rng.normal(size=(3, 2, 4)).astype(np.float32)
    check_rows(lambda x, y: lax.optimization_barrier([x, y]), x, np.int32([1, 2, 3]))
    check_rows(lax.stop_gradient, x)


def test_errors_speak_of_rows():
    x, y = np.zeros((5, 3), np.float32), np.zeros((5, 4), np.float32)
    with pytest.raises(TypeError, match=r"incompatible shapes for broadcasting: \(3,\), \(4,\)"):
        vmap(lax.add)(x, y)
    with pytest.raises(TypeError, match=r"number of dimensions, got shapes \(3,\), \(5, 3\)"):
        vmap(lax.add, in_axes=(0, None))(x, np.zeros((5, 3), np.float32))

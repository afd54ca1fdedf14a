"""Named operations: what the compiler is told of them, and what they close over."""

from __future__ import annotations

import numpy as np
import pytest

import jx_xla  # noqa: F401  the back end under test
from jx_ad import grad
from jx_core import jit, lax, make_jaxpr


def scaled(x, *, by, **rest):
    return lax.mul(lax.sin(x), by)


def lowered_text(fun, *args):
    return jit(fun).lower(*args).as_text()


def test_the_compiler_sees_name_version_and_attributes():
    named = lax.composite(scaled, "my.scaled", version=3)
    text = lowered_text(lambda x: named(x, by=2.0, axis=1, kind="a", none=None), 1.0)
    assert 'stablehlo.composite "my.scaled"' in text and "version = 3 : i32" in text
    for attribute in ("by = 2.000000e+00 : f64", "axis = 1 : i64", 'kind = "a"'):
        assert attribute in text
    assert "none" not in text and "decomposition = @my.scaled" in text


def test_it_is_one_equation_that_computes_its_decomposition():
    named = lax.composite(scaled, "my.scaled")
    program = make_jaxpr(lambda x: named(x, by=2.0))(1.0)
    assert [e.primitive.name for e in program.eqns] == ["composite"]
    assert float(named(1.0, by=2.0)) == pytest.approx(2 * np.sin(1.0))
    assert float(jit(lambda x: named(x, by=2.0))(1.0)) == pytest.approx(2 * np.sin(1.0))


def test_traced_values_that_it_closes_over_are_differentiated():
    def total(x):
        return lax.composite(lambda y: lax.mul(x, y), "my.product")(x)

    assert float(jit(grad(total))(3.0)) == 6.0


def test_pytrees_go_in_and_come_out():
    swap = lax.composite(lambda pair: {"b": pair["a"], "a": pair["b"]}, "my.swap")
    assert {k: float(v) for k, v in swap({"a": 1.0, "b": 2.0}).items()} == {"a": 2.0, "b": 1.0}


def test_a_traced_attribute_is_named():
    with pytest.raises(TypeError, match="attribute 'by' is a traced value"):
        jit(lambda x: lax.composite(scaled, "my.scaled")(1.0, by=x))(2.0)


def test_a_sink_keeps_what_nothing_uses():
    def unused(x, keep):
        lax.dce_sink(lax.sin(x), prevent_mlir_dce=keep)
        return x

    kept = [e.primitive.name for e in make_jaxpr(lambda x: unused(x, False))(1.0).eqns]
    assert kept == ["sin", "dce_sink"]
    assert "dce_sink" not in lowered_text(lambda x: unused(x, False), 1.0)
    assert "@dce_sink" in lowered_text(lambda x: unused(x, True), 1.0)
    assert float(jit(lambda x: unused(x, True))(2.0)) == 2.0
    assert float(jit(grad(lambda x: unused(x, True)))(2.0)) == 1.0

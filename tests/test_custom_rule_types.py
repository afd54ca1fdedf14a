"""A custom rule whose results are not like its function's is told so, with both types."""

from __future__ import annotations

import re

import numpy as np
import pytest

import jx
import jx.numpy as jnp

X = np.ones(3, np.float32)


def product(x, y):
    return {"o": x * y}


def with_jvp(rule):
    f = jx.custom_jvp(product)
    f.defjvp(rule)
    return lambda: jx.jvp(jx.jit(f), (X, X), (X, X))


def with_fwd(fwd):
    f = jx.custom_vjp(product)
    f.defvjp(fwd, lambda residuals, ct: (ct["o"], ct["o"]))
    return lambda: jx.grad(jx.jit(lambda x, y: f(x, y)["o"].sum()))(X, X)


@pytest.mark.parametrize(
    "change, told",
    [
        (lambda x: x[:2], "expected f32[3], got f32[2]"),
        (
            lambda x: x.astype(jnp.bfloat16),
            "expected f32[3], got bf16[3]; cast the rule's with .astype('float32')",
        ),
    ],
    ids=["shape", "dtype"],
)
@pytest.mark.parametrize("kind", ["jvp", "fwd"])
def test_the_value_that_a_rule_gives_has_the_types_of_the_functions_own(kind, change, told):
    if kind == "jvp":
        run = with_jvp(lambda p, t: ({"o": change(p[0])}, {"o": change(t[0])}))
        rule = "Custom JVP rule for function product"
    else:
        run = with_fwd(lambda x, y: ({"o": change(x)}, None))
        rule = "Custom VJP fwd rule for function product"
    match = re.escape("like the function's own result, but result['o'] is not: " + told)
    with pytest.raises(TypeError, match=f"{rule} must produce a pair.*{match}"):
        run()


def test_a_rule_that_fits_passes():
    _, tangent = with_jvp(lambda p, t: ({"o": p[0]}, {"o": t[0] * 5}))()
    np.testing.assert_array_equal(tangent["o"], 5 * X)
    np.testing.assert_array_equal(with_fwd(lambda x, y: ({"o": x}, None))(), X)

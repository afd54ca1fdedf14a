"""What `linearize` and `vjp` return are pytrees of residuals, which cross transformations."""

from __future__ import annotations

import numpy as np
import pytest

from jx_ad import linearize, vjp
from jx_core import jit, lax, tree

X = np.linspace(0.1, 1.0, 4, dtype=np.float32)


def f(x):
    return lax.mul(lax.sin(x), lax.cos(x))


SLOPE = np.cos(2 * X)  # of sin x cos x
MAKERS = {"linearize": lambda x: linearize(f, x)[1], "vjp": lambda x: vjp(f, x)[1]}


def applied(function, t):
    out = function(t)
    return out[0] if isinstance(out, tuple) else out


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_compiled_function_returns_it_and_another_takes_it(make):
    function = jit(make)(X)
    np.testing.assert_allclose(applied(function, X), X * SLOPE, rtol=1e-5)
    np.testing.assert_allclose(jit(applied)(function, X), X * SLOPE, rtol=1e-5)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_its_leaves_are_the_residuals(make):
    function = make(X)
    leaves, structure = tree.flatten(function)
    assert leaves and all(leaf.shape == X.shape for leaf in leaves)
    again = tree.unflatten(structure, leaves)
    np.testing.assert_allclose(applied(again, X), applied(function, X))
    doubled = tree.map(lambda r: lax.mul(r, 2.0), function)
    assert not np.allclose(applied(doubled, X), applied(function, X))


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_it_still_says_what_it_takes(make):
    function = tree.map(lambda r: r, make(X))
    with pytest.raises((TypeError, ValueError), match=r"\(4,\).*\(3,\)|f32\[3\].*f32\[4\]"):
        function(X[:3])
    assert "function from PyTreeDef" in repr(function)

"""Programs with results that nobody asks for: what is dead is neither needed nor passed."""

import numpy as np
import pytest

from jx_core import jit, lax


@pytest.mark.parametrize("keep_unused", [False, True])
def test_an_argument_may_be_used_by_dead_equations_alone(keep_unused: bool) -> None:
    f = jit(lambda x, y: (lax.sin(x), y)[1], keep_unused=keep_unused)
    assert float(f(1.0, 2.0)) == 2.0


def test_a_constant_may_be_used_by_dead_equations_alone() -> None:
    table = np.arange(3.0)

    @jit
    def f(x: float) -> float:
        lax.mul(x, table)
        return x

    assert float(f(2.0)) == 2.0


def test_dead_equations_are_not_lowered() -> None:
    lowered = jit(lambda x: (lax.sin(x), lax.cos(x))[1]).lower(1.0)
    assert "stablehlo.cosine" in lowered.as_text()
    assert "stablehlo.sine" not in lowered.as_text()

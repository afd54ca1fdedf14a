"""Calls of the fits of polynomials, and of their zeros."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import jx_numpy as jnp

from .call import Call, of
from .data import reals


def fits() -> Iterator[Call]:
    x, y = np.linspace(-1, 2, 7), reals(7)
    yield of(jnp.polyfit, x, y, 2).having(moving=(0, 1), slack=256)
    yield of(jnp.polyfit, x, y, 1, rcond=1e-9, full=False, w=np.abs(y)).having(slack=256)
    yield of(jnp.polyfit, x, np.stack([y, x * y], 1), 2).having(slack=256)
    yield of(jnp.polyfit, x, y, deg=1, cov=True).having(slack=256)
    yield of(jnp.polyfit, x, y, 1, full=True).having(
        slack=256, view=lambda r: tuple(r[:4]), batch="an array of the rank"
    )
    for coefficients in ([1.0, -6.0, 11.0, -6.0], [2.0, 0.0, 8.0], [0.0, 1.0, -2.0, 0.0]):
        yield of(jnp.roots, np.array(coefficients)).having(
            view=by_value, slack=1e4, atol=1e-10, dtype=np.complex128, batch="zeros",
            jit="the shape goes with the zeros",
        )  # fmt: skip
    yield of(jnp.roots, np.array([1.0, -3.0, 2.0]), strip_zeros=False).having(
        expected=lambda p, strip_zeros: np.roots(p) + 0j, view=by_value, slack=1e3,
        batch="turned round",
    )  # fmt: skip


def by_value(x: Any) -> Any:
    return (
        np.sort_complex(np.round(np.asarray(x), 9))
        if isinstance(x, np.ndarray)
        else (jnp.sort_complex(jnp.round(x, 9)))
    )


CALLS = [*fits()]

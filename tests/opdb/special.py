"""Samples of the special functions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from jx_core import lax

from .sample import FLOATS, ErrorSample, Sample, array, edges

# Where each is smooth, and how much worse than correctly rounded compiled results may be.
FUNCTIONS = (
    (lax.erf_p, -2, 2, 16),
    (lax.erfc_p, -2, 2, 16),
    (lax.erf_inv_p, -0.8, 0.8, 32),
    (lax.lgamma_p, 0.5, 4, 32),
    (lax.digamma_p, 0.5, 4, 64),
)


def samples() -> Iterator[Sample]:
    for primitive, low, high, slack in FUNCTIONS:
        for dtype in FLOATS:
            for shape in ((2, 3), ()):
                x = array(shape, dtype, low, high)
                # The derivative of digamma, polygamma, has none of its own yet.
                moving = () if primitive is lax.digamma_p else (0,)
                order = 1 if primitive is lax.lgamma_p else 2
                yield Sample(
                    primitive, (x,), moving=moving, order=order, slack=slack, atol=slack * 1e-7
                )
            values = edges(dtype)
            if primitive in (lax.digamma_p, lax.lgamma_p):
                values = values[values > 0]  # poles at the others
            yield Sample(primitive, (values,), slack=slack, atol=slack * 1e-7, note="edges")
        yield Sample(primitive, (array((0, 3), "float32"),), note="empty")


def error_samples() -> Iterator[ErrorSample]:
    for primitive, *_ in FUNCTIONS:
        name = primitive.name
        yield ErrorSample(
            f"{name}_of_integers", partial(getattr(lax, name), np.arange(3)), TypeError,
            f"{name} does not accept dtype int32",
        )  # fmt: skip

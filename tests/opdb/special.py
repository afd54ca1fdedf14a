"""Samples of the special functions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from jx_core import Primitive, lax

from .sample import FLOATS, ErrorSample, Sample, array, dtype_of, edges

# Where each is smooth, and how much worse than correctly rounded compiled results may be.
FUNCTIONS = (
    (lax.erf_p, -2, 2, 16),
    (lax.erfc_p, -2, 2, 16),
    (lax.erf_inv_p, -0.8, 0.8, 32),
    (lax.lgamma_p, 0.5, 4, 32),
    (lax.digamma_p, 0.5, 4, 64),
    (lax.bessel_i0e_p, 0.2, 4, 16),
    (lax.bessel_i1e_p, 0.2, 4, 16),
    (lax.bessel_i0_p, 0.2, 4, 16),
    (lax.bessel_i1_p, 0.2, 4, 16),
    (lax.gamma_p, 0.5, 4, 32),
    (lax.normal_cdf_p, -3, 2, 32),
    (lax.log_normal_cdf_p, -6, 2, 32),
    (lax.normal_hazard_p, -6, 2, 32),
    (lax.normal_hazard_slope_p, -6, 2, 32),
    (lax.normal_quantile_p, 0.1, 0.9, 32),
    (lax.normal_quantile_slope_p, 0.1, 0.9, 32),
    (lax.normal_density_p, -3, 2, 32),
)
WITHOUT_LAX_FUNCTIONS = (
    lax.bessel_i0_p, lax.bessel_i1_p, lax.gamma_p, lax.normal_cdf_p, lax.log_normal_cdf_p,
    lax.normal_hazard_p, lax.normal_hazard_slope_p, lax.normal_quantile_p,
    lax.normal_quantile_slope_p, lax.normal_density_p,
)  # fmt: skip

# Of several operands: the domains of each, and which of them results can be differentiated by,
# once and twice.
DOMAINS: tuple[tuple[Primitive, tuple[tuple[float, float], ...], tuple[int, ...], int], ...] = (
    (lax.zeta_p, ((1.5, 6), (0.5, 4)), (1,), 2),
    (lax.zeta_grad_x_p, ((1.5, 6), (0.5, 4)), (1,), 2),
    (lax.igamma_p, ((0.5, 6), (0.5, 6)), (1,), 2),
    (lax.igammac_p, ((0.5, 6), (0.5, 6)), (1,), 2),
    (lax.igamma_grad_a_p, ((0.5, 6), (0.5, 6)), (1,), 2),
    (lax.igamma_grad_x_p, ((0.5, 6), (0.5, 6)), (0, 1), 2),
    (lax.random_gamma_grad_p, ((0.5, 6), (0.5, 6)), (1,), 1),
    (lax.regularized_incomplete_beta_p, ((0.5, 6), (0.5, 6), (0.1, 0.9)), (2,), 2),
    (lax.betainc_grad_a_p, ((0.5, 6), (0.5, 6), (0.1, 0.9)), (2,), 2),
    (lax.betainc_grad_b_p, ((0.5, 6), (0.5, 6), (0.1, 0.9)), (2,), 2),
    (lax.betainc_grad_x_p, ((0.5, 6), (0.5, 6), (0.1, 0.9)), (0, 1, 2), 2),
    (lax.digamma_increment_p, ((0.5, 6), (0.5, 6)), (0, 1), 2),
    (lax.log_beta_p, ((0.5, 6), (0.5, 6)), (0, 1), 2),
    (lax.beta_p, ((0.5, 6), (0.5, 6)), (0, 1), 2),
    (lax.binomial_p, ((4.5, 9), (0.5, 4)), (0, 1), 2),
    (lax.rising_factorial_p, ((0.5, 6), (0.5, 4)), (0, 1), 2),
)
SLACK = 64


def samples() -> Iterator[Sample]:
    for primitive, low, high, slack in FUNCTIONS:
        for dtype in FLOATS:
            for shape in ((2, 3), ()):
                x = array(shape, dtype, low, high)
                yield Sample(primitive, (x,), moving=(0,), slack=slack, atol=slack * 1e-7)
            values = edges(dtype)
            if primitive in (lax.digamma_p, lax.lgamma_p, lax.gamma_p):
                with np.errstate(invalid="ignore"):
                    values = values[values > 0]  # poles at the others
            yield Sample(primitive, (values,), slack=slack, atol=slack * 1e-7, note="edges")
        yield Sample(primitive, (array((0, 3), "float32"),), note="empty")
    for primitive, domains, moving, order in DOMAINS:
        yield from _of_several(primitive, domains, moving, order)
    yield from _polygamma()
    # The parameters move too, where all else is done only once.
    positive = (0.5, 6)
    for primitive, domains in (
        (lax.igamma_p, (positive, positive)),
        (lax.igammac_p, (positive, positive)),
        (lax.zeta_p, ((1.5, 6), (0.5, 4))),
        (lax.regularized_incomplete_beta_p, (positive, positive, (0.1, 0.9))),
    ):
        operands = _operands(domains, [(2, 3)] * len(domains), "float64")
        moving = tuple(range(len(domains)))
        yield Sample(primitive, operands, moving=moving, order=1, slack=SLACK)


def _of_several(
    primitive: Primitive, domains: tuple[tuple[float, float], ...], moving: tuple[int, ...],
    order: int,
) -> Iterator[Sample]:  # fmt: skip
    # Compiling these takes long: each shape with one dtype, each dtype with one shape.
    count = len(domains)
    full, mixed, scalars = [(2, 3)] * count, [(), *[(3,)] * (count - 1)], [()] * count
    for dtype, shapes in zip(FLOATS, (mixed, full, full, scalars), strict=True):
        yield Sample(
            primitive, _operands(domains, shapes, dtype), moving=moving, order=order,
            slack=SLACK, atol=1e-6,
        )  # fmt: skip
    yield Sample(primitive, _operands(domains, [(0, 3)] * count, "float32"), note="empty")
    grid = np.meshgrid(*[[0.0, 1.0, 0.5, np.inf, np.nan, -1.0]] * count)
    corners = tuple(g.reshape(-1)[:: count - 1].astype(np.float32) for g in grid)
    yield Sample(primitive, corners, slack=SLACK, note="edges")


def _operands(domains: object, shapes: object, dtype: str) -> tuple[np.ndarray, ...]:
    return tuple(
        array(shape, dtype, low, high, seed=i)
        for i, (shape, (low, high)) in enumerate(zip(shapes, domains, strict=True))  # type: ignore[call-overload]
    )


def _polygamma() -> Iterator[Sample]:
    for dtype in ("float64", "bfloat16", "float16"):
        m = np.arange(6).reshape(2, 3).astype(dtype_of(dtype))
        x = array((2, 3), dtype, 0.5, 4)
        yield Sample(lax.polygamma_p, (m, x), moving=(1,), slack=SLACK, atol=1e-6)
    m, x = np.float32(2), array((3,), "float32", 0.5, 4)
    yield Sample(lax.polygamma_p, (m, x), moving=(1,), slack=SLACK)
    yield Sample(lax.polygamma_p, (m, array((0, 3), "float32")), note="empty")
    orders, places = np.meshgrid(
        np.float32([0, 1, 2, 1.5, -1, 200, np.nan]), np.float32([0, -1, -1.5, np.inf, np.nan, 3])
    )
    yield Sample(lax.polygamma_p, (orders, places), slack=SLACK, note="edges")


def error_samples() -> Iterator[ErrorSample]:
    for primitive, *_ in FUNCTIONS:
        if primitive in WITHOUT_LAX_FUNCTIONS:
            continue
        name = primitive.name
        yield ErrorSample(
            f"{name}_of_integers", partial(getattr(lax, name), np.arange(3)), TypeError,
            f"{name} does not accept dtype int32",
        )  # fmt: skip
    for name in ("polygamma", "zeta", "igamma", "igammac", "igamma_grad_a", "random_gamma_grad"):
        call = getattr(lax, name)
        yield ErrorSample(
            f"{name}_of_integers", partial(call, np.arange(3), np.arange(3)), TypeError,
            f"{name} does not accept dtype int32",
        )  # fmt: skip
        yield ErrorSample(
            f"{name}_of_two_dtypes", partial(call, np.float32([1]), np.float16([1])), TypeError,
            "requires arguments to have the same dtypes, got float32, float16",
        )  # fmt: skip
    ones = np.ones
    yield ErrorSample(
        "betainc_of_two_shapes",
        partial(lax.betainc, ones(2, np.float32), ones(3, np.float32), np.float32(0.5)),
        ValueError, "betainc got incompatible shapes for broadcasting",
    )  # fmt: skip

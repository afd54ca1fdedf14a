"""Calls of `jx.scipy.ndimage`, `.interpolate`, `.integrate` and `.cluster`: sampled functions."""

import numpy as np
import scipy.cluster.vq
import scipy.interpolate
import scipy.ndimage

import jx_numpy.scipy.cluster.vq as vq
import jx_numpy.scipy.integrate as integrate
import jx_numpy.scipy.interpolate as interpolate
import jx_numpy.scipy.ndimage as ndimage

from .call import of


def draw(*shape):
    return np.random.default_rng(shape).standard_normal(shape)


def between(low, high, *shape):
    return np.random.default_rng(shape).uniform(low, high, shape)


# SciPy's names of what JAX calls constant and wrap.
MODES = {
    "constant": "grid-constant", "wrap": "grid-wrap", "nearest": "nearest", "mirror": "mirror",
    "reflect": "reflect",
}  # fmt: skip


def mapped(x, coordinates, order, mode="constant", cval=0.0):
    at = np.stack(np.broadcast_arrays(*coordinates)).astype(np.float64)
    wide = x if x.dtype.kind in "fc" else x.astype(np.float64)
    result = scipy.ndimage.map_coordinates(wide, at, order=order, mode=MODES[mode], cval=cval)
    return np.round(result).astype(x.dtype) if x.dtype.kind in "iu" else result


MAPS = [
    of(ndimage.map_coordinates, x, list(between(-7, 9, x.ndim, 4, 3)), order, **options).having(
        expected=mapped, moving=tuple(range(order * x.ndim + 1)), atol=1e-12
    )
    for x in (draw(4, 3),)
    for order in (0, 1)
    for options in (*[{"mode": mode} for mode in MODES], {"cval": 2.5})
] + [
    of(ndimage.map_coordinates, x, list(between(-7, 9, x.ndim, 4)), 1, mode="mirror").having(
        expected=mapped, atol=1e-12
    )
    for x in (draw(6), draw(2, 3, 4), draw(1, 3))
] + [
    of(ndimage.map_coordinates, x, between(-3, 9, 1, 5), 1, mode="nearest").having(
        expected=mapped, dtype=x.dtype, atol=1e-12
    )
    for x in (np.arange(6) * 3, draw(6) + 1j * draw(6))
] + [
    of(ndimage.map_coordinates, draw(4, 3), [np.arange(3), np.arange(-1, 2)], 1, "wrap").having(
        expected=mapped
    ),
    of(ndimage.map_coordinates, draw(4, 3), [between(0, 3, 2, 1), between(0, 2, 3)], 1).having(
        expected=mapped, atol=1e-12
    ),
]  # fmt: skip


def interpolated(home):
    """A function of a grid, values and points, by the class of that module."""

    def evaluate(points, values, xi, call_method=None, **options):
        f = home.RegularGridInterpolator(points, values, **{"bounds_error": False, **options})
        return f(xi) if call_method is None else f(xi, call_method)

    return evaluate


KNOTS = (np.array([0.0, 1.0, 3.0, 4.5]), np.array([-1.0, 0.5, 2.0]))
POINTS = np.stack([between(-1, 6, 7), between(-2, 3, 7)], axis=-1)

GRIDS = [
    of(interpolated(interpolate), KNOTS[: values.ndim], values, xi, **options).having(
        expected=interpolated(scipy.interpolate), name="scipy.interpolate.RegularGridInterpolator",
        atol=1e-12,
    )
    for values, xi in (
        (draw(4, 3), POINTS), (draw(4, 3) + 1j * draw(4, 3), POINTS),
    )
    for options in (
        {}, {"fill_value": None}, {"fill_value": 7.0}, {"method": "nearest"},
        {"method": "nearest", "fill_value": None}, {"call_method": "nearest"},
    )
] + [
    of(interpolated(interpolate), KNOTS[:axes], values, xi).having(
        expected=interpolated(scipy.interpolate), name="scipy.interpolate.RegularGridInterpolator",
        atol=1e-12,
    )
    for axes, values, xi in (
        (1, draw(4), POINTS[:, :1]), (1, draw(4, 3, 2), POINTS[:, :1]),
        (2, draw(4, 3), (POINTS[:, 0], POINTS[:3, None, 1])),
        (2, np.arange(12).reshape(4, 3), POINTS),
    )
] + [
    of(interpolated(interpolate), KNOTS, draw(4, 3), POINTS, fill_value=None).having(
        expected=interpolated(scipy.interpolate), name="scipy.interpolate.RegularGridInterpolator",
        atol=1e-12, moving=(0, 1, 2, 3),
    ),
]  # fmt: skip

INTEGRALS = [
    of(integrate.trapezoid, *args, **options).having(moving=tuple(range(len(args))), atol=1e-12)
    for args, options in (
        ((draw(5),), {}), ((draw(3, 4),), {"axis": 0, "dx": 0.5}),
        ((draw(5), np.sort(draw(5))), {}),
        ((draw(3, 4), draw(3, 4)), {"axis": 0}),
    )
]  # fmt: skip

QUANTIZATIONS = [
    of(vq.vq, obs, codes, **options).having(
        expected=lambda a, b, check_finite=True: scipy.cluster.vq.vq(a, b, check_finite),
        dtype=(np.int64, obs.dtype), slack=4,
    )
    for obs, codes in (
        (draw(5, 3), draw(4, 3)), (draw(5), draw(4)), (draw(5, 1).astype(np.float32),
        draw(4, 1).astype(np.float32)), (draw(1, 2), draw(1, 2)),
    )
    for options in ({}, {"check_finite": False})
] + [
    of(lambda obs, codes: vq.vq(obs, codes)[1], draw(5, 3), draw(4, 3)).having(
        expected=lambda obs, codes: scipy.cluster.vq.vq(obs, codes)[1], moving=(0, 1),
        name="scipy.cluster.vq.vq",
    ),
]  # fmt: skip

CALLS = MAPS + GRIDS + INTEGRALS + QUANTIZATIONS

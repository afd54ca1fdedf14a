"""Calls of `jx.scipy.fft`: discrete cosine transforms."""

import numpy as np

import jx_numpy.scipy.fft as f

from .call import of


def draw(*shape):
    return np.random.default_rng(shape).standard_normal(shape)


LINES = [
    of(g, x, type, norm=norm).having(
        moving=(0,) if x.dtype == np.float64 else (), atol=1e-12 if x.itemsize > 4 else 1e-5
    )
    for g in (f.dct, f.idct)
    for type in (1, 2, 3, 4)
    for norm in (None, "backward", "ortho", "forward")
    for x in (draw(6), draw(5) + 1j * draw(5))
] + [
    of(g, draw(3, 4), **options).having(moving=(0,), atol=1e-12)
    for g in (f.dct, f.idct)
    for options in ({"axis": 0}, {"n": 6}, {"n": 3, "type": 3}, {"n": 5, "axis": -2, "type": 1})
] + [of(g, draw(6).astype(np.float32)).having(atol=1e-5) for g in (f.dct, f.idct)
] + [of(g, np.arange(5)).having(atol=1e-12, dtype=np.float64) for g in (f.dct, f.idct)]  # fmt: skip

BLOCKS = [
    of(g, draw(3, 4, 2), type, **options).having(moving=(0,), atol=1e-12)
    for g in (f.dctn, f.idctn)
    for type in (1, 2, 3, 4)
    for options in (
        {}, {"axes": (0, 2)}, {"s": (5, 3)}, {"s": [2, 6], "axes": [1, -3], "norm": "ortho"},
        {"axes": 1}, {"s": 3},
    )
]  # fmt: skip

CALLS = LINES + BLOCKS

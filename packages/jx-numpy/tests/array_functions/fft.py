"""Calls of `jx.numpy.fft`, with lengths that cut and fill up, of every normalisation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import jx_numpy as jnp

from .call import Call, of
from .data import complexes, empty, ints, reals

X, Z = reals(3, 5), complexes(3, 5)
CUBE = reals(2, 3, 4)
CLOSE = {"slack": 16, "atol": 1e-13}
SINGLE = {"slack": 16, "atol": 1e-5}
NORMS = (None, "ortho", "forward", "backward")


def of_one_axis() -> Iterator[Call]:
    for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
        f = getattr(jnp.fft, name)
        real_in = name in ("rfft", "ihfft")
        x = X if real_in else Z
        small = np.float32 if real_in else np.complex64
        # The transforms to real numbers take their first element for real.
        moving = () if name in ("irfft", "hfft") else (0,)
        yield of(f, x).having(moving=moving, **CLOSE)
        yield of(f, x.astype(small), n=4, axis=0).having(**SINGLE)
        yield of(f, x, n=7).having(moving=moving, **CLOSE)
        yield of(f, ints(6)).having(**SINGLE)
        yield of(f, X).having(**CLOSE)
        for norm in NORMS[1:]:
            yield of(f, x, norm=norm).having(**CLOSE)
    for name in ("irfft", "hfft"):
        yield of(getattr(jnp.fft, name), X, n=6).having(moving=(0,), **CLOSE)


def of_several_axes() -> Iterator[Call]:
    for name in ("fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn"):
        f = getattr(jnp.fft, name)
        x = CUBE if name.startswith("rfft") else CUBE + 0.3j * CUBE[::-1]
        moving = () if name.startswith("irfft") else (0,)
        yield of(f, x).having(moving=moving, **CLOSE)
        yield of(f, x, s=(4, 3), axes=(1, 2)).having(**CLOSE)
        yield of(f, x, axes=(0, 1), norm="ortho").having(**CLOSE)
        yield of(f, x, norm="forward").having(**CLOSE)
        yield of(f, x.astype(np.float32 if x.dtype == float else np.complex64)).having(**SINGLE)


def places() -> Iterator[Call]:
    for f in (jnp.fft.fftshift, jnp.fft.ifftshift):
        yield of(f, X).having(moving=(0,))
        yield of(f, X, axes=1)
        yield of(f, Z, axes=(0, 1))
        yield of(f, empty(0, 3))
    for f in (jnp.fft.fftfreq, jnp.fft.rfftfreq):
        oracle = getattr(np.fft, f.__name__)
        for n in (1, 6, 7):
            yield of(f, n)
            yield of(f, n, d=0.3)
        yield of(f, 5, dtype=np.float32, device=None).having(
            expected=lambda n, g=oracle, **kw: g(n), dtype=np.float32
        )


CALLS = [*of_one_axis(), *of_several_axes(), *places()]

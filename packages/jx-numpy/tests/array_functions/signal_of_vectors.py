"""Calls of `jx_numpy.signal`: convolution and correlation of vectors."""

import numpy as np

import jx_numpy as jnp

from .call import of

A = np.array([1.0, -2.0, 0.5, 3.0])
V = np.array([0.5, 1.0, -1.5])
COMPLEX = A + 1j * A[::-1]

CALLS = [
    of(f, a, v, mode=mode).having(moving=(0, 1) if a.dtype == np.float64 else ())
    for f in (jnp.convolve, jnp.correlate)
    for mode in ("full", "same", "valid")
    for a, v in ((A, V), (V, A), (A.astype(np.float32), V.astype(np.float32)), (COMPLEX, V))
] + [
    of(f, A.astype(np.float32), V.astype(np.float32), preferred_element_type=np.float64).having(
        expected=lambda a, v, preferred_element_type, g=g: g(a.astype(float), v), dtype=np.float64
    )
    for f, g in ((jnp.convolve, np.convolve), (jnp.correlate, np.correlate))
]  # fmt: skip

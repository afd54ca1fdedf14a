"""Calls of `jx.scipy.special`: integrals, hypergeometric, Bessel and spherical functions."""

import numpy as np
import scipy.special

import jx_numpy.scipy.special as special

from .call import of

X = np.array([[0.3, 1.7, 3.2], [4.5, 9.0, 26.0]])
SIGNED = np.array([-6.5, -1.2, -0.3, 0.4, 1.5, 7.0])
EDGES = np.array([0.0, np.inf, -np.inf, np.nan])
Z = np.array([0.3 + 0.2j, -1.5 + 2j, 2 - 0.5j, 4 + 0j, -5 + 6j])
FEW = np.array([0.4, 2.5])
N, M = np.array([0, 1, 2, 4]), np.array([0, -1, 1, 3])
THETA, PHI = np.array([0.3, 1.2, 2.0, 2.9]), np.array([0.1, 1.0, 3.0, 5.0])


def single(x):
    return x.astype(np.complex64 if x.dtype.kind == "c" else np.float32)


def bessel_rows(z, *, v, n_iter=50):
    return np.stack([scipy.special.jv(n, z) for n in range(v + 1)])


CALLS = [
    call
    for f, x in (
        (special.exp1, X), (special.expi, X), (special.expi, SIGNED), (special.sici, X),
        (special.fresnel, SIGNED), (special.dawsn, SIGNED), (special.erfcx, SIGNED),
        (special.spence, X), (special.wofz, Z), (special.erfcx, Z),
    )
    for call in (of(f, x).having(moving=(0,)), of(f, single(x)))
] + [
    of(f, x)
    for f in (special.exp1, special.expi, special.sici, special.dawsn, special.erfcx)
    for x in (EDGES, np.zeros((0, 2)), np.array(1.0), np.arange(3))
] + [
    of(special.spence, EDGES),
    of(special.fresnel, EDGES),
    of(special.exp1, X.astype(np.float16)).having(dtype=np.float16),
    of(special.wofz, FEW).having(expected=lambda x: scipy.special.wofz(x.astype(complex))),
    of(special.expn, np.array([0, 1, 2, 5]), np.array([0.3, 0.8, 2.0, 6.0])).having(moving=(1,)),
    of(special.expn, np.array([[0], [1], [3], [40]]), np.array([0.0, 0.5, 1.0, 30.0, np.inf])),
    of(special.owens_t, np.array([0.3, -1.2, 2.5]), np.array([0.5, 2.0, -0.8])).having(
        moving=(0, 1)
    ),
    of(special.owens_t, np.array([[0.0], [1.0], [np.inf]]), np.array([0.0, 1.0, -np.inf, np.inf])),
    of(special.hyp1f1, FEW, np.array([1.5, 0.7]), np.array([0.8, -3.0])).having(
        moving=(0, 1, 2)
    ),
    of(special.hyp1f1, FEW, np.array([1.5, 0.7]), np.array([0.8, -3.0])).having(moving=(2,)),
    of(special.hyp1f1, 1.5, 2.5, np.array([-300.0, -20.0, 0.0, 20.0, 300.0])),
    of(special.hyp2f1, FEW, FEW + 0.3, FEW + 1.1, np.array([0.8, -3.0])).having(
        moving=(3,)
    ),
    of(special.hyp2f1, 0.5, np.float32(1.5), np.float32(2.5), np.float32([-9, -0.5, 0, 0.5, 0.9])),
    of(special.bessel_jn, SIGNED, v=3).having(
        expected=bessel_rows, moving=(0,), atol=1e-14
    ),
    of(special.bessel_jn, np.array([0.0, 200.0]), v=0, n_iter=10).having(
        expected=bessel_rows, atol=1e-14
    ),
    of(special.sph_harm_y, N, M, THETA, PHI).having(moving=(2, 3)),
    of(special.sph_harm_y, N[:, None], 0, np.array([0.0, 3.0]), 0.5),
    of(special.sph_harm_y, N, M, single(THETA), single(PHI), n_max=4).having(
        expected=lambda n, m, theta, phi, n_max: scipy.special.sph_harm_y(n, m, theta, phi),
        atol=1e-6, dtype=np.complex64,
    ),
]  # fmt: skip

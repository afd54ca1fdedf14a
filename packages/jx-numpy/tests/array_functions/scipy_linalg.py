"""Calls of `jx.scipy.linalg`. What is unique up to signs only is compared by its products."""

import numpy as np
import scipy.linalg

import jx_numpy as jnp
from jx_numpy.scipy import linalg

from .call import of

RNG = np.random.default_rng(11)
A = RNG.normal(size=(4, 4))
B = RNG.normal(size=(3, 3)) + 3 * np.eye(3)
C = RNG.normal(size=(4, 3))
POSITIVE = A @ A.T + np.eye(4)
COMPLEX = A + 1j * RNG.normal(size=(4, 4))
HERMITIAN = COMPLEX @ COMPLEX.conj().T + np.eye(4)
V = np.array([2.0, -1.0, 0.5, 3.0, 1.5])
TALL, WIDE = C, C.T
STACK = np.stack([POSITIVE, 2 * POSITIVE + A])


def f32(x):
    return x.astype(np.complex64 if x.dtype.kind == "c" else np.float32)


VECTORS = [
    *[of(linalg.toeplitz, x) for x in (V, V.astype(int), V + 1j * V[::-1], V[:1])],
    of(linalg.toeplitz, V, V[:3] + 1).having(moving=(0, 1)),
    *[of(linalg.hankel, x) for x in (V, V.astype(int), V[:1])],
    of(linalg.hankel, V[:2], V[1:]).having(moving=(0, 1)),
    of(linalg.circulant, V).having(moving=(0,)),
    of(linalg.circulant, V.astype(int)),
    *[of(linalg.companion, x).having(moving=(0,)) for x in (V, V[:2])],
    of(linalg.companion, V.astype(int) + 1),
    *[of(linalg.fiedler_companion, V[:k]).having(moving=(0,)) for k in (2, 3, 4, 5)],
    of(linalg.leslie, V, V[1:]).having(moving=(0, 1)),
    of(linalg.fiedler, V).having(moving=(0,)),
    of(linalg.fiedler, V.astype(np.int32)),
    of(linalg.fiedler, np.array([1, 7, 3], np.uint8)).having(
        expected=lambda a: scipy.linalg.fiedler(a.astype(int)).astype(np.uint8)
    ),
    *[
        of(linalg.convolution_matrix, V, n, mode).having(moving=(0,))
        for n in (1, 4, 5, 7)
        for mode in ("full", "same", "valid")
    ],
    of(linalg.block_diag, V, A, np.array(2.0)).having(moving=(0, 1, 2)),
    of(linalg.block_diag, A),
    of(linalg.block_diag, V.astype(np.int32), f32(A)),
]

NAMED = [
    *[of(linalg.hilbert, n) for n in (0, 1, 5)],
    *[of(linalg.invhilbert, n) for n in (1, 4, 9)],
    *[
        of(f, n, kind).having(expected=lambda n, k, g=g: g(n, k).astype(float))
        for f, g in (
            (linalg.pascal, scipy.linalg.pascal), (linalg.invpascal, scipy.linalg.invpascal)
        )
        for n in (1, 5)
        for kind in ("symmetric", "lower", "upper")
    ],
    *[of(linalg.helmert, n, full) for n in (1, 2, 5) for full in (False, True)],
    *[of(linalg.hadamard, n) for n in (1, 2, 8)],
    of(linalg.hadamard, 4, np.complex64),
    *[of(linalg.dft, n, scale).having(atol=1e-14, slack=10) for n in (1, 2, 3, 8, 15) for scale in
      (None, "sqrtn", "n")],
]  # fmt: skip


def _hermitian(x):
    """A positive definite matrix of any one, for derivatives along such matrices."""
    return x @ x.conj().T + np.eye(4)


def factor(x, lower=False):
    return linalg.cholesky(_hermitian(x), lower=lower)


def solved_positive(x, b):
    return linalg.solve(_hermitian(x), b, assume_a="pos")


FACTORIZATIONS = [
    *[
        of(linalg.cholesky, x, lower).having(slack=10, atol=1e-6 if x.dtype == "f" else 1e-12)
        for x in (POSITIVE, HERMITIAN, f32(POSITIVE))
        for lower in (False, True)
    ],
    of(factor, A).having(
        expected=lambda x: scipy.linalg.cholesky(_hermitian(x)), moving=(0,), slack=100,
        name="scipy.linalg.cholesky",
    ),
    *[of(linalg.lu, x).having(slack=100, atol=1e-12) for x in (A, COMPLEX, TALL, WIDE)],
    of(linalg.lu, f32(A)).having(slack=10, atol=1e-5),
    of(linalg.lu, A, True).having(slack=100, atol=1e-12, moving=(0,)),
    *[of(linalg.lu_factor, x).having(slack=100, atol=1e-12) for x in (A, COMPLEX)],
    *[
        of(linalg.qr, x, mode=mode, pivoting=pivoting).having(
            slack=100, atol=1e-12, view=lambda r: [abs(x) for x in r]
        )
        for x in (A, COMPLEX, TALL, WIDE)
        for mode in ("full", "economic", "r")
        for pivoting in (False, True)
        if mode != "full" or x is not TALL
    ],
    *[
        of(linalg.qr_multiply, A, c, mode=mode, pivoting=pivoting, conjugate=conjugate).having(
            slack=100, atol=1e-12, view=lambda r: [abs(x) for x in r],
        )
        for c in (A, V[:4])
        for mode in ("left", "right")
        for pivoting, conjugate in ((False, False), (True, True))
    ],
    of(linalg.svd, TALL, compute_uv=False).having(moving=(0,), slack=10),
    of(linalg.svd, TALL, full_matrices=False).having(
        slack=100, atol=1e-12, view=lambda r: (r[0] * r[1]) @ r[2]
    ),
    *[
        of(linalg.polar, x, side, method=method).having(
            expected=lambda a, side, method: scipy.linalg.polar(a, side), slack=1000, atol=1e-11,
            moving=(0,) if x.shape[0] == x.shape[1] else (),
        )
        for x in (POSITIVE + A, COMPLEX, TALL, WIDE)
        for side in ("left", "right")
        for method in ("qdwh", "svd")
    ],
]  # fmt: skip

SYSTEMS = [
    *[
        of(linalg.solve, a, b, assume_a=assume).having(
            slack=100, atol=1e-12, moving=(0, 1) if assume == "gen" else ()
        )
        for a in (POSITIVE, HERMITIAN)
        for b in (C, V[:4])
        for assume in ("gen", "her", "pos")
    ],
    of(linalg.solve, STACK, C).having(
        expected=lambda a, b: np.linalg.solve(a, np.broadcast_to(b, (2, 4, 3))), slack=100
    ),
    of(linalg.solve, POSITIVE, C, lower=True, assume_a="pos").having(slack=100),
    of(solved_positive, A, C).having(
        expected=lambda x, b: np.linalg.solve(_hermitian(x), b), moving=(0, 1), slack=100,
        name="scipy.linalg.solve",
    ),
    *[
        of(linalg.solve_triangular, a + 3 * np.eye(4), b, trans=trans, lower=lower,
           unit_diagonal=unit).having(slack=1000, moving=(0, 1) if a is A else ())
        for a in (A, COMPLEX)
        for b, trans, lower, unit in (
            (C, 0, False, False), (C, "N", True, False), (V[:4], 1, False, True),
            (C, "T", True, False), (C, 2, False, False), (C, "C", True, True),
        )
    ],
    *[
        of(lambda a, b, t=trans: linalg.lu_solve(linalg.lu_factor(a), b, t), a, b).having(
            expected=lambda a, b, t=trans: scipy.linalg.lu_solve(scipy.linalg.lu_factor(a), b, t),
            slack=1000, moving=(0, 1) if a is A else (), name="scipy.linalg.lu_solve",
        )
        for a in (A, COMPLEX) for b in (C, V[:4]) for trans in (0, 1, 2)
    ],
    *[
        of(lambda a, b, w=lower: linalg.cho_solve(linalg.cho_factor(a, w), b), a, b).having(
            expected=np.linalg.solve if b is C else (lambda a, b: np.linalg.solve(a, b)),
            slack=1000, name="scipy.linalg.cho_solve",
        )
        for a in (POSITIVE, HERMITIAN) for b in (C, V[:4]) for lower in (False, True)
    ],
    of(linalg.inv, POSITIVE).having(moving=(0,), slack=100),
    of(linalg.inv, COMPLEX).having(slack=1000),
    *[of(linalg.det, x).having(moving=(0,), slack=100) for x in (A, COMPLEX, B)],
    *[
        of(linalg.solve_sylvester, a, b, c, method=method).having(
            expected=lambda a, b, c, method: _sylvester(a, b, c), slack=1e4, moving=(0, 1, 2),
            order=1 if method == "eigen" else 2,
        )
        for a, b, c in ((POSITIVE, B, C), (COMPLEX + 5 * np.eye(4), B + 0j, C + 1j))
        for method in ("schur", "eigen")
    ],
]  # fmt: skip


def _sylvester(a, b, c):
    """The solution by one great system of equations."""
    m, n = c.shape
    system = np.kron(a, np.eye(n)) + np.kron(np.eye(m), b.T)
    return np.linalg.solve(system, c.ravel()).reshape(m, n)


def _rebuilt(result):
    t, z = result
    return z @ t @ z.conj().swapaxes(-1, -2)


def eigenvalues_of_pair(x, y, kind):
    return linalg.eigh(x + x.T, _hermitian(y), eigvals_only=True, type=kind)


SPECTRA = [
    *[
        of(linalg.eigh, x, lower=lower).having(
            slack=100, atol=1e-12, view=lambda r: [r[0], abs(r[1])]
        )
        for x in (A + A.T, HERMITIAN)
        for lower in (False, True)
    ],
    *[
        of(linalg.eigh, A + A.T, POSITIVE, type=kind).having(
            expected=lambda a, b, type: scipy.linalg.eigh(a, b, type=type),
            slack=1000, atol=1e-11, view=lambda r: [r[0], abs(r[1])],
        )
        for kind in (1, 2, 3)
    ],
    *[
        of(eigenvalues_of_pair, A, A.T + np.eye(4), kind).having(
            expected=lambda x, y, k: scipy.linalg.eigh(x + x.T, _hermitian(y), eigvals_only=True,
                                                       type=k),
            moving=(0, 1), slack=1000, name="scipy.linalg.eigh",
        )
        for kind in (1, 2, 3)
    ],
    of(linalg.eigh, A + A.T, eigvals=(1, 2)).having(
        expected=lambda a, eigvals: scipy.linalg.eigh(a, subset_by_index=eigvals), slack=100,
        view=lambda r: [r[0], abs(r[1])], atol=1e-12,
    ),
    of(linalg.eigh_tridiagonal, V, V[:4], eigvals_only=True).having(moving=(0, 1), slack=100),
    of(linalg.eigh_tridiagonal, V[:1], V[:0], eigvals_only=True),
    of(linalg.eigh_tridiagonal, V, V[:4], select="i", select_range=(1, 3)).having(
        slack=100, atol=1e-12, view=lambda r: [r[0], abs(r[1])]
    ),
    of(linalg.eigh_tridiagonal, V, V[:4], eigvals_only=True, select="v",
       select_range=(0.0, 3.0)).having(slack=100, jit="the shape depends on values",
                                       batch="the shape depends on values"),
    *[
        of(linalg.hessenberg, x, calc_q=True).having(slack=1000, atol=1e-12, view=_rebuilt)
        for x in (A, COMPLEX)
    ],
    *[
        of(linalg.schur, x, output=output).having(slack=1000, atol=1e-12, view=_rebuilt)
        for x in (A, COMPLEX) for output in ("real", "complex")
    ],
    *[
        of(linalg.rsf2csf, *scipy.linalg.schur(x)).having(slack=1000, atol=1e-11, view=_rebuilt,
           expected=lambda t, z: (t + 0j, z + 0j), batch="other rows are no Schur forms")
        for x in (A, A.T, A @ A)
    ],
]  # fmt: skip

FUNCTIONS = [
    *[
        of(linalg.expm, scale * x).having(slack=1000, atol=1e-13, moving=(0,))
        for x in (A, COMPLEX) for scale in (0.01, 1.0, 3.0)
    ],
    of(linalg.expm, f32(A)).having(slack=100),
    of(linalg.expm, np.arange(4).reshape(2, 2)).having(slack=100),
    of(linalg.expm, np.stack([A, 4 * A])).having(slack=1000, atol=1e-13),
    of(linalg.expm, np.triu(A), upper_triangular=True).having(
        expected=lambda a, upper_triangular: scipy.linalg.expm(np.triu(a)), slack=1000,
        batch="other rows are not triangular", atol=1e-13,
    ),
    *[
        of(linalg.expm_frechet, x, y, compute_expm=both).having(
            slack=1e4, atol=1e-12, moving=(0, 1), order=1
        )
        for x, y in ((A, POSITIVE), (COMPLEX, POSITIVE + 0j)) for both in (True, False)
    ],
    *[
        of(linalg.sqrtm, x).having(
            slack=1e4, moving=(0,), atol=1e-12,
            expected=lambda a: scipy.linalg.sqrtm(a).astype(complex),
        )
        for x in (POSITIVE, HERMITIAN, 4 * np.eye(4) + A)
    ],
    of(lambda a: linalg.funm(a, jnp.sin), POSITIVE + np.diag(V[:4])).having(
        slack=1e4, atol=1e-11, moving=(0,), name="scipy.linalg.funm",
        expected=lambda a: scipy.linalg.funm(a, np.sin).astype(complex),
    ),
]  # fmt: skip

CALLS = VECTORS + NAMED + FACTORIZATIONS + SYSTEMS + SPECTRA + FUNCTIONS

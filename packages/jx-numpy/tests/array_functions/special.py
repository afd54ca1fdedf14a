"""Calls of `jx_numpy.scipy.special`: those of gamma's family, normal ones, entropies, softmax.

Operands are where functions are smooth; edges are in a test file of their own.
"""

import numpy as np
from scipy import special as oracle

import jx_numpy as jnp
from jx_numpy.scipy import special

from .call import of

X = np.array([[0.3, 1.5, 4.2], [0.9, 2.6, 7.7]])
Y = np.array([[2.1, 0.4, 1.2], [0.6, 3.3, 5.1]])
SIGNED = np.array([[-2.3, 0.2, 1.7], [-0.6, 3.1, -4.4]])
SHARE = np.array([[0.04, 0.3, 0.48], [0.7, 0.93, 0.55]])
COLUMN = np.array([[1.3], [0.7]])
WHOLE = np.array([[0, 1, 4], [9, 3, 6]])
COMPLEX = SIGNED + 1j * Y


def unary(function, x, **facts):
    """In every float dtype, of arrays and numbers, differentiated in float64."""
    yield of(function, x).having(moving=(0,), **facts)
    yield of(function, x[0, 1:2].reshape(())).having(**facts)
    for dtype, slack in ((np.float32, 4), (np.float16, 2), (jnp.bfloat16, 1)):
        small = x.astype(dtype)
        yield of(function, small).having(dtype=dtype, **{"slack": slack, **facts})


def binary(function, x, y, **facts):
    """With operands of one shape and of two, in float64 and float32."""
    facts = {"moving": (0, 1), **facts}
    yield of(function, x, y).having(**facts)
    yield of(function, x, COLUMN if y is not SHARE else SHARE[:, :1]).having(**facts)
    unmoved = {**facts, "moving": (), "slack": 8.0}
    yield of(function, x.astype(np.float32), y.astype(np.float32)).having(**unmoved)
    yield of(function, x.astype(np.float32), float(y[0, 0])).having(**unmoved)


CALLS = [
    call
    for function, x in (
        (special.digamma, X), (special.entr, X), (special.erf, SIGNED), (special.erfc, SIGNED),
        (special.erfinv, SHARE - 0.5), (special.expit, SIGNED),
        (special.gamma, SIGNED), (special.gammaln, SIGNED), (special.i0, SIGNED),
        (special.i0e, SIGNED), (special.i1, SIGNED), (special.i1e, SIGNED),
        (special.log_ndtr, SIGNED), (special.loggamma, X), (special.logit, SHARE),
        (special.ndtr, SIGNED), (special.ndtri, SHARE),
    )
    for call in unary(function, x)
]  # fmt: skip
CALLS += [
    call
    for function, x, y in (
        (special.beta, X, Y), (special.betaln, X, Y), (special.boxcox, X, Y),
        (special.boxcox1p, X, Y), (special.comb, X + 5, Y), (special.kl_div, X, Y),
        (special.poch, X, Y), (special.rel_entr, X, Y), (special.xlog1py, SIGNED, Y),
        (special.xlogy, SIGNED, Y),
    )
    for call in binary(function, x, y)
]  # fmt: skip
# In double precision: SciPy rounds x + 1.
CALLS += unary(special.factorial, X, expected=lambda x: oracle.gamma(x.astype(float) + 1))
CALLS += [
    call
    for function in (special.gammainc, special.gammaincc)
    for call in (
        *binary(function, X, Y),
        of(function, X, Y).having(moving=(1,)),
    )
]
CALLS += [
    of(special.betainc, X, Y, SHARE).having(moving=(0, 1, 2)),
    of(special.betainc, X, Y, SHARE).having(moving=(2,)),
    of(special.betainc, X.astype(np.float32), 2.0, SHARE.astype(np.float32)),
    of(special.zeta, X + 1, Y).having(moving=(0, 1)),
    of(special.zeta, X + 1, Y).having(moving=(1,)),
    of(special.zeta, X.astype(np.float32) + 1, 1.0).having(slack=4),
    of(special.zeta, X + 1),
    of(special.polygamma, WHOLE, X),
    of(special.polygamma, 2, X).having(moving=(0,)),
    of(special.polygamma, 1, X.astype(np.float32)).having(dtype=np.float32),
    of(special.gammasgn, SIGNED),
    of(special.gammasgn, SIGNED.astype(np.float32)).having(dtype=np.float32),
    of(special.factorial, WHOLE),
    of(special.factorial, X, False),
    of(special.comb, WHOLE + 3, WHOLE),
    of(special.comb, WHOLE, 3, repetition=True),
    of(special.comb, X + 1, Y, repetition=True).having(moving=(0, 1)),
    of(special.multigammaln, X + 2, 3).having(moving=(0,)),
    of(special.multigammaln, X + 2, 1),
    of(special.multigammaln, X.astype(np.float32) + 2, 2).having(slack=8),
    of(special.log_ndtr, SIGNED, series_order=5).having(
        expected=lambda x, series_order: oracle.log_ndtr(x)
    ),
    *[of(special.bernoulli, n).having(slack=4) for n in (0, 1, 2, 5, 30)],
]
# Complex operands.
CALLS += [
    of(special.gamma, COMPLEX).having(moving=(0,), slack=20),
    of(special.loggamma, COMPLEX).having(moving=(0,), slack=20),
    of(special.gamma, COMPLEX.astype(np.complex64)).having(dtype=np.complex64, slack=20),
    of(special.loggamma, COMPLEX.astype(np.complex64)).having(dtype=np.complex64, slack=20),
    of(special.expit, COMPLEX).having(expected=lambda x: 1 / (1 + np.exp(-x)), moving=(0,)),
    of(special.logit, COMPLEX).having(expected=lambda x: np.log(x / (1 - x)), moving=(0,)),
    of(special.xlogy, COMPLEX, COMPLEX[::-1].copy()).having(moving=(0, 1)),
    of(special.xlog1py, COMPLEX, COMPLEX[::-1].copy()).having(moving=(0, 1)),
]
# Along axes.
CALLS += [
    call
    for function in (special.softmax, special.log_softmax)
    for call in (
        of(function, SIGNED).having(moving=(0,)),
        of(function, SIGNED, axis=0).having(moving=(0,)),
        of(function, SIGNED, axis=-1).having(moving=(0,)),
        of(function, SIGNED.astype(np.float32), axis=(0, 1)).having(dtype=np.float32, slack=4),
        of(function, WHOLE, axis=1),
    )
]
LOGSUMEXP = {"name": "scipy.special.logsumexp", "expected": oracle.logsumexp}
CALLS += [
    of(special.logsumexp, SIGNED).having(moving=(0,), **LOGSUMEXP),
    of(special.logsumexp, SIGNED, axis=1, keepdims=True).having(moving=(0,), **LOGSUMEXP),
    of(special.logsumexp, SIGNED, axis=0, b=Y).having(moving=(0, 1), **LOGSUMEXP),
    of(special.logsumexp, SIGNED, axis=(0, 1), b=-Y, return_sign=True).having(**LOGSUMEXP),
    of(special.logsumexp, SIGNED.astype(np.float32), 0).having(slack=4, **LOGSUMEXP),
]
# NumPy's of the same family.
CALLS += [
    *unary(jnp.i0, SIGNED),
    of(jnp.kaiser, 5, 2.0),
    of(jnp.kaiser, 6, np.asarray(8.6)).having(moving=(0,)),
    of(jnp.kaiser, 1, 3.0),
    of(jnp.kaiser, 0, 3.0),
]

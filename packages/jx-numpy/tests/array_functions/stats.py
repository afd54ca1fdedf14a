"""Calls of `jx_numpy.scipy.stats`: every function of every distribution, ranks, the mode.

Operands are where functions are smooth; edges are in a test file of their own.
"""

import numpy as np
from scipy import stats as oracle

from jx_numpy.scipy import stats

from .call import of

SIGNED = np.array([[-2.3, 0.2, 1.7], [-0.6, 3.1, -1.4]])
ABOVE = np.array([[0.3, 1.5, 4.2], [0.9, 2.6, 7.7]])
BEYOND = ABOVE + 1
SHARE = np.array([[0.04, 0.3, 0.48], [0.7, 0.93, 0.55]])
SHAPE = np.array([[2.1, 0.4, 1.2], [0.6, 3.3, 5.1]])
COLUMN = np.array([[1.3], [0.7]])
WHOLE = np.array([[0, 1, 4], [2, 3, 2]])


def calls(name, first, shape, loc_and_scale, **facts):
    """All functions of a distribution, at standard ones and others, in float64 and float32.

    Args:
        name: of the distribution.
        first: where, by the kind of function: `x`, and `q` for quantiles.
        shape: the shape parameters.
        loc_and_scale: how many of the two it has.
        facts: of the calls; `moving` counts `first` as 0 and then the parameters.
    """
    module, expected = getattr(stats, name), getattr(oracle, name)
    for kind in module.__all__:
        function = getattr(module, kind)
        if kind == "entropy":
            continue
        x = first["q" if kind in ("ppf", "isf") else "x"]
        known = {
            "expected": getattr(expected, kind),
            "name": f"scipy.stats.{name}.{kind}",
            "slack": 50.0,
            "moving": tuple(range(0 if x.dtype.kind == "f" else 1, 1 + len(shape))),
            **facts,
        }
        if kind == "ppf" and name == "bernoulli":
            known["moving"] = ()
        yield of(function, x, *shape).having(**known)
        extras = (-0.3, COLUMN)[:loc_and_scale] if x.dtype.kind == "f" else (0,)[:loc_and_scale]
        still = {**known, "moving": ()}
        small = x.astype(np.float32) if x.dtype.kind == "f" else x
        if loc_and_scale and kind in ("ppf", "isf") or x.dtype.kind != "f":
            yield of(function, x, *shape, *extras).having(**still)
        elif loc_and_scale:
            moved = x * COLUMN - 0.3
            yield of(function, moved, *shape, *extras).having(
                **{**known, "moving": tuple(i for i in (0, len(shape) + 1))}
            )
        shape32 = [s.astype(np.float32) if isinstance(s, np.ndarray) else s for s in shape]
        yield of(function, small, *shape32).having(**still)
        numbers = [float(s.flat[1]) for s in shape if isinstance(s, np.ndarray)]
        if len(numbers) == len(shape):
            yield of(function, small[0], *numbers).having(**still)


REAL = {"x": SIGNED, "q": SHARE}
POSITIVE = {"x": ABOVE, "q": SHARE}
CALLS = [
    call
    for name in ("cauchy", "gumbel_l", "gumbel_r", "laplace", "logistic", "norm")
    for call in calls(name, REAL, (), 2)
]
CALLS += calls("expon", POSITIVE, (), 2)
CALLS += calls("uniform", {"x": SHARE, "q": SHARE}, (), 2)
CALLS += calls("pareto", {"x": BEYOND, "q": SHARE}, (SHAPE,), 2)
CALLS += calls("t", REAL, (SHAPE,), 2)
CALLS += calls("gamma", POSITIVE, (SHAPE,), 2)
CALLS += calls("chi2", POSITIVE, (SHAPE,), 2)
CALLS += calls("beta", {"x": SHARE}, (SHAPE, ABOVE), 2)
CALLS += calls("gennorm", REAL, (SHAPE,), 0)
CALLS += calls("truncnorm", {"x": SHARE}, (-SHAPE, BEYOND), 2)
CALLS += calls("truncnorm", {"x": SHARE + 3}, (2 - SHAPE / 9, BEYOND + 4), 2)
CALLS += calls("vonmises", REAL, (SHAPE,), 0)
CALLS += calls("wrapcauchy", {"x": SHARE * 5}, (SHARE,), 0)
CALLS += calls("bernoulli", {"x": WHOLE % 2, "q": SHARE}, (SHARE / 2,), 0)
CALLS += calls("binom", {"x": WHOLE}, (np.array([5.0, 4.0, 6.0]), SHARE), 1, moving=(2,))
CALLS += calls("nbinom", {"x": WHOLE}, (SHAPE, SHARE), 1)
CALLS += calls("betabinom", {"x": WHOLE}, (np.array([5, 4, 6]), SHAPE, ABOVE), 1, moving=(2, 3))
CALLS += calls("geom", {"x": WHOLE + 1}, (SHARE,), 1)
CALLS += calls("poisson", {"x": WHOLE}, (ABOVE,), 1)
CALLS += [
    of(stats.poisson.entropy, ABOVE).having(
        moving=(0,), expected=oracle.poisson.entropy, name="scipy.stats.poisson.entropy", slack=50
    ),
    of(stats.poisson.entropy, np.array([0.0, 20.0, 63.0, 65.0, 1e4]), COLUMN).having(
        expected=lambda mu, loc: np.broadcast_to(
            [0.0, *(_entropy(m) for m in mu[1:])], (len(loc), len(mu))
        ),
        name="scipy.stats.poisson.entropy",
        slack=50,
    ),
]  # fmt: skip


def _entropy(mu):
    k = np.arange(int(mu + 40 * np.sqrt(mu) + 50))
    log_p = oracle.poisson.logpmf(k, mu)
    return -np.sum(np.exp(log_p) * log_p)


# Vectors.

SIMPLEX = np.array([[0.2, 0.1, 0.5], [0.3, 0.6, 0.1], [0.5, 0.3, 0.4]])
COUNTS = np.array([[1, 2, 1], [4, 0, 0], [1, 1, 1]])
CHANCES = np.array([0.2, 0.3, 0.5])
ROOT = np.array([[2.0, 0.0, 0.0], [0.5, 1.0, 0.0], [-0.3, 0.2, 1.5]])
COV = ROOT @ ROOT.T
FLAT = np.array([[1.0, 2.0], [2.0, 4.0]])
POINTS = np.concatenate([SIGNED, 2 - SIGNED, SIGNED**2])


def _known(name, kind, **facts):
    return {
        "expected": getattr(getattr(oracle, name), kind),
        "name": f"scipy.stats.{name}.{kind}",
        "slack": 50.0,
        **facts,
    }


def _of_numbers(kind):
    """Normal densities of numbers, as the multivariate ones of a number as mean."""

    def expected(x, mean, variance):
        return getattr(oracle.norm, kind)(x, mean, np.sqrt(variance))

    return expected


def _one_by_one(kind):
    """Normal densities of one covariance a point."""

    def expected(x, mean, covs):
        each = getattr(oracle.multivariate_normal, kind)
        return np.stack([each(x[i], mean, cov) for i, cov in enumerate(covs)])

    return expected


ROWS = "other rows are no covariance"
for _kind in ("logpdf", "pdf"):
    _dirichlet = getattr(stats.dirichlet, _kind)
    _known_dirichlet = _known("dirichlet", _kind)
    CALLS += [
        of(_dirichlet, SIMPLEX, ABOVE[0]).having(**_known_dirichlet),
        of(_dirichlet, SIMPLEX[:, 0], ABOVE[0]).having(**_known_dirichlet),
        of(_dirichlet, SIMPLEX[:2], ABOVE[0]).having(moving=(0, 1), **_known_dirichlet),
        of(_dirichlet, SIMPLEX.astype(np.float32), ABOVE[0].astype(np.float32)).having(
            **_known_dirichlet
        ),
    ]
    _normal = getattr(stats.multivariate_normal, _kind)
    _known_normal = _known("multivariate_normal", _kind)
    CALLS += [
        of(_normal, POINTS, SIGNED[0], COV).having(moving=(0, 1, 2), batch=ROWS, **_known_normal),
        of(_normal, POINTS[0], SIGNED[0], 2.0).having(moving=(0, 1), **_known_normal),
        of(_normal, SIGNED[0], 0.5, 2.0).having(
            moving=(0,), **{**_known_normal, "expected": _of_numbers(_kind)}
        ),
        of(_normal, SIGNED, SIGNED[0], np.stack([COV, 2 * COV])).having(
            batch=ROWS, **{**_known_normal, "expected": _one_by_one(_kind)}
        ),
    ]
CALLS += [
    of(stats.multivariate_normal.logpdf, FLAT * 0.3, np.zeros(2), FLAT, allow_singular=True).having(
        batch=ROWS, **_known("multivariate_normal", "logpdf")
    ),
    of(stats.multivariate_normal.logpdf, POINTS, SIGNED[0], COV, allow_singular=True).having(
        moving=(0, 1, 2), batch=ROWS, **_known("multivariate_normal", "logpdf")
    ),
]
for _kind in ("logpmf", "pmf"):
    _multinomial = getattr(stats.multinomial, _kind)
    CALLS += [
        of(_multinomial, COUNTS, 4, CHANCES).having(**_known("multinomial", _kind)),
        of(_multinomial, COUNTS, np.array([4, 4, 3]), SHARE[:1] / SHARE[:1].sum()).having(
            **_known("multinomial", _kind)
        ),
    ]
CALLS += [
    # SciPy has no mass where chances don't sum to 1, so derivatives are not compared with it.
    of(stats.multinomial.logpmf, COUNTS[:2], 4, CHANCES).having(
        moving=(1,), **_known("multinomial", "logpmf")
    ),
]

# Ranks and counts.

TIES = np.array([[2, 4, 1, 1, 3, 4, 4, 2, 3], [1, 2, 2, 1, 5, 5, 6, 7, 0]])
GAPS = np.array([[2.5, np.nan, 1.0, 1.0], [np.nan, np.nan, -1.0, 4.0], [3.0, 3.0, 1.0, 7.0]])
CALLS += [
    of(function, x, **arguments).having(name=f"scipy.stats.{function.__name__}", **known)
    for function, x, arguments, known in [
        *[
            (stats.rankdata, x, {"method": method, "axis": axis, "nan_policy": policy}, {
                "expected": lambda x, method, axis, nan_policy: oracle.rankdata(
                    x, method, axis=axis, nan_policy=nan_policy
                ).astype(float)
            })
            for x in (TIES, GAPS, TIES.astype(np.float32))
            for method in ("average", "min", "max", "dense", "ordinal")
            for axis, policy in ((None, "propagate"), (1, "propagate"), (-2, "omit"))
        ],
        *[
            (stats.mode, x, {"axis": axis, "keepdims": keepdims}, {
                "expected": lambda x, axis, keepdims: tuple(
                    oracle.mode(x, axis=axis, keepdims=keepdims)
                ),
            })
            for x in (TIES, TIES.astype(np.float32), SIGNED)
            for axis in (0, 1, None)
            for keepdims in (False, True)
        ],
        (stats.mode, GAPS, {"nan_policy": "omit", "axis": 1}, {
            "expected": lambda *_, **__: (np.array([1.0, -1.0, 3.0]), np.array([2, 1, 2])),
            "batch": "the oracle knows one result",
        }),
        *[
            (stats.sem, x, {"axis": axis, "ddof": ddof, "nan_policy": policy, "keepdims": keep}, {
                "moving": (0,) if x is ABOVE else (),
                "expected": oracle.sem,
            })
            for x in (ABOVE, GAPS, TIES)
            for axis, ddof, policy, keep in (
                (0, 1, "propagate", False), (1, 0, "propagate", True), (None, 1, "omit", False),
            )
        ],
    ]
]  # fmt: skip

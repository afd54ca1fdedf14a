"""What is measured: each case written once, for whichever library it is given.

jx and JAX have the same public functions, so a case is a function of the
namespace (`jx` or `jax`). This package holds the cases alone: running them is
`worker.py` and `runner.py`, and judging the figures `report.py`.
"""

from . import (
    against_numpy,
    callbacks,
    calls,
    compile_cache,
    composition,
    convolution,
    dispatch,
    eager,
    fourier,
    indexing,
    linalg,
    ragged,
    reductions,
    spectral,
    startup,
    tracing,
    training,
)
from .case import Case

FAMILIES = (
    composition,
    startup,
    tracing,
    eager,
    calls,
    dispatch,
    callbacks,
    compile_cache,
    convolution,
    fourier,
    indexing,
    linalg,
    ragged,
    reductions,
    spectral,
    training,
    against_numpy,
)
CASES: dict[str, Case] = {case.name: case for family in FAMILIES for case in family.CASES}
# What the geometric mean of the ratios of a group of cases, named by how they begin, may be.
MEANS: dict[str, float] = calls.MEANS

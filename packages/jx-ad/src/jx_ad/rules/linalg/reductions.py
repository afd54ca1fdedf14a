"""Why decompositions that are steps on the way to eigenvalues are not differentiated."""

from __future__ import annotations

from jx_core.lax import linalg

from ...tables import jvp_rules

jvp_rules.explain(
    "its reflections are a choice among many that give a matrix of this form; differentiate eigh, "
    "eig or svd, whose results have a meaning of their own",
    linalg.hessenberg_p,
    linalg.tridiagonal_p,
)
jvp_rules.explain(
    "Schur vectors and the part above the diagonal are a choice among many, and change by jumps "
    "where the order of eigenvalues does; differentiate eig, whose results have a meaning of their "
    "own",
    linalg.schur_p,
)

"""Why Schur decompositions are not differentiated; Householder reductions are, by operations."""

from __future__ import annotations

from typing import Any

from jx_core.lax import linalg

from ...tables import jvp_rules


def _schur(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    raise NotImplementedError(
        "schur is not differentiated: its vectors and the part above the diagonal depend on the "
        "order in which eigenvalues are found, and end an iteration whose derivatives converge "
        "later than it does. lax.linalg.eig and eigh are differentiated"
    )


jvp_rules.define(linalg.schur_p)(_schur)

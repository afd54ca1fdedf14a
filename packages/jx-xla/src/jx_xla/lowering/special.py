"""Lowering of special functions: the error functions are operations of CHLO.

The others are lowered as what they decompose into, which is more precise than XLA's own
`lgamma`, `digamma`, `zeta` and `polygamma`.
"""

from __future__ import annotations

from jx_core import lax

from .elementwise import one_op
from .tables import deflower

for _primitive, _name in {
    lax.erf_p: "erf", lax.erfc_p: "erfc", lax.erf_inv_p: "erf_inv",
}.items():  # fmt: skip
    deflower(_primitive)(one_op(f"chlo.{_name}"))

"""Batching of calls of exported functions: there is none, as their equations are gone."""

from __future__ import annotations

from jx_core.ops.control_flow.exported import call_exported_p

from ...tables import batch_rules

batch_rules.explain(
    "an exported function takes arguments of the shapes it was exported for. Export the function "
    "under vmap, or with a symbolic batch dimension (jx.export.symbolic_shape), or call it for "
    "one row after another with jx.lax.map",
    call_exported_p,
)

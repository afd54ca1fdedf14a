"""Differentiation of checks: they look at values, and have no result."""

from __future__ import annotations

from jx_core.ops.checks import check_p

from ..tables import defnondiff

defnondiff("it has no result", check_p)

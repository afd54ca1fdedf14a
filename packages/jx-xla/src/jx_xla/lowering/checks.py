"""Lowering of checks: there is none, for a compiled program can't raise an error."""

from __future__ import annotations

from typing import Any

from jx_core.ops.checks import check_p, not_functionalized

from .builder import Value
from .tables import Context, deflower


@deflower(check_p)
def _check(ctx: Context, *operands: Value, sites: Any, debug: bool) -> list[Value]:
    if not debug:
        raise not_functionalized(sites)
    return []

"""Batching of checks: the first row that fails makes the whole fail."""

from __future__ import annotations

from typing import Any

from jx_core.checkify.checks import first_of_rows
from jx_core.ops.checks import check_p

from ..tables import BatchAxis, defbatch


@defbatch(check_p)
def _(
    batch: BatchAxis, operands: list[Any], dims: list[int | None], **params: Any
) -> tuple[list[Any], list[int | None]]:
    check_p.bind(*first_of_rows(operands, dims), **params)
    return [], []

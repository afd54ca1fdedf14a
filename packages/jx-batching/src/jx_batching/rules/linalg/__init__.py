"""Batching of matrix decompositions and solvers, which take any leading axes: a batch is one more.

Linear systems that share their matrix are one system with more right-hand sides (`solves`).
"""

from __future__ import annotations

from typing import Any

from jx_core import Primitive
from jx_core.lax import linalg

from ...axes import at_axis
from ...tables import BatchAxis, batch_rules, defbatch
from ..alignment import Dims, Operands
from . import solves  # noqa: F401  has rules of its own


def _leading(primitive: Primitive) -> None:
    @defbatch(primitive)
    def _(batch: BatchAxis, operands: Operands, dims: Dims, **params: Any) -> tuple[Any, Any]:
        batches = [at_axis(x, d, batch.size) for x, d in zip(operands, dims, strict=True)]
        out = primitive.bind(*batches, **params)
        return (out, [0] * len(out)) if primitive.multiple_results else (out, 0)


for _primitive in vars(linalg).values():
    if isinstance(_primitive, Primitive) and _primitive not in batch_rules.rules:
        _leading(_primitive)

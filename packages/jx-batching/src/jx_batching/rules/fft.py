"""Batching Fourier transforms: any axes may lie in front of those transformed."""

from __future__ import annotations

from typing import Any

from jx_core import typeof
from jx_core.lax import fft_p

from ..axes import move_axis
from ..tables import BatchAxis, defbatch
from .alignment import Dims, Operands


@defbatch(fft_p)
def _(
    batch: BatchAxis,
    operands: Operands,
    dims: Dims,
    *,
    fft_type: Any,
    fft_lengths: tuple[int, ...],
) -> tuple[Any, int]:
    (x,), (dim,) = operands, dims
    assert dim is not None
    if dim >= typeof(x).ndim - len(fft_lengths):
        x, dim = move_axis(x, dim, 0), 0
    return fft_p.bind(x, fft_type=fft_type, fft_lengths=fft_lengths), dim

"""Samples of matrix decompositions and solvers."""

from __future__ import annotations

from collections.abc import Iterator

from ..sample import ErrorSample, Sample
from . import direct, spectral

_PARTS = (direct, spectral)


def samples() -> Iterator[Sample]:
    for part in _PARTS:
        yield from part.samples()


def error_samples() -> Iterator[ErrorSample]:
    for part in _PARTS:
        yield from part.error_samples()

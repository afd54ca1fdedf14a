"""Samples of matrix decompositions and solvers."""

from __future__ import annotations

from collections.abc import Iterator

from ..sample import ErrorSample, Sample
from . import direct, spectral


def samples() -> Iterator[Sample]:
    yield from direct.samples()
    yield from spectral.samples()


def error_samples() -> Iterator[ErrorSample]:
    yield from direct.error_samples()
    yield from spectral.error_samples()

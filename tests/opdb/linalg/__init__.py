"""Samples of matrix decompositions and solvers."""

from __future__ import annotations

from collections.abc import Iterator

from ..sample import ErrorSample, Sample
from . import direct, spectral

<<<<<<< HEAD
_PARTS = (direct, spectral)


def samples() -> Iterator[Sample]:
    for part in _PARTS:
        yield from part.samples()


def error_samples() -> Iterator[ErrorSample]:
    for part in _PARTS:
        yield from part.error_samples()
=======

def samples() -> Iterator[Sample]:
    yield from direct.samples()
    yield from spectral.samples()


def error_samples() -> Iterator[ErrorSample]:
    yield from direct.error_samples()
    yield from spectral.error_samples()
>>>>>>> h-factor2

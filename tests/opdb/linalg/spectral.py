"""Samples of spectral decompositions."""

from __future__ import annotations

from collections.abc import Iterator

from ..sample import ErrorSample, Sample


def samples() -> Iterator[Sample]:
    yield from ()


def error_samples() -> Iterator[ErrorSample]:
    yield from ()

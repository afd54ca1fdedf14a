"""The op database: samples of every primitive, and of the errors that bad input raises.

One file an op family, as everywhere. A new operation gets the generic tests in `tests/` by
adding its samples here.
"""

from __future__ import annotations

import functools
from types import ModuleType

from jx_core.config import enable_x64

from . import (
    contraction,
    control_flow,
    elementwise,
    fft,
    indexing,
    linalg,
    reduction,
    rng,
    shape,
    sorting,
    special,
)
from .compare import mismatch, mismatches, tolerance
from .sample import ErrorSample, Sample

__all__ = [
    "ErrorSample", "FAMILIES", "Sample", "all_errors", "all_samples", "mismatch", "mismatches",
    "samples_of", "tolerance",
]  # fmt: skip

FAMILIES: tuple[ModuleType, ...] = (
    elementwise,
    special,
    shape,
    indexing,
    reduction,
    contraction,
    sorting,
    linalg,
    fft,
    rng,
    control_flow,
)


@functools.cache
def all_samples() -> dict[str, list[Sample]]:
    """Every sample, by the name of its primitive."""
    found: dict[str, list[Sample]] = {}
    with enable_x64(True):
        for family in FAMILIES:
            for sample in family.samples():
                named = found.setdefault(sample.primitive.name, [])
                named.append(sample)
                # Those of rng are of all generators, and programs are of the one they hold.
                if sample.keys and family not in (rng, control_flow):
                    named.append(sample.on_longer_keys())
    return found


def samples_of(name: str) -> list[Sample]:
    """The samples of the primitive of that name."""
    return all_samples()[name]


@functools.cache
def all_errors() -> list[ErrorSample]:
    """Every sample of bad input."""
    return [e for family in FAMILIES for e in family.error_samples()]

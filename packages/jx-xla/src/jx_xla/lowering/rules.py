"""Importing this module fills the lowering tables: one file an op family."""

from . import (  # noqa: F401
    callbacks,
    checks,
    composites,
    contraction,
    control_flow,
    elementwise,
    fft,
    indexing,
    linalg,
    reduction,
    rng,
    shape,
    sharding,
    sorting,
    special,
)

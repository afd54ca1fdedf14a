"""Importing this module fills the lowering tables: one file an op family."""

from . import (  # noqa: F401
    contraction,
    control_flow,
    elementwise,
    indexing,
    reduction,
    rng,
    shape,
    sharding,
    sorting,
)

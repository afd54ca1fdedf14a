"""The rules of differentiation, one file or folder an op family."""

from . import (  # noqa: F401
    contraction,
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
from .control_flow import checkpoint, custom, exported, jit  # noqa: F401

"""The rules of differentiation, one file or folder an op family."""

from . import (  # noqa: F401
    callbacks,
    checks,
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
from .control_flow import (  # noqa: F401
    checkpoint,
    custom,
    custom_vmap,
    exported,
    jit,
    linear_call,
)

"""The rules of batching, one file an op family.

Importing this package fills the rule table. `alignment.py` has what the rules share;
moving single axes is in `jx_batching.axes`.
"""

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
    cond,
    custom,
    exported,
    implicit,
    jit,
    linear_call,
    scan,
    while_loop,
)

"""The rules of batching, one file an op family.

Importing this package fills the rule table. `alignment.py` has what the rules share;
moving single axes is in `jx_batching.axes`.
"""

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
from .control_flow import checkpoint, cond, custom, implicit, jit, scan, while_loop  # noqa: F401

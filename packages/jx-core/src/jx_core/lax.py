"""`lax`: the functions that bind primitives, one thin layer above them, as in `jax.lax`.

Operands are not promoted: dtypes must be equal and shapes equal or zero-dimensional.
Each function lives in its family's file under `ops/`; this module only gathers them.
"""

# ruff: noqa: F403
from .ops.contraction import *
from .ops.control_flow import *
from .ops.elementwise import *
from .ops.indexing import *
from .ops.reduction import *
from .ops.rng import *
from .ops.shape import *
from .ops.sharding import *
from .ops.sorting import *
from .ops.special import *

"""`lax`: the functions that bind primitives, one thin layer above them, as in `jax.lax`.

Operands are not promoted: dtypes must be equal and shapes equal or zero-dimensional.
Each function lives in its family's file under `ops/`; this module only gathers them, from
every file by name, so that type checkers see them too.
"""

# ruff: noqa: F403
from ..ops.callbacks.tokens import *
from ..ops.contraction.conv import *
from ..ops.contraction.conv_shapes import *
from ..ops.contraction.dot import *
from ..ops.contraction.patches import *
from ..ops.contraction.precision import *
from ..ops.contraction.ragged import *
from ..ops.contraction.scaled import *
from ..ops.control_flow.associative_scan import *
from ..ops.control_flow.cond import *
from ..ops.control_flow.custom_root import *
from ..ops.control_flow.jit import jit_p as jit_p
from ..ops.control_flow.linear_solve import *
from ..ops.control_flow.map import *
from ..ops.control_flow.platform_dependent import *
from ..ops.control_flow.scan import *
from ..ops.control_flow.while_loop import *
from ..ops.elementwise.accuracy import *
from ..ops.elementwise.arithmetic import *
from ..ops.elementwise.barrier import *
from ..ops.elementwise.bitwise import *
from ..ops.elementwise.comparison import *
from ..ops.elementwise.conversion import *
from ..ops.elementwise.named import *
from ..ops.elementwise.transcendental import *
from ..ops.fft import *
from ..ops.indexing.gather import *
from ..ops.indexing.scatter import *
from ..ops.indexing.slicing import *
from ..ops.reduction.cumulative import *
from ..ops.reduction.extremes import *
from ..ops.reduction.general import *
from ..ops.reduction.monoids import *
from ..ops.reduction.selection import *
from ..ops.reduction.window_shapes import *
from ..ops.reduction.windows import *
from ..ops.rng.bit_generator import *
from ..ops.rng.keys import *
from ..ops.rng.stateful import *
from ..ops.rng.threefry import *
from ..ops.shape.broadcasting import *
from ..ops.shape.dimensions import *
from ..ops.shape.filling import *
from ..ops.shape.joining import *
from ..ops.shape.rearranging import *
from ..ops.sharding import *
from ..ops.sorting.greatest import *
from ..ops.sorting.order import *
from ..ops.sorting.selection import *
from ..ops.special.bessel import *
from ..ops.special.error_functions import *
from ..ops.special.gamma import *
from ..ops.special.gamma_quotients import *
from ..ops.special.incomplete_beta import *
from ..ops.special.incomplete_gamma import *
from ..ops.special.normal import *
from ..ops.special.zeta_functions import *
from . import linalg as linalg

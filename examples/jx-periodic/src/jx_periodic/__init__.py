"""Functions on grids that wrap around, as primitives of jx."""

import importlib.util

from . import batching, derivatives  # noqa: F401  they define rules
from .operations import laplacian, laplacian_p, shift, shift_p

if importlib.util.find_spec("jx_xla") is not None:  # without it, NumPy computes
    from . import lowering  # noqa: F401

__all__ = ["laplacian", "laplacian_p", "shift", "shift_p"]

"""Reading and writing parts of arrays: slices at known and at computed places, gather, scatter.

`slicing` has contiguous blocks, `gather` and `scatter` blocks at many computed places.
NumPy-style indexing (`x[i, ..., ::2]`, `.at[]`) is built on these in jx-numpy.
"""

# ruff: noqa: F403
from . import gather as _gather
from . import scatter as _scatter
from . import slicing as _slicing
from .gather import *
from .scatter import *
from .slicing import *

__all__: list[str] = []
__all__ += _gather.__all__
__all__ += _scatter.__all__
__all__ += _slicing.__all__

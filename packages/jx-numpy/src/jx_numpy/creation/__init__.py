"""Making arrays.

`conversion` (of numbers, lists and other arrays), `filling` (one value everywhere),
`ranges`, `grids`, `matrices` and `files`.
"""

from .conversion import *  # noqa: F403
from .conversion import __all__ as _conversion
from .files import *  # noqa: F403
from .files import __all__ as _files
from .filling import *  # noqa: F403
from .filling import __all__ as _filling
from .grids import *  # noqa: F403
from .grids import __all__ as _grids
from .matrices import *  # noqa: F403
from .matrices import __all__ as _matrices
from .ranges import *  # noqa: F403
from .ranges import __all__ as _ranges

__all__ = [*_conversion, *_files, *_filling, *_grids, *_matrices, *_ranges]  # noqa: PLE0604

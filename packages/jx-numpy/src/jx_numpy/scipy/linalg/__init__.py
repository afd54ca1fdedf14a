"""`jx.scipy.linalg`: linear algebra as in `scipy.linalg`, on stacks of matrices.

`factorizations`, `solving` and `spectra` hold SciPy's forms of what `jx.lax.linalg` computes;
`exponentials` and `matrix_functions` functions of matrices; `structured` matrices that are made of
the elements of vectors, and `named` those that are known by a name and a size.
"""

from .exponentials import *  # noqa: F403
from .exponentials import __all__ as _exponentials
from .factorizations import *  # noqa: F403
from .factorizations import __all__ as _factorizations
from .matrix_functions import *  # noqa: F403
from .matrix_functions import __all__ as _matrix_functions
from .named import *  # noqa: F403
from .named import __all__ as _named
from .solving import *  # noqa: F403
from .solving import __all__ as _solving
from .spectra import *  # noqa: F403
from .spectra import __all__ as _spectra
from .structured import *  # noqa: F403
from .structured import __all__ as _structured

__all__ = [  # noqa: PLE0604
    *_exponentials, *_factorizations, *_matrix_functions, *_named, *_solving, *_spectra,
    *_structured,
]  # fmt: skip

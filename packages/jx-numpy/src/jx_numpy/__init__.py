"""`jx.numpy`: NumPy's functions for arrays that can be traced, differentiated and compiled.

Names, arguments and dtypes are those of `jax.numpy`. Each function is one compiled dispatch
on arrays and a plain function of Python while anything is being traced. Beside the
namespace itself there are the packages `fft`, `linalg`, `nn` and `random`.

>>> import jx_numpy as jnp
>>> jnp.arange(3) + 1
Array([1, 2, 3], dtype=int32)
"""

# ruff: noqa: F403
from jx_core import Array as ndarray
from jx_core import source as _source

from . import contraction as _contraction
from . import fft as fft
from . import indexing as _indexing
from . import linalg as linalg
from . import methods as _methods  # noqa: F401  (installs them on arrays)
from . import nn as nn
from . import random as random
from ._version import __version__ as __version__
from .array_api import __array_api_version__ as __array_api_version__
from .array_api import __array_namespace_info__ as __array_namespace_info__
from .calculus import *
from .calculus import __all__ as _calculus_names
from .contraction import *
from .creation import *
from .creation import __all__ as _creation_names
from .cumulative import *
from .cumulative import __all__ as _cumulative_names
from .functional import *
from .functional import __all__ as _functional_names
from .index_tricks import *
from .index_tricks import __all__ as _index_tricks_names
from .indexing import *
from .inspection import *
from .inspection import __all__ as _inspection_names
from .manipulation import *
from .manipulation import __all__ as _manipulation_names
from .means import *
from .means import __all__ as _means_names
from .nan_reductions import *
from .nan_reductions import __all__ as _nan_reductions_names
from .polynomials import *
from .polynomials import __all__ as _polynomials_names
from .printing import *
from .printing import __all__ as _printing_names
from .quantiles import *
from .quantiles import __all__ as _quantiles_names
from .reductions import *
from .reductions import __all__ as _reductions_names
from .scalar_types import *
from .scalar_types import __all__ as _scalar_types_names
from .sets import *
from .sets import __all__ as _sets_names
from .signal import *
from .signal import __all__ as _signal_names
from .sorting import *
from .sorting import __all__ as _sorting_names
from .statistics import *
from .statistics import __all__ as _statistics_names
from .ufuncs import *
from .ufuncs import __all__ as _ufuncs_names
from .windows import *
from .windows import __all__ as _windows_names

_source.register_internal(__file__)

__all__ = [  # noqa: PLE0604
    "fft", "linalg", "ndarray", "nn", "random",
    *_calculus_names, *_contraction.__all__, *_creation_names, *_cumulative_names,
    *_functional_names, *_index_tricks_names, *_indexing.__all__, *_inspection_names,
    *_manipulation_names, *_means_names, *_nan_reductions_names, *_polynomials_names,
    *_printing_names,
    *_quantiles_names, *_reductions_names, *_scalar_types_names, *_sets_names, *_signal_names,
    *_sorting_names, *_statistics_names, *_ufuncs_names, *_windows_names,
]  # fmt: skip

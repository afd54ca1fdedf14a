"""`jx.scipy.special`: special functions of arrays, as in `scipy.special`.

A file for each family of them; those that have a primitive of their own are computed as
`jx_core.ops.special` says, in double precision, and rounded once.
"""

from .bessel import *  # noqa: F403
from .bessel import __all__ as _bessel
from .betas import *  # noqa: F403
from .betas import __all__ as _betas
from .entropies import *  # noqa: F403
from .entropies import __all__ as _entropies
from .error_functions import *  # noqa: F403
from .error_functions import __all__ as _error_functions
from .gammas import *  # noqa: F403
from .gammas import __all__ as _gammas
from .logistic import *  # noqa: F403
from .logistic import __all__ as _logistic
from .normal import *  # noqa: F403
from .normal import __all__ as _normal
from .power_transforms import *  # noqa: F403
from .power_transforms import __all__ as _power_transforms
from .softmax import *  # noqa: F403
from .softmax import __all__ as _softmax
from .zetas import *  # noqa: F403
from .zetas import __all__ as _zetas

__all__ = [  # noqa: PLE0604
    *_bessel, *_betas, *_entropies, *_error_functions, *_gammas, *_logistic, *_normal,
    *_power_transforms, *_softmax, *_zetas,
]  # fmt: skip

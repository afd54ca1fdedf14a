"""`jx.scipy.special`: special functions of arrays, as in `scipy.special`.

A file for each family of them; those that have a primitive of their own are computed as
`jx_core.ops.special` says, in double precision, and rounded once. So are the integrals here.
"""

from .bessel import *  # noqa: F403
from .bessel import __all__ as _bessel
from .bessel_orders import *  # noqa: F403
from .bessel_orders import __all__ as _bessel_orders
from .betas import *  # noqa: F403
from .betas import __all__ as _betas
from .dilogarithm import *  # noqa: F403
from .dilogarithm import __all__ as _dilogarithm
from .entropies import *  # noqa: F403
from .entropies import __all__ as _entropies
from .error_functions import *  # noqa: F403
from .error_functions import __all__ as _error_functions
from .exponential_integrals import *  # noqa: F403
from .exponential_integrals import __all__ as _exponential_integrals
from .faddeeva import *  # noqa: F403
from .faddeeva import __all__ as _faddeeva
from .gammas import *  # noqa: F403
from .gammas import __all__ as _gammas
from .hypergeometric import *  # noqa: F403
from .hypergeometric import __all__ as _hypergeometric
from .logistic import *  # noqa: F403
from .logistic import __all__ as _logistic
from .normal import *  # noqa: F403
from .normal import __all__ as _normal
from .owens import *  # noqa: F403
from .owens import __all__ as _owens
from .power_transforms import *  # noqa: F403
from .power_transforms import __all__ as _power_transforms
from .softmax import *  # noqa: F403
from .softmax import __all__ as _softmax
from .spherical import *  # noqa: F403
from .spherical import __all__ as _spherical
from .trigonometric_integrals import *  # noqa: F403
from .trigonometric_integrals import __all__ as _trigonometric_integrals
from .zetas import *  # noqa: F403
from .zetas import __all__ as _zetas

__all__ = [  # noqa: PLE0604
    *_bessel, *_bessel_orders, *_betas, *_dilogarithm, *_entropies, *_error_functions,
    *_exponential_integrals, *_faddeeva, *_gammas, *_hypergeometric, *_logistic, *_normal,
    *_owens, *_power_transforms, *_softmax, *_spherical, *_trigonometric_integrals, *_zetas,
]  # fmt: skip

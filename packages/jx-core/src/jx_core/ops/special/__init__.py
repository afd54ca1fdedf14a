"""Special functions of real numbers: error functions, gamma, zeta, beta and Bessel functions.

Each is written once (`maths` says how) and serves as the reference meaning and as the
decomposition that is compiled.
"""

# ruff: noqa: F403
from . import bessel as _bessel
from . import error_functions as _error_functions
from . import gamma as _gamma
from . import gamma_quotients as _gamma_quotients
from . import incomplete_beta as _incomplete_beta
from . import incomplete_gamma as _incomplete_gamma
from . import normal as _normal
from . import zeta_functions as _zeta
from .bessel import *
from .error_functions import *
from .gamma import *
from .gamma_quotients import *
from .incomplete_beta import *
from .incomplete_gamma import *
from .normal import *
from .zeta_functions import *

__all__: list[str] = []
__all__ += _bessel.__all__
__all__ += _error_functions.__all__
__all__ += _gamma.__all__
__all__ += _gamma_quotients.__all__
__all__ += _incomplete_beta.__all__
__all__ += _incomplete_gamma.__all__
__all__ += _normal.__all__
__all__ += _zeta.__all__

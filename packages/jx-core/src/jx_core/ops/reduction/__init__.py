"""Many elements made one: reductions over axes, positions of extremes, running totals.

`monoids` holds the reductions by sum, product, extremes and bits; `general` the one by any
function; `extremes` argmax and argmin; `cumulative` the running ones.
"""

from . import cumulative, extremes, general, monoids
from .cumulative import *  # noqa: F403
from .extremes import *  # noqa: F403
from .general import *  # noqa: F403
from .monoids import *  # noqa: F403
from .monoids import identity as identity  # for the layers above; it is no lax function

__all__: list[str] = []
__all__ += cumulative.__all__
__all__ += extremes.__all__
__all__ += general.__all__
__all__ += monoids.__all__

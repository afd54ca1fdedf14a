"""Many elements made one: reductions over axes, positions of extremes, running totals.

`monoids` holds the reductions by sum, product, extremes and bits; `general` the one by any
function, whose programs `programs` traces and runs; `extremes` argmax and argmin; `cumulative`
the running ones; `windows` those of windows that slide over an array, `selection` what picks one
element of each, and `window_shapes` where windows lie.
"""

from . import cumulative, extremes, general, monoids, selection, window_shapes, windows
from .cumulative import *  # noqa: F403
from .extremes import *  # noqa: F403
from .general import *  # noqa: F403
from .monoids import *  # noqa: F403
from .monoids import identity as identity  # for the layers above; it is no lax function
from .selection import *  # noqa: F403
from .window_shapes import *  # noqa: F403
from .windows import *  # noqa: F403

__all__: list[str] = []
__all__ += cumulative.__all__
__all__ += extremes.__all__
__all__ += general.__all__
__all__ += monoids.__all__
__all__ += selection.__all__
__all__ += window_shapes.__all__
__all__ += windows.__all__

"""Operations that move elements about, and never look at them.

One file for each sort: `broadcasting` (more elements), `rearranging` (the same ones in
another order or shape), `joining` (several arrays to one, and back), `filling` (arrays out
of nothing), `dimensions` (symbolic sizes as values). All but the last two take every dtype,
typed keys included.
"""

from . import broadcasting, dimensions, filling, joining, rearranging
from .broadcasting import *  # noqa: F403
from .broadcasting import broadcast_to as broadcast_to  # for the layers above; no lax function
from .dimensions import *  # noqa: F403
from .filling import *  # noqa: F403
from .joining import *  # noqa: F403
from .rearranging import *  # noqa: F403

__all__: list[str] = []
__all__ += broadcasting.__all__
__all__ += dimensions.__all__
__all__ += filling.__all__
__all__ += joining.__all__
__all__ += rearranging.__all__

"""Sorting: `order` sorts whole axes, `greatest` and `selection` find but a few elements."""

from . import greatest, order, selection
from .greatest import *  # noqa: F403
from .order import *  # noqa: F403
from .selection import *  # noqa: F403

__all__: list[str] = []
__all__ += greatest.__all__
__all__ += order.__all__
__all__ += selection.__all__

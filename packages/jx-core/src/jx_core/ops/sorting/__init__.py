"""Sorting: `order` sorts whole axes, `greatest` finds the greatest few elements."""

from . import greatest, order
from .greatest import *  # noqa: F403
from .order import *  # noqa: F403

__all__: list[str] = []
__all__ += greatest.__all__
__all__ += order.__all__

"""Contractions: products of arrays summed over axes, from `dot` to `einsum`."""

from .einsum import *  # noqa: F403
from .einsum import __all__ as _einsum
from .products import *  # noqa: F403
from .products import __all__ as _products

__all__: list[str] = []
__all__ += _einsum
__all__ += _products

"""Contractions: products of arrays summed over axes, from `dot` to `einsum`."""

from . import einsum as _einsum
from . import products as _products
from .einsum import *  # noqa: F403
from .products import *  # noqa: F403

__all__: list[str] = []
__all__ += _einsum.__all__
__all__ += _products.__all__

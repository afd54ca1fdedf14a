"""Differentiation of reductions, cumulative operations and window reductions."""

from . import cumulative, general, monoids, windows  # noqa: F401

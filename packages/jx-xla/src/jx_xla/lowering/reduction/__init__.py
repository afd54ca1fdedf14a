"""Lowering of reductions, of windows too, positions of extremes and cumulative operations."""

from . import cumulative, monoids, windows  # noqa: F401

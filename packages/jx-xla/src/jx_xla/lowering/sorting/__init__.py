"""Lowering of sorting, and of finding the greatest few elements."""

from . import greatest, order, selection  # noqa: F401

"""Lowering of sorting, and of finding the greatest few elements."""

from . import greatest, order  # noqa: F401

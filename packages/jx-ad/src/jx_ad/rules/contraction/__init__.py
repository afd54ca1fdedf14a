"""Differentiation of contractions, which are linear in either operand."""

from . import conv, dot  # noqa: F401

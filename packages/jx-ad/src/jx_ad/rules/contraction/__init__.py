"""Differentiation of contractions, which are linear in either operand."""

from . import conv, dot, ragged  # noqa: F401

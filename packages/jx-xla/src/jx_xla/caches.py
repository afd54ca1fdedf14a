"""Forgetting what has been traced and compiled."""

from __future__ import annotations

from jx_core import backend
from jx_core.jit import clear_caches as forget_staged

from .backend import XlaBackend
from .runtime import dispatch


def clear_caches() -> None:
    """Forget every traced and compiled program of this process.

    Functions are traced and compiled anew at their next call. Arrays are untouched.

    >>> clear_caches()
    """
    forget_staged()
    for each in backend.registered().values():
        if isinstance(each, XlaBackend):
            each.forget_eager()
    dispatch.clear_caches()

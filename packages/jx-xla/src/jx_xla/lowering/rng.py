"""Lowering of keys, which are held as their words.

Splitting, folding and drawing bits have decompositions into arithmetic on words.
"""

from __future__ import annotations

from typing import Any

from jx_core import lax

from .builder import Value
from .tables import Context, deflower


@deflower(lax.random_wrap_p)
def _wrap(ctx: Context, words: Value, *, impl: Any) -> Value:
    return words


@deflower(lax.random_unwrap_p)
def _unwrap(ctx: Context, keys: Value) -> Value:
    return keys


@deflower(lax.random_clone_p)
def _clone(ctx: Context, keys: Value) -> Value:
    return keys

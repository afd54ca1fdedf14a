"""A seam between layers: reverse differentiation, for layers that don't build on `jx_ad`.

A back end that writes programs down may be asked to write their derivatives with them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

# A module that appends to `vjp` when imported, for who loads layers late.
late_module: list[str] = []

# Set by jx_ad: vjp(fun)(primals, cotangents) gives the cotangents of the arguments of a flat
# function (lists of arrays in and out), float0 zeros for arguments that are no real numbers.
vjp: list[Callable[..., Any]] = []


def vjp_of(fun: Callable[..., list[Any]]) -> Callable[[list[Any], list[Any]], list[Any]]:
    """The cotangents of a flat function's arguments, as a function of both.

    Raises:
        RuntimeError: no layer that differentiates is installed.
    """
    while late_module:
        importlib.import_module(late_module.pop())
    if not vjp:
        raise RuntimeError("differentiation is a layer of its own, jx-ad: import jx_ad first")
    return vjp[-1](fun)  # type: ignore[no-any-return]

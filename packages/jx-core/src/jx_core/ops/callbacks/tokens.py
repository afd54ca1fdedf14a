"""Tokens: values that hold nothing, and are there to be waited for.

They are arrays `bool[0]`. Ordered effects need none of them: what keeps those in order is
threaded through a program where it is compiled.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...aval import ShapedArray
from ...primitive import Primitive

__all__ = ["after_all", "after_all_p", "create_token", "create_token_p"]

_TOKEN = ShapedArray((0,), np.dtype(bool))


def _after_all_type(*avals: ShapedArray) -> ShapedArray:
    for i, aval in enumerate(avals):
        if aval.shape != (0,) or aval.dtype != np.bool_:
            raise TypeError(
                f"Arguments to after_all must be tokens, as create_token makes them (bool[0]); "
                f"argument {i} is {aval.str_short()}"
            )
    return _TOKEN


create_token_p = Primitive(
    "create_token", abstract=lambda: _TOKEN, reference=lambda: np.zeros((0,), bool)
)
after_all_p = Primitive(
    "after_all", abstract=_after_all_type, reference=lambda *tokens: np.zeros((0,), bool)
)


def create_token(_: Any = None) -> Any:
    """A token: a value that holds nothing.

    >>> create_token().shape
    (0,)
    """
    return create_token_p.bind()


def after_all(*operands: Any) -> Any:
    """A token that is there when all of `operands`, which are tokens, are.

    Raises:
        TypeError: an operand is no token.

    >>> after_all(create_token(), create_token()).shape
    (0,)
    """
    return after_all_p.bind(*operands)

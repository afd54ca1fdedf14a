"""What keeps ordered effects in order: a token, threaded through a program as it is lowered.

A block's `token` is what the next ordered effect comes after. Functions, conditionals and loops
of programs with ordered effects take it as a further argument and give it as a further
result. Programs without know nothing of it.

Between programs, which can't pass tokens, an array without elements goes in its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from jx_core.effects import in_order

from .builder import Block, Value

TOKEN = "!stablehlo.token"
BETWEEN_PROGRAMS = "tensor<0xi1>"


def kind(public: bool) -> str:
    """The type of a function's token: `public` is the program's own."""
    return BETWEEN_PROGRAMS if public else TOKEN


def begin(block: Block, public: bool) -> None:
    """Begin a function that takes `%token`."""
    block.token = block.op("stablehlo.create_token", (), (), TOKEN) if public else "%token"


def last(block: Block, public: bool) -> Value:
    """What a function returns for its token. All results of a program come when it is done."""
    if not public:
        return block.token
    return block.constant(np.zeros((0,), bool), np.dtype(bool))


def ordered(effects: Iterable[Any]) -> bool:
    """Whether a program with these effects needs a token."""
    return bool(effects) and in_order(effects)

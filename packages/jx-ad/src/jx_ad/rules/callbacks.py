"""Differentiation of calls to Python: debugging shows primals, the others have no derivative.

A debugging callback has no results, so that none of it is on the tape: it happens once, in the
forward pass.
"""

from __future__ import annotations

from typing import Any, NoReturn

from jx_core.ops.callbacks import (
    debug_callback_p,
    inspect_sharding_p,
    io_callback_p,
    pure_callback_p,
)
from jx_core.ops.callbacks.tokens import after_all_p, create_token_p

from ..tables import defnondiff, jvp_rules


def _pure(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> NoReturn:
    raise ValueError(
        f"Pure callbacks do not support JVP: jx knows no derivative of the Python function in "
        f"{params['callback'].what}. Give it one with jx.custom_jvp or jx.custom_vjp, on a "
        f"function that calls it, or pass arguments through jx.lax.stop_gradient where it has none."
    )


def _io(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> NoReturn:
    raise ValueError(
        f"IO callbacks do not support JVP: an argument of {params['callback'].what} is being "
        f"differentiated. Pass it through jx.lax.stop_gradient, or put the call into a function "
        f"with jx.custom_jvp or jx.custom_vjp."
    )


jvp_rules.define(pure_callback_p)(_pure)
jvp_rules.define(io_callback_p)(_io)
defnondiff("debugging, which has no results", debug_callback_p, inspect_sharding_p)
defnondiff("tokens, which hold nothing", create_token_p, after_all_p)

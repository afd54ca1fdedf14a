"""`jx.custom_derivatives`: functions with derivatives of their own, and what their rules see."""

from __future__ import annotations

from typing import Any

from jx_core.ops.control_flow.custom import custom_jvp_call_p, custom_vjp_call_p
from jx_core.ops.control_flow.linear_call import remat_opt_p

from .closures import closure_convert, custom_gradient
from .custom_functions import SymbolicZero
from .custom_jvp import custom_jvp
from .custom_vjp import CustomVJPPrimal, custom_vjp, custom_vjp_primal_tree_values
from .linear_calls import linear_call
from .tangents import Zero

__all__ = [
    "CustomVJPPrimal", "SymbolicZero", "closure_convert", "custom_gradient", "custom_jvp",
    "custom_jvp_call_p", "custom_vjp", "custom_vjp_call_p", "custom_vjp_primal_tree_values",
    "linear_call", "remat_opt_p", "zero_from_primal",
]  # fmt: skip


def zero_from_primal(val: Any, symbolic_zeros: bool = False) -> Any:
    """The zero tangent of a value.

    Args:
        val: an array.
        symbolic_zeros: give a `SymbolicZero` in place of an array of zeros.

    >>> float(zero_from_primal(2.0))
    0.0
    """
    from jx_core import typeof

    if symbolic_zeros:
        return SymbolicZero.from_primal_value(val)
    return Zero(typeof(val)).instantiate()

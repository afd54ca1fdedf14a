"""jx-ad: differentiation of programs built on jx-core, on whatever back end is there."""

from jx_core.source import register_internal as _register_internal

from . import linear_maps as _linear_maps  # noqa: F401  (it makes itself known to jx-core)
from ._version import __version__
from .api import VJP, jvp, linear_transpose, linearize, vjp
from .checkpointing import checkpoint, checkpoint_name, print_saved_residuals, remat
from .closures import closure_convert, custom_gradient
from .custom_functions import SymbolicZero
from .custom_jvp import custom_jvp
from .custom_vjp import CustomVJPPrimal, custom_vjp, custom_vjp_primal_tree_values
from .gradients import grad, value_and_grad
from .jacobians import hessian, jacfwd, jacobian, jacrev
from .policies import checkpoint_policies
from .tables import (
    defjvp,
    defjvp_joint,
    deflinear,
    deflinearize,
    defnondiff,
    deftranspose,
    jvp_rules,
    linearize_rules,
    transpose_rules,
)
from .tangents import Linear, Zero, is_linear

_register_internal(__file__)

__all__ = [
    "CustomVJPPrimal", "Linear", "SymbolicZero", "VJP", "Zero", "__version__", "checkpoint",
    "checkpoint_name", "checkpoint_policies", "closure_convert", "custom_gradient", "custom_jvp",
    "custom_vjp", "custom_vjp_primal_tree_values", "defjvp", "defjvp_joint", "deflinear",
    "deflinearize", "defnondiff", "deftranspose", "grad", "hessian", "is_linear", "jacfwd",
    "jacobian", "jacrev", "jvp", "jvp_rules", "linear_transpose", "linearize", "linearize_rules",
    "print_saved_residuals", "remat", "transpose_rules", "value_and_grad", "vjp",
]  # fmt: skip

"""jx.nn: activation functions, softmax and its kin, attention, initialisers of weights.

All are plain functions of arrays: nothing here holds parameters or state.
"""

from . import initializers as initializers
from .attention import dot_product_attention
from .encoding import one_hot
from .logarithms import log1mexp, logmeanexp, logsumexp
from .normalization import log_softmax, softmax, standardize
from .piecewise import (
    celu,
    elu,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    relu,
    relu6,
    selu,
    sparse_plus,
    sparse_sigmoid,
)
from .scaled import (
    get_scaled_dot_general_config,
    scaled_dot_general,
    scaled_matmul,
)
from .smooth import (
    gelu,
    glu,
    identity,
    log_sigmoid,
    mish,
    sigmoid,
    silu,
    soft_sign,
    softplus,
    squareplus,
    swish,
    tanh,
)

__all__ = [
    "celu", "dot_product_attention", "elu", "gelu", "get_scaled_dot_general_config", "glu",
    "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "identity", "initializers",
    "leaky_relu", "log1mexp", "log_sigmoid", "log_softmax", "logmeanexp", "logsumexp", "mish",
    "one_hot", "relu", "relu6", "scaled_dot_general", "scaled_matmul", "selu", "sigmoid", "silu",
    "soft_sign", "softmax", "softplus", "sparse_plus", "sparse_sigmoid", "squareplus",
    "standardize", "swish", "tanh",
]  # fmt: skip

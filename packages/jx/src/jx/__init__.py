"""jx: composable transformations of array programs, compiled by XLA.

The namespace people use. All but pipelines of transformations comes from the layers `jx_core`,
`jx_ad`, `jx_batching`, `jx_xla`, `jx_parallel` and `jx_numpy`, under the names that JAX made
popular. Modules such as `jx.numpy` load when first used.

>>> import jx
>>> import jx.numpy as jnp
>>> float(jx.grad(jnp.sin)(0.0))
1.0
"""

import jx_xla as _jx_xla  # noqa: F401  registers XLA, and refuses a process that belongs to JAX
from jx_core import (
    Array,
    ShapeDtypeStruct,
    config,
    eval_shape,
    jit,
    make_jaxpr,
    named_scope,
)
from jx_core.config import (
    check_tracer_leaks,
    debug_infs,
    debug_key_reuse,
    debug_nans,
    default_device,
    default_matmul_precision,
    default_prng_impl,
    enable_checks,
    enable_x64,
    log_compiles,
    no_execution,
    no_tracing,
    numpy_dtype_promotion,
    numpy_rank_promotion,
    threefry_partitionable,
)
from jx_core.dtypes import float0
from jx_core.source import register_internal as _register_internal

from . import _lazy
from ._conveniences import checking_leaks, disable_jit, typeof
from ._lazy import __getattr__ as __getattr__
from ._version import __version__

_register_internal(__file__)
_lazy.install()

__all__ = [
    "Array", "ShapeDtypeStruct", "__version__", "check_tracer_leaks",
    "checking_leaks", "config", "debug_infs", "debug_key_reuse",
    "debug_nans", "default_device",
    "default_matmul_precision", "default_prng_impl", "disable_jit", "enable_checks", "enable_x64",
    "eval_shape", "float0", "jit", "log_compiles", "make_jaxpr", "named_scope",
    "no_execution", "no_tracing",
    "numpy_dtype_promotion", "numpy_rank_promotion", "threefry_partitionable", "typeof",
]  # fmt: skip
__all__ += list(_lazy.NAMES)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in _lazy.MODULES if "." not in name)})

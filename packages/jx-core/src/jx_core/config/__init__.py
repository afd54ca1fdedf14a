"""Options: what can be set, from where, and what it is now.

Each option has a type, a default, a line of help and an environment variable
``JX_<NAME>``, and is imported from here by its name::

    from jx_core.config import enable_x64

    enable_x64.value                               # in force on this thread
    enable_x64.set(True)                           # for the process
    with enable_x64(True): ...                     # for this thread, in this block

Not here: what the options do. Each is read by the module that it concerns.
"""

from jx_core.config.option import UNSET, BoolOption, Option, TraceKey, trace_key
from jx_core.config.options import (
    MATMUL_PRECISIONS,
    PRNG_IMPLEMENTATIONS,
    allow_f16_reductions,
    check_tracer_leaks,
    debug_infs,
    debug_key_reuse,
    debug_nans,
    default_device,
    default_matmul_precision,
    default_prng_impl,
    disable_jit,
    eager_constant_folding,
    enable_checks,
    enable_custom_prng,
    enable_x64,
    explain_cache_misses,
    legacy_prng_key,
    log_compiles,
    no_execution,
    no_tracing,
    num_cpu_devices,
    numpy_dtype_promotion,
    numpy_rank_promotion,
    platforms,
    threefry_partitionable,
    traceback_filtering,
)
from jx_core.config.registry import (
    Config,
    config,
    define_bool,
    define_enum,
    define_float,
    define_int,
    define_object,
    define_optional_enum,
    define_optional_str,
)

__all__ = [
    "BoolOption",
    "Config",
    "MATMUL_PRECISIONS",
    "Option",
    "PRNG_IMPLEMENTATIONS",
    "TraceKey",
    "UNSET",
    "no_tracing",
    "no_execution",
    "debug_nans",
    "debug_infs",
    "debug_key_reuse",
    "check_tracer_leaks",
    "config",
    "allow_f16_reductions",
    "default_device",
    "default_matmul_precision",
    "default_prng_impl",
    "define_bool",
    "define_enum",
    "define_float",
    "define_int",
    "define_object",
    "define_optional_enum",
    "define_optional_str",
    "disable_jit",
    "eager_constant_folding",
    "enable_checks",
    "enable_custom_prng",
    "enable_x64",
    "explain_cache_misses",
    "legacy_prng_key",
    "log_compiles",
    "num_cpu_devices",
    "numpy_dtype_promotion",
    "numpy_rank_promotion",
    "platforms",
    "threefry_partitionable",
    "trace_key",
    "traceback_filtering",
]

"""The options there are in jx-core. Other packages define their own beside their use."""

from __future__ import annotations

from typing import Any

from jx_core.config.option import all_options
from jx_core.config.registry import (
    define_bool,
    define_enum,
    define_int,
    define_object,
    define_optional_enum,
    define_optional_str,
)


def _accept_device(value: Any) -> Any:
    hash(value)  # it becomes part of caches' keys
    if value is None or isinstance(value, str) or hasattr(value, "platform"):
        return value
    raise ValueError(value)


# fmt: off
MATMUL_PRECISIONS = (
    "default", "high", "highest", "bfloat16", "tensorfloat32", "float32",
    "ANY_F8_ANY_F8_F32", "ANY_F8_ANY_F8_F32_FAST_ACCUM", "ANY_F8_ANY_F8_ANY",
    "ANY_F8_ANY_F8_ANY_FAST_ACCUM", "F16_F16_F16", "F16_F16_F32", "BF16_BF16_BF16",
    "BF16_BF16_F32", "BF16_BF16_F32_X3", "BF16_BF16_F32_X6", "BF16_BF16_F32_X9",
    "TF32_TF32_F32", "TF32_TF32_F32_X3", "F32_F32_F32", "F64_F64_F64",
)
PRNG_IMPLEMENTATIONS = (
    "threefry2x32", "threefry4x32", "philox2x32", "philox4x32", "rbg", "unsafe_rbg",
)
# fmt: on

enable_x64 = define_bool(
    "enable_x64", False, "64-bit dtypes; when off, they become their 32-bit kin", traced=True,
    example=""">>> with jx.enable_x64():
...     jx.numpy.arange(3.0).dtype
dtype('float64')""",
)
numpy_dtype_promotion = define_enum(
    "numpy_dtype_promotion",
    ("standard", "strict"),
    "standard",
    "how operands of different dtypes combine; 'strict' makes it an error",
    traced=True,
    example=""">>> with jx.numpy_dtype_promotion("strict"):
...     jx.numpy.float32(1) + jx.numpy.int32(1)  # doctest: +IGNORE_EXCEPTION_DETAIL
Traceback (most recent call last):
TypePromotionError: ...""",
)
numpy_rank_promotion = define_enum(
    "numpy_rank_promotion",
    ("allow", "warn", "raise"),
    "allow",
    "what happens when operands of different ranks are broadcast",
    traced=True,
    example=""">>> with jx.numpy_rank_promotion("raise"):
...     jx.numpy.ones((2, 3)) + jx.numpy.ones(3)  # doctest: +IGNORE_EXCEPTION_DETAIL
Traceback (most recent call last):
ValueError: ...""",
)
disable_jit = define_bool(
    "disable_jit", False, "run jitted functions one operation at a time, untraced", traced=True,
    example=""">>> with jx.disable_jit():
...     jx.jit(lambda x: print(x) or x)(1.0)
1.0
1.0""",
)
default_matmul_precision = define_optional_enum(
    "default_matmul_precision",
    MATMUL_PRECISIONS,
    None,
    "precision of matrix products and convolutions that name none",
    traced=True,
    example=""">>> with jx.default_matmul_precision("float32"):
...     float(jx.numpy.ones(3) @ jx.numpy.ones(3))
3.0""",
)
default_prng_impl = define_enum(
    "default_prng_impl",
    PRNG_IMPLEMENTATIONS,
    "threefry2x32",
    "generator of the keys that jx.random.key makes when told none",
    traced=True,
    example=""">>> with jx.default_prng_impl("rbg"):
...     jx.random.key_data(jx.random.key(0)).shape
(4,)""",
)
legacy_prng_key = define_enum(
    "legacy_prng_key",
    ("allow", "warn", "error"),
    "allow",
    "what happens when a jx.random function gets raw words in place of a typed key",
    traced=True,
    example=""">>> with jx.legacy_prng_key("error"):
...     jx.random.normal(jx.random.key(0)).dtype
dtype('float32')""",
)
enable_custom_prng = define_bool(
    "enable_custom_prng", False, "have jx.random.PRNGKey make typed keys, as jx.random.key does",
    traced=True,
    example=""">>> with jx.enable_custom_prng():
...     jx.random.PRNGKey(0).dtype
key<fry>""",
)
allow_f16_reductions = define_bool(
    "allow_f16_reductions", True, "when off, summing 16-bit floats by lax.reduce_sum is an error",
    traced=True,
    example=""">>> with jx.allow_f16_reductions(False):
...     jx.lax.reduce_sum(np.float16([1, 2]), (0,))  # doctest: +IGNORE_EXCEPTION_DETAIL
Traceback (most recent call last):
ValueError: ...""",
)
threefry_partitionable = define_bool(
    "threefry_partitionable",
    True,
    "draw threefry bits so that sharding does not change or communicate them",
    traced=True,
    example=""">>> key = jx.random.key(0)
>>> with jx.threefry_partitionable(False):
...     old = jx.random.bits(key, (2,))
>>> bool((old == jx.random.bits(key, (2,))).all())
False""",
)
default_device = define_object(
    "default_device",
    None,
    "device of computations whose operands name none",
    expected="a device, a platform's name or None",
    accept=_accept_device,
    traced=True,
    example=""">>> with jx.default_device("cpu"):
...     jx.numpy.ones(2).tolist()
[1.0, 1.0]""",
)
platforms = define_optional_str(
    "platforms", None, "comma-separated platforms to start, the first being the default"
)
num_cpu_devices = define_int(
    "num_cpu_devices",
    -1,
    "number of virtual CPU devices; -1 leaves it to the back end",
    expected="a positive integer or -1",
    accepts=lambda value: value == -1 or value >= 1,
)
traceback_filtering = define_enum(
    "traceback_filtering",
    ("on", "off"),
    "on",
    "leave jx's own frames out of tracebacks",
    aliases=dict.fromkeys(("auto", "tracebackhide", "remove_frames", "quiet_remove_frames"), "on"),
)
debug_nans = define_bool(
    "debug_nans", False, "raise an error where an operation gives NaN, which names it (slow)",
    example=""">>> with jx.debug_nans():
...     jx.numpy.log(-1.0)  # doctest: +IGNORE_EXCEPTION_DETAIL
Traceback (most recent call last):
FloatingPointError: ...""",
)
debug_infs = define_bool(
    "debug_infs", False, "raise an error where an operation gives an infinity, as debug_nans",
    example=""">>> with jx.debug_infs():
...     jx.numpy.log(0.0)  # doctest: +IGNORE_EXCEPTION_DETAIL
Traceback (most recent call last):
FloatingPointError: ...""",
)
debug_key_reuse = define_bool(
    "debug_key_reuse", False, "raise an error where a typed random key is used twice (slow)",
    example=""">>> key = jx.random.key(0)
>>> with jx.debug_key_reuse():
...     x = jx.random.normal(key)
...     y = jx.random.normal(key)  # doctest: +IGNORE_EXCEPTION_DETAIL
Traceback (most recent call last):
KeyReuseError: ...""",
)
check_tracer_leaks = define_bool(
    "check_tracer_leaks",
    False,
    "raise an error where a traced value outlives its trace (slow)",
    traced=True,
    example=""">>> with jx.check_tracer_leaks():
...     float(jx.jit(lambda x: x + 1)(1.0))
2.0""",
)
eager_constant_folding = define_bool(
    "eager_constant_folding",
    False,
    "compute at once what is known while a function is traced, as ensure_compile_time_eval does",
    traced=True,
)
no_tracing = define_bool(
    "no_tracing",
    False,
    "raise an error where a function is traced",
    example=""">>> with jx.no_tracing():
...     jx.jit(lambda x: x + 1)(1.0)  # doctest: +IGNORE_EXCEPTION_DETAIL
Traceback (most recent call last):
RuntimeError: ...""",
)
no_execution = define_bool(
    "no_execution",
    False,
    "raise an error where anything is computed",
    example=""">>> with jx.no_execution():
...     jx.eval_shape(lambda x: x @ x, np.ones((2, 2), np.float32)).shape
(2, 2)""",
)
log_compiles = define_bool(
    "log_compiles",
    False,
    "log a line for each program traced, lowered and compiled",
    example=""">>> with jx.log_compiles(False):
...     float(jx.jit(lambda x: x + 1)(1.0))
2.0""",
)
explain_cache_misses = define_bool(
    "explain_cache_misses",
    False,
    "log which argument changed when a function is traced or compiled again",
    example=""">>> with jx.explain_cache_misses(False):
...     float(jx.jit(lambda x: x + 1)(1.0))
2.0""",
)
enable_checks = define_bool(
    "enable_checks", False, "check the type of every Jaxpr when it has been traced (slow)",
    example=""">>> with jx.enable_checks():
...     float(jx.jit(lambda x: x + 1)(1.0))
2.0""",
)

# Where the tests look for examples: options are no functions or classes.
__test__ = {name: option.example for name, option in list(all_options.items())}

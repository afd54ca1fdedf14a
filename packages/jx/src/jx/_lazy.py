"""Which of jx's names live where, and how they are found when first used.

A module such as `jx.numpy` IS the layer's module: the finder here answers the import of
`jx.numpy` with `jx_numpy` itself, so there is one module, one set of classes, and no
file to keep in step.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from jx_core import array_methods, linear_maps, mapping

# jx.NAME -> the module it is. Submodules follow: jx.numpy.linalg is jx_numpy.linalg. What
# jx.experimental holds comes from many layers, so each of its modules has a line of its own.
MODULES = {
    "ad": "jx_ad.ad",
    "ad_checkpoint": "jx_ad.ad_checkpoint",
    "core": "jx_core",
    "custom_batching": "jx_batching.custom_batching",
    "custom_derivatives": "jx_ad.custom_derivatives",
    "debug": "jx_core.debug",
    "dlpack": "jx_xla.dlpack",
    "dtypes": "jx_core.dtypes",
    "errors": "jx_xla.errors",
    "experimental": "jx._experimental",
    "experimental.checkify": "jx_core.checkify",
    "experimental.compilation_cache": "jx_xla.compilation_cache",
    "experimental.serialize_executable": "jx_xla.serialize_executable",
    "export": "jx_xla.export",
    "flatten_util": "jx_numpy.flatten_util",
    "image": "jx_numpy.image",
    "lax": "jx_core.lax",
    "memory": "jx_core.memory",
    "nn": "jx_numpy.nn",
    "numpy": "jx_numpy",
    "ops": "jx_numpy.ops",
    "profiler": "jx_xla.profiler",
    "random": "jx_numpy.random",
    "ref": "jx_core.ref",
    "scipy": "jx_numpy.scipy",
    "sharding": "jx_parallel.sharding",
    "stages": "jx_xla.stages",
    "test_util": "jx_ad.testing",
    "tree": "jx_core.tree",
    "tree_util": "jx_core.tree_util",
    "typing": "jx_numpy.typing",
}

# jx.NAME -> the module that defines it.
NAMES = {
    "allow_f16_reductions": "jx_core.config",
    "enable_custom_prng": "jx_core.config",
    "legacy_prng_key": "jx_core.config",
    "make_user_context": "jx._conveniences",
    "print_environment_info": "jx._conveniences",
    "ds": "jx_numpy.indexing.block",
    "explain_cache_misses": "jx_core.config",
    "checkpoint": "jx_ad",
    "checkpoint_policies": "jx_ad",
    "remat": "jx_ad",
    "TransformPipeline": "jx.composing",
    "compose": "jx.composing",
    "closure_convert": "jx_ad",
    "derivative": "jx_ad",
    "custom_gradient": "jx_ad",
    "custom_jvp": "jx_ad",
    "custom_vjp": "jx_ad",
    "fwd_and_bwd": "jx_ad",
    "grad": "jx_ad",
    "hessian": "jx_ad",
    "jacfwd": "jx_ad",
    "jacobian": "jx_ad",
    "jacrev": "jx_ad",
    "jvp": "jx_ad",
    "linear_transpose": "jx_ad",
    "linearize": "jx_ad",
    "named_call": "jx_core.source",
    "value_and_grad": "jx_ad",
    "vjp": "jx_ad",
    "vmap": "jx_batching",
    "array_garbage_collection_guard": "jx_xla.guards",
    "thread_guard": "jx_xla.guards",
    "transfer_guard": "jx_xla.guards",
    "transfer_guard_device_to_device": "jx_xla.guards",
    "transfer_guard_device_to_host": "jx_xla.guards",
    "transfer_guard_host_to_device": "jx_xla.guards",
    "ensure_compile_time_eval": "jx_core.trace",
    "Device": "jx_xla",
    "NamedSharding": "jx_parallel",
    "Ref": "jx_core.ref",
    "empty_ref": "jx_core.ref",
    "free_ref": "jx_core.ref",
    "freeze": "jx_core.ref",
    "new_ref": "jx_core.ref",
    "P": "jx_parallel",
    "Shard": "jx_xla",
    "block_until_ready": "jx_xla",
    "clear_caches": "jx_xla",
    "copy_to_host_async": "jx_xla",
    "default_backend": "jx_xla",
    "device_count": "jx_xla",
    "device_get": "jx_xla",
    "device_put": "jx_xla",
    "devices": "jx_xla",
    "effects_barrier": "jx_xla",
    "live_arrays": "jx_xla",
    "local_device_count": "jx_xla",
    "local_devices": "jx_xla",
    "make_array_from_callback": "jx_xla",
    "make_array_from_single_device_arrays": "jx_xla",
    "make_mesh": "jx_parallel",
    "process_count": "jx_xla",
    "process_index": "jx_xla",
    "process_indices": "jx_xla",
    "pure_callback": "jx_core.ops.callbacks",
    "set_mesh": "jx_parallel",
}


# Finder and loader are plain classes: importlib.abc, their base, takes 4 ms to import.
class _Loader:
    """Hands out a module that exists under another name."""

    def __init__(self, target: str) -> None:
        self.target = target

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.target)
        self._own = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._own  # the import system has set that of the other name


class _Finder:
    """Finds `jx.numpy` and what lies below it in the layers."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        first, _, rest = fullname.partition(".")
        if first != "jx" or not rest:
            return None
        home, below = MODULES.get(rest), ""
        if home is None:
            name, _, below = rest.partition(".")
            home = MODULES.get(name)
        if home is None:
            return None
        real = f"{home}.{below}" if below else home
        if below and find_spec(real) is None:
            return None
        loader: Any = _Loader(real)
        return importlib.machinery.ModuleSpec(fullname, loader, is_package=True)


# The operators among the members that jx_numpy gives arrays.
_NUMPY_OPERATORS = (
    "__getitem__", "__iter__", "__contains__", "__matmul__", "__rmatmul__", "__round__",
)  # fmt: skip


def install() -> None:
    """Make the modules importable under their jx names, and say which layers come late."""
    array_methods.promise("jx_numpy", _NUMPY_OPERATORS)
    mapping.late_module.append("jx_batching")
    linear_maps.late_module.append("jx_ad")
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())  # type: ignore[arg-type]


def __getattr__(name: str) -> Any:
    if name in MODULES:
        return importlib.import_module(f"jx.{name}")
    if name in NAMES:
        value = getattr(importlib.import_module(NAMES[name]), name)
        setattr(sys.modules["jx"], name, value)
        return value
    raise AttributeError(f"module 'jx' has no attribute {name!r}")

"""Native functions that compiled programs may call by name.

LAPACK for the CPU and its kin for GPUs come with jaxlib and its plugins; a
program may call them once they are registered, which a lowering asks for at
its first use. Anyone's own function is registered with `register_target`.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Sequence
from typing import Any

__all__ = [
    "initialize_gpu_hybrids",
    "lapack_prefix",
    "register_called",
    "register_cpu_lapack",
    "register_cpu_sparse",
    "register_gpu_targets",
    "register_target",
    "registered_targets",
]

_LAPACK_PREFIXES = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}


def register_target(
    name: str, function: Any, platform: str = "cpu", *, api_version: int = 1, traits: int = 0
) -> None:
    """Let programs call a native function as a custom call.

    Args:
        name: the ``call_target_name``.
        function: a capsule with the function's address.
        platform: "cpu", "CUDA", "ROCM" or "tpu".
        api_version: 1 for XLA's typed FFI, 0 for the older untyped one.
        traits: XLA's FFI traits, or'ed together.
    """
    from jaxlib import xla_client

    xla_client.register_custom_call_target(
        name,
        function,
        platform,
        api_version,
        xla_client.CustomCallTargetTraits(traits),
    )


def _register_all(module: str) -> None:
    offers = importlib.import_module(f"jaxlib.{module}").registrations()
    for platform, targets in offers.items():
        for name, function, api_version in targets:
            register_target(name, function, platform, api_version=api_version)


@functools.cache
def register_cpu_lapack() -> None:
    """Make ``lapack_?getrf_ffi`` and their kin callable on the CPU; once, then free."""
    _register_all("lapack")
    # Finds SciPy's LAPACK and fills the functions' table with it.
    from jaxlib.cpu import _lapack

    _lapack.initialize()


@functools.cache
def register_cpu_sparse() -> None:
    """Make the sparse matrix products callable on the CPU; once, then free."""
    _register_all("cpu_sparse")


@functools.cache
def register_gpu_targets() -> None:
    """Make cuSOLVER's, cuSPARSE's and jaxlib's own GPU functions callable; once, then free."""
    for module in ("gpu_solver", "gpu_linalg", "gpu_prng", "gpu_sparse"):
        _register_all(module)


@functools.cache
def initialize_gpu_hybrids() -> None:
    """Ready the GPU functions that compute partly on the host: they find LAPACK, or MAGMA."""
    from jaxlib import gpu_solver

    gpu_solver.initialize_hybrid_kernels()


def register_called(targets: Sequence[str], platform: str) -> None:
    """Register what a compiled program calls, as far as jx knows it.

    Args:
        targets: the names of custom calls.
        platform: "cpu", "gpu" or "tpu".
    """
    if platform == "cpu":
        if any(name.startswith("lapack_") for name in targets):
            register_cpu_lapack()
        if any(name.startswith("cpu_") for name in targets):
            register_cpu_sparse()
    elif platform == "gpu" and targets:
        register_gpu_targets()
        initialize_gpu_hybrids()


def lapack_prefix(dtype: Any) -> str:
    """LAPACK's letter for a dtype: "s", "d", "c" or "z".

    Raises:
        TypeError: LAPACK has no functions for it.
    """
    try:
        return _LAPACK_PREFIXES[dtype.name]
    except KeyError:
        raise TypeError(
            f"LAPACK computes in {', '.join(_LAPACK_PREFIXES)}; got {dtype.name}. Convert the "
            f"operand first."
        ) from None


def registered_targets(platform: str = "cpu") -> list[str]:
    """The names that programs for a platform may call."""
    from .library import xla

    return sorted(xla.custom_call_targets("Host" if platform == "cpu" else platform))

"""Finding and loading the plugins that bring GPUs and TPUs.

A plugin is a Python package that holds a shared library with XLA's compiler
and runtime for one platform. JAX's plugin packages start themselves by
importing `jax`; jx finds their folders without running their code and does
the same steps: load what the library needs, load it, start it, and hand over
the native functions that compiled programs call.

Not here: which platforms a process uses, and their order (`clients`).
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from .library import JAXLIB_VERSION, jaxlib_version, parse_version, xla

__all__ = ["KNOWN", "Plugin", "cuda_data_dir", "find", "installed"]


@dataclass(frozen=True)
class Plugin:
    """What is known of one kind of plugin before looking whether it is there.

    Attributes:
        platform: what jx calls the platform ("cuda").
        homes: packages that hold the library, the preferred one first.
        library: the library's file name.
        companions: packages with the extension modules that belong to it.
        extension: the module in a companion that registers native functions.
        custom_call_platform: what XLA calls the platform there.
        preload: package and file names of shared libraries to load before it.
        devices: patterns of the device files that the platform's hardware shows on Linux.
        options: makes the client's options.
    """

    platform: str
    homes: tuple[str, ...]
    library: str
    companions: tuple[str, ...] = ()
    extension: str = ""
    custom_call_platform: str = ""
    preload: tuple[tuple[str, str], ...] = ()
    devices: tuple[str, ...] = ()
    options: Callable[[], dict[str, Any]] = field(default=dict)

    def hardware_is_there(self) -> bool:
        """Whether this machine seems to have such a device; True where it can't be told."""
        if sys.platform != "linux":
            return True
        from glob import glob

        return any(glob(pattern) for pattern in self.devices)


def _gpu_options() -> dict[str, Any]:
    from jaxlib import xla_client

    return dict(xla_client.generate_pjrt_gpu_plugin_options())


def _rocm_options() -> dict[str, Any]:
    return {**_gpu_options(), "platform_name": "rocm"}


# The wheels' libraries look for each other by paths that not every wheel gets right;
# loaded in this order, each finds those before it in memory.
_NVIDIA_LIBRARIES = tuple(
    (f"nvidia.{package}", library)
    for package, library in (
        ("cuda_runtime", "libcudart.so.12"), ("cu13", "libcudart.so.13"),
        ("cuda_nvrtc", "libnvrtc.so.12"), ("cu13", "libnvrtc.so.13"),
        ("nvjitlink", "libnvJitLink.so.12"), ("cu13", "libnvJitLink.so.13"),
        ("cublas", "libcublasLt.so.12"), ("cu13", "libcublasLt.so.13"),
        ("cublas", "libcublas.so.12"), ("cu13", "libcublas.so.13"),
        ("nccl", "libnccl.so.2"),
        ("cuda_cupti", "libcupti.so.12"), ("cu13", "libcupti.so.13"),
        ("cusparse", "libcusparse.so.12"), ("cu13", "libcusparse.so.12"),
        ("cusolver", "libcusolver.so.11"), ("cu13", "libcusolver.so.12"),
        ("cufft", "libcufft.so.11"), ("cu13", "libcufft.so.12"),
        ("cudnn", "libcudnn.so.9"),
        ("nvshmem", "libnvshmem_host.so.3"),
    )
)  # fmt: skip

KNOWN: tuple[Plugin, ...] = (
    Plugin(
        "cuda",
        homes=("jax_plugins.xla_cuda13", "jax_plugins.xla_cuda12"),
        library="xla_cuda_plugin.so",
        companions=("jax_cuda13_plugin", "jax_cuda12_plugin"),
        extension="cuda_plugin_extension",
        custom_call_platform="CUDA",
        preload=_NVIDIA_LIBRARIES,
        devices=("/dev/nvidia[0-9]*", "/dev/dxg"),
        options=_gpu_options,
    ),
    Plugin(
        "rocm",
        homes=("jax_plugins.xla_rocm7", "jax_plugins.xla_rocm60"),
        library="xla_rocm_plugin.so",
        companions=("jax_rocm7_plugin", "jax_rocm60_plugin"),
        extension="rocm_plugin_extension",
        custom_call_platform="ROCM",
        devices=("/dev/kfd",),
        options=_rocm_options,
    ),
    Plugin(
        "tpu",
        homes=("libtpu",),
        library="libtpu.so",
        devices=("/dev/accel[0-9]*", "/dev/vfio/[0-9]*"),
    ),
)


def _folders(package: str) -> Iterator[Path]:
    """The folders of a package, found without running its code."""
    try:
        spec = importlib.util.find_spec(package)
    except ImportError:  # its parent package is not there
        return
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        yield Path(place)


@dataclass(frozen=True)
class Found:
    """An installed plugin: its kind, the package that holds it, and its library."""

    plugin: Plugin
    package: str
    library: Path

    def start(
        self, distributed: Any = None, extra_options: dict[str, Any] | None = None
    ) -> Any:
        """Load the plugin, once in a process, and make a client.

        Args:
            distributed: a distributed runtime client, where several processes work together.
            extra_options: options that go over the plugin's own.

        Raises:
            RuntimeError, OSError, ImportError: whatever is wrong with it.
        """
        from jaxlib import xla_client

        platform = self.plugin.platform
        self._check_version()
        if not xla_client.pjrt_plugin_loaded(platform):
            for package, library in self.plugin.preload:
                _preload(package, library)
            c_api = xla_client.load_pjrt_plugin_dynamically(platform, str(self.library))
            _register_native_functions(self.plugin, c_api)
        if not xla_client.pjrt_plugin_initialized(platform):
            xla_client.initialize_pjrt_plugin(platform)
        options = {**self.plugin.options(), **(extra_options or {})}
        return xla_client.make_c_api_client(platform, options, distributed)

    def _check_version(self) -> None:
        """Refuse a CUDA plugin of another version than jaxlib's, which would crash."""
        if self.plugin.platform != "cuda":
            return
        from importlib import metadata

        distribution = self.package.replace("jax_plugins.xla_", "jax-") + "-pjrt"
        try:
            version = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            return
        if parse_version(version)[:3] != JAXLIB_VERSION[:3]:
            raise RuntimeError(
                f"{distribution} is version {version} and jaxlib is {jaxlib_version}: "
                f"install the same version of both"
            )


def find(plugin: Plugin) -> Found | None:
    """The plugin where it is installed, else None."""
    if plugin.platform == "tpu" and (path := os.environ.get("TPU_LIBRARY_PATH")):
        return Found(plugin, "libtpu", Path(path))
    for package in plugin.homes:
        for folder in _folders(package):
            if (library := folder / plugin.library).exists():
                return Found(plugin, package, library)
    return None


def installed() -> list[Found]:
    """The plugins that are installed, those to prefer first."""
    return [found for plugin in KNOWN if (found := find(plugin)) is not None]


def _preload(package: str, library: str) -> None:
    """Load a shared library out of a wheel, if the wheel is there and has it.

    One that is missing here may be on the system's path, and if not, the plugin's own
    error names it better.
    """
    for folder in _folders(package):
        path = folder / "lib" / library
        if path.exists():
            try:
                ctypes.CDLL(str(path))
            except OSError:
                continue
            return


def _companion(plugin: Plugin, module: str) -> ModuleType | None:
    """An extension module of the plugin's companion package."""
    for package in plugin.companions:
        try:
            return importlib.import_module(f"{package}.{module}")
        except ImportError:
            continue
    return None


def _register_native_functions(plugin: Plugin, c_api: Any) -> None:
    """Make the native functions of the companion package callable from programs."""
    if not plugin.extension:
        return
    extension = _companion(plugin, plugin.extension)
    if extension is None:
        return
    from jaxlib import xla_client

    where = plugin.custom_call_platform
    xla_client.register_custom_call_handler(
        where, functools.partial(extension.register_custom_call_target, c_api)
    )
    for name, value in extension.ffi_types().items():
        xla_client.register_custom_type(name, value, platform=where)
    for name, value in extension.ffi_handlers().items():
        xla_client.register_custom_call_target(name, value, platform=where, api_version=1)
    xla_client.register_custom_type_handler(
        where, functools.partial(extension.register_custom_type, c_api)
    )


@functools.cache
def cuda_data_dir() -> str | None:
    """The folder with CUDA's assembler and device libraries, if a wheel brings them."""
    if root := os.environ.get("CUDA_ROOT"):
        return root
    for package in ("nvidia.cu13", "nvidia.cuda_nvcc"):
        for folder in _folders(package):
            if (folder / "bin" / "ptxas").exists():
                return str(folder)
    return None


def is_loaded(platform: str) -> bool:
    """Whether the plugin of a platform is loaded in this process."""
    return bool(xla.pjrt_plugin_loaded(platform))

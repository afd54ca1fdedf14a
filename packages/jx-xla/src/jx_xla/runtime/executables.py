"""Compiling StableHLO, running what comes out, and examining it.

`compile_program` takes a module as text: XLA parses it by itself, so that no
MLIR bindings need be loaded. An `Executable` joins the loaded program to what
jx knows about its arguments and results.

Programs for several devices say how arguments and results are split either in
Shardy's attributes (``sdy.sharding``, with ``sdy.mesh`` in the module) or in the
older ``mhlo.sharding``. The two must not meet in one module: from jaxlib 0.11
on that aborts the process, so it is refused here.

Not here: what the modules say (`jx_xla.lowering`), the fast road of repeated
calls (`dispatch`).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jx_core.aval import ShapedArray

from . import plugins
from .arrays import Array, check_alive
from .library import JAXLIB_VERSION, jaxlib_version, xla
from .placement import shard_argument
from .shardings import Device, Sharding, device_list, from_hlo

__all__ = [
    "CompileOptions",
    "Executable",
    "JaxRuntimeError",
    "compile_options",
    "compile_program",
    "deserialize_program",
    "jaxlib_version",
    "options_fingerprint",
    "output_shardings",
    "parameter_shardings",
    "program_fingerprint",
    "result_handler",
    "serialize_program",
]

JaxRuntimeError = xla.JaxRuntimeError
CompileOptions = xla.CompileOptions

Value = str | bool | int | float


def compile_options(
    devices: Sequence[Device],
    *,
    num_replicas: int = 1,
    use_shardy: bool = True,
    propagate_to_parameters: Sequence[bool] | None = None,
    propagate_to_outputs: Sequence[bool] | None = None,
    compiler_options: Mapping[str, Value] | None = None,
) -> Any:
    """XLA's options for a program over some devices.

    Args:
        devices: where it runs: ``num_replicas`` rows of partitions.
        num_replicas: how many copies of the program run on different data (`pmap`'s way).
        use_shardy: whether the module's shardings are in Shardy's attributes.
        propagate_to_parameters: for each argument, whether the compiler may choose its
            sharding. None means it may not.
        propagate_to_outputs: the same for each result.
        compiler_options: XLA's flags by name, such as ``xla_cpu_enable_fast_math``.

    Raises:
        ValueError: the number of devices is no multiple of ``num_replicas``.
    """
    from jaxlib import xla_client

    if len(devices) % num_replicas:
        raise ValueError(
            f"{len(devices)} devices can't be split into {num_replicas} equal rows of replicas"
        )
    partitions = len(devices) // num_replicas
    options = CompileOptions()
    options.num_replicas = num_replicas
    options.num_partitions = partitions
    numbers = np.array([device.id for device in devices], np.int32)
    options.device_assignment = xla_client.DeviceAssignment.create(
        numbers.reshape(num_replicas, partitions)
    )
    build = options.executable_build_options
    build.use_spmd_partitioning = partitions > 1
    build.use_shardy_partitioner = partitions > 1 and use_shardy
    if propagate_to_parameters is not None:
        build.allow_spmd_sharding_propagation_to_parameters = list(propagate_to_parameters)
    if propagate_to_outputs is not None:
        build.allow_spmd_sharding_propagation_to_output = list(propagate_to_outputs)
    if devices[0].platform == "gpu" and (folder := plugins.cuda_data_dir()):
        build.debug_options.xla_gpu_cuda_data_dir = folder
    _apply(options, dict(compiler_options or {}))
    return options


# Options that are fields of the build options; all others are XLA's own flags.
_BUILD_FIELDS = (
    "exec_time_optimization_effort", "memory_fitting_effort", "optimization_level",
    "memory_fitting_level",
)  # fmt: skip


def _apply(options: Any, settings: dict[str, Value]) -> None:
    build = options.executable_build_options
    for name in _BUILD_FIELDS:
        if name in settings and hasattr(build, name):
            setattr(build, name, settings.pop(name))
    options.env_option_overrides = list(settings.items())


def options_fingerprint(
    devices: Sequence[Device],
    *,
    movable: bool = False,
    compiler_options: Mapping[str, Value] | None = None,
    **options: Any,
) -> bytes:
    """Bytes that are the same for options that compile a program to the same executable.

    Args:
        devices: where it runs.
        movable: whether the executable would run on other devices of the kind, too.
        compiler_options, options: as `compile_options` takes them.

    What XLA writes for its developers to read is left out, as are the names of folders.
    """
    from jaxlib import xla_client

    made = compile_options(devices, compiler_options=compiler_options, **options)
    debug = made.executable_build_options.debug_options
    debug.xla_gpu_cuda_data_dir = ""
    for name, value in _DUMP_FIELDS.items():
        setattr(debug, name, value)
    if movable:
        shape = (made.num_replicas, made.num_partitions)
        made.device_assignment = xla_client.DeviceAssignment.create(np.zeros(shape, np.int32))
    return made.SerializeAsString()  # type: ignore[no-any-return]


_DUMP_FIELDS = {
    **dict.fromkeys(("xla_dump_to", "xla_dump_hlo_module_re", "xla_dump_hlo_pass_re"), ""),
    **dict.fromkeys(
        ("xla_dump_hlo_as_dot", "xla_dump_hlo_as_html", "xla_dump_hlo_as_proto",
         "xla_dump_hlo_as_text", "xla_dump_hlo_as_url", "xla_dump_hlo_snapshots"),
        False,
    ),
}  # fmt: skip


def uses_shardy(program: str) -> bool:
    """Whether a module's shardings are in Shardy's attributes.

    Raises:
        ValueError: it mixes them with ``mhlo.sharding``.
    """
    shardy, older = "sdy." in program, "mhlo.sharding" in program
    if shardy and older:
        raise ValueError(
            "the module has both sdy.* and mhlo.sharding attributes; use one kind throughout"
        )
    return not older


def compile_program(
    program: str | bytes | Any,
    devices: Sequence[Device],
    *,
    num_replicas: int = 1,
    propagate_to_parameters: Sequence[bool] | None = None,
    propagate_to_outputs: Sequence[bool] | None = None,
    compiler_options: Mapping[str, Value] | None = None,
    host_callbacks: Sequence[Any] = (),
) -> Any:
    """Compile a StableHLO module and load it onto its devices.

    Args:
        program: the module as text, as MLIR bytecode or portable artifact, or as an MLIR
            module object.
        devices: where it runs; the module's shardings number them in this order.
        num_replicas, propagate_to_parameters, propagate_to_outputs, compiler_options: see
            `compile_options`.
        host_callbacks: capsules or functions that the program calls on the host.

    Returns:
        The loaded program (jaxlib's ``LoadedExecutable``).

    Raises:
        JaxRuntimeError: XLA can't parse or compile the module, or does not know an option.
        ValueError: the module mixes two kinds of sharding attributes.
    """
    options = compile_options(
        devices,
        num_replicas=num_replicas,
        use_shardy=_use_shardy(program, devices, num_replicas),
        propagate_to_parameters=propagate_to_parameters,
        propagate_to_outputs=propagate_to_outputs,
        compiler_options=compiler_options,
    )
    client = devices[0].client
    where = device_list(devices)
    if not host_callbacks:
        return client.compile_and_load(program, where, options)
    if isinstance(program, str | bytes):
        from .mlir import parse_module

        program = parse_module(program)
    return client.compile_and_load(program, where, options, list(host_callbacks))


def _use_shardy(program: Any, devices: Sequence[Device], num_replicas: int) -> bool:
    split = len(devices) > num_replicas
    return uses_shardy(program) if split and isinstance(program, str) else True


def serialize_program(loaded: Any) -> bytes:
    """The compiled program as bytes, for the same version, platform and kind of device.

    Raises:
        JaxRuntimeError: the platform can't.
    """
    return loaded.serialize()  # type: ignore[no-any-return]


def deserialize_program(
    data: bytes,
    devices: Sequence[Device],
    options: Any = None,
    host_callbacks: Sequence[Any] = (),
) -> Any:
    """The loaded program that `serialize_program` made bytes of.

    Raises:
        JaxRuntimeError: the bytes are of another version or platform.
    """
    return devices[0].client.deserialize_executable(
        data, device_list(devices), options or compile_options(devices), list(host_callbacks)
    )


def program_fingerprint(loaded: Any) -> str | None:
    """A text that is the same for the same compiled program, where the platform has one."""
    mark = loaded.fingerprint
    return mark.decode("latin-1") if isinstance(mark, bytes) else mark


def output_shardings(loaded: Any, devices: Sequence[Device], count: int) -> list[Sharding]:
    """The shardings of a program's results, as it was compiled."""
    return _shardings(loaded.get_output_shardings(), devices, count)


def parameter_shardings(loaded: Any, devices: Sequence[Device], count: int) -> list[Sharding]:
    """The shardings of a program's arguments, as it was compiled."""
    return _shardings(loaded.get_parameter_shardings(), devices, count)


def _shardings(protos: Any, devices: Sequence[Device], count: int) -> list[Sharding]:
    found = list(protos) if protos is not None else [None] * count
    if len(found) == 1 and found[0] is not None and found[0].tuple_shardings:
        found = list(found[0].tuple_shardings)
    if len(found) != count:  # one for all of them
        found = found[:1] * count
    return [from_hlo(devices, proto) for proto in found]


@functools.lru_cache(maxsize=8192)
def result_handler(aval: ShapedArray, sharding: Sharding, committed: bool) -> Any:
    """What makes an array of a program's result."""
    if JAXLIB_VERSION >= (0, 11):
        return xla.array_result_handler(aval, sharding, committed)
    return xla.array_result_handler(aval, sharding, committed, True)


class Executable:
    """A loaded program and what jx knows about its arguments and results.

    Args:
        loaded: the program.
        devices: where it runs, in its order.
        in_shardings: the shardings of the arguments that the program takes.
        out_avals: the types of the results.
        out_shardings: the shardings of the results.
        out_committed: for each result, whether it must stay on its devices.
        kept: for each argument of the staged function, ``consts`` included, whether the
            program takes it. None means all.
        consts: arrays that come before the arguments.
        name: what errors call the program.
    """

    __slots__ = (
        "_handlers",
        "consts",
        "devices",
        "in_shardings",
        "kept",
        "loaded",
        "name",
        "out_avals",
        "out_committed",
        "out_shardings",
    )

    def __init__(
        self,
        loaded: Any,
        devices: Sequence[Device],
        in_shardings: Sequence[Sharding],
        out_avals: Sequence[ShapedArray],
        out_shardings: Sequence[Sharding],
        out_committed: Sequence[bool],
        *,
        kept: Sequence[bool] | None = None,
        consts: Sequence[Any] = (),
        name: str = "the program",
    ) -> None:
        self.loaded = loaded
        self.devices = tuple(devices)
        self.in_shardings = list(in_shardings)
        self.out_avals = list(out_avals)
        self.out_shardings = list(out_shardings)
        self.out_committed = list(out_committed)
        self.kept = list(kept) if kept is not None else [True] * len(self.in_shardings)
        self.consts = list(consts)
        self.name = name
        self._handlers = [
            result_handler(*facts)
            for facts in zip(out_avals, out_shardings, out_committed, strict=True)
        ]

    def __call__(self, arguments: Sequence[Any]) -> list[Any]:
        """Run on all arguments of the staged function, which are placed as need be.

        Raises:
            DonatedArrayError: an argument was donated or freed before.
            JaxRuntimeError: the program failed.
        """
        return self.execute(self.place(arguments))

    def place(self, arguments: Sequence[Any]) -> list[Any]:
        """The arguments that the program takes, as arrays where it wants them."""
        if self.consts:
            arguments = [*self.consts, *arguments]
        if not all(self.kept):
            arguments = [a for a, keep in zip(arguments, self.kept, strict=True) if keep]
        return [
            a
            if type(a) is Array and (a._sharding is where or a._sharding == where)
            else shard_argument(a, where)
            for a, where in zip(arguments, self.in_shardings, strict=True)
        ]

    def execute(self, arrays: Sequence[Any]) -> list[Any]:
        """Run on arrays that are in place; returns at once, before they are computed."""
        self._check_alive(arrays)
        results = self.loaded.execute_sharded(arrays)
        return results.consume_with_handlers(self._handlers)  # type: ignore[no-any-return]

    def execute_with_token(self, arrays: Sequence[Any]) -> tuple[list[Any], Any]:
        """Run, and give a token too: its ``block_until_ready()`` waits for side effects."""
        self._check_alive(arrays)
        results = self.loaded.execute_sharded(arrays, with_tokens=True)
        token = results.consume_token()
        return results.consume_with_handlers(self._handlers), token

    def _check_alive(self, arrays: Sequence[Any]) -> None:
        for array in arrays:
            if array.is_deleted():
                check_alive(array)

    def hlo_text(self) -> str:
        """The program as XLA has optimised it, in HLO."""
        return "\n\n".join(module.to_string() for module in self.loaded.hlo_modules())

    def cost_analysis(self) -> dict[str, float]:
        """XLA's estimate of the work: "flops", "bytes accessed" and more.

        Raises:
            JaxRuntimeError: the platform has none.
        """
        return self.loaded.cost_analysis()  # type: ignore[no-any-return]

    def memory_analysis(self) -> Any:
        """The bytes of arguments, results and temporaries (``temp_size_in_bytes``, ...)."""
        return self.loaded.get_compiled_memory_stats()

    def serialize(self) -> bytes:
        """See `serialize_program`."""
        return serialize_program(self.loaded)

    def __repr__(self) -> str:
        return f"<Executable {self.name} on {len(self.devices)} device(s)>"

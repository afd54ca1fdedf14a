"""StableHLO modules as objects: parsing, checking, printing, portable artifacts.

Compiling needs none of this (`executables` takes text). It is for what reads or
keeps modules: pretty printing, export, tools. The MLIR bindings take 40 to 60
ms to load and are loaded at the first call.

One context serves all threads; Python's global lock is held while MLIR works.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

__all__ = [
    "from_portable_artifact",
    "module_bytecode",
    "module_text",
    "parse_module",
    "refined_module",
    "stablehlo_version",
    "to_lasting_artifact",
    "to_portable_artifact",
]


@functools.cache
def context() -> Any:
    """The MLIR context with the dialects that jx's modules use."""
    from jaxlib.mlir import ir
    from jaxlib.mlir._mlir_libs import _chlo, _jax_mlir_ext, _mlirHlo, _sdy, _stablehlo

    made = ir.Context()
    made.enable_multithreading(False)
    dialects = ir.DialectRegistry()
    _jax_mlir_ext.register_dialects(dialects)
    made.append_dialect_registry(dialects)
    _stablehlo.register_dialect(made)
    _chlo.register_dialect(made)
    _sdy.register_dialect(made)
    _mlirHlo.register_mhlo_dialect(made)
    made.load_all_available_dialects()
    return made


def parse_module(program: str | bytes) -> Any:
    """The module that text (in either of MLIR's notations) or bytecode describes.

    Raises:
        ValueError: it is no valid module; the message points at the place.
    """
    from jaxlib.mlir import ir

    try:
        return ir.Module.parse(program, context=context())
    except ir.MLIRError as error:
        raise ValueError(str(error)) from error


def module_text(program: str | bytes | Any, *, debug_info: bool = False) -> str:
    """A module in MLIR's short notation.

    Args:
        program: a module, or text or bytecode of one.
        debug_info: print source locations too.
    """
    module = parse_module(program) if isinstance(program, str | bytes) else program
    return module.operation.get_asm(  # type: ignore[no-any-return]
        enable_debug_info=debug_info, large_elements_limit=None
    )


def module_bytecode(program: str | bytes | Any) -> bytes:
    """A module as MLIR bytecode: for this version of jaxlib only."""
    import io

    module = parse_module(program) if isinstance(program, str | bytes) else program
    out = io.BytesIO()
    module.operation.write_bytecode(file=out)
    return out.getvalue()


def stablehlo_version(*, minimum: bool = False) -> str:
    """The newest version of StableHLO's portable artifacts here, or the oldest."""
    from jaxlib.mlir._mlir_libs import _stablehlo

    if minimum:
        return _stablehlo.get_minimum_version()  # type: ignore[no-any-return]
    return _stablehlo.get_current_version()  # type: ignore[no-any-return]


def to_portable_artifact(program: str | bytes | Any, version: str | None = None) -> bytes:
    """A module as bytes that other versions of StableHLO can read.

    Args:
        program: a module, or text or bytecode of one.
        version: the oldest StableHLO that shall read it; by default this one's own.

    Raises:
        ValueError: the module can't be expressed in that version.
    """
    from .library import xla

    module = parse_module(program) if isinstance(program, str | bytes) else program
    try:
        return xla.mlir.serialize_portable_artifact(  # type: ignore[no-any-return]
            module, version or stablehlo_version()
        )
    except xla.JaxRuntimeError as error:
        raise ValueError(f"the module has no portable form: {error}") from error


def to_lasting_artifact(program: str | bytes | Any) -> bytes:
    """A module as bytes that StableHLO of twelve weeks ago can read too, if it can express it.

    Dialects beside StableHLO (Shardy's) stay as they are.
    """
    from jaxlib.mlir._mlir_libs import _stablehlo

    from .library import xla

    module = parse_module(program) if isinstance(program, str | bytes) else program
    ages = _stablehlo.StablehloCompatibilityRequirement
    versions = [
        _stablehlo.get_version_from_compatibility_requirement(age)
        for age in (ages.WEEK_12, ages.WEEK_4, ages.NONE)
    ]
    error: Exception | None = None
    for version in versions:
        try:
            return xla.mlir.serialize_portable_artifact(  # type: ignore[no-any-return]
                module, version, True
            )
        except (xla.JaxRuntimeError, ValueError) as problem:
            error = problem
    raise ValueError(f"the module has no portable form: {error}") from error


def from_portable_artifact(data: bytes) -> Any:
    """The module that `to_portable_artifact` made bytes of.

    Raises:
        ValueError: the bytes are none, or of a newer StableHLO.
    """
    from .library import xla

    try:
        return xla.mlir.deserialize_portable_artifact(data, context())
    except (xla.JaxRuntimeError, ValueError) as error:
        raise ValueError(f"not a portable artifact that this jaxlib reads: {error}") from error


def refined_module(program: str | bytes | Any, argument_types: Sequence[str]) -> str:
    """A module with dynamic shapes for arguments of given types, all its shapes static.

    Args:
        program: a module whose main function may have dynamic shapes, text or bytecode of
            one, or the module itself, which is not changed.
        argument_types: the MLIR types of the main function's arguments, all static.

    Returns:
        The text of a module whose main function takes these.

    Raises:
        ValueError: a shape assertion of the module does not hold, or a shape can't be worked
            out.
    """
    from jaxlib.mlir import ir

    from .library import xla

    module = parse_module(module_bytecode(program))
    with module.context, ir.Location.unknown():
        _call_with_types(module, [ir.Type.parse(t) for t in argument_types])
    try:
        refined = xla.mlir.refine_polymorphic_shapes(
            module_bytecode(module),
            enable_shape_assertions=True,
            validate_static_shapes=True,
            enable_shardy=True,
        )
    except (xla.JaxRuntimeError, ValueError) as error:
        raise ValueError(f"the module can't be refined to these shapes: {error}") from error
    return module_text(refined)


def _call_with_types(module: Any, types: Sequence[Any]) -> None:
    """Give the module a main function of static types that calls the one it has."""
    from jaxlib.mlir import ir
    from jaxlib.mlir.dialects import func
    from jaxlib.mlir.dialects import stablehlo as hlo

    symbols = ir.SymbolTable(module.operation)
    inner = symbols["main"]
    results = inner.type.results
    symbols.set_symbol_name(inner, "main_of_any_shape")
    inner.attributes["sym_visibility"] = ir.StringAttr.get("private")
    with ir.InsertionPoint(module.body):
        main = func.FuncOp("main", (list(types), list(results)), visibility="public")
    for name in ("arg_attrs", "res_attrs"):
        if name in inner.attributes:
            main.attributes[name] = inner.attributes[name]
            del inner.attributes[name]
    block = main.add_entry_block()
    with ir.InsertionPoint(block):
        operands = [
            x if x.type == wanted else hlo.convert(wanted, x)
            for x, wanted in zip(block.arguments, inner.type.inputs, strict=True)
        ]
        call = func.CallOp(
            list(results), ir.FlatSymbolRefAttr.get("main_of_any_shape"), operands
        )
        func.ReturnOp(call.results)

"""Making one StableHLO module part of another, as text.

An exported function is a module of its own. Whoever calls it writes its functions into the module
of the calling program, under names that are free there. What the module leaves open is settled
before: the platform, of those it is for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from .mlir import context, module_text, parse_module

__all__ = [
    "PLATFORM_INDEX",
    "Pieces",
    "custom_call_targets",
    "drop_unused",
    "for_platform",
    "main_types",
    "pieces",
    "take_platform",
    "without_extensions",
]

# The mark of an argument that is an index into the module's platforms.
PLATFORM_INDEX = "_platform_index"
_GLOBAL = "jax.global_constant"


class Pieces(NamedTuple):
    """The functions of a module as text, with placeholders for the names.

    Attributes:
        functions: for each its name, its placeholder and its text.
        meshes: the placeholder and the attribute of each mesh.
        main: the placeholder of the main function.
    """

    functions: list[tuple[str, str, str]]
    meshes: list[tuple[str, str]]
    main: str

    def written(
        self, fresh_name: Callable[[str], str], mesh: Callable[[str], str]
    ) -> tuple[str, list[str]]:
        """The name of the main function and the text of all, with names of another module.

        Args:
            fresh_name: gives a free name that is like the given one.
            mesh: gives the name of the mesh with the given attribute.
        """
        names = {placeholder: mesh(attribute) for placeholder, attribute in self.meshes}
        names.update({placeholder: fresh_name(name) for name, placeholder, _ in self.functions})
        texts = []
        for _, _, text in self.functions:
            for placeholder, name in names.items():
                text = text.replace(f"@{placeholder}", f"@{name}")
            texts.append(text + "\n")
        return names[self.main], texts


def pieces(module: Any, name: str) -> Pieces:
    """Take a module apart, which is used up.

    Args:
        module: its main function is called `main`.
        name: what to call that function.
    """
    from jaxlib.mlir import ir

    functions, meshes, main = [], [], ""
    with module.context, ir.Location.unknown():
        for i, op in enumerate(module.body.operations):
            operation = op.operation
            was = ir.StringAttr(operation.attributes["sym_name"]).value
            # Ends with a letter no number goes on with: no placeholder begins another.
            placeholder = f"jx_piece_{i}_"
            ir.SymbolTable.replace_all_symbol_uses(was, placeholder, module.operation)
            ir.SymbolTable.set_symbol_name(operation, placeholder)
            if operation.name == "sdy.mesh":
                meshes.append((placeholder, str(operation.attributes["mesh"])))
                continue
            if was == "main":
                main = placeholder
                for field in ("arg_attrs", "res_attrs"):
                    if field in operation.attributes:
                        del operation.attributes[field]
            operation.attributes["sym_visibility"] = ir.StringAttr.get("private")
            functions.append((name if was == "main" else was, placeholder, operation))
        texts = [(was, placeholder, _text(operation)) for was, placeholder, operation in functions]
    return Pieces(texts, meshes, main)


def _text(operation: Any) -> str:
    return operation.get_asm(  # type: ignore[no-any-return]
        enable_debug_info=True, use_local_scope=True, large_elements_limit=None
    )


def for_platform(program: str | bytes | Any, index: int) -> str:
    """A module for several platforms as one for the platform of this index."""
    module = parse_module(program) if isinstance(program, str | bytes) else program
    take_platform(module, index)
    return module_text(module, debug_info=True)


def take_platform(module: Any, index: int) -> None:
    """Make a module for several platforms one for the platform of this index.

    What is for the others goes, and with it calls of functions that exist there only.
    """
    from jaxlib.mlir import ir

    with module.context, ir.Location.unknown():
        for op in module.body.operations:
            operation = op.operation
            if operation.name != "func.func" or not _takes_index(operation):
                continue
            argument = operation.regions[0].blocks[0].arguments[0]
            for case in _cases_on(argument):
                _choose(case, index)
            if ir.StringAttr(operation.attributes["sym_name"]).value == "main":
                _settle(operation, argument, index)


def _takes_index(function: Any) -> bool:
    from jaxlib.mlir import ir

    attributes = function.attributes
    first = attributes["arg_attrs"][0] if "arg_attrs" in attributes else {}
    return _GLOBAL in first and ir.StringAttr(first[_GLOBAL]).value == PLATFORM_INDEX


def _cases_on(argument: Any) -> list[Any]:
    owners = [use.owner.operation for use in argument.uses]
    return [owner for owner in owners if owner.name == "stablehlo.case"]


def _choose(case: Any, index: int) -> None:
    """Put the operations of one branch in place of a conditional."""
    block = case.regions[index].blocks[0]
    *body, end = [op.operation for op in block.operations]
    for operation in body:
        operation.move_before(case)
    for result, value in zip(case.results, list(end.operands), strict=True):
        result.replace_all_uses_with(value)
    case.erase()


def _settle(main: Any, argument: Any, index: int) -> None:
    """Take the index from the arguments of the main function, and put it in as a number."""
    from jaxlib.mlir import ir
    from jaxlib.mlir.dialects import stablehlo

    block = main.regions[0].blocks[0]
    if list(argument.uses):
        with ir.InsertionPoint.at_block_begin(block):
            constant = stablehlo.constant(_number(argument.type, index))
        argument.replace_all_uses_with(constant)
    block.erase_argument(0)
    kind = ir.FunctionType(ir.TypeAttr(main.attributes["function_type"]).value)
    smaller = ir.FunctionType.get(kind.inputs[1:], kind.results)
    main.attributes["function_type"] = ir.TypeAttr.get(smaller)
    rest = list(main.attributes["arg_attrs"])[1:]
    main.attributes["arg_attrs"] = ir.ArrayAttr.get(rest)


def _number(kind: Any, value: int) -> Any:
    from jaxlib.mlir import ir

    return ir.Attribute.parse(f"dense<{value}> : {kind}")


def drop_unused(module: Any) -> None:
    """Drop the functions that the main one does not reach."""
    from jaxlib.mlir import ir

    with module.context:
        functions = {
            ir.StringAttr(op.operation.attributes["sym_name"]).value: op.operation
            for op in module.body.operations
            if op.operation.name == "func.func"
        }
        reached: set[str] = set()
        waiting = ["main"]
        while waiting:
            name = waiting.pop()
            if name in functions and name not in reached:
                reached.add(name)
                waiting += _named_functions(functions[name])
        for name, operation in functions.items():
            if name not in reached:
                operation.erase()


def _named_functions(function: Any) -> list[str]:
    from jaxlib.mlir import ir

    found: list[str] = []

    def look(op: Any) -> Any:
        for field in ("callee", "decomposition", "called_computations"):
            if field in op.attributes:
                value = op.attributes[field]
                for one in value if isinstance(value, ir.ArrayAttr) else (value,):
                    found.append(ir.FlatSymbolRefAttr(one).value)
        return ir.WalkResult.ADVANCE

    function.walk(look)
    return found


def main_types(module: Any) -> tuple[list[str], list[str]]:
    """The types that a module's main function takes and gives."""
    from jaxlib.mlir import ir

    with module.context:
        main = ir.SymbolTable(module.operation)["main"]
        kind = ir.FunctionType(ir.TypeAttr(main.attributes["function_type"]).value)
        return [str(t) for t in kind.inputs], [str(t) for t in kind.results]


def custom_call_targets(module: Any) -> set[str]:
    """The names of the native functions that a module calls."""
    from jaxlib.mlir import ir

    found: set[str] = set()

    def look(op: Any) -> Any:
        if op.operation.name == "stablehlo.custom_call":
            found.add(ir.StringAttr(op.operation.attributes["call_target_name"]).value)
        return ir.WalkResult.ADVANCE

    module.operation.walk(look)
    return found


@functools.cache
def _register_passes() -> None:
    from jaxlib.mlir._mlir_libs import _stablehlo

    _stablehlo.register_stablehlo_passes()


def without_extensions(program: str) -> Any:
    """A module whose operations of CHLO, which has no versions, are written in StableHLO."""
    from jaxlib.mlir import passmanager

    module = parse_module(program)
    _register_passes()
    with context():
        passmanager.PassManager.parse(
            "builtin.module(func.func(chlo-legalize-to-stablehlo))"
        ).run(module.operation)
    return module

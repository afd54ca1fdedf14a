"""StableHLO as XLA's own HLO, before any optimisation.

What XLA makes of a program afterwards is `executables.Executable.hlo_text`.
"""

from __future__ import annotations

from typing import Any

from .library import xla

__all__ = ["hlo_module", "hlo_text"]


def hlo_module(program: str | bytes) -> Any:
    """The HLO module of a StableHLO module, given as text or bytecode.

    Raises:
        ValueError: it is no valid module.
    """
    try:
        computation = xla.mlir.mlir_module_to_xla_computation(
            program, use_tuple_args=False, return_tuple=False
        )
    except xla.JaxRuntimeError as error:
        raise ValueError(f"not a StableHLO module: {error}") from error
    return computation.as_hlo_module()


def hlo_text(program: str | bytes) -> str:
    """The text of `hlo_module`.

    >>> text = '''func.func public @main(%a: tensor<2xf32>) -> tensor<2xf32> {
    ...   return %a : tensor<2xf32>
    ... }'''
    >>> hlo_text(text).startswith("HloModule")
    True
    """
    return hlo_module(program).to_string()  # type: ignore[no-any-return]

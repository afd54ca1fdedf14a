"""Calls of exported functions: compiled programs of another process, whose equations are gone.

The primitive is here so that every layer can say what it makes of it; what such a program is and
how one is made lies in `jx_xla.export`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn, Protocol

from ...aval import ShapedArray
from ...errors import BackendError
from ...primitive import Primitive
from .custom import CustomVJP


class ExportedProgram(Protocol):
    """What core asks of an exported function.

    Attributes:
        fun_name: its name, for messages.
        effects: those of a call.
        derived: programs made of it, which go when it goes.
    """

    fun_name: str
    effects: frozenset[Any]
    derived: dict[Any, Any]

    def result_types(self, in_avals: Sequence[ShapedArray]) -> list[ShapedArray]:
        """The types of the results for arguments of these types.

        Raises:
            ValueError: the function takes others.
        """

    def derivative(self) -> CustomVJP:
        """A backward rule, `bwd`, whose residuals are the arguments.

        Raises:
            ValueError: the program has none with it.
        """


def _types(*avals: ShapedArray, exported: ExportedProgram) -> list[ShapedArray]:
    return exported.result_types(avals)


def _effects(*, exported: ExportedProgram) -> frozenset[Any]:
    return exported.effects


def _refuse(*operands: Any, exported: ExportedProgram) -> NoReturn:
    raise BackendError(
        f"the exported function {exported.fun_name} is a program for XLA, whose operations have "
        f"no NumPy meaning: call it on the XLA back end, or call the function it was exported from"
    )


# Operands: the arguments' leaves. Params: exported, an ExportedProgram.
call_exported_p = Primitive(
    "call_exported",
    abstract=_types,
    reference=_refuse,
    effects=_effects,
    multiple_results=True,
    higher_order=True,
)

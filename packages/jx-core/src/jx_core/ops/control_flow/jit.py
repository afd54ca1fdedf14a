"""The staged call: an equation that holds a whole program."""

from __future__ import annotations

from typing import Any

from ...aval import ShapedArray
from ...jaxpr.evaluate import eval_jaxpr
from ...jaxpr.ir import ClosedJaxpr
from ...primitive import NO_EFFECTS, Primitive


def call_types(*avals: ShapedArray, jaxpr: ClosedJaxpr, **params: Any) -> list[ShapedArray]:
    """The result types of an equation that holds a whole program, in the param `jaxpr`."""
    return jaxpr.out_avals


def call_effects(*, jaxpr: ClosedJaxpr, **params: Any) -> frozenset[Any]:
    """The effects of such an equation."""
    return jaxpr.effects or NO_EFFECTS


def inline(*operands: Any, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
    """The program in place of such an equation."""
    return eval_jaxpr(jaxpr.jaxpr, jaxpr.consts, *operands)


def evaluate(*operands: Any, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
    """The results of such an equation, as arrays of the current back end."""
    from ... import backend

    here = backend.current()
    # Results are arrays even where the program returns an argument or a number as it is.
    results = eval_jaxpr(jaxpr.jaxpr, jaxpr.consts, *operands)
    return [here.put(x, aval) for x, aval in zip(results, jaxpr.out_avals, strict=True)]


# Params: name, jaxpr (closed), donated (a bool per operand, or () for none), in_shardings and
# out_shardings (one per operand/result, or None), keep_unused, inline, compiler_options.
jit_p = Primitive(
    "jit",
    abstract=call_types,
    reference=evaluate,
    decompose=inline,
    effects=call_effects,
    multiple_results=True,
    higher_order=True,
)

DEFAULT_PARAMS: dict[str, Any] = {
    "donated": (),
    "in_shardings": None,
    "out_shardings": None,
    "keep_unused": False,
    "inline": False,
    "compiler_options": (),
}


def call_jaxpr(jaxpr: ClosedJaxpr, operands: Any, name: str) -> list[Any]:
    """Bind a staged call of a flat program, with default options."""
    return jit_p.bind(*operands, name=name, jaxpr=jaxpr, **DEFAULT_PARAMS)  # type: ignore[no-any-return]

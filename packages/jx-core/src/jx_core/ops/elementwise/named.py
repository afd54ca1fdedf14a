"""Operations with a name: a program that a compiler may know as a whole.

A composite says what it computes by a program of other operations, and tells the compiler its
name, version and attributes, in StableHLO's `composite`
(https://openxla.org/stablehlo/spec#composite). A compiler that knows the name may put in an
implementation of its own; to all others, and to every transformation, it is the program.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ... import tree
from ...aval import typeof
from ...jaxpr.ir import ClosedJaxpr, Jaxpr
from ...jaxpr.notation import define_notation
from ...primitive import Primitive
from ...staging import trace_to_jaxpr
from ...trace import Tracer
from ..control_flow.jit import call_effects, call_types, evaluate, inline

__all__ = ["composite"]


class ArrayAttribute(NamedTuple):
    """An array among the attributes: its elements in order, its shape, its dtype's name."""

    values: tuple[Any, ...]
    shape: tuple[int, ...]
    dtype: str


class DictAttribute(NamedTuple):
    """A dictionary among the attributes, as pairs."""

    items: tuple[tuple[str, Any], ...]


define_notation(ArrayAttribute)
define_notation(DictAttribute)


def _attribute(name: str, key: str, value: Any) -> Any:
    """An attribute as a param can hold it: immutable and hashable."""
    if isinstance(value, Tracer):
        raise TypeError(
            f"composite {name!r}: the attribute {key!r} is a traced value, but attributes must be "
            f"known when the program is made; give it by position instead"
        )
    if isinstance(value, (bool, int, float, str)) and not isinstance(value, np.generic):
        return value
    if isinstance(value, (tuple, list)):
        return tuple(_attribute(name, key, v) for v in value)
    if isinstance(value, dict):
        return DictAttribute(
            tuple((str(k), _attribute(name, key, v)) for k, v in sorted(value.items()))
        )
    if isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "aval"):
        array = np.asarray(value)
        return ArrayAttribute(tuple(array.ravel().tolist()), array.shape, array.dtype.name)
    raise TypeError(
        f"composite {name!r}: the attribute {key!r} must be a number, string, bool, array, or a "
        f"list or dict of these, got {value!r:.100}"
    )


# Params: name; version; attributes, pairs of a name and a value; jaxpr (closed, no constants).
composite_p = Primitive(
    "composite",
    abstract=call_types,
    reference=evaluate,
    decompose=inline,
    effects=call_effects,
    multiple_results=True,
    higher_order=True,
)
composite_p.family = "elementwise"


def composite(decomposition: Callable[..., Any], name: str, version: int = 0) -> Callable[..., Any]:
    """A function whose calls are one operation of that name to the compiler.

    Derivatives and batches are those of the decomposition.

    Args:
        decomposition: what it computes, of arrays (or pytrees of them) given by position and of
            attributes given by keyword.
        name: the operation's name, with a namespace: `"my.softmax"`.
        version: to be raised when the meaning of the operation changes.

    Returns:
        A function of the same arguments. Keyword arguments become attributes of the operation:
        numbers, strings, arrays, lists and dicts; those that are None are left out.

    Raises:
        TypeError: an attribute that can't be one, a traced value among them.

    >>> from jx_core import lax
    >>> scaled = composite(lambda x, *, by: lax.mul(x, by), "my.scaled")
    >>> float(scaled(2.0, by=3.0))
    6.0
    """

    @functools.wraps(decomposition)
    def call(*args: Any, **attributes: Any) -> Any:
        given = {k: v for k, v in attributes.items() if v is not None}
        held = tuple((k, _attribute(name, k, v)) for k, v in given.items())
        leaves, structure = tree.flatten(args)
        outer: list[Any] = []

        def flat(*xs: Any) -> list[Any]:
            result = decomposition(*tree.unflatten(structure, list(xs)), **attributes)
            results, shape = tree.flatten(result)
            outer.append(shape)
            return results

        jaxpr, consts = trace_to_jaxpr(flat, [typeof(x) for x in leaves], name)
        # What it closes over becomes operands: a composite's program has no constants.
        whole = Jaxpr(
            [], [*jaxpr.constvars, *jaxpr.invars], jaxpr.outvars, jaxpr.eqns, jaxpr.debug_name
        )
        outs = composite_p.bind(
            *consts, *leaves, name=name, version=int(version), attributes=held,
            jaxpr=ClosedJaxpr(whole, []),
        )  # fmt: skip
        return tree.unflatten(outer[-1], outs)

    return call

"""Elementwise functions made of primitives, by the row: promotion, a name, a docstring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jx_core import Primitive, compiled

from ..operands import INEXACT, inexact, promote, promote_inexact

_UNARY_DOC = """{summary}

Args:
    x: an array or number; integers and booleans become floats.

Returns:
    An array of the shape of `x`, of its dtype where that is inexact.

Raises:
    TypeError: `x` is no array, or of a dtype the function is not defined for.

>>> jnp.{name}({argument})
{result}
"""

_BINARY_DOC = """{summary}

Args:
    x1, x2: arrays or numbers{note}; dtypes are promoted and shapes broadcast.

Returns:
    An array of the common shape.

Raises:
    ShapeError: the shapes don't broadcast.
    TypeError: an operand is no array, or of a dtype the function is not defined for.

>>> jnp.{name}({arguments})
{result}
"""


def inexact_unary(name: str, primitive: Primitive, summary: str, argument: str, result: str) -> Any:
    """The public function that applies `primitive` to floats and complex numbers.

    Args:
        name: the function's name.
        primitive: a unary one on inexact dtypes.
        summary: the docstring's first line.
        argument, result: an example for the docstring.
    """
    bind = primitive.bind

    def function(x: Any, /) -> Any:
        aval = getattr(x, "aval", None)
        if aval is not None and aval.dtype in INEXACT:
            return bind(x)
        return bind(inexact(name, x))

    return published(
        function,
        name,
        _UNARY_DOC.format(name=name, summary=summary, argument=argument, result=result),
    )


def binary(
    name: str,
    fun: Callable[[Any, Any], Any],
    summary: str,
    arguments: str,
    result: str,
    *,
    as_inexact: bool = False,
) -> Any:
    """The public function that applies `fun` to two operands of one dtype and shape.

    Args:
        name: the function's name.
        fun: takes two operands that have been promoted and broadcast.
        summary: the docstring's first line.
        arguments, result: an example for the docstring.
        as_inexact: make integers and booleans floats.
    """
    promoted = promote_inexact if as_inexact else promote

    def function(x1: Any, x2: Any, /) -> Any:
        a: Any = getattr(x1, "aval", None)
        if a is getattr(x2, "aval", None) and a is not None and a.dtype in INEXACT:
            return fun(x1, x2)
        return fun(*promoted(name, x1, x2))

    note = " (integers and booleans become floats)" if as_inexact else ""
    doc = _BINARY_DOC.format(
        name=name, summary=summary, note=note, arguments=arguments, result=result
    )
    return published(function, name, doc)


def published(function: Callable[..., Any], name: str, doc: str) -> Any:
    """`function` compiled, under a public name."""
    function.__name__ = function.__qualname__ = name
    function.__module__ = "jx_numpy"
    function.__doc__ = doc
    return compiled(function)

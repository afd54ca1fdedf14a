"""Functions of a user's as reductions take them: traced on scalars, run on whole arrays.

The operations of a program on scalars are mostly elementwise, so that it does the same for each
element when it is run on arrays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import tree
from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...jaxpr.ir import ClosedJaxpr, Jaxpr, Literal
from ...staging import check_outputs, function_name, trace_to_jaxpr
from ...trace import Tracer
from ..kit import scalar_like
from ..shape import broadcast_in_dim
from . import monoids

_ELEMENTWISE = ("elementwise", "special")
# With a scalar as result they give back their operand.
_RESHAPING = ("broadcast_in_dim", "reshape", "squeeze", "transpose")


def flat_operands(
    name: str, operands: Any, init_values: Any
) -> tuple[list[Any], list[Any], Any]:
    """The leaves of `operands` and of `init_values`, and their common structure.

    An initial value that is a Python number adopts the dtype of its operand.

    Raises:
        ValueError: the structures differ, or there are no operands.
    """
    arrays, structure = tree.flatten(operands)
    inits, init_structure = tree.flatten(init_values)
    if structure != init_structure or not arrays:
        raise ValueError(
            f"{name}: operands and init_values must be alike and not empty, got {structure} and "
            f"{init_structure}"
        )
    pairs = zip(arrays, inits, strict=True)
    return arrays, [_adopted(name, init, typeof(x).dtype) for x, init in pairs], structure


def _adopted(name: str, init: Any, dtype: Any) -> Any:
    if type(init) in (bool, int, float, complex):
        return scalar_like(init, dtype, name)
    return init


def trace_computation(
    name: str, computation: Callable[..., Any], avals: Sequence[ShapedArray], structure: Any
) -> ClosedJaxpr:
    """The program of `computation` on two scalars (or pytrees of them) of the operands' dtypes.

    Raises:
        TypeError: it returns other types than it takes, or uses traced values from around it.
    """
    called = function_name(computation)
    scalars = [ShapedArray((), a.dtype, a.weak_type) for a in avals]
    n = len(scalars)

    def flat(*args: Any) -> list[Any]:
        total, element = (tree.unflatten(structure, half) for half in (args[:n], args[n:]))
        outputs, out_structure = tree.flatten(computation(total, element))
        if out_structure != structure:
            raise TypeError(
                f"{name}: computation must return what it takes, {structure}; {called} returned "
                f"{out_structure}"
            )
        check_outputs(outputs, out_structure, called)
        return outputs

    jaxpr, consts = trace_to_jaxpr(flat, scalars * 2, called)
    if any(isinstance(c, Tracer) for c in consts):
        raise TypeError(
            f"{name}: computation must not use traced values from around it, and {called} does; "
            f"pass them as a further operand, broadcast to the operands' shape"
        )
    for got, expected in zip(jaxpr.out_avals, scalars, strict=True):
        if (got.shape, got.dtype) != ((), expected.dtype):
            raise TypeError(
                f"{name}: computation must return scalars of the operands' dtypes, expected "
                f"{expected.str_short()}; {called} returned {got.str_short()}"
            )
    return ClosedJaxpr(jaxpr, consts)


def check_operands(name: str, operands: Sequence[ShapedArray]) -> None:
    """Check n arrays and then n initial values of a reduction.

    Raises:
        ShapeError: shapes differ, or an initial value is no scalar.
        TypeError: an initial value has another dtype than its operand.
    """
    n = len(operands) // 2
    arrays, inits = operands[:n], operands[n:]
    if len({a.shape for a in arrays}) > 1:
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise ShapeError(f"{name}: operands must have equal shapes, got {shapes}")
    if any(a.shape for a in inits):
        shapes = ", ".join(str(a.shape) for a in inits)
        raise ShapeError(f"{name}: init_values must be scalars, got shapes {shapes}")
    for a, init in zip(arrays, inits, strict=True):
        if a.dtype != init.dtype:
            raise TypeError(
                f"{name}: each of init_values must have its operand's dtype, got "
                f"{init.dtype.name} for an operand of {a.dtype.name}"
            )


def operation_of(jaxpr: Jaxpr) -> str | None:
    """The name of the one operation of two scalars that a program consists of, if it does.

    Meant for commutative operations: the order of the two is not looked at.
    """
    if len(jaxpr.eqns) != 1 or len(jaxpr.invars) != 2:
        return None
    eqn = jaxpr.eqns[0]
    if set(map(id, eqn.invars)) != set(map(id, jaxpr.invars)):
        return None
    return eqn.primitive.name if jaxpr.outvars[0] is eqn.outvars[0] else None


def is_identity(init: Any, operation: str) -> bool:
    """Whether a value is known to be the identity of one of the operations in `monoids`."""
    if isinstance(init, Tracer):
        return False
    neutral = monoids.identity(operation, typeof(init).dtype)
    return bool(np.asarray(init).astype(neutral.dtype) == neutral)


def run_on_arrays(closed: ClosedJaxpr, *arrays: Any) -> list[Any]:
    """The results of a program on scalars, run on arrays of one shape.

    Raises:
        ValueError: the program has operations that are not elementwise.
    """
    shape = typeof(arrays[0]).shape
    results = _run(closed.jaxpr, closed.consts, arrays)
    return [
        x if typeof(x).shape == shape else broadcast_in_dim(x, shape, ()) for x in results
    ]


def is_elementwise(jaxpr: Jaxpr) -> bool:
    """Whether `run_on_arrays` can run a program."""
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "jit":
            if not is_elementwise(eqn.params["jaxpr"].jaxpr):
                return False
        elif not _acts_on_elements(eqn):
            return False
    return True


def _acts_on_elements(eqn: Any) -> bool:
    primitive = eqn.primitive
    if primitive.name in _RESHAPING:
        return not eqn.outvars[0].aval.shape and not eqn.invars[0].aval.shape
    return primitive.family in _ELEMENTWISE and not primitive.multiple_results


def _run(jaxpr: Jaxpr, consts: Any, operands: Any) -> list[Any]:
    values: dict[Any, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
    values.update(zip(jaxpr.invars, operands, strict=True))

    def read(atom: Any) -> Any:
        return atom.val if type(atom) is Literal else values[atom]

    for eqn in jaxpr.eqns:
        inputs = [read(v) for v in eqn.invars]
        if eqn.primitive.name == "jit":
            inner = eqn.params["jaxpr"]
            results = _run(inner.jaxpr, inner.consts, inputs)
        elif not _acts_on_elements(eqn):
            raise ValueError(
                f"can't differentiate a reduction by {jaxpr.debug_name or 'a function'} that uses "
                f"{eqn.primitive.name}, nor map over its initial values: only elementwise "
                f"operations are known to do the same on whole arrays as on the scalars it was "
                f"written for"
            )
        elif eqn.primitive.name in _RESHAPING:
            results = inputs[:1]
        else:
            results = [eqn.primitive.bind(*inputs, **eqn.params)]
        values.update(zip(eqn.outvars, results, strict=True))
    return [read(v) for v in jaxpr.outvars]

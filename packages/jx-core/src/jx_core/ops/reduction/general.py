"""Reduction by any function of two elements.

Where the function is one of those in `monoids`, it is reduced by that primitive: XLA has
fast code for it, and every transformation a rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ... import tree
from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...jaxpr.evaluate import eval_jaxpr
from ...jaxpr.ir import ClosedJaxpr, Jaxpr
from ...primitive import Primitive
from ...staging import check_outputs, function_name, trace_to_jaxpr
from ...trace import Tracer
from ..axes import check_axes, integers, refuse_sharding
from ..kit import scalar_like
from . import monoids

__all__ = ["reduce", "reduce_p"]

_MONOIDS: dict[str, Primitive] = {
    "add": monoids.reduce_sum_p,
    "mul": monoids.reduce_prod_p,
    "max": monoids.reduce_max_p,
    "min": monoids.reduce_min_p,
    "and": monoids.reduce_and_p,
    "or": monoids.reduce_or_p,
    "xor": monoids.reduce_xor_p,
}


def _reduce_type(
    *operands: ShapedArray, jaxpr: ClosedJaxpr, dimensions: tuple[int, ...]
) -> list[ShapedArray]:
    n = len(operands) // 2
    arrays, inits = operands[:n], operands[n:]
    if len({a.shape for a in arrays}) > 1:
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise ShapeError(f"reduce: operands must have equal shapes, got {shapes}")
    if any(a.shape for a in inits):
        shapes = ", ".join(str(a.shape) for a in inits)
        raise ShapeError(f"reduce: init_values must be scalars, got shapes {shapes}")
    for a, init in zip(arrays, inits, strict=True):
        if a.dtype != init.dtype:
            raise TypeError(
                f"reduce: each of init_values must have its operand's dtype, got "
                f"{init.dtype.name} for an operand of {a.dtype.name}"
            )
    check_axes("reduce", dimensions, arrays[0].shape, "dimensions")
    shape = monoids.reduced(arrays[0], dimensions)
    return [ShapedArray(shape, a.dtype, a.weak_type) for a in arrays]


def _reduce(*operands: Any, jaxpr: ClosedJaxpr, dimensions: tuple[int, ...]) -> list[Any]:
    """Element after element, in row-major order of the reduced axes."""
    from ... import backend

    here = backend.current()
    n = len(operands) // 2
    types = _reduce_type(*map(typeof, operands), jaxpr=jaxpr, dimensions=dimensions)
    arrays = [np.asarray(here.get(x)) for x in operands[:n]]
    shape = arrays[0].shape
    order = [d for d in range(len(shape)) if d not in dimensions] + sorted(dimensions)
    length = math.prod([shape[d] for d in dimensions])
    rows = [x.transpose(order).reshape(*types[0].shape, length) for x in arrays]
    results = [np.empty(t.shape, t.dtype) for t in types]
    for place in np.ndindex(types[0].shape):
        totals: Sequence[Any] = operands[n:]
        for elements in zip(*[row[place] for row in rows], strict=True):
            totals = eval_jaxpr(jaxpr.jaxpr, jaxpr.consts, *totals, *elements)
        for result, total in zip(results, totals, strict=True):
            result[place] = here.get(total)
    return [here.put(r, t) for r, t in zip(results, types, strict=True)]


# Operands: n arrays, then n initial values. Params: jaxpr, the closed program that takes n
# totals and n elements to n totals; dimensions, the axes to reduce.
reduce_p = Primitive(
    "reduce", abstract=_reduce_type, reference=_reduce, multiple_results=True, higher_order=True
)


def reduce(
    operands: Any,
    init_values: Any,
    computation: Callable[[Any, Any], Any],
    dimensions: Iterable[int],
    out_sharding: Any = None,
) -> Any:
    """The elements along axes combined by a function.

    Args:
        operands: an array, or a pytree of arrays of one shape that are reduced together.
        init_values: a scalar for each operand, of its dtype (a Python number adopts it); an
            identity of `computation`.
        computation: takes two scalars (pytrees of them, like `operands`) and returns one.
            It must be associative: the order in which elements are combined is not given.
        dimensions: the axes to reduce, non-negative and distinct.
        out_sharding: must be None.

    Returns:
        A pytree like `operands`, of arrays without `dimensions`.

    Raises:
        ShapeError: shapes differ, an initial value is no scalar, or an axis is out of range.
        TypeError: dtypes differ, or `computation` returns other types than it takes.
        ValueError: `operands` and `init_values` are not alike, or there are none.

    >>> reduce(np.array([[1, 2], [3, 4]]), 0, lambda a, b: a + b, (0,))
    Array([4, 6], dtype=int32)
    """
    if out_sharding is not None:
        refuse_sharding("reduce", "out_sharding", out_sharding)
    arrays, structure = tree.flatten(operands)
    inits, init_structure = tree.flatten(init_values)
    if structure != init_structure or not arrays:
        raise ValueError(
            f"reduce: operands and init_values must be alike and not empty, got {structure} and "
            f"{init_structure}"
        )
    inits = [_adopted(init, typeof(x).dtype) for x, init in zip(arrays, inits, strict=True)]
    axes = integers("reduce", dimensions, "dimensions")
    closed = _trace(computation, [typeof(x) for x in arrays], structure)
    monoid = _monoid(closed.jaxpr)
    if monoid is None:
        results = reduce_p.bind(*arrays, *inits, jaxpr=closed, dimensions=axes)
    else:
        _reduce_type(*map(typeof, (*arrays, *inits)), jaxpr=closed, dimensions=axes)
        results = [_MONOIDS[monoid].bind(arrays[0], axes=axes)]
        if not _is_identity(inits[0], monoid):
            results = eval_jaxpr(closed.jaxpr, closed.consts, inits[0], results[0])
    return tree.unflatten(structure, results)


def _adopted(init: Any, dtype: Any) -> Any:
    """An initial value, in the operand's dtype if it is a Python number."""
    if isinstance(init, (bool, int, float, complex)):
        return scalar_like(init, dtype, "reduce")
    return init


def _trace(
    computation: Callable[..., Any], avals: list[ShapedArray], structure: Any
) -> ClosedJaxpr:
    """The program of `computation` on scalars of the operands' dtypes."""
    name = function_name(computation)
    scalars = [ShapedArray((), a.dtype, a.weak_type) for a in avals]
    n = len(scalars)

    def flat(*args: Any) -> list[Any]:
        total, element = (tree.unflatten(structure, half) for half in (args[:n], args[n:]))
        outputs, out_structure = tree.flatten(computation(total, element))
        if out_structure != structure:
            raise TypeError(
                f"reduce: computation must return what it takes, {structure}; {name} returned "
                f"{out_structure}"
            )
        check_outputs(outputs, out_structure, name)
        return outputs

    jaxpr, consts = trace_to_jaxpr(flat, scalars * 2, name)
    if any(isinstance(c, Tracer) for c in consts):
        raise TypeError(
            f"reduce: computation must not use traced values from around it, and {name} does; "
            f"pass them as a further operand, broadcast to the operands' shape"
        )
    for got, expected in zip(jaxpr.out_avals, scalars, strict=True):
        if (got.shape, got.dtype) != ((), expected.dtype):
            raise TypeError(
                f"reduce: computation must return scalars of the operands' dtypes, expected "
                f"{expected.str_short()}; {name} returned {got.str_short()}"
            )
    return ClosedJaxpr(jaxpr, consts)


def _monoid(jaxpr: Jaxpr) -> str | None:
    """The operation of `_MONOIDS` that a program of two scalars consists of, if it does."""
    if len(jaxpr.eqns) != 1 or len(jaxpr.invars) != 2:
        return None
    eqn = jaxpr.eqns[0]
    # Each of them is commutative, so the order of the operands does not matter.
    if set(map(id, eqn.invars)) != set(map(id, jaxpr.invars)):
        return None
    if jaxpr.outvars[0] is not eqn.outvars[0] or eqn.primitive.name not in _MONOIDS:
        return None
    return eqn.primitive.name


def _is_identity(init: Any, operation: str) -> bool:
    if isinstance(init, Tracer):
        return False
    neutral = monoids.identity(operation, typeof(init).dtype)
    return bool(np.asarray(init).astype(neutral.dtype) == neutral)

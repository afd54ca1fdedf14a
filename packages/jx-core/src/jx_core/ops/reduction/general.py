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
from ...jaxpr.evaluate import eval_jaxpr
from ...jaxpr.ir import ClosedJaxpr
from ...primitive import Primitive
from ..axes import check_axes, integers, refuse_sharding
from . import monoids
from .programs import (
    check_operands,
    flat_operands,
    is_elementwise,
    is_identity,
    operation_of,
    run_on_arrays,
    trace_computation,
)

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
    check_operands("reduce", operands)
    arrays = operands[: len(operands) // 2]
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
    order = sorted(dimensions) + [d for d in range(len(shape)) if d not in dimensions]
    length = math.prod([shape[d] for d in dimensions])
    rows = [x.transpose(order).reshape(length, *types[0].shape) for x in arrays]
    return fold(jaxpr, operands[n:], [r.__getitem__ for r in rows], length, types)


def fold(
    closed: ClosedJaxpr,
    inits: Sequence[Any],
    elements: Sequence[Callable[[int], np.ndarray]],
    count: int,
    types: Sequence[ShapedArray],
) -> list[Any]:
    """The reference meaning of reductions: initial values combined with elements in turn.

    Args:
        closed: the program that takes n totals and n elements to n totals.
        inits: n scalars, arrays of the back end.
        elements: for each of the n operands, the k-th element of every result.
        count: how many elements each result is made of.
        types: the types of the results.
    """
    from ... import backend

    here = backend.current()
    shape = types[0].shape
    starts = [np.broadcast_to(here.get(init), shape) for init in inits]
    scalar = [ShapedArray((), t.dtype, t.weak_type) for t in types]
    if is_elementwise(closed.jaxpr):
        totals = [here.put(np.array(s), t) for s, t in zip(starts, types, strict=True)]
        for k in range(count):
            new = [here.put(e(k), t) for e, t in zip(elements, types, strict=True)]
            totals = run_on_arrays(closed, *totals, *new)
        return [here.put(here.get(x), t) for x, t in zip(totals, types, strict=True)]
    results = [np.empty(t.shape, t.dtype) for t in types]
    for place in np.ndindex(shape):
        totals = [here.put(s[place], t) for s, t in zip(starts, scalar, strict=True)]
        for k in range(count):
            new = [here.put(e(k)[place], t) for e, t in zip(elements, scalar, strict=True)]
            totals = eval_jaxpr(closed.jaxpr, closed.consts, *totals, *new)
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
    arrays, inits, structure = flat_operands("reduce", operands, init_values)
    axes = integers("reduce", dimensions, "dimensions")
    closed = trace_computation("reduce", computation, [typeof(x) for x in arrays], structure)
    monoid = operation_of(closed.jaxpr)
    if monoid not in _MONOIDS:
        results = reduce_p.bind(*arrays, *inits, jaxpr=closed, dimensions=axes)
    else:
        _reduce_type(*map(typeof, (*arrays, *inits)), jaxpr=closed, dimensions=axes)
        results = [_MONOIDS[monoid].bind(arrays[0], axes=axes)]
        if not is_identity(inits[0], monoid):
            results = eval_jaxpr(closed.jaxpr, closed.consts, inits[0], results[0])
    return tree.unflatten(structure, results)

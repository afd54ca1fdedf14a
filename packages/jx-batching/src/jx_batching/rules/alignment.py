"""Bringing the batch axes of several operands to one place, for operations on equal shapes.

Operands whose rows are zero-dimensional go with rows of any shape; that has to survive
batching, where such an operand becomes one-dimensional.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jx_core import Primitive, typeof
from jx_core.lax import broadcast_in_dim_p

from ..axes import at_axis, broadcast_axis, insert, move_axis
from ..tables import BatchAxis, defbatch

Operands = Sequence[Any]
Dims = Sequence[int | None]


def primitives_of(family: Any) -> list[Primitive]:
    """The primitives that the module of an op family exports."""
    members = [getattr(family, name) for name in family.__all__]
    return [p for p in members if isinstance(p, Primitive)]


def define_elementwise(*primitives: Primitive, whole: Sequence[int] = ()) -> None:
    """Batch primitives that act element by element on operands of one shape.

    Args:
        primitives: their params must not depend on shapes.
        whole: positions of operands that have to have the result's shape; others may
            be zero-dimensional.
    """
    for primitive in primitives:
        defbatch(primitive)(_elementwise_rule(primitive, frozenset(whole)))


def _elementwise_rule(primitive: Primitive, whole: frozenset[int]) -> Callable[..., Any]:
    bind = primitive.bind
    multiple = primitive.multiple_results

    def rule(batch: BatchAxis, operands: Operands, dims: Dims, **params: Any) -> tuple[Any, Any]:
        if len(dims) == 1:
            out, dim = bind(operands[0], **params), dims[0]
        else:
            operands, dim = align(batch, operands, dims, whole)
            out = bind(*operands, **params)
        return (out, [dim] * len(out)) if multiple else (out, dim)

    return rule


def align(
    batch: BatchAxis, operands: Operands, dims: Dims, whole: frozenset[int] = frozenset()
) -> tuple[Operands, int]:
    """The operands with all batch axes at one place, and that place.

    Batches stay where they are if they agree. Unbatched zero-dimensional operands stay
    as they are too, unless their position is in `whole`.
    """
    place, rank, agree = None, -1, True
    for i, (x, d) in enumerate(zip(operands, dims, strict=True)):
        ndim = typeof(x).ndim
        if d is None:
            agree = agree and not ndim and i not in whole
        elif place is None:
            place, rank = d, ndim
        else:
            agree = agree and d == place and ndim == rank
    if agree and place is not None:
        return operands, place
    return _moved(batch, operands, dims, whole)


def _moved(
    batch: BatchAxis, operands: Operands, dims: Dims, whole: frozenset[int]
) -> tuple[list[Any], int]:
    shapes = [
        typeof(x).shape if d is None else _row_shape(typeof(x).shape, d)
        for x, d in zip(operands, dims, strict=True)
    ]
    row = max(shapes, key=len)
    ranked = [d for d, s in zip(dims, shapes, strict=True) if d is not None and len(s) == len(row)]
    place = ranked[0] if ranked else 0
    moved = []
    for i, (x, d, shape) in enumerate(zip(operands, dims, shapes, strict=True)):
        if d is None:
            x = broadcast_axis(x, batch.size, place) if shape or i in whole else x
        elif shape or not row:
            x = move_axis(x, d, place)
        else:
            x = broadcast_in_dim_p.bind(
                x, shape=insert(row, place, batch.size), broadcast_dimensions=(place,)
            )
        moved.append(x)
    return moved, place


def _row_shape(shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
    return shape[:dim] + shape[dim + 1 :]


def all_batched(batch: BatchAxis, operands: Operands, dims: Dims) -> tuple[list[Any], int]:
    """The operands, every one with a batch axis, all at one place, and that place."""
    place = next(d for d in dims if d is not None)
    return [at_axis(x, d, batch.size, place) for x, d in zip(operands, dims, strict=True)], place

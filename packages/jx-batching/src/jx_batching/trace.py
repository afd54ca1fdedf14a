"""The batching trace: it carries whole batches through a function written for one row.

A `BatchTracer` looks like one row (its `aval` has no batch axis) and holds the batch.
`BatchTrace` hands every operation on one to the primitive's batching rule, which runs
under the parent trace; operations on unbatched values go straight to the parent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jx_core import Primitive, ShapedArray, Trace, Tracer, typeof
from jx_core.config import check_tracer_leaks
from jx_core.state import state, swap_trace

from .tables import BatchAxis, batch_rules


class BatchTracer(Tracer):
    """One row of a batch, as the mapped function sees it.

    Attributes:
        val: the batch: an array or a tracer of an enclosing trace.
        axis: which axis of `val` runs over the rows.
        aval: the type of a row.
    """

    __slots__ = ("aval", "axis", "val")

    val: Any
    axis: int

    def __init__(self, trace: BatchTrace, val: Any, axis: int) -> None:
        self._trace = trace
        self.val = val
        self.axis = axis
        self.aval = row_aval(typeof(val), axis)

    def origin(self) -> str:
        size = self._trace.axis.size
        return f"It stands for each of the {size} rows that vmap maps a function over."

    def __repr__(self) -> str:
        return f"BatchTracer<{self.aval.str_short()}>(axis={self.axis}, val={self.val})"


_rows: dict[tuple[ShapedArray, int], ShapedArray] = {}


def row_aval(aval: ShapedArray, axis: int) -> ShapedArray:
    """The type of one row of a batch of type `aval` along `axis`."""
    try:
        return _rows[aval, axis]
    except KeyError:
        shape = aval.shape
        row = ShapedArray(shape[:axis] + shape[axis + 1 :], aval.dtype, aval.weak_type)
        _rows[aval, axis] = row
        return row


class BatchTrace(Trace):
    """Applies batching rules, under the trace that was current before.

    Attributes:
        parent: where the rules' operations go.
        axis: the axis mapped over.
        finished: whether the mapped function has returned, so that tracers have leaked.
    """

    __slots__ = ("axis", "finished", "parent")
    maps_rows = True  # the rows can't write to one Ref; see `jx_core.references`

    def __init__(self, parent: Trace, axis: BatchAxis) -> None:
        batch_rules.load()
        self.parent = parent
        self.axis = axis
        self.finished = False

    def process(self, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]) -> Any:
        values: list[Any] = []
        dims: list[int | None] = []
        batched = False
        for x in operands:
            if type(x) is BatchTracer and x._trace is self:
                values.append(x.val)
                dims.append(x.axis)
                batched = True
            else:
                values.append(x)
                dims.append(None)
        if not batched:
            return self.parent.process(primitive, tuple(operands), params)
        rule = batch_rules.rules.get(primitive)
        if rule is None:
            return self._decomposed(primitive, operands, params)
        before = swap_trace(self.parent)
        try:
            out, dim = rule(self.axis, values, dims, **params)
        except (TypeError, ValueError):
            # Where the rows themselves don't fit, say so in the user's shapes instead.
            primitive.result_types(tuple([typeof(x) for x in operands]), params)
            raise
        finally:
            swap_trace(before)
        if primitive.multiple_results:
            return [
                o if d is None else BatchTracer(self, o, d) for o, d in zip(out, dim, strict=True)
            ]
        return out if dim is None else BatchTracer(self, out, dim)

    def _decomposed(
        self, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]
    ) -> Any:
        if primitive.decompose is None:
            batch_rules.lookup(primitive)  # raises, saying how to define a rule
        assert primitive.decompose is not None
        before = swap_trace(self)
        try:
            return primitive.decompose(*operands, **params)
        finally:
            swap_trace(before)

    def split(self, values: Sequence[Any]) -> tuple[list[Any], list[int | None]]:
        """The batches behind results of the mapped function, and their batch axes."""
        batches, dims = [], []
        for x in values:
            mine = type(x) is BatchTracer and x._trace is self
            batches.append(x.val if mine else x)
            dims.append(x.axis if mine else None)
        return batches, dims


def batch_flat(
    fun: Callable[..., Sequence[Any]],
    axis: BatchAxis,
    args: Sequence[Any],
    dims: Sequence[int | None],
) -> tuple[list[Any], list[int | None]]:
    """Map a flat function over batches.

    Args:
        fun: takes one row of each of `args`, returns a sequence of arrays.
        axis: the axis mapped over.
        args: the batches.
        dims: the batch axis of each, None for those that all rows share.

    Returns:
        The results, and the batch axis of each, None where all rows have the same.
    """
    trace = BatchTrace(state.trace, axis)
    inputs = [x if d is None else BatchTracer(trace, x, d) for x, d in zip(args, dims, strict=True)]
    watch = _watch(trace, inputs) if check_tracer_leaks.value else None
    env = state.axis_env
    if axis.name is not None:
        state.axis_env = (*env, (axis.name, axis.size))
    before = swap_trace(trace)
    try:
        outputs = fun(*inputs)
    finally:
        trace.finished = True
        swap_trace(before)
        state.axis_env = env
    result = trace.split(outputs)
    if watch is not None:
        del trace, inputs, outputs
        watch.check()
    return result


def _watch(trace: BatchTrace, inputs: Sequence[Any]) -> Any:
    from jx_core.leaks import Watch

    return Watch(trace, inputs, "vmap")

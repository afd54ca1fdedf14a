"""Lowering of `scan`: a `stablehlo.while` that counts, reads rows and writes rows."""

from __future__ import annotations

import numpy as np

from jx_core import ClosedJaxpr, ShapedArray
from jx_core.ops.control_flow.scan import scan_p

from ..builder import Block, Value, i64_array
from ..program import call_shared
from ..tables import Context, deflower
from ..types import physical, tensor, type_of
from .while_loop import loop

_I32 = np.dtype(np.int32)
_COUNTER = ShapedArray((), _I32)


@deflower(scan_p)
def _scan(
    ctx: Context,
    *operands: Value,
    jaxpr: ClosedJaxpr,
    length: int,
    reverse: bool,
    num_consts: int,
    num_carry: int,
    unroll: int,
) -> list[Value]:
    """A loop over the counter, the carry and the results being filled in.

    `unroll` steps go into one iteration; the steps that are left over follow the loop.
    """
    block = ctx.block
    first_x = num_consts + num_carry
    consts, init, xs = operands[:num_consts], operands[num_consts:first_x], operands[first_x:]
    x_avals = ctx.in_avals[first_x:]
    y_avals = ctx.out_avals[num_carry:]
    carry_avals = ctx.in_avals[num_consts:first_x]

    def step(block: Block, state: list[Value]) -> list[Value]:
        counter, carry, ys = state[0], state[1 : 1 + num_carry], state[1 + num_carry :]
        place = counter
        if reverse:
            last = block.constant(length - 1, _I32)
            kind = type_of(_COUNTER)
            place = block.op("stablehlo.subtract", [last, counter], [kind, kind], kind)
        rows = [_row(block, x, a, place) for x, a in zip(xs, x_avals, strict=True)]
        outs = call_shared(block, jaxpr, "body", [*consts, *carry, *rows])
        filled = [
            _write(block, y, a, row, place)
            for y, a, row in zip(ys, y_avals, outs[num_carry:], strict=True)
        ]
        kind = type_of(_COUNTER)
        one = block.constant(1, _I32)
        following = block.op("stablehlo.add", [counter, one], [kind, kind], kind)
        return [following, *outs[:num_carry], *filled]

    state = [block.constant(0, _I32), *init, *[_empty(block, a) for a in y_avals]]
    unroll = max(min(unroll, length), 1)
    rounds = length // unroll

    def test(block: Block, state: list[Value]) -> Value:
        stop = block.constant(rounds * unroll, _I32)
        return block.op(
            "stablehlo.compare",
            [state[0], stop],
            ["tensor<i32>", "tensor<i32>"],
            "tensor<i1>",
            "comparison_direction = #stablehlo<comparison_direction LT>",
        )

    def body(block: Block, state: list[Value]) -> list[Value]:
        for _ in range(unroll):
            state = step(block, state)
        return state

    if rounds > 1:
        avals = [_COUNTER, *carry_avals, *y_avals]
        state = loop(block, avals, state, test, body)
    elif rounds == 1:
        state = body(block, state)
    for _ in range(length - rounds * unroll):
        state = step(block, state)
    return state[1:]


def _empty(block: Block, aval: ShapedArray) -> Value:
    held = physical(aval)
    zero = block.constant(0, held.dtype)
    return block.broadcast(zero, ShapedArray((), held.dtype), held.shape)


def _starts(block: Block, place: Value, rank: int) -> list[Value]:
    return [place, *[block.constant(0, _I32)] * (rank - 1)]


def _row(block: Block, x: Value, aval: ShapedArray, place: Value) -> Value:
    """The row of `x` at `place`."""
    held = physical(aval)
    rest = held.shape[1:]
    cut = block.op(
        "stablehlo.dynamic_slice",
        [x, *_starts(block, place, held.ndim)],
        [type_of(aval), *["tensor<i32>"] * held.ndim],
        tensor((1, *rest), held.dtype),
        f"slice_sizes = {i64_array((1, *rest))}",
    )
    kind = tensor((1, *rest), held.dtype)
    return block.op("stablehlo.reshape", [cut], [kind], tensor(rest, held.dtype))


def _write(block: Block, y: Value, aval: ShapedArray, row: Value, place: Value) -> Value:
    """`y` with `row` at `place`."""
    held = physical(aval)
    rest = held.shape[1:]
    kind = tensor((1, *rest), held.dtype)
    update = block.op("stablehlo.reshape", [row], [tensor(rest, held.dtype)], kind)
    return block.op(
        "stablehlo.dynamic_update_slice",
        [y, update, *_starts(block, place, held.ndim)],
        [type_of(aval), kind, *["tensor<i32>"] * held.ndim],
        type_of(aval),
    )

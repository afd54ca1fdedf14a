"""The types of loops' carries: what a body takes it must return, or an error says what differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ... import dtypes
from ...array import Array
from ...aval import ShapedArray
from ...jaxpr.ir import Jaxpr, Literal
from ..elementwise import copy_p
from .programs import Program, differing_leaves, same_but_weak

_CURE = "cast what the body returns with .astype({expected!r}), or start from a {got} value"


def stage_loop(
    what: str,
    stage_with: Callable[[Sequence[ShapedArray]], Program],
    carry: Sequence[ShapedArray],
    carry_tree: Any,
    result_tree: Callable[[Program], Any],
) -> tuple[Program, list[ShapedArray]]:
    """Stage a loop's body at a carry type that it keeps, strengthening weak types if need be.

    A carry that starts as a Python number takes the dtype that the body makes of it.
    """
    avals = list(carry)
    while True:
        program = stage_with(avals)
        out_tree = result_tree(program)
        outs = program.out_avals[: out_tree.num_leaves]
        if out_tree == carry_tree:
            promoted = [_promote_weak(a, b) for a, b in zip(avals, outs, strict=True)]
            if promoted != avals:
                avals = promoted
                continue
        if out_tree != carry_tree or not all(
            same_but_weak(a, b) for a, b in zip(avals, outs, strict=True)
        ):
            lines = differing_leaves(carry_tree, avals, out_tree, outs, "carry", _CURE)
            raise TypeError(
                f"lax.{what}: the body function {program.name} must return a carry of the type it "
                f"takes, but they differ (expected is the input carry's, got is the output's):\n"
                + "\n".join(lines)
            )
        stronger = [
            a.strip_weak_type() if a.weak_type and not b.weak_type else a
            for a, b in zip(avals, outs, strict=True)
        ]
        if stronger == avals:
            return program, avals
        avals = stronger


def _promote_weak(given: ShapedArray, made: ShapedArray) -> ShapedArray:
    """`given`, at the wider dtype of `made` if it is weak and promotes to it."""
    if not given.weak_type or given.dtype == made.dtype or given.shape != made.shape:
        return given
    if dtypes.result_type(given, made) != made.dtype:
        return given
    return given.update(dtype=made.dtype, weak_type=False)


def split_carries(jaxpr: Jaxpr, first: int, number: int) -> tuple[list[int], list[int]]:
    """Which carries of a loop's body may change, and which are handed on as they are and used.

    Args:
        jaxpr: the body; its first `number` results are the next carry.
        first: where the carry begins among its arguments.
        number: of how many values the carry is.
    """
    ins, outs = jaxpr.invars, jaxpr.outvars
    carries = [i for i in range(number) if outs[i] is not ins[first + i]]
    if len(carries) == number:
        return carries, []
    used = {v for eqn in jaxpr.eqns for v in eqn.invars if type(v) is not Literal}
    used.update(outs[i] for i in carries)
    used.update(outs[number:])
    fixed = [i for i in range(number) if outs[i] is ins[first + i] and ins[first + i] in used]
    return carries, fixed


def as_array(x: Any) -> Any:
    """An operand that is a result too: an array, even where it is a number."""
    return x if isinstance(x, Array) else copy_p.bind(x)

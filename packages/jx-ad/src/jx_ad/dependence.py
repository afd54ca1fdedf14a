"""Which outputs of a linear map depend on which inputs, and the fewest passes that show it all.

A Jacobian has a block for each output and input. Forward passes along an input give all blocks of
its column, reverse passes along an output all of its row; blocks that are zero need neither. The
fewest passes are a vertex cover of least weight of the bipartite graph of the other blocks, which
is a minimum cut (D. Kőnig, 1931; L. R. Ford and D. R. Fulkerson, 1956).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jx_core import Jaxpr, ShapedArray
from jx_core.jaxpr import Literal, jaxprs_in
from jx_core.ops.control_flow.custom import custom_lin_p
from jx_core.ops.control_flow.jit import jit_p
from jx_core.ops.control_flow.while_loop import while_p

from .tape import LinearMap, LinearTracer


@dataclass(frozen=True)
class Dependence:
    """What depends on what in a linear map.

    Attributes:
        edges: for each output the inputs that it may depend on.
        no_forward: what of it can't be pushed forward, or None.
        no_reverse: what of it can't be pulled back, or None.
    """

    edges: tuple[frozenset[int], ...]
    no_forward: str | None
    no_reverse: str | None

    def inputs(self) -> list[int]:
        """The inputs that something depends on."""
        return sorted(frozenset().union(*self.edges))

    def outputs(self) -> list[int]:
        """The outputs that depend on something."""
        return [i for i, on in enumerate(self.edges) if on]

    def alone(
        self, in_avals: Sequence[ShapedArray], out_avals: Sequence[ShapedArray]
    ) -> dict[str, int]:
        """How many passes each mode alone takes."""
        return {
            "forward": sum(in_avals[j].size for j in self.inputs()),
            "reverse": sum(out_avals[i].size for i in self.outputs()),
        }


def dependence_of(linear: LinearMap) -> Dependence:
    """What depends on what, as far as the recorded operations show it."""
    tape = linear.tape
    known: dict[int, frozenset[int]] = {
        t.index: frozenset([j]) for j, t in enumerate(tape.inputs)
    }
    primitives: set[Any] = set()
    for entry in tape.entries:
        given = [
            known[x.index] if type(x) is LinearTracer and x._trace is tape.mark else frozenset()
            for x in entry.operands
        ]
        _collect(entry.primitive, entry.params, primitives)
        results = _through(entry.primitive, entry.params, given, len(entry.outs))
        for o, on in zip(entry.outs, results, strict=True):
            known[o.index] = on
    edges = tuple(frozenset() if o is None else known[o.index] for o in linear.outputs)
    return Dependence(
        edges,
        "a custom_vjp function" if custom_lin_p in primitives else None,
        "a while_loop" if while_p in primitives else None,
    )


def _collect(primitive: Any, params: dict[str, Any], found: set[Any]) -> None:
    """Add the primitive, and those of the programs it holds."""
    found.add(primitive)
    for jaxpr in jaxprs_in(params):
        for eqn in jaxpr.eqns:
            _collect(eqn.primitive, eqn.params, found)


def _through(
    primitive: Any, params: dict[str, Any], given: Sequence[frozenset[int]], count: int
) -> list[frozenset[int]]:
    """What each of the results of an operation depends on, from what its operands do."""
    if primitive is jit_p:
        return _through_program(params["jaxpr"].jaxpr, given)
    return [frozenset().union(*given)] * count


def _through_program(jaxpr: Jaxpr, given: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    nothing: frozenset[int] = frozenset()
    known: dict[Any, frozenset[int]] = dict(zip(jaxpr.invars, given, strict=True))

    def of(v: Any) -> frozenset[int]:
        return nothing if type(v) is Literal else known.get(v, nothing)

    for eqn in jaxpr.eqns:
        operands = [of(v) for v in eqn.invars]
        results = _through(eqn.primitive, eqn.params, operands, len(eqn.outvars))
        known.update(zip(eqn.outvars, results, strict=True))
    return [of(v) for v in jaxpr.outvars]


def cheapest_cover(
    dependence: Dependence, in_sizes: Sequence[int], out_sizes: Sequence[int]
) -> tuple[list[int], list[int]]:
    """The inputs and outputs of least total size of which every edge has one.

    >>> block_diagonal = Dependence((frozenset([0]), frozenset([1])), None, None)
    >>> cheapest_cover(block_diagonal, [100, 1], [1, 100])
    ([1], [0])
    """
    edges, inputs = dependence.edges, dependence.inputs()
    if all(on == frozenset(inputs) for on in edges if on):  # everything on everything
        outputs = dependence.outputs()
        if sum(in_sizes[j] for j in inputs) <= sum(out_sizes[i] for i in outputs):
            return inputs, []
        return [], outputs
    left = list(out_sizes)  # what the outputs can send still, what the inputs can take
    room = list(in_sizes)
    flow: dict[tuple[int, int], int] = {}
    back: dict[int, set[int]] = {j: set() for j in inputs}  # the outputs that send to an input
    while True:
        came = _search(edges, left, back)
        target = next((j for j in inputs if ("in", j) in came and room[j]), None)
        if target is None:
            break
        _augment(target, came, left, room, flow, back)
    reached_in = [j for j in inputs if ("in", j) in came]
    return reached_in, [i for i in dependence.outputs() if ("out", i) not in came]


_Node = tuple[str, int]


def _search(
    edges: Sequence[frozenset[int]], left: Sequence[int], back: dict[int, set[int]]
) -> dict[_Node, _Node | None]:
    """The nodes that more could flow to, each with the one before it."""
    came: dict[_Node, _Node | None] = {
        ("out", i): None for i, on in enumerate(edges) if on and left[i]
    }
    waiting = list(came)
    while waiting:
        node = waiting.pop(0)
        kind, k = node
        following = [("in", j) for j in edges[k]] if kind == "out" else [
            ("out", i) for i in back[k]
        ]
        for step in following:
            if step not in came:
                came[step] = node
                waiting.append(step)
    return came


def _augment(
    target: int,
    came: dict[_Node, _Node | None],
    left: list[int],
    room: list[int],
    flow: dict[tuple[int, int], int],
    back: dict[int, set[int]],
) -> None:
    """Send as much as will go along the path that was found to an input."""
    path: list[_Node] = [("in", target)]
    while (before := came[path[-1]]) is not None:
        path.append(before)
    path.reverse()
    steps = list(zip(path, path[1:], strict=False))
    amount = min(
        [left[path[0][1]], room[target]]
        + [flow[b[1], a[1]] for a, b in steps if a[0] == "in"]
    )
    left[path[0][1]] -= amount
    room[target] -= amount
    for a, b in steps:
        out, into, more = (a[1], b[1], amount) if a[0] == "out" else (b[1], a[1], -amount)
        flow[out, into] = flow.get((out, into), 0) + more
        (back[into].add if flow[out, into] else back[into].discard)(out)

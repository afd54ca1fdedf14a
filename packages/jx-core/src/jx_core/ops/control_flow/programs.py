"""What conditionals and loops share: staging their function arguments into programs."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

from ... import tree
from ...aval import ShapedArray, typeof
from ...config import trace_key
from ...jaxpr.evaluate import eval_jaxpr
from ...jaxpr.ir import ClosedJaxpr, Jaxpr, Var
from ...references import AbstractRef, StandIns, Uses, check_distinct, held_type, read
from ...staging import check_outputs, function_name, trace_to_jaxpr
from ...state import state
from ...trace import Tracer
from ..elementwise import convert_element_type_p

# Staged forms by function and argument types, so that a loop called again with the same body
# traces, differentiates and compiles once. Forms that close over tracers are not kept.
_cache: weakref.WeakKeyDictionary[Any, dict[Any, Any]] = weakref.WeakKeyDictionary()


class Program:
    """A function staged for given argument types: a flat program and its result's tree.

    Attributes:
        jaxpr: takes the arguments alone; arrays it closes over are its `constvars`.
        consts: the values of those, tracers of enclosing traces among them.
        uses: what it does with Refs of outside. Those that it reads are its last constants;
            those that it writes are further arguments, and their last values further results
            (both where `stage` was told); last values of arguments are its last results.
    """

    __slots__ = ("consts", "jaxpr", "name", "out_tree", "uses")

    def __init__(
        self, jaxpr: Jaxpr, consts: list[Any], out_tree: Any, name: str, uses: Any = None
    ) -> None:
        self.jaxpr = jaxpr
        self.consts = consts
        self.out_tree = out_tree
        self.name = name
        self.uses = uses

    @property
    def out_avals(self) -> list[ShapedArray]:
        return self.jaxpr.out_avals


def stage(
    fun: Callable[..., Any],
    in_tree: Any,
    avals: Sequence[Any],
    leaves: Sequence[Any] = (),
    refs_at: int | None = None,
) -> Program:
    """Stage `fun`, a function of positional pytrees of tree `in_tree` and types `avals`.

    Args:
        fun: the function.
        in_tree, avals: the tree and types of its arguments; `AbstractRef`s for Refs.
        leaves: the arguments, if there may be Refs among them.
        refs_at: before which argument and result those for Refs that it closes over and writes
            are put; by default after all of its own.
    """
    if AbstractRef in map(type, avals):
        check_distinct(leaves, function_name(fun), lambda: _places(leaves))
    key = (in_tree, tuple(avals), trace_key(), state.axis_env)
    try:
        known = _cache.setdefault(fun, {})
    except TypeError:
        known = {}
    found = known.get(key)
    if found is not None and (found.uses is None or found.uses.alive):
        return found if found.uses is None else _at_present(found, leaves)
    name = function_name(fun)
    out_trees: list[Any] = []
    uses = Uses()

    def flat(*args: Any) -> list[Any]:
        inside = StandIns()
        given = inside.enter(avals, args)
        outputs, out_tree = tree.flatten(fun(*tree.unflatten(in_tree, given)))
        check_outputs(outputs, out_tree, name)
        out_trees.append(out_tree)
        return uses.leave(inside, outputs)

    jaxpr, consts = trace_to_jaxpr(flat, [held_type(a) for a in avals], name, uses, True)
    program = Program(jaxpr, consts, out_trees[0], name)
    if uses:
        program.jaxpr = uses.arranged(jaxpr, len(avals), out_trees[0].num_leaves, refs_at)
        program.uses = uses
    if not any(isinstance(c, Tracer) for c in consts):
        known[key] = program
    return program if program.uses is None else _at_present(program, leaves)


def _places(leaves: Sequence[Any]) -> list[str]:
    return [f"leaf {i} of its arguments" for i in range(len(leaves))]


def _at_present(program: Program, leaves: Sequence[Any]) -> Program:
    """A program with the present values of the Refs that it reads."""
    uses = program.uses
    uses.check(leaves, program.name, lambda: _places(leaves))
    consts = [*program.consts, *map(read, uses.reads)]
    return Program(program.jaxpr, consts, program.out_tree, program.name, uses)


def hoist(programs: Sequence[Program]) -> tuple[list[ClosedJaxpr], list[Any]]:
    """Make what the programs close over their leading arguments, the same for all.

    Returns:
        The programs, each taking (all closed-over values, its arguments), and the values.
        Concrete arrays of a lone cached program are hoisted too: a loop's body then is a
        program without constants, which every back end can share.
    """
    values: dict[Any, Any] = {}
    for program in programs:
        for k, c in zip(_tokens(program.consts), program.consts, strict=True):
            values.setdefault(k, c)
    return [_with_leading(program, values) for program in programs], list(values.values())


def _tokens(consts: Sequence[Any]) -> list[Any]:
    """What tells constants apart. Two Refs may hold one value, so it is there twice."""
    ids = [id(c) for c in consts]
    if len(set(ids)) == len(ids):
        return ids
    return [(i, ids[:n].count(i)) if i in ids[:n] else i for n, i in enumerate(ids)]


def _with_leading(program: Program, values: dict[Any, Any]) -> ClosedJaxpr:
    """The closed form of `program` that takes `values` first, one object for one form of them."""
    places = {k: i for i, k in enumerate(_tokens(program.consts))}
    # What tells forms apart: which of the program's own constants a value is, or its type.
    key = tuple([places[i] if i in places else typeof(c) for i, c in values.items()])
    known = _closed.setdefault(program.jaxpr, {})
    if key not in known:
        own = program.jaxpr.constvars
        leading = [own[k] if isinstance(k, int) else Var(k) for k in key]
        known[key] = ClosedJaxpr(
            program.jaxpr.replace(constvars=[], invars=leading + program.jaxpr.invars)
        )
    return known[key]


_closed: weakref.WeakKeyDictionary[Jaxpr, dict[Any, ClosedJaxpr]] = weakref.WeakKeyDictionary()


def cast_results(closed: ClosedJaxpr, avals: Sequence[ShapedArray]) -> ClosedJaxpr:
    """The same program with results of types `avals`, which differ in weak types only."""
    if all(a is b for a, b in zip(closed.out_avals, avals, strict=True)):
        return closed
    key = ("cast", tuple(avals))
    if key not in closed.derived:

        def flat(*args: Any) -> list[Any]:
            outs = eval_jaxpr(closed.jaxpr, closed.consts, *args)
            return [
                o
                if typeof(o) is a
                else convert_element_type_p.bind(o, new_dtype=a.dtype, weak_type=a.weak_type)
                for o, a in zip(outs, avals, strict=True)
            ]

        jaxpr, consts = trace_to_jaxpr(flat, closed.in_avals, closed.jaxpr.debug_name)
        closed.derived.setdefault(key, ClosedJaxpr(jaxpr, consts))
    return closed.derived[key]  # type: ignore[no-any-return]


def join_weak(avals: Sequence[ShapedArray]) -> ShapedArray:
    """The type that values of these types, equal but for weakness, have in common."""
    return avals[0] if all(a.weak_type for a in avals) else avals[0].strip_weak_type()


def same_but_weak(a: ShapedArray, b: ShapedArray) -> bool:
    """Whether two types have one shape and dtype."""
    return a.shape == b.shape and a.dtype == b.dtype


def cast_weak(x: Any, aval: ShapedArray) -> Any:
    """`x` as a value of type `aval`, from which it differs at most in weakness."""
    if typeof(x) is aval:
        return x
    return convert_element_type_p.bind(x, new_dtype=aval.dtype, weak_type=aval.weak_type)


def put_results(results: Sequence[Any], avals: Sequence[ShapedArray]) -> list[Any]:
    """Results as arrays of the current back end, even where they are numbers or arguments."""
    from ... import backend

    put = backend.current().put
    return [put(r, a) for r, a in zip(results, avals, strict=True)]


def differing_leaves(
    expected_tree: Any,
    expected: Sequence[ShapedArray],
    got_tree: Any,
    got: Sequence[ShapedArray],
    root: str = "the value",
    cure: str = "cast one with .astype({expected!r})",
) -> list[str]:
    """Lines that name each leaf whose type is not the expected one, with both types.

    Args:
        expected_tree, got_tree: the trees of the values.
        expected, got: the types of their leaves.
        root: what the whole value is called; leaves are named by their paths from it.
        cure: what to do where only dtypes differ; it may name `{expected!r}` and `{got!r}`.
    """
    wanted, found = _by_path(expected_tree, expected), _by_path(got_tree, got)
    lines = []
    for path in [*wanted, *(p for p in found if p not in wanted)]:
        where = f"  {'' if path and root == 'the value' else root}{path}"
        if path not in found:
            lines.append(f"{where}: expected {_shown(wanted[path])}, got nothing there")
        elif path not in wanted:
            lines.append(f"{where}: expected nothing there, got {_shown(found[path])}")
        elif (a := wanted[path]) is None or (b := found[path]) is None:
            if a is not found[path]:
                lines.append(f"{where}: expected {_shown(a)}, got {_shown(found[path])}")
        elif not same_but_weak(a, b):
            hint = ""
            if a.shape == b.shape:
                hint = "; " + cure.format(expected=str(a.dtype.name), got=str(b.dtype.name))
            lines.append(f"{where}: expected {_shown(a)}, got {_shown(b)}{hint}")
    if expected_tree != got_tree:
        lines += [f"  expected tree {expected_tree}", f"  got tree      {got_tree}"]
    return lines


def _by_path(value_tree: Any, avals: Sequence[ShapedArray]) -> dict[str, ShapedArray | None]:
    """The types of leaves by their paths, None where the tree has None."""
    value = tree.unflatten(value_tree, list(avals))
    paths = tree.leaves_with_path(value, is_leaf=lambda x: x is None)
    return {tree.keystr(path): aval for path, aval in paths}


def _shown(aval: ShapedArray | None) -> str:
    return "None" if aval is None else aval.str_short()

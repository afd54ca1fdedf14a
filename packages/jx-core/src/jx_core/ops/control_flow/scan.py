"""`scan`: a loop over the leading axis of arrays that carries a value and stacks results."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ... import tree, tree_util
from ...aval import ShapedArray, typeof
from ...config import disable_jit
from ...jaxpr.evaluate import eval_jaxpr
from ...jaxpr.ir import ClosedJaxpr
from ...primitive import NO_EFFECTS, Primitive
from ..indexing import index_in_dim
from ..shape import concatenate, expand_dims, full
from .carry import as_array, split_carries, stage_loop
from .programs import Program, cast_results, cast_weak, hoist, put_results, stage

__all__ = ["scan", "scan_p"]


def _scan_types(
    *avals: ShapedArray, jaxpr: ClosedJaxpr, length: int, num_carry: int, **params: Any
) -> list[ShapedArray]:
    carry, ys = jaxpr.out_avals[:num_carry], jaxpr.out_avals[num_carry:]
    return carry + [y.update(shape=(length, *y.shape)) for y in ys]


def _jaxpr_effects(*, jaxpr: ClosedJaxpr, **params: Any) -> frozenset[Any]:
    return jaxpr.effects or NO_EFFECTS


def _scan_by_steps(
    *operands: Any,
    jaxpr: ClosedJaxpr,
    length: int,
    reverse: bool,
    num_consts: int,
    num_carry: int,
    unroll: int,
) -> list[Any]:
    """The loop written out, step after step."""
    first_x = num_consts + num_carry
    consts, xs = operands[:num_consts], operands[first_x:]
    carry = list(operands[num_consts:first_x])
    rows: list[list[Any]] = []
    for i in reversed(range(length)) if reverse else range(length):
        x = [index_in_dim(a, i, 0, keepdims=False) for a in xs]
        outs = eval_jaxpr(jaxpr.jaxpr, jaxpr.consts, *consts, *carry, *x)
        carry = outs[:num_carry]
        rows.append(outs[num_carry:])
    if reverse:
        rows.reverse()
    y_avals = jaxpr.out_avals[num_carry:]
    if not rows:
        return carry + [full((0, *a.shape), 0, a.dtype) for a in y_avals]
    columns = zip(*rows, strict=True)
    return carry + [concatenate([expand_dims(y, (0,)) for y in column], 0) for column in columns]


def _scan_reference(*operands: Any, **params: Any) -> list[Any]:
    return put_results(_scan_by_steps(*operands, **params), _scan_types(**params))


# Operands: consts, carry, xs. The program takes (consts, carry, a row of each x) and gives
# (carry, a row of each y). Params: jaxpr, length, reverse, num_consts, num_carry, unroll.
scan_p = Primitive(
    "scan",
    abstract=_scan_types,
    reference=_scan_reference,
    decompose=_scan_by_steps,
    effects=_jaxpr_effects,
    multiple_results=True,
    higher_order=True,
)


def bind_scan(
    *operands: Any, jaxpr: ClosedJaxpr, num_consts: int, num_carry: int, **params: Any
) -> list[Any]:
    """Bind a scan of as few carries and results as compute the same.

    A carry that every step hands on as it is becomes a constant, so that no layer takes it for
    something that changes; results that are rows of xs, or that there are twice, are not stacked.
    """
    key = ("lean scan", num_consts, num_carry)
    lean = jaxpr.derived.get(key)
    if lean is None:
        lean = jaxpr.derived[key] = _lean(jaxpr, num_consts, num_carry)
    if lean is _AS_IT_IS:
        return scan_p.bind(  # type: ignore[no-any-return]
            *operands, jaxpr=jaxpr, num_consts=num_consts, num_carry=num_carry, **params
        )
    outs = scan_p.bind(
        *[operands[i] for i in lean.operands],
        jaxpr=lean.closed,
        num_consts=lean.num_consts,
        num_carry=lean.num_carry,
        **params,
    )
    return [outs[i] if given is None else as_array(operands[given]) for given, i in lean.results]


class _Lean(NamedTuple):
    """A scan's smaller form.

    Attributes:
        closed: its program.
        operands: which of the scan's operands it takes, in order.
        num_consts, num_carry: as for any scan.
        results: where each result of the scan is: (an operand, 0), or (None, a result).
    """

    closed: ClosedJaxpr
    operands: list[int]
    num_consts: int
    num_carry: int
    results: list[tuple[int | None, int]]


_AS_IT_IS = object()


def _lean(closed: ClosedJaxpr, num_consts: int, num_carry: int) -> Any:
    jaxpr = closed.jaxpr
    ins, outs = jaxpr.invars, jaxpr.outvars
    first_x = num_consts + num_carry
    carries, fixed = split_carries(jaxpr, num_consts, num_carry)
    rows = {v: first_x + k for k, v in enumerate(ins[first_x:])}
    ys: dict[Any, int] = {}
    results: list[tuple[int | None, int]] = []
    place = {i: k for k, i in enumerate(carries)}
    for i in range(num_carry):
        results.append((None, place[i]) if i in place else (num_consts + i, 0))
    for v in outs[num_carry:]:
        if v in rows:
            results.append((rows[v], 0))
        else:
            results.append((None, len(carries) + ys.setdefault(v, len(ys))))
    if len(carries) == num_carry and len(ys) == len(outs) - num_carry:
        return _AS_IT_IS
    operands = [
        *range(num_consts),
        *[num_consts + i for i in fixed],
        *[num_consts + i for i in carries],
        *range(first_x, len(ins)),
    ]
    lean = jaxpr.replace(
        invars=[ins[i] for i in operands], outvars=[*[outs[i] for i in carries], *ys]
    )
    return _Lean(
        ClosedJaxpr(lean, closed.consts), operands, num_consts + len(fixed), len(carries), results
    )


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    _split_transpose: bool = False,
) -> tuple[Any, Any]:
    """Carry a value through the leading axis of arrays, collecting a result at each step.

    As the Python loop `for x in xs: carry, y = f(carry, x); ys.append(y)`, staged: `f` is
    traced once. Differentiable in both modes.

    Args:
        f: takes the carry and a row of `xs`, returns the next carry, of the same types,
            and a pytree of results.
        init: the first carry, a pytree of arrays.
        xs: a pytree of arrays of one leading length, or None with `length`.
        length: the number of steps; needed where `xs` has no arrays.
        reverse: go from the last row to the first; results keep the place of their row.
        unroll: how many steps one iteration of the compiled loop does; True for all.

    Returns:
        The last carry, and the stacked results.

    Raises:
        TypeError: the carry's type changes; the message shows both types leaf by leaf.
        ValueError: leading lengths differ from one another or from `length`.

    >>> from jx_core import lax
    >>> total, sums = scan(lambda c, x: (lax.add(c, x),) * 2, 0.0, np.float32([1, 2, 3]))
    >>> sums.tolist()
    [1.0, 3.0, 6.0]
    """
    if not callable(f):
        raise TypeError(f"lax.scan: f argument should be a callable, got {f!r}")
    xs_leaves, xs_tree = tree.flatten(xs)
    n = scan_length(xs, xs_leaves, length)
    if disable_jit.value:
        return _scan_in_python(f, init, xs_leaves, xs_tree, n, reverse)
    rows = [_row(typeof(x)) for x in xs_leaves]
    init_leaves, init_tree = tree.flatten(init)
    in_tree = tree_util.treedef_tuple((init_tree, xs_tree))

    def stage_with(carry: Sequence[ShapedArray]) -> Program:
        program = stage(f, in_tree, [*carry, *rows])
        children = tree_util.treedef_children(program.out_tree)
        if len(children) != 2 or not isinstance(_dummy(program.out_tree), tuple):
            raise TypeError(
                f"scan body output must be a pair, got {_dummy(program.out_tree)!r:.80} from "
                f"{program.name}: return (carry, y), with y None where there is nothing to stack"
            )
        return program

    program, carry_avals = stage_loop(
        "scan", stage_with, [typeof(c) for c in init_leaves], init_tree,
        lambda p: tree_util.treedef_children(p.out_tree)[0],
    )
    num_carry = len(carry_avals)
    (closed,), consts = hoist([program])
    closed = cast_results(closed, [*carry_avals, *closed.out_avals[num_carry:]])
    unroll = max(n, 1) if unroll is True else 1 if unroll is False else operator.index(unroll)
    if unroll < 1:
        raise ValueError(f"lax.scan: unroll must be a positive integer or a bool, got {unroll}")
    outs = bind_scan(
        *consts,
        *[cast_weak(c, a) for c, a in zip(init_leaves, carry_avals, strict=True)],
        *xs_leaves,
        jaxpr=closed,
        length=n,
        reverse=bool(reverse),
        num_consts=len(consts),
        num_carry=num_carry,
        unroll=unroll,
    )
    y_tree = tree_util.treedef_children(program.out_tree)[1]
    return tree.unflatten(init_tree, outs[:num_carry]), tree.unflatten(y_tree, outs[num_carry:])


def _dummy(out_tree: Any) -> Any:
    return tree.unflatten(out_tree, [0] * out_tree.num_leaves)


def _row(aval: ShapedArray) -> ShapedArray:
    return aval.update(shape=aval.shape[1:])


def scan_length(xs: Any, leaves: Sequence[Any], length: Any) -> int:
    sizes = []
    for path, x in tree.leaves_with_path(xs):
        aval = typeof(x)
        if not aval.shape:
            raise ValueError(
                f"lax.scan got value with no leading axis to scan over: xs{tree.keystr(path)} is "
                f"{aval.str_short()}"
            )
        sizes.append((tree.keystr(path), aval.shape[0]))
    if length is not None:
        wanted = operator.index(length)
        for where, size in sizes:
            if size != wanted:
                raise ValueError(
                    f"scan got `length` argument of {wanted} which disagrees with the leading "
                    f"axis of xs{where}, of size {size}"
                )
        return wanted
    if not sizes:
        raise ValueError("scan got no values to scan over and `length` not provided.")
    if len({size for _, size in sizes}) > 1:
        listed = ", ".join(f"xs{where}: {size}" for where, size in sizes)
        raise ValueError(f"scan got values with different leading axis sizes: {listed}.")
    return sizes[0][1]


def _scan_in_python(
    f: Any, init: Any, leaves: list[Any], xs_tree: Any, n: int, reverse: bool
) -> tuple[Any, Any]:
    """The loop in plain Python, for `disable_jit`."""
    if n == 0:
        raise ValueError("zero-length scan is not supported under disable_jit: no type for ys")
    carry, ys = init, []
    for i in reversed(range(n)) if reverse else range(n):
        rows = [index_in_dim(x, i, 0, keepdims=False) for x in leaves]
        carry, y = f(carry, tree.unflatten(xs_tree, rows))
        ys.append(y)
    if reverse:
        ys.reverse()
    stacked = tree.map(lambda *rows: concatenate([expand_dims(r, (0,)) for r in rows], 0), *ys)
    return carry, stacked

"""Loops: `scan`, `while_loop`, `fori_loop` and `map`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import dtypes, tree, tree_util
from ...aval import ShapedArray, as_dimension, typeof
from ...config import disable_jit
from ...jaxpr.evaluate import eval_jaxpr
from ...jaxpr.ir import ClosedJaxpr
from ...primitive import NO_EFFECTS, Primitive
from ...symbolic.expressions import maximum
from ...trace import to_concrete
from ..elementwise import add, convert_element_type, lt
from ..indexing import index_in_dim
from ..shape import concatenate, expand_dims, full, reshape
from .programs import (
    Program,
    cast_results,
    cast_weak,
    differing_leaves,
    hoist,
    same_but_weak,
    stage,
)

__all__ = ["fori_loop", "map", "scan", "scan_p", "while_loop", "while_p"]


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
    from ... import backend

    results = _scan_by_steps(*operands, **params)
    types = _scan_types(**params)
    put = backend.current().put
    return [put(r, a) for r, a in zip(results, types, strict=True)]


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


def _while_types(
    *avals: ShapedArray, body_jaxpr: ClosedJaxpr, **params: Any
) -> list[ShapedArray]:
    return body_jaxpr.out_avals


def _while_effects(
    *, cond_jaxpr: ClosedJaxpr, body_jaxpr: ClosedJaxpr, **params: Any
) -> frozenset[Any]:
    return cond_jaxpr.effects | body_jaxpr.effects


def _while_reference(
    *operands: Any,
    cond_jaxpr: ClosedJaxpr,
    body_jaxpr: ClosedJaxpr,
    cond_nconsts: int,
    body_nconsts: int,
) -> list[Any]:
    from ... import backend

    n = cond_nconsts + body_nconsts
    cond_consts, body_consts = operands[:cond_nconsts], operands[cond_nconsts:n]
    carry = list(operands[n:])
    while bool(eval_jaxpr(cond_jaxpr.jaxpr, cond_jaxpr.consts, *cond_consts, *carry)[0]):
        carry = eval_jaxpr(body_jaxpr.jaxpr, body_jaxpr.consts, *body_consts, *carry)
    put = backend.current().put
    return [put(c, a) for c, a in zip(carry, body_jaxpr.out_avals, strict=True)]


# Operands: what cond closes over, what body closes over, carry. Params: cond_jaxpr,
# body_jaxpr, cond_nconsts, body_nconsts.
while_p = Primitive(
    "while",
    abstract=_while_types,
    reference=_while_reference,
    effects=_while_effects,
    multiple_results=True,
    higher_order=True,
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
    n = _scan_length(xs, xs_leaves, length)
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

    program, carry_avals = _stage_loop(
        "scan", stage_with, [typeof(c) for c in init_leaves], init_tree,
        lambda p: tree_util.treedef_children(p.out_tree)[0],
    )
    num_carry = len(carry_avals)
    (closed,), consts = hoist([program])
    closed = cast_results(closed, [*carry_avals, *closed.out_avals[num_carry:]])
    unroll = max(n, 1) if unroll is True else 1 if unroll is False else operator.index(unroll)
    if unroll < 1:
        raise ValueError(f"lax.scan: unroll must be a positive integer or a bool, got {unroll}")
    outs = scan_p.bind(
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


def _scan_length(xs: Any, leaves: Sequence[Any], length: Any) -> int:
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
        wanted = as_dimension(length)
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


def _stage_loop(
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
            lines = differing_leaves(carry_tree, avals, out_tree, outs)
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


def while_loop(
    cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any
) -> Any:
    """Repeat `body_fun` while `cond_fun` holds, carrying a value.

    As `val = init_val; while cond_fun(val): val = body_fun(val)`, staged. Differentiable in
    forward mode; reverse mode needs a bound on the steps, as `scan` and `fori_loop` have.

    Args:
        cond_fun: from the carry to a boolean scalar.
        body_fun: from the carry to the next one, of the same types.
        init_val: the first carry, a pytree of arrays.

    Returns:
        The last carry.

    Raises:
        TypeError: the carry's type changes, or `cond_fun` does not return a boolean scalar.

    >>> from jx_core import lax
    >>> int(while_loop(lambda i: lax.lt(i, 10), lambda i: lax.add(i, 3), 0))
    12
    """
    if not (callable(body_fun) and callable(cond_fun)):
        raise TypeError("lax.while_loop: body_fun and cond_fun arguments should be callable.")
    if disable_jit.value:
        val = init_val
        while bool(cond_fun(val)):
            val = body_fun(val)
        return val
    leaves, carry_tree = tree.flatten(init_val)
    in_tree = tree_util.treedef_tuple((carry_tree,))
    body, avals = _stage_loop(
        "while_loop",
        lambda carry: stage(body_fun, in_tree, carry),
        [typeof(x) for x in leaves],
        carry_tree,
        lambda p: p.out_tree,
    )
    predicate = stage(cond_fun, in_tree, avals)
    _check_predicate(predicate)
    (cond_closed,), cond_consts = hoist([predicate])
    (body_closed,), body_consts = hoist([body])
    outs = while_p.bind(
        *cond_consts,
        *body_consts,
        *[cast_weak(c, a) for c, a in zip(leaves, avals, strict=True)],
        cond_jaxpr=cond_closed,
        body_jaxpr=cast_results(body_closed, avals),
        cond_nconsts=len(cond_consts),
        body_nconsts=len(body_consts),
    )
    return tree.unflatten(carry_tree, outs)


def _check_predicate(program: Program) -> None:
    if not tree_util.treedef_is_leaf(program.out_tree) or len(program.out_avals) != 1:
        raise TypeError(
            f"cond_fun must return a boolean scalar, but got pytree {program.out_tree} "
            f"from {program.name}."
        )
    (aval,) = program.out_avals
    if aval.shape != () or aval.dtype != np.bool_:
        raise TypeError(
            f"cond_fun must return a boolean scalar, but got output type {aval.str_short()} "
            f"from {program.name}."
        )


def fori_loop(
    lower: Any,
    upper: Any,
    body_fun: Callable[[Any, Any], Any],
    init_val: Any,
    *,
    unroll: Any = None,
) -> Any:
    """Repeat `val = body_fun(i, val)` for `i` from `lower` up to `upper`, exclusive.

    With bounds that are known numbers the loop is a `scan`, differentiable in both modes;
    otherwise a `while_loop`.

    Args:
        lower, upper: integer scalars.
        body_fun: from the index and the carry to the next carry, of the same types.
        init_val: the first carry, a pytree of arrays.
        unroll: as for `scan`; only with known bounds.

    Returns:
        The last carry.

    Raises:
        TypeError: the bounds are not integer scalars, or the carry's type changes.

    >>> from jx_core import lax
    >>> int(fori_loop(0, 5, lambda i, x: lax.add(i, x), 0))
    10
    """
    if not callable(body_fun):
        raise TypeError("lax.fori_loop: body_fun argument should be callable.")
    dtype = _loop_dtype(lower, upper)
    bounds = [to_concrete(lower), to_concrete(upper)]
    if disable_jit.value:
        val = init_val
        for i in range(int(lower), int(upper)):
            val = body_fun(i, val)
        return val
    if all(b is not None for b in bounds):
        first, last = as_dimension(bounds[0]), as_dimension(bounds[1])

        def step(carry: Any, _: Any) -> Any:
            i, val = carry
            return (add(i, 1), body_fun(i, val)), None

        start = np.asarray(first, dtype)[()] if not isinstance(lower, int) else first
        count = maximum(last - first, 0)
        (_, result), _ = scan(step, (start, init_val), None, count, unroll=unroll or 1)
        return result
    if unroll is not None and unroll not in (False, 1):
        raise ValueError(
            "Can only use `unroll` in `fori_loop` if the loop bounds are statically known."
        )

    def test(carry: Any) -> Any:
        i, stop, _ = carry
        return lt(i, stop)

    def body(carry: Any) -> Any:
        i, stop, val = carry
        return add(i, np.ones((), dtype)[()]), stop, body_fun(i, val)

    start, stop = convert_element_type(lower, dtype), convert_element_type(upper, dtype)
    return while_loop(test, body, (start, stop, init_val))[2]


def _loop_dtype(lower: Any, upper: Any) -> Any:
    for name, x in (("lower", lower), ("upper", upper)):
        aval = typeof(x)
        if aval.shape or not dtypes.issubdtype(aval.dtype, np.integer):
            raise TypeError(
                f"lax.fori_loop: {name} must be an integer scalar, got {aval.str_short()}"
            )
    a, b = typeof(lower), typeof(upper)
    if a.dtype == b.dtype:
        return a.dtype
    if not (a.weak_type or b.weak_type):
        raise TypeError(
            f"lower and upper arguments to fori_loop must have equal types, got {a.dtype.name} "
            f"and {b.dtype.name}"
        )
    return b.dtype if a.weak_type else a.dtype


def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:
    """Apply `f` to each row of `xs`, one after another, and stack the results.

    Args:
        f: from a row of `xs` to a pytree of arrays.
        xs: a pytree of arrays of one leading length.
        batch_size: do this many rows at once, vectorised; needs `jx_batching`.

    Returns:
        The stacked results.

    Raises:
        ValueError: `batch_size` is given and no layer that can vectorise is loaded.

    >>> from jx_core import lax
    >>> map(lax.neg, np.float32([1, 2])).tolist()
    [-1.0, -2.0]
    """
    if batch_size is None:
        _, ys = scan(lambda _, x: ((), f(x)), (), xs)
        return ys
    from ...mapping import vectorizer

    layer = vectorizer()
    if layer is None:
        raise ValueError("lax.map: batch_size needs a layer that vectorises: import jx_batching")
    leaves, xs_tree = tree.flatten(xs)
    n = _scan_length(xs, leaves, None)
    size = operator.index(batch_size)
    whole = n // size
    trees: list[Any] = []

    def rows(block: list[Any]) -> list[Any]:
        def one(row: list[Any]) -> list[Any]:
            out, out_tree = tree.flatten(f(tree.unflatten(xs_tree, row)))
            trees.append(out_tree)
            return out

        return layer(one)(block)  # type: ignore[no-any-return]

    parts = []
    if whole:
        blocks = [reshape(_head(x, whole * size), (whole, size, *x.shape[1:])) for x in leaves]
        _, ys = scan(lambda _, block: ((), rows(block)), (), blocks)
        parts.append([reshape(y, (whole * size, *y.shape[2:])) for y in ys])
    if n % size or not whole:
        parts.append(rows([_tail(x, whole * size) for x in leaves]))
    joined = [concatenate(list(c), 0) if len(c) > 1 else c[0] for c in zip(*parts, strict=True)]
    return tree.unflatten(trees[0], joined)


def _head(x: Any, n: int) -> Any:
    from ..indexing import slice_in_dim

    return slice_in_dim(x, 0, n)


def _tail(x: Any, n: int) -> Any:
    from ..indexing import slice_in_dim

    return slice_in_dim(x, n, None)

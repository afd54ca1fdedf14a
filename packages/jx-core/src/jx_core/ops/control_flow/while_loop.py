"""`while_loop`: a loop with a condition, and `fori_loop`, one that counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import dtypes, tree, tree_util
from ...aval import ShapedArray, typeof
from ...config import disable_jit
from ...jaxpr.evaluate import eval_jaxpr
from ...jaxpr.ir import ClosedJaxpr, Literal
from ...primitive import Primitive
from ...trace import to_concrete
from ..elementwise import add, convert_element_type, lt
from .carry import as_array, split_carries, stage_loop
from .programs import Program, cast_results, cast_weak, hoist, put_results, stage
from .scan import scan

__all__ = ["fori_loop", "while_loop", "while_p"]


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
    n = cond_nconsts + body_nconsts
    cond_consts, body_consts = operands[:cond_nconsts], operands[cond_nconsts:n]
    carry = list(operands[n:])
    while bool(eval_jaxpr(cond_jaxpr.jaxpr, cond_jaxpr.consts, *cond_consts, *carry)[0]):
        carry = eval_jaxpr(body_jaxpr.jaxpr, body_jaxpr.consts, *body_consts, *carry)
    return put_results(carry, body_jaxpr.out_avals)


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


def bind_while(
    *operands: Any,
    cond_jaxpr: ClosedJaxpr,
    body_jaxpr: ClosedJaxpr,
    cond_nconsts: int,
    body_nconsts: int,
) -> list[Any]:
    """Bind a while loop of as few carries as compute the same.

    A carry that every step hands on as it is becomes a constant of the condition and the body.
    """
    n = cond_nconsts + body_nconsts
    num_carry = len(operands) - n
    body, test = body_jaxpr.jaxpr, cond_jaxpr.jaxpr
    carries, fixed = split_carries(body, body_nconsts, num_carry)
    if len(carries) == num_carry:
        return while_p.bind(  # type: ignore[no-any-return]
            *operands,
            cond_jaxpr=cond_jaxpr,
            body_jaxpr=body_jaxpr,
            cond_nconsts=cond_nconsts,
            body_nconsts=body_nconsts,
        )
    looked_at = {v for eqn in test.eqns for v in eqn.invars if type(v) is not Literal}
    looked_at.update(v for v in test.outvars if type(v) is not Literal)
    test_ins, body_ins, init = test.invars[cond_nconsts:], body.invars[body_nconsts:], operands[n:]
    tested = [i for i in range(num_carry) if i not in carries and test_ins[i] in looked_at]
    key = ("lean while", cond_jaxpr, cond_nconsts, body_nconsts)
    if key not in body_jaxpr.derived:
        lean_test = test.replace(
            invars=[*test.invars[:cond_nconsts], *[test_ins[i] for i in [*tested, *carries]]]
        )
        lean_body = body.replace(
            invars=[*body.invars[:body_nconsts], *[body_ins[i] for i in [*fixed, *carries]]],
            outvars=[body.outvars[i] for i in carries],
        )
        body_jaxpr.derived[key] = (
            ClosedJaxpr(lean_test, cond_jaxpr.consts),
            ClosedJaxpr(lean_body, body_jaxpr.consts),
        )
    lean_cond_jaxpr, lean_body_jaxpr = body_jaxpr.derived[key]
    outs = while_p.bind(
        *operands[:cond_nconsts],
        *[init[i] for i in tested],
        *operands[cond_nconsts:n],
        *[init[i] for i in [*fixed, *carries]],
        cond_jaxpr=lean_cond_jaxpr,
        body_jaxpr=lean_body_jaxpr,
        cond_nconsts=cond_nconsts + len(tested),
        body_nconsts=body_nconsts + len(fixed),
    )
    following = iter(outs)
    return [next(following) if i in carries else as_array(x) for i, x in enumerate(init)]


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
    body, avals = stage_loop(
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
    outs = bind_while(
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
        first, last = int(bounds[0]), int(bounds[1])

        def step(carry: Any, _: Any) -> Any:
            i, val = carry
            return (add(i, 1), body_fun(i, val)), None

        start = np.asarray(first, dtype)[()] if not isinstance(lower, int) else first
        count = max(last - first, 0)
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

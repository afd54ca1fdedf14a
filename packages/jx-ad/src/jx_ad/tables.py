"""The rule tables of differentiation, and the decorators that fill them.

`defjvp`, `deflinear` and kin say how tangents move forward through a primitive,
`deftranspose` how cotangents move back through a linear one. Linearisation needs no
rules of its own but where a primitive holds programs (`deflinearize`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jx_core import Primitive, RuleTable, typeof
from jx_core.lax import add_p, broadcast_in_dim_p

from .tangents import Zero

JVPRule = Callable[[list[Any], list[Any], dict[str, Any]], tuple[Any, Any]]

# Kept in the form rule(primals, tangents, params) -> (out, tangent), lists of both for
# primitives with several results; a tangent that is None is a symbolic zero.
jvp_rules = RuleTable(
    "forward differentiation (jx_ad)", "jx_ad.defjvp({name}_p)(rule)", "jx_ad.rules"
)

# rule(primals, tangents, params) -> (outs, tangents), run with the tape current.
linearize_rules = RuleTable(
    "linearisation (jx_ad)", "jx_ad.deflinearize({name}_p)(rule)", "jx_ad.rules"
)

# rule(ct, *operands, **params) -> [cotangent or None for each operand].
transpose_rules = RuleTable(
    "transposition (jx_ad)", "jx_ad.deftranspose({name}_p)(rule)", "jx_ad.rules"
)


def defjvp(primitive: Primitive) -> Callable[..., None]:
    """Define forward differentiation, one function an operand.

    Returns a function to call with one `f(t, out, *operands, **params)` for each operand
    (or None where the result does not depend on it differentiably). `f` gives the tangent
    that `t`, the operand's own tangent, contributes to the result. It must be linear in
    `t`, and its result has the shape of `out` or none.

    Example::

        defjvp(sin_p)(lambda t, out, x: mul(t, cos(x)))
        defjvp(mul_p)(lambda t, out, x, y: mul(t, y), lambda t, out, x, y: mul(x, t))
    """

    def define(*functions: Callable[..., Any] | None) -> None:
        def rule(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
            out = primitive.bind(*primals, **params)
            total = None
            for f, t in zip(functions, tangents, strict=True):
                if t is None or f is None:
                    continue
                term = f(t, out, *primals, **params)
                if term is not None:
                    total = term if total is None else add_tangents(total, term)
            return out, _of_shape(total, out)

        jvp_rules.define(primitive)(rule)

    return define


def _of_shape(tangent: Any, out: Any) -> Any:
    """A tangent that came from a zero-dimensional operand alone, in the result's shape."""
    if tangent is None:
        return None
    shape = typeof(out).shape
    if typeof(tangent).shape == shape:
        return tangent
    return broadcast_in_dim_p.bind(tangent, shape=shape, broadcast_dimensions=())


def add_tangents(x: Any, y: Any) -> Any:
    """The sum of two tangents or cotangents, None being zero."""
    if x is None:
        return y
    return x if y is None else add_p.bind(x, y)


def deflinear(
    primitive: Primitive,
    transpose: Callable[..., Any] | None = None,
    *,
    operands: int | None = None,
) -> None:
    """Say that a primitive is linear in its operands, all of them jointly.

    Args:
        primitive: it has one result.
        transpose: its transposition rule, as for `deftranspose`.
        operands: linear in this many leading operands only; the rest (start indices, say)
            have no derivative.
    """

    def rule(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
        out = primitive.bind(*primals, **params)
        n = len(primals) if operands is None else operands
        if all(t is None for t in tangents[:n]):
            return out, None
        moved = [
            instantiate(t, p) for t, p in zip(tangents[:n], primals[:n], strict=True)
        ] + primals[n:]
        return out, primitive.bind(*moved, **params)

    jvp_rules.define(primitive)(rule)
    if transpose is not None:
        deftranspose(primitive)(transpose)


def instantiate(tangent: Any, primal: Any) -> Any:
    """The tangent of `primal` as an array: zeros where it is None or a `Zero`."""
    if tangent is None:
        return Zero(typeof(primal)).instantiate()
    return tangent.instantiate() if isinstance(tangent, Zero) else tangent


def defjvp_joint(primitive: Primitive) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: define forward differentiation by one function of everything.

    The function is called as `rule(primals, tangents, **params)`, with `Zero(aval)` for
    symbolic zeros among `tangents`, and returns `(out, tangent_out)`, lists of both for
    primitives with several results, `Zero` or None for zero tangents.
    """

    def define(function: Callable[..., Any]) -> Callable[..., Any]:
        def rule(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
            full = [
                Zero(typeof(p)) if t is None else t for p, t in zip(primals, tangents, strict=True)
            ]
            out, tangent = function(primals, full, **params)
            if primitive.multiple_results:
                return out, [_none_if_zero(t) for t in tangent]
            return out, _none_if_zero(tangent)

        jvp_rules.define(primitive)(rule)
        return function

    return define


def _none_if_zero(tangent: Any) -> Any:
    return None if isinstance(tangent, Zero) else tangent


def defnondiff(reason: str, *primitives: Primitive) -> None:
    """Say that the results of `primitives` have zero derivative, and why (`integer result`)."""
    for primitive in primitives:

        def rule(
            primals: list[Any],
            tangents: list[Any],
            params: dict[str, Any],
            primitive: Primitive = primitive,
        ) -> Any:
            out = primitive.bind(*primals, **params)
            return out, [None] * len(out) if primitive.multiple_results else None

        jvp_rules.define(primitive)(rule)
        jvp_rules.explain(f"not differentiable: {reason}", primitive)


def deflinearize(primitive: Primitive) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: define linearisation where running the JVP rule on a tape won't do.

    The function is called as `rule(primals, tangents, params)` with None for symbolic
    zeros among `tangents`. What it binds on tangents is recorded; the rest is computed.
    It returns lists `(outs, tangent_outs)`.
    """
    return linearize_rules.define(primitive)


def deftranspose(primitive: Primitive) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: define how cotangents move back through a primitive where it is linear.

    The function is called as `rule(ct, *operands, **params)`, where an operand that the
    result is linear in is a `Linear(aval)` and any other is a value. It returns a list
    with the cotangent of each operand, None for those that are not linear or get zero.
    For several results, `ct` is a list, with `Zero(aval)` for those that got none.

    Example::

        deftranspose(neg_p)(lambda ct, x: [neg(ct)])
    """
    return transpose_rules.define(primitive)

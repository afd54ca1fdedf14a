"""Lowering whole programs: a Jaxpr to operations in a block, an inner program to a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import ClosedJaxpr, Literal, ShapedArray, backend
from jx_core.jaxpr import Eqn, Jaxpr
from jx_core.staging import trace_to_jaxpr

from . import tokens
from .builder import PLATFORM_INDEX, Block, Module, Value
from .platforms import lower_for_several
from .tables import Context, find_rule
from .types import physical, type_of


def lower_jaxpr(
    block: Block, jaxpr: Jaxpr, consts: Sequence[Value], args: Sequence[Value]
) -> list[Value]:
    """Write the equations of `jaxpr` to `block` and return the names of its results."""
    env: dict[Any, Value] = dict(zip(jaxpr.constvars, consts, strict=True))
    env.update(zip(jaxpr.invars, args, strict=True))
    outer = block.loc
    for eqn in jaxpr.eqns:
        block.loc = f" loc({block.module.location(eqn.source, eqn.primitive.name)})"
        operands = [
            literal(block, v) if type(v) is Literal else env[v] for v in eqn.invars
        ]
        results = lower_equation(block, eqn, operands)
        env.update(zip(eqn.outvars, results, strict=True))
    block.loc = outer
    return [literal(block, v) if type(v) is Literal else env[v] for v in jaxpr.outvars]


def literal(block: Block, v: Literal) -> Value:
    """The value of a number in the program."""
    return block.constant(v.val, physical(v.aval).dtype)


def lower_equation(block: Block, eqn: Eqn, operands: Sequence[Value]) -> Sequence[Value]:
    """Write one equation and return the names of its results."""
    module = block.module
    if len(module.platforms) > 1:
        return lower_for_several(block, eqn, operands, lower_by)
    return lower_by(find_rule(module, eqn.primitive, module.platforms[0]), block, eqn, operands)


def lower_by(rule: Any, block: Block, eqn: Eqn, operands: Sequence[Value]) -> Sequence[Value]:
    """Write one equation by a rule, None for its decomposition."""
    in_avals = [v.aval for v in eqn.invars]
    if rule is None:
        return lower_decomposition(block, eqn, in_avals, operands)
    ctx = Context(block, in_avals, [v.aval for v in eqn.outvars])
    result = rule(ctx, *operands, **eqn.params)
    return result if eqn.primitive.multiple_results else (result,)


def lower_decomposition(
    block: Block, eqn: Eqn, in_avals: list[ShapedArray], operands: Sequence[Value]
) -> list[Value]:
    """Write a primitive that has no rule as what it is made of."""
    decompose: Any = eqn.primitive.decompose

    def flat(*args: Any) -> Any:
        out = decompose(*args, **eqn.params)
        return out if eqn.primitive.multiple_results else [out]

    return lower_traced(block, flat, in_avals, operands, eqn.primitive.name)


def lower_traced(
    block: Block,
    fun: Callable[..., Sequence[Any]],
    in_avals: Sequence[ShapedArray],
    operands: Sequence[Value],
    name: str = "composed",
) -> list[Value]:
    """Write what a function of `lax` operations binds; it returns a list.

    How an operand came by its dtype is decided when programs are written: a weak type here
    would let a number of the function's own change dtypes.
    """
    strong = [a.update(weak_type=False) for a in in_avals]
    jaxpr, consts = trace_to_jaxpr(fun, strong, name)
    return lower_jaxpr(block, jaxpr, constants(block, consts), operands)


def constants(block: Block, values: Sequence[Any]) -> list[Value]:
    """The arrays that a program closes over, as constants of the block."""
    return [block.constant(*_host(c)) for c in values]


def _host(value: Any) -> tuple[np.ndarray, Any]:
    from jx_core import typeof

    array = backend.current().get(value) if not isinstance(value, np.ndarray) else value
    return array, physical(typeof(value)).dtype


def lower_function(
    module: Module,
    closed: ClosedJaxpr,
    name: str,
    *,
    public: bool = False,
    argument_attributes: Sequence[str] = (),
    result_attributes: Sequence[str] = (),
) -> str:
    """Write a program as a function of the module and return its name."""
    name = module.fresh_name(name)
    args = [f"%arg{i}" for i in range(len(closed.jaxpr.invars))]
    in_types = [type_of(a) for a in closed.in_avals]
    block = module.function_block(args, in_types, main=public)
    out_types = [type_of(a) for a in closed.out_avals]
    ordered = tokens.ordered(closed.effects)
    if ordered:
        tokens.begin(block, public)
    results = lower_jaxpr(block, closed.jaxpr, constants(block, closed.consts), args)
    if ordered:
        kind = tokens.kind(public)
        args, in_types = ["%token", *args], [kind, *in_types]
        results, out_types = [tokens.last(block, public), *results], [kind, *out_types]
    attributes = list(argument_attributes) or [""] * len(args)
    leading = [] if public else module.leading_types()
    if leading:
        args = [*block.leading(), *args]
        in_types, attributes = [*leading, *in_types], [""] * len(leading) + attributes
    if len(module.platforms) > 1:
        args, in_types = [PLATFORM_INDEX, *args], ["tensor<i32>", *in_types]
        attributes = ['jax.global_constant = "_platform_index"', *attributes]
    head = ", ".join(
        f"{a}: {t}{f' {{{extra}}}' if extra else ''}"
        for a, t, extra in zip(args, in_types, attributes, strict=True)
    )
    extras = list(result_attributes) or [""] * len(results)
    tail = ", ".join(
        f"{t}{f' {{{extra}}}' if extra else ''}" for t, extra in zip(out_types, extras, strict=True)
    )
    visibility = "public" if public else "private"
    module.functions.append(
        f"func.func {visibility} @{name}({head}) -> ({tail}) {{\n{''.join(block.lines)}"
        f"func.return {', '.join(results)}{' : ' if results else ''}{', '.join(out_types)}\n}}\n"
    )
    return name


def call_shared(
    block: Block, closed: ClosedJaxpr, name: str, operands: Sequence[Value]
) -> list[Value]:
    """Call the function made for an inner program, made once a module."""
    module = block.module
    key = id(closed), module.platforms
    known = module.shared.get(key)
    if known is None:
        known = module.shared[key] = (
            lower_function(module, closed, name),
            closed,  # kept, so that its id stays its own
        )
    in_types = [type_of(a) for a in closed.in_avals]
    out_types = [type_of(a) for a in closed.out_avals]
    ordered = tokens.ordered(closed.effects)
    if ordered:
        operands, in_types = [block.token, *operands], [tokens.TOKEN, *in_types]
        out_types = [tokens.TOKEN, *out_types]
    operands = [*block.leading(), *operands]
    in_types = [*module.leading_types(), *in_types]
    if len(module.platforms) > 1:
        operands, in_types = [PLATFORM_INDEX, *operands], ["tensor<i32>", *in_types]
    results = block.ops("func.call", operands, in_types, out_types, f"callee = @{known[0]}")
    if ordered:
        block.token, *results = results
    return results

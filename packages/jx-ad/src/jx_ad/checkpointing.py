"""`checkpoint`: less memory for derivatives, more arithmetic.

Values that reverse mode would keep from the forward pass are computed again in the backward one
(A. Griewank and A. Walther, "Algorithm 799: revolve", 2000, has the general theory).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from jx_core import ClosedJaxpr, tree
from jx_core.jaxpr import Literal
from jx_core.jit import partial_static
from jx_core.ops.control_flow.checkpoint import checkpoint_p, name_p
from jx_core.ops.control_flow.jit import jit_p
from jx_core.ops.control_flow.programs import hoist, stage
from jx_core.ops.control_flow.refs import agree
from jx_core.references import type_of
from jx_core.tracebacks import filtered

from .api import require_callable
from .programs import linearize_jaxpr
from .tangents import is_differentiable


def checkpoint(
    fun: Callable[..., Any] | None = None,
    *,
    prevent_cse: bool = True,
    policy: Callable[..., Any] | None = None,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    concrete: Any = None,
) -> Any:
    """A function whose intermediate values are computed again when it is differentiated.

    Args:
        fun: takes and returns pytrees of arrays.
        prevent_cse: keep the compiler from noticing that it computes the same twice. Inside of a
            `scan` it can't notice, and False is faster.
        policy: which intermediate values to keep all the same; see `checkpoint_policies`. None
            keeps nothing but the arguments.
        static_argnums: positional arguments that are Python values.
        static_argnames: keyword arguments that are Python values.
        concrete: kept from JAX's signature, where it is an error too.

    Returns:
        A function with the arguments of `fun`. Without `fun`, a decorator.

    Raises:
        NotImplementedError: `concrete` is given.
        TypeError: `fun` can't be called; when differentiating, the policy returns something else
            than a bool, `Saveable`, `Recompute` or an `Offloadable`.

    >>> from jx_ad import grad
    >>> from jx_core import lax
    >>> float(grad(checkpoint(lambda x: lax.sin(lax.sin(x))))(0.0))
    1.0
    """
    if concrete is not None:
        raise NotImplementedError(
            f"checkpoint: the option concrete={concrete!r} is no more, as in JAX 0.10: name the "
            f"arguments that are Python values in static_argnums"
        )
    if fun is None:
        return functools.partial(
            checkpoint, prevent_cse=prevent_cse, policy=policy, static_argnums=static_argnums,
            static_argnames=static_argnames,
        )  # fmt: skip
    require_callable(fun, "checkpoint")
    nums = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)

    @functools.wraps(fun)
    @filtered
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        fixed = {k: v for k, v in kwargs.items() if k in names}
        moving = {k: v for k, v in kwargs.items() if k not in names}
        # The function itself is what staged forms are kept for, so that they are found again.
        body = functools.partial(fun, **fixed) if fixed else fun
        dynamic, called = partial_static(body, nums, args) if nums else (args, body)
        leaves, in_tree = tree.flatten((dynamic, moving))
        target = called if not moving else None
        flat_tree = tree.structure(dynamic) if target is not None else in_tree

        def with_keywords(dynamic: Any, moving: Any) -> Any:
            return called(*dynamic, **moving)

        types = [type_of(x) for x in leaves]
        program = stage(target or with_keywords, flat_tree, types, leaves)
        (program,), uses = agree([program], len(leaves))
        (closed,), consts = hoist([program])
        outs = checkpoint_p.bind(
            *consts, *uses.operands(leaves), jaxpr=closed, prevent_cse=bool(prevent_cse),
            differentiated=False, policy=policy,
        )  # fmt: skip
        return tree.unflatten(program.out_tree, uses.write_back(leaves, outs))

    return checkpointed


remat = checkpoint  # the name by which it is known in JAX as well


def checkpoint_name(x: Any, name: str) -> Any:
    """The arrays of a pytree as they are, with a name that policies of `checkpoint` can look at.

    >>> float(checkpoint_name(2.0, "activations"))
    2.0
    """
    if not isinstance(name, str):
        raise TypeError(f"checkpoint_name: name must be a string, got {name!r}")
    return tree.map(lambda leaf: name_p.bind(leaf, name=name), x)


def print_saved_residuals(f: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Print what reverse mode keeps of a call of `f`: each value, its size, and where it is from.

    >>> from jx_core import lax
    >>> print_saved_residuals(lambda x: lax.mul(x, x), 2.0)
    f32[] (4 bytes) from the argument x
    """
    for line in saved_residuals(f, *args, **kwargs):
        print(line)


def saved_residuals(f: Callable[..., Any], *args: Any, **kwargs: Any) -> list[str]:
    """The lines that `print_saved_residuals` prints."""
    from jx_core.staging import trace_function

    require_callable(f, "print_saved_residuals")
    jaxpr, consts, _, _ = trace_function(f, args, kwargs)
    closed = ClosedJaxpr(jaxpr, consts)
    active = tuple([is_differentiable(a) for a in closed.in_avals])
    split = linearize_jaxpr(closed, active)
    names = _argument_names(f, args, kwargs)
    forward = split.forward.jaxpr
    lines = []
    for kind, i in split.residuals:
        if kind == "in":
            lines.append(f"{_size(closed.in_avals[i])} from the argument {names[i]}")
            continue
        v = forward.outvars[i]
        aval = v.aval
        if isinstance(v, Literal):
            lines.append(f"{_size(aval)} from a literal")
        elif v in forward.invars:
            lines.append(f"{_size(aval)} from the argument {names[forward.invars.index(v)]}")
        elif v in forward.constvars:
            lines.append(f"{_size(aval)} from a constant")
        else:
            lines.append(f"{_size(aval)} {_origin(forward, v)}")
    return lines


def _origin(jaxpr: Any, v: Any) -> str:
    """What computed a value and where, inside of calls if it was there."""
    eqn = next(e for e in jaxpr.eqns if v in e.outvars)
    inner = eqn.params.get("jaxpr")
    if inner is not None and eqn.primitive in (checkpoint_p, jit_p):
        result = inner.jaxpr.outvars[eqn.outvars.index(v)]
        if any(result in e.outvars for e in inner.eqns):
            return _origin(inner.jaxpr, result)
    what = (
        f"named {eqn.params['name']!r}" if eqn.primitive is name_p
        else f"output of {eqn.primitive.name}"
    )  # fmt: skip
    return f"{what} from {eqn.source}"


def _size(aval: Any) -> str:
    return f"{aval.str_short()} ({aval.size * aval.dtype.itemsize:,} bytes)"


def _argument_names(f: Any, args: Any, kwargs: Any) -> list[str]:
    """A name for each leaf of the arguments."""
    import inspect

    try:
        bound = inspect.signature(f).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        bound = {}
    first = list(bound) if len(bound) >= len(args) else []
    names = []
    for path, _ in tree.leaves_with_path(args):
        start: Any = path[0]
        position, rest = start.idx, path[1:]
        base = first[position] if position < len(first) else f"args[{position}]"
        names.append(f"{base}{tree.keystr(rest)}")
    for path, _ in tree.leaves_with_path(kwargs):
        start = path[0]
        names.append(f"{start.key}{tree.keystr(path[1:])}")
    return names

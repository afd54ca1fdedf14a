"""`platform_dependent`: a choice between functions by the platform a program is lowered for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import tree
from ...aval import ShapedArray, typeof
from ...jaxpr.evaluate import eval_jaxpr
from ...jaxpr.ir import ClosedJaxpr
from ...primitive import Primitive
from .cond import branch_effects, staged_branches
from .programs import put_results

__all__ = ["platform_dependent"]

# The names that stand for several platforms.
_ALIASES = {"gpu": ("cuda", "rocm")}


def _types(*avals: ShapedArray, branches: tuple[ClosedJaxpr, ...], platforms: Any) -> Any:
    return branches[0].out_avals


def branch_for(
    branches: tuple[ClosedJaxpr, ...], platforms: tuple[tuple[str, ...], ...], platform: str
) -> ClosedJaxpr:
    """The branch that serves `platform`.

    Raises:
        NotImplementedError: there is none.
    """
    for branch, names in zip(branches, platforms, strict=True):
        if platform in names or not names:
            return branch
    given = ", ".join(name for names in platforms for name in names)
    raise NotImplementedError(
        f"lax.platform_dependent has functions for {given} and no default, but the program is "
        f"lowered for {platform}: give it {platform}= or default="
    )


def _inline(*operands: Any, branches: Any, platforms: Any) -> list[Any]:
    """What NumPy runs: the branch for the processor it runs on."""
    branch = branch_for(branches, platforms, "cpu")
    outs = eval_jaxpr(branch.jaxpr, branch.consts, *operands)
    return put_results(outs, branch.out_avals)


# Operands: the arguments that all branches take. Params: branches; platforms, for each branch the
# platforms it is for, () for the default, which comes last.
platform_dependent_p = Primitive(
    "platform_dependent",
    abstract=_types,
    reference=_inline,
    effects=branch_effects,
    multiple_results=True,
    higher_order=True,
)


def platform_dependent(
    *args: Any, default: Callable[..., Any] | None = None, **per_platform: Callable[..., Any]
) -> Any:
    """Apply the function that is for the platform the program is lowered for.

    All are traced; only the one chosen is lowered and compiled, so each may use what its platform
    alone offers. The choice is made when the program is lowered, not where it is traced: a program
    may be lowered for another platform than that of this process.

    Args:
        args: pytrees of arrays, which each function takes.
        default: for platforms that have no function of their own.
        per_platform: functions by platform: `cpu`, `cuda`, `rocm`, `gpu` (for both of these),
            `tpu`, or the name of another one. Results must be of one tree and types.

    Returns:
        The chosen function's result. The NumPy back end takes that for `cpu`.

    Raises:
        TypeError: one is not callable, or the results' types differ.
        ValueError: there is no function at all.
        NotImplementedError: when lowered or run for a platform that has none, without `default`.

    >>> from jx_core import lax
    >>> float(platform_dependent(1.0, tpu=lambda x: lax.mul(x, 3.0), default=lax.neg))
    -1.0
    """
    named = [(name, (_ALIASES.get(name, (name,))), fun) for name, fun in per_platform.items()]
    if default is not None:
        named.append(("default", (), default))
    if not named:
        raise ValueError("lax.platform_dependent: give a function for a platform, or default=")
    for name, _, fun in named:
        if not callable(fun):
            raise TypeError(
                f"lax.platform_dependent: the '{name}' branch must be a callable, got {fun!r:.80}"
            )
    if list(per_platform) == [] and default is not None:
        return default(*args)
    leaves, in_tree = tree.flatten(args)
    branches, consts, out_tree = staged_branches(
        "platform_dependent",
        [fun for _, _, fun in named],
        [name for name, _, _ in named],
        in_tree,
        [typeof(x) for x in leaves],
    )
    outs = platform_dependent_p.bind(
        *consts, *leaves, branches=branches, platforms=tuple(names for _, names, _ in named)
    )
    return tree.unflatten(out_tree, outs)

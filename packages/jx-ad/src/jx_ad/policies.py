"""Policies of `checkpoint`: which intermediate values are kept for derivatives.

A policy is a function of a primitive, its operands' types and its params, called for each
operation. It returns True (or `Saveable`) to have the result kept, False (or `Recompute`) to have
it computed again, or an `Offloadable` to have it kept in another memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jx_core import Primitive
from jx_core.jaxpr import define_name
from jx_core.lax import conv_general_dilated_p, dot_general_p
from jx_core.ops.control_flow.checkpoint import name_p


class Choice:
    """What a policy says of one value."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


Saveable = Choice("Saveable")
Recompute = Choice("Recompute")


@dataclass(frozen=True)
class Offloadable:
    """Keep a value in another memory.

    Attributes:
        src, dst: the kinds of memory, such as `device` and `pinned_host`. In a program for a
            CPU the two are the same, and the value stays where it is.

    >>> from jx_ad import checkpoint, grad
    >>> from jx_core import lax
    >>> def policy(primitive, *avals, **params):
    ...     return Offloadable("device", "pinned_host") if primitive is lax.sin_p else Recompute
    >>> f = checkpoint(lambda x: lax.exp(lax.sin(x)), policy=policy)
    >>> float(grad(f)(0.0))
    1.0
    """

    src: str
    dst: str


class Policy:
    """A policy with a name, by which programs show it."""

    def __init__(self, name: str, decide: Callable[..., Any]) -> None:
        self.name = name
        self.decide = decide

    def __call__(self, primitive: Primitive, *avals: Any, **params: Any) -> Any:
        return self.decide(primitive, *avals, **params)

    def __repr__(self) -> str:
        return self.name


def _is_dot(primitive: Primitive, *avals: Any, **params: Any) -> bool:
    return primitive in (dot_general_p, conv_general_dilated_p)


def _is_dot_without_batch(primitive: Primitive, *avals: Any, **params: Any) -> bool:
    if primitive is dot_general_p:
        _, (lhs_batch, rhs_batch) = params["dimension_numbers"]
        return not lhs_batch and not rhs_batch
    return False


def _named(names: tuple[str, ...], primitive: Primitive, params: dict[str, Any]) -> bool:
    return primitive is name_p and params["name"] in names


everything_saveable = Policy("everything_saveable", lambda *_, **__: True)
nothing_saveable = Policy("nothing_saveable", lambda *_, **__: False)
dots_saveable = Policy("dots_saveable", _is_dot)
checkpoint_dots = dots_saveable
dots_with_no_batch_dims_saveable = Policy(
    "dots_with_no_batch_dims_saveable", _is_dot_without_batch
)
checkpoint_dots_with_no_batch_dims = dots_with_no_batch_dims_saveable


def offload_dot_with_no_batch_dims(offload_src: str, offload_dst: str) -> Policy:
    """Keep the results of dot products without batch dimensions in another memory."""
    where = Offloadable(offload_src, offload_dst)
    return Policy(
        f"offload_dot_with_no_batch_dims({offload_src!r}, {offload_dst!r})",
        lambda p, *avals, **params: where if _is_dot_without_batch(p, *avals, **params) else False,
    )


def save_only_these_names(*names_which_can_be_saved: str) -> Policy:
    """Keep the values that `checkpoint_name` gave one of these names, and no others."""
    names = names_which_can_be_saved
    return Policy(
        f"save_only_these_names{names!r}", lambda p, *_, **params: _named(names, p, params)
    )


def save_any_names_but_these(*names_not_to_save: str) -> Policy:
    """Keep the values that have a name, but for these names."""
    names = names_not_to_save
    return Policy(
        f"save_any_names_but_these{names!r}",
        lambda p, *_, **params: p is name_p and params["name"] not in names,
    )


def save_anything_except_these_names(*names_not_to_save: str) -> Policy:
    """Keep all values but those with one of these names."""
    names = names_not_to_save
    return Policy(
        f"save_anything_except_these_names{names!r}",
        lambda p, *_, **params: not _named(names, p, params),
    )


def save_from_both_policies(policy_1: Any, policy_2: Any) -> Policy:
    """Keep what either of two policies keeps."""
    return Policy(
        f"save_from_both_policies({policy_1!r}, {policy_2!r})",
        lambda p, *avals, **params: (
            policy_1(p, *avals, **params) or policy_2(p, *avals, **params)
        ),
    )


def save_and_offload_only_these_names(
    *,
    names_which_can_be_saved: Any,
    names_which_can_be_offloaded: Any,
    offload_src: str,
    offload_dst: str,
) -> Policy:
    """Keep the values with some names where they are, those with others in another memory."""
    saved, offloaded = tuple(names_which_can_be_saved), tuple(names_which_can_be_offloaded)
    both = sorted(set(saved) & set(offloaded))
    if both:
        raise ValueError(
            f"save_and_offload_only_these_names: the names {both} are to be saved and offloaded"
        )
    where = Offloadable(offload_src, offload_dst)

    def decide(p: Primitive, *_: Any, **params: Any) -> Any:
        if _named(saved, p, params):
            return Saveable
        return where if _named(offloaded, p, params) else Recompute

    return Policy(f"save_and_offload_only_these_names({saved!r}, {offloaded!r})", decide)


def decision(
    policy: Any, primitive: Primitive, avals: Any, params: dict[str, Any]
) -> Choice | Offloadable:
    """What a policy says of the results of an operation.

    Raises:
        TypeError: it says something else than policies do.
    """
    said = policy(primitive, *avals, **params)
    if isinstance(said, Choice | Offloadable):
        return said
    if said is None or said is True or said is False:
        return Saveable if said else Recompute
    raise TypeError(
        f"a checkpoint policy must return a bool, Saveable, Recompute or Offloadable; {policy!r} "
        f"returned {said!r} for {primitive}"
    )


class _Policies:
    """The namespace `jx.checkpoint_policies`."""

    everything_saveable = everything_saveable
    nothing_saveable = nothing_saveable
    dots_saveable = dots_saveable
    checkpoint_dots = checkpoint_dots
    dots_with_no_batch_dims_saveable = dots_with_no_batch_dims_saveable
    checkpoint_dots_with_no_batch_dims = checkpoint_dots_with_no_batch_dims
    offload_dot_with_no_batch_dims = staticmethod(offload_dot_with_no_batch_dims)
    save_anything_except_these_names = staticmethod(save_anything_except_these_names)
    save_any_names_but_these = staticmethod(save_any_names_but_these)
    save_only_these_names = staticmethod(save_only_these_names)
    save_from_both_policies = staticmethod(save_from_both_policies)
    save_and_offload_only_these_names = staticmethod(save_and_offload_only_these_names)


checkpoint_policies = _Policies()
_BY_NAME = {p.name: p for p in vars(_Policies).values() if isinstance(p, Policy)}
define_name(Policy, lambda p: p.name, _BY_NAME.get)

"""Refs among differentiated arguments: their values at first and at last, and derivatives of both.

A function of a Ref is one from its value at first to its results and its value at last. Forward
mode takes the former's tangent from a Ref and leaves the latter's in it; reverse mode takes the
latter's cotangent from a Ref and leaves the former's in it, so that where the function only reads,
the gradient is added to what was there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import tree
from jx_core.references import AbstractRef, Ref, StandIns, any_refs, check_distinct, read, write

from .ad import DidntWant, DontWant, GradRef, GradValue
from .tangents import is_differentiable, zeros


class ActiveRefs:
    """The Refs among the arguments of one differentiated call.

    Attributes:
        leaves: the arguments.
        values: the same, with present values in place of Refs.
        places: where the Refs are.

    Raises:
        ValueError: a Ref is passed twice.
    """

    def __init__(self, leaves: Sequence[Any], name: str) -> None:
        check_distinct(leaves, name, lambda: [f"leaf {i}" for i in range(len(leaves))])
        self.leaves = leaves
        self.values = [read(x) if type(x) is Ref else x for x in leaves]
        self.places = [i for i, x in enumerate(leaves) if type(x) is Ref]

    def enter(self, values: Sequence[Any]) -> tuple[list[Any], StandIns]:
        """The arguments that the function sees, and the Refs among them."""
        types = [x.type if type(x) is Ref else None for x in self.leaves]
        inside = StandIns()
        return inside.enter(types, values), inside

    def write_back(self, outs: list[Any]) -> list[Any]:
        """Write last values, which follow the function's results, to the Refs."""
        n = len(outs) - len(self.places)
        for i, value in zip(self.places, outs[n:], strict=True):
            write(self.leaves[i], value)
        return outs[:n]


def active_refs(leaves: Sequence[Any], name: str) -> ActiveRefs | None:
    """The Refs among arguments, None if there are none."""
    return ActiveRefs(leaves, name) if any_refs(leaves) else None


def tangent_values(
    places: Sequence[int], tangents: Sequence[Any], what: str
) -> tuple[list[Any], list[Ref]]:
    """Tangents with values in place of those that are in Refs, and these Refs.

    Raises:
        TypeError: the tangent of a Ref is no Ref.
    """
    values, refs = list(tangents), []
    for i in places:
        if type(tangents[i]) is not Ref:
            raise TypeError(
                f"{what}: the tangent of an argument that is a Ref must be a Ref too, whose value "
                f"is the tangent at first and then at last; got {tangents[i]!r:.80}"
            )
        refs.append(tangents[i])
        values[i] = read(tangents[i])
    return values, refs


def write_tangents(refs: Sequence[Ref], tangents: Sequence[Any]) -> None:
    """Write tangents of last values, None for zero ones, to Refs."""
    for ref, t in zip(refs, tangents, strict=True):
        write(ref, zeros(ref.type.inner_aval) if t is None else t)


def bound_refs(entries: Sequence[Any], in_tree: Any, types: Sequence[Any]) -> list[Any]:
    """What `with_refs` was told, checked, for each leaf of the arguments.

    Raises:
        TypeError: an entry is none of what it may be.
        ValueError: the tree is another, a Ref has another type than its gradient, a Ref is there
            twice, or an argument that is a Ref has none for its gradient.
    """
    flat = tree.flatten_prefix_to_treedef(
        tuple(entries), in_tree, what="with_refs", full_name="the arguments"
    )
    check_distinct(flat, "with_refs", lambda: [f"entry {i}" for i in range(len(flat))])
    for entry, t in zip(flat, types, strict=True):
        aval = t.inner_aval if type(t) is AbstractRef else t
        if type(entry) is Ref:
            if entry.type.inner_aval is not aval.strip_weak_type():
                raise ValueError(
                    f"with_refs: the gradient of an argument of type {aval.str_short()} can't be "
                    f"added to a {entry.type}: shape and dtype must be the argument's"
                )
        elif not isinstance(entry, (GradValue, DontWant)):
            raise TypeError(
                f"with_refs takes Refs, jx.ad.GradValue() and jx.ad.DontWant(), got {entry!r:.80}"
            )
    return flat


def missing_ref(t: AbstractRef) -> ValueError:
    """The error where an argument is a Ref and there is none for its gradient."""
    return ValueError(
        f"an argument that was differentiated is a {t}, so its gradient must be accumulated into a "
        f"Ref as well: f_vjp.with_refs(grad_ref)(cotangent), with an entry for each argument"
    )


def ref_cotangents(types: Sequence[Any], bound: Sequence[Any]) -> list[Any]:
    """The cotangents of the last values of arguments that are Refs."""
    cts = []
    for t, entry in zip(types, bound, strict=True):
        if type(t) is not AbstractRef:
            continue
        if type(entry) is GradValue:
            raise missing_ref(t)
        wanted = type(entry) is Ref and is_differentiable(t.inner_aval)
        cts.append(read(entry) if wanted else None)
    return cts


def hand_out(types: Sequence[Any], bound: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
    """The cotangents of arguments where they were wanted: in Refs, or as they are.

    Args:
        types: the arguments' types.
        bound: what `with_refs` was told.
        cts: the cotangents, None for zero ones.
    """
    result: list[Any] = []
    for t, entry, ct in zip(types, bound, cts, strict=True):
        if type(entry) is DontWant:
            result.append(DidntWant())
        elif type(entry) is not Ref:
            result.append(zeros(t) if ct is None else ct)
        else:
            if type(t) is AbstractRef:
                if is_differentiable(t.inner_aval):
                    write(entry, zeros(t.inner_aval) if ct is None else ct)
            elif ct is not None:
                _add(entry, ct)
            result.append(GradRef())
    return result


def _add(ref: Ref, ct: Any) -> None:
    from jx_core.lax import add

    write(ref, add(read(ref), ct), owned=True)


def refuse_refs(leaves: Sequence[Any]) -> None:
    """Raise a TypeError if `grad` is to differentiate with respect to a Ref."""
    for x in leaves:
        if type(x) is Ref:
            raise TypeError(
                f"grad can't differentiate with respect to a {x.type}, whose gradient must be in a "
                f"Ref as well: use jx.vjp(f, ref)[1].with_refs(grad_ref), or choose other "
                f"arguments by argnums"
            )

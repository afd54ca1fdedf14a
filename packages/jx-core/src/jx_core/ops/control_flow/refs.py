"""Refs in conditionals and loops: programs that must agree on which ones they take and give.

What one branch of a conditional writes, all of them give; what the body of a loop writes, its
condition reads from the carry.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from ...errors import RefError
from ...jaxpr.ir import Jaxpr, Var
from ...references import Ref, Uses
from .programs import Program

# Rearranged programs by the ones that they are made of, so that each is made once.
_made: weakref.WeakKeyDictionary[Jaxpr, dict[Any, Jaxpr]] = weakref.WeakKeyDictionary()


def agree(programs: Sequence[Program], num_args: int) -> tuple[list[Program], Uses]:
    """Branches that all take and give the Refs that some of them write.

    Args:
        programs: the branches.
        num_args: how many arguments the functions have.

    Returns:
        The branches, each of (arguments, Refs that are written), and what they do together.
    """
    used = [p.uses for p in programs if p.uses is not None]
    if not used:
        return list(programs), Uses()
    writes = list({id(r): r for uses in used for r in uses.writes}.values())
    arguments = sorted({i for uses in used for i in uses.arguments})
    together = Uses.of(writes, arguments)
    return [_with_all(p, num_args, writes, arguments) for p in programs], together


def _with_all(
    program: Program, num_args: int, writes: Sequence[Ref], arguments: Sequence[int]
) -> Program:
    uses = Uses() if program.uses is None else program.uses
    own = {id(r): k for k, r in enumerate(uses.writes)}
    places = tuple([own.get(id(r), r.type) for r in writes])
    jaxpr, n = program.jaxpr, program.out_tree.num_leaves
    known = _made.setdefault(jaxpr, {})
    key = (places, tuple(arguments))
    if key not in known:
        ins, outs = jaxpr.invars, jaxpr.outvars
        own_args = dict(zip(uses.arguments, outs[n + len(own) :], strict=True))
        given = [ins[num_args + p] if isinstance(p, int) else Var(p.inner_aval) for p in places]
        last = [
            outs[n + p] if isinstance(p, int) else v for p, v in zip(places, given, strict=True)
        ]
        known[key] = jaxpr.replace(
            invars=[*ins[:num_args], *given],
            outvars=[*outs[:n], *last, *[own_args.get(i, ins[i]) for i in arguments]],
        )
    return Program(known[key], program.consts, program.out_tree, program.name)


def read_from_carry(test: Program, body: Program) -> Program:
    """A loop's condition that takes the Refs that the body writes from the carry.

    Raises:
        RefError: it writes to a Ref itself.
    """
    if test.uses is not None and test.uses.num_results:
        raise RefError(
            f"cond_fun of a while_loop must not write to a Ref, and {test.name} does: write in "
            f"body_fun"
        )
    if body.uses is None or not body.uses.writes:
        return test
    reads = [] if test.uses is None else test.uses.reads
    first = len(test.jaxpr.constvars) - len(reads)
    own = {id(r): first + k for k, r in enumerate(reads)}
    places = tuple([own.get(id(r), r.type) for r in body.uses.writes])
    taken = [p for p in places if isinstance(p, int)]
    jaxpr = test.jaxpr
    known = _made.setdefault(jaxpr, {})
    if places not in known:
        constvars = jaxpr.constvars
        given = [constvars[p] if isinstance(p, int) else Var(p.inner_aval) for p in places]
        kept = [v for i, v in enumerate(constvars) if i not in taken]
        known[places] = jaxpr.replace(constvars=kept, invars=[*jaxpr.invars, *given])
    consts = [c for i, c in enumerate(test.consts) if i not in taken]
    return Program(known[places], consts, test.out_tree, test.name)

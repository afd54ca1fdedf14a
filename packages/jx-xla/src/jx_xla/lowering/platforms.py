"""Lowering an equation for several platforms at once: one text for all, or a branch for each.

A module for several platforms is told by its first argument, an index into them, which one it
runs on. Most equations are written alike for all. Where a primitive has a rule for one of them,
or its rule asks what the platform is, each gets a branch of a `stablehlo.case` on that index,
lowered as in a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jx_core.jaxpr import Eqn

from .builder import PLATFORM_INDEX, Block, SeveralPlatforms, Value
from .tables import find_rule
from .types import type_of

LowerBy = Callable[[Any, Block, Eqn, Sequence[Value]], Sequence[Value]]


def lower_for_several(
    block: Block, eqn: Eqn, operands: Sequence[Value], lower_by: LowerBy
) -> Sequence[Value]:
    """Write one equation for all platforms of the module and return the names of its results."""
    module = block.module
    rules = [find_rule(module, eqn.primitive, p) for p in module.platforms]
    if all(rule is rules[0] for rule in rules):
        mark = block.mark()
        try:
            return lower_by(rules[0], block, eqn, operands)
        except SeveralPlatforms:
            block.rewind(mark)
    return _one_each(block, eqn, operands, rules, lower_by)


def _one_each(
    block: Block, eqn: Eqn, operands: Sequence[Value], rules: Sequence[Any], lower_by: LowerBy
) -> Sequence[Value]:
    module = block.module
    platforms = module.platforms
    start = end = block.mark()[1]
    written: list[tuple[list[str], list[Value]]] = []
    branches = []
    try:
        for platform, rule in zip(platforms, rules, strict=True):
            module.platforms = (platform,)
            inner = block.inner()
            inner.restart(start)  # so that what is alike has the same names
            results = list(lower_by(rule, inner, eqn, operands))
            end = max(end, inner.mark()[1])
            written.append((inner.lines, results))
            branches.append(inner)
    finally:
        module.platforms = platforms
        block.restart(end)
    lines, results = written[0]
    if all(w == written[0] for w in written):
        block.lines += lines
        return results
    kinds = [type_of(v.aval) for v in eqn.outvars]
    regions = [
        inner.region((), results, kinds)
        for inner, (_, results) in zip(branches, written, strict=True)
    ]
    return block.ops(
        "stablehlo.case", [PLATFORM_INDEX], ["tensor<i32>"], kinds,
        regions=f" ({', '.join(regions)})",
    )  # fmt: skip

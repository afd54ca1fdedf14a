"""The rule tables of lowering, one for every platform and one for each that differs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from jx_core import Primitive, RuleTable, ShapedArray

from .builder import Block, Module, Value

_DEFINE = "jx_xla.deflower({name}_p)(rule)"

lowering_rules = RuleTable("lowering to StableHLO (jx_xla)", _DEFINE, "jx_xla.lowering.rules")
platform_rules: dict[str, RuleTable] = {}


class Context:
    """What a lowering rule gets to know and to write to.

    Attributes:
        block: where to write operations.
        module: the module, for shared functions and the platforms.
        in_avals, out_avals: the types of the equation's operands and results.
    """

    __slots__ = ("block", "in_avals", "module", "out_avals")

    def __init__(
        self, block: Block, in_avals: list[ShapedArray], out_avals: list[ShapedArray]
    ) -> None:
        self.block = block
        self.module: Module = block.module
        self.in_avals = in_avals
        self.out_avals = out_avals

    @property
    def out(self) -> ShapedArray:
        """The type of the one result."""
        return self.out_avals[0]


LoweringRule = Callable[..., Value | list[Value]]
R = TypeVar("R", bound=LoweringRule)


def deflower(
    *primitives: Primitive, platform: str | None = None
) -> Callable[[R], R]:
    """Decorator: define how `primitives` become StableHLO.

    The function is called as `rule(ctx, *operands, **params)` with a `Context` and the SSA
    names of the operands; it writes to `ctx.block` and returns the result's name, or a list
    of names for primitives with several results.

    Args:
        primitives: the primitives.
        platform: `cpu`, `cuda`, `rocm` or `tpu` for a rule that serves there only.

    Example::

        @deflower(sin_p)
        def sine(ctx, x):
            kind = type_of(ctx.out)
            return ctx.block.op("stablehlo.sine", [x], [kind], kind)
    """
    if platform is None:
        return lowering_rules.define(*primitives)
    table = platform_rules.setdefault(
        platform, RuleTable(f"lowering for {platform} (jx_xla)", _DEFINE)
    )
    return table.define(*primitives)


def find_rule(module: Module, primitive: Primitive, platform: str) -> Any:
    """The lowering rule of a primitive on a platform, None where its decomposition serves.

    Raises:
        MissingRuleError: it has neither.
    """
    if module.overrides and primitive in module.overrides:
        return module.overrides[primitive]
    special = platform_rules.get(platform)
    if special is not None and primitive in special:
        return special.get(primitive)
    rule = lowering_rules.get(primitive)
    if rule is None and primitive.decompose is None:
        return lowering_rules.lookup(primitive)
    return rule

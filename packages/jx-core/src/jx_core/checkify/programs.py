"""How operations that hold programs fail: as their programs do.

The error of an inner program is a result of the operation: of a call, as it is; of a conditional,
that of the branch taken; of a loop, one more carry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..jaxpr.evaluate import eval_jaxpr
from ..jaxpr.ir import ClosedJaxpr
from ..ops.checks import Site
from ..ops.control_flow.checkpoint import checkpoint_p
from ..ops.control_flow.cond import cond_p
from ..ops.control_flow.custom import (
    CustomJVP,
    CustomVJP,
    Mask,
    custom_jvp_call_p,
    custom_vjp_call_p,
    is_inexact,
)
from ..ops.control_flow.jit import jit_p
from ..ops.control_flow.scan import scan_p
from ..ops.control_flow.while_loop import while_p
from ..primitive import Primitive
from ..staging import trace_to_jaxpr
from .error import Error
from .transform import (
    Categories,
    Checked,
    Checker,
    checked_program,
    defcheck,
    empty_value,
    error_avals,
)


def _eval(closed: ClosedJaxpr, args: Sequence[Any]) -> list[Any]:
    return eval_jaxpr(closed.jaxpr, closed.consts, *args)


def _clean(sites: Sequence[Site]) -> list[Any]:
    """The leaves of no error."""
    return [np.int32(0), *(empty_value(a) for a in error_avals(sites)[1:])]


@defcheck(jit_p, checkpoint_p)
def _call(
    checker: Checker, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]
) -> list[Any]:
    checked = checked_program(params["jaxpr"], checker.categories)
    if checked.closed is params["jaxpr"]:
        return primitive.bind(*operands, **params)  # type: ignore[no-any-return]
    changed: dict[str, Any] = {"jaxpr": checked.closed}
    if params.get("out_shardings") is not None:
        extra = len(checked.closed.out_avals) - checked.n_out
        changed["out_shardings"] = (*params["out_shardings"], *(None,) * extra)
    outs, error = checked.split(primitive.bind(*operands, **{**params, **changed}))
    checker.absorb(error)
    return outs


@defcheck(cond_p)
def _cond(
    checker: Checker, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]
) -> list[Any]:
    branches: tuple[ClosedJaxpr, ...] = params["branches"]
    found = [checked_program(b, checker.categories) for b in branches]
    sites = tuple(sorted({s for c in found for s in c.sites}))
    if not sites:
        closed = tuple(c.closed for c in found)
        return primitive.bind(*operands, **{**params, "branches": closed})  # type: ignore[no-any-return]
    checked = [checked_program(b, checker.categories, sites) for b in branches]
    changed = {**params, "branches": tuple(c.closed for c in checked)}
    outs, error = checked[0].split(primitive.bind(*operands, **changed))
    checker.absorb(error)
    return outs


@defcheck(scan_p)
def _scan(
    checker: Checker, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]
) -> list[Any]:
    body: ClosedJaxpr = params["jaxpr"]
    checked = checked_program(body, checker.categories)
    if not checked.sites:
        changed = {**params, "jaxpr": checked.closed}
        return primitive.bind(*operands, **changed)  # type: ignore[no-any-return]
    n_carry = params["num_carry"]
    first = params["num_consts"] + n_carry
    avals = error_avals(checked.sites)
    n = len(avals)
    key = ("checkify scan", checker.categories, first, n_carry)
    if key not in body.derived:

        def step(*args: Any) -> list[Any]:
            before = args[first : first + n]
            outs, error = checked.split(_eval(checked.closed, [*args[:first], *args[first + n :]]))
            both = _joined(checker.categories, checked.sites, before, error)
            return [*outs[:n_carry], *both, *outs[n_carry:]]

        types = [*body.in_avals[:first], *avals, *body.in_avals[first:]]
        body.derived[key] = ClosedJaxpr(*trace_to_jaxpr(step, types, body.jaxpr.debug_name))
    changed = {**params, "jaxpr": body.derived[key], "num_carry": n_carry + n}
    outs = primitive.bind(
        *operands[:first], *_clean(checked.sites), *operands[first:], **changed
    )
    leaves = outs[n_carry : n_carry + n]
    checker.absorb(Error.of(checked.sites, leaves[0], leaves[1:]))
    return [*outs[:n_carry], *outs[n_carry + n :]]


def _joined(
    categories: Categories, sites: Sequence[Site], before: Sequence[Any], after: Error
) -> list[Any]:
    """The leaves of an error: of `before`, or where that is none of `after`."""
    joined = Checker(categories)
    joined.absorb(Error.of(sites, before[0], before[1:]))
    joined.absorb(after)
    return joined.leaves(sites)


@defcheck(while_p)
def _while(
    checker: Checker, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]
) -> list[Any]:
    test: ClosedJaxpr = params["cond_jaxpr"]
    body: ClosedJaxpr = params["body_jaxpr"]
    checked_test = checked_program(test, checker.categories)
    checked_body = checked_program(body, checker.categories)
    sites = tuple(sorted({*checked_test.sites, *checked_body.sites}))
    if not sites:
        changed = {"cond_jaxpr": checked_test.closed, "body_jaxpr": checked_body.closed}
        return primitive.bind(*operands, **{**params, **changed})  # type: ignore[no-any-return]
    a, b = params["cond_nconsts"], params["body_nconsts"]
    carry = operands[a + b :]
    key = ("checkify while", checker.categories, test, a, b)
    if key not in body.derived:
        body.derived[key] = _checked_loop(
            checker.categories, test, checked_test, body, checked_body, sites, a, b
        )
    new_test, new_body = body.derived[key]
    begin = _clean(sites)
    if checked_test.sites:
        error = checked_test.split(_eval(checked_test.closed, [*operands[:a], *carry]))[1]
        begin = _joined(checker.categories, sites, begin, error)
    outs = primitive.bind(
        *operands[:a], *operands[: a + b], *carry, *begin,
        cond_jaxpr=new_test,
        body_jaxpr=new_body,
        cond_nconsts=a,
        body_nconsts=a + b,
    )  # fmt: skip
    n = len(carry)
    checker.absorb(Error.of(sites, outs[n], outs[n + 1 :]))
    return list(outs[:n])


def _checked_loop(
    categories: Categories,
    test: ClosedJaxpr,
    checked_test: Checked,
    body: ClosedJaxpr,
    checked_body: Checked,
    sites: tuple[Site, ...],
    a: int,
    b: int,
) -> tuple[ClosedJaxpr, ClosedJaxpr]:
    """The programs of a `while` that carries its error after the carry.

    The body takes the constants of both; it looks at the test of the next step too, since a
    test has no other result than whether to go on.
    """
    n = len(body.out_avals)
    errors = error_avals(sites)

    def goes_on(*args: Any) -> list[Any]:
        return _eval(checked_test.closed, args[: a + n])[:1]

    def step(*args: Any) -> list[Any]:
        consts, carry, before = args[: a + b], args[a + b : a + b + n], args[a + b + n :]
        outs, error = checked_body.split(_eval(checked_body.closed, [*consts[a:], *carry]))
        leaves = _joined(categories, sites, before, error)
        if checked_test.sites:
            results = _eval(checked_test.closed, [*consts[:a], *outs])
            leaves = _joined(categories, sites, leaves, checked_test.split(results)[1])
        return [*outs, *leaves]

    carry_avals = [*body.out_avals, *errors]
    test_avals = [*test.in_avals[:a], *carry_avals]
    body_avals = [*test.in_avals[:a], *body.in_avals[:b], *carry_avals]
    return (
        ClosedJaxpr(*trace_to_jaxpr(goes_on, test_avals, test.jaxpr.debug_name)),
        ClosedJaxpr(*trace_to_jaxpr(step, body_avals, body.jaxpr.debug_name)),
    )


# --- functions with rules of differentiation: they keep these, and their errors have none ---


class _CheckedJVP(CustomJVP):
    def __init__(self, rules: CustomJVP, checked: Checked) -> None:
        self.name, self.source, self.known = rules.name, rules.source, {}
        self._rules, self._checked = rules, checked

    def call(self, *args: Any) -> list[Any]:
        return _eval(self._checked.closed, args)

    def jvp(
        self, active: Mask, consts: Sequence[Any], primals: Sequence[Any], tangents: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        outs, moved = self._rules.jvp(active, consts, primals, tangents)
        leaves = self.call(*consts, *primals)[self._checked.n_out :]
        return [*outs, *leaves], [*moved, *[None] * len(leaves)]


class _CheckedVJP(CustomVJP):
    def __init__(self, rules: CustomVJP, checked: Checked) -> None:
        self.name, self.source, self.known = rules.name, rules.source, {}
        self._rules, self._checked = rules, checked
        outs = checked.closed.out_avals[: checked.n_out]
        self._moving = sum(map(is_inexact, outs))

    def call(self, *args: Any) -> list[Any]:
        return _eval(self._checked.closed, args)

    def fwd(
        self, active: Mask, consts: Sequence[Any], primals: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        outs, residuals = self._rules.fwd(active, consts, primals)
        leaves = self.call(*consts, *primals)[self._checked.n_out :]
        return [*outs, *leaves], residuals

    def bwd(self, active: Mask, residuals: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        return self._rules.bwd(active, residuals, cotangents[: self._moving])


def _custom(make: Callable[..., Any]) -> Callable[..., list[Any]]:
    def rule(
        checker: Checker, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]
    ) -> list[Any]:
        checked = checked_program(params["call_jaxpr"], checker.categories)
        if checked.closed is params["call_jaxpr"]:
            return primitive.bind(*operands, **params)  # type: ignore[no-any-return]
        changed = {**params, "call_jaxpr": None, "rules": make(params["rules"], checked)}
        assert primitive.stage is not None
        operands, changed = primitive.stage(tuple(operands), changed)
        outs, error = checked.split(primitive.bind(*operands, **changed))
        checker.absorb(error)
        return outs

    return rule


defcheck(custom_jvp_call_p)(_custom(_CheckedJVP))
defcheck(custom_vjp_call_p)(_custom(_CheckedVJP))

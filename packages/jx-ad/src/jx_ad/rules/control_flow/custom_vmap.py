"""Differentiation of functions with batching rules: what comes out has batching rules in turn.

The derivative of such a call is again such a call, whose batching rule is the derivative of the
function's; so `vmap` of a derivative and the derivative of `vmap` are one. Reverse mode records
the tangents' part as a call of its own, of primals and tangents, which computes the values anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jx_core import ShapedArray, lax, typeof
from jx_core.ops.control_flow.custom import CustomVmap, Mask, custom_vmap_call_p

from ...forward import jvp_flat
from ...programs import active_mask, select, spread
from ...tables import deflinearize, deftranspose, jvp_rules
from ...tangents import Linear, Zero, is_differentiable, zeros
from ...tape import transpose_flat


class _Derived(CustomVmap):
    """What is derived of a function with a batching rule, itself one."""

    def __init__(self, name: str, rules: CustomVmap) -> None:
        self.name = name
        self.source = rules.source
        self.known: dict[Any, Any] = {}
        self.rules = rules


def _batched(x: Any, size: int) -> Any:
    """Copies of `x` for all rows."""
    return lax.broadcast(x, (size,))


class _JVP(_Derived):
    """(constants, primals, active tangents) to results and their tangents, or to these alone."""

    def __init__(self, rules: CustomVmap, active: Mask, tangents_only: bool) -> None:
        super().__init__(f"jvp({rules.name})", rules)
        self.active = active
        self.tangents_only = tangents_only
        self.mask: Mask = ()  # which results have tangents; there once it has run

    def _pushed(self, fun: Callable[..., Any], args: Sequence[Any]) -> list[Any]:
        n = len(self.active)
        outs, moved = jvp_flat(fun, args[:n], spread(args[n:], self.active))
        self.mask = tuple(is_differentiable(typeof(o)) for o in outs)
        full = [
            zeros(typeof(o)) if t is None else t
            for t, o, on in zip(moved, outs, self.mask, strict=True)
            if on
        ]
        return full if self.tangents_only else [*outs, *full]

    def call(self, *operands: Any) -> list[Any]:
        consts = len(operands) - len(self.active) - sum(self.active)
        return self._pushed(
            lambda *args: self.rules.call(*operands[:consts], *args), operands[consts:]
        )

    def batch(
        self, size: int, batched: Mask, consts: Sequence[Any], args: Sequence[Any]
    ) -> tuple[list[Any], Mask]:
        n = len(self.active)
        moving = spread(batched[n:], self.active)
        either = tuple(bool(p or t) for p, t in zip(batched[:n], moving, strict=True))
        # A primal is a batch where its tangent is, and the reverse.
        want = [*either, *select(either, self.active)]
        given = [
            _batched(x, size) if on and not was else x
            for x, was, on in zip(args, batched, want, strict=True)
        ]
        differ: list[Mask] = []

        def fun(*primals: Any) -> list[Any]:
            outs, flags = self.rules.batch(size, either, consts, primals)
            differ.append(flags)
            return outs

        results = self._pushed(fun, given)
        of_tangents = select(differ[0], self.mask)
        return results, tuple(of_tangents if self.tangents_only else [*differ[0], *of_tangents])


class _Transposed(_Derived):
    """(constants, operands that are no linear ones, cotangents) to the linear ones' cotangents."""

    def __init__(
        self, rules: CustomVmap, linear: Mask, nonzero: Mask, avals: Sequence[ShapedArray]
    ) -> None:
        super().__init__(f"transpose({rules.name})", rules)
        self.linear = linear
        self.nonzero = nonzero
        self.avals = list(avals)

    def _pulled(
        self, fun: Callable[..., Any], fixed: Sequence[Any], cts: Sequence[Any], avals: Any
    ) -> list[Any]:
        def of_linear(*moving: Any) -> Any:
            rest, following = iter(fixed), iter(moving)
            return fun(*[next(following) if on else next(rest) for on in self.linear])

        results = transpose_flat(of_linear, avals, spread(cts, self.nonzero))
        return [zeros(a) if r is None else r for r, a in zip(results, avals, strict=True)]

    def call(self, *operands: Any) -> list[Any]:
        n = len(operands) - sum(self.nonzero)
        consts = n - self.linear.count(False)
        return self._pulled(
            lambda *args: self.rules.call(*operands[:consts], *args),
            operands[consts:n], operands[n:], self.avals,
        )  # fmt: skip

    def batch(
        self, size: int, batched: Mask, consts: Sequence[Any], args: Sequence[Any]
    ) -> tuple[list[Any], Mask]:
        n = self.linear.count(False)
        fixed, cts = args[:n], args[n:]
        flags = iter(batched[:n])
        in_batched = tuple(True if on else next(flags) for on in self.linear)

        def fun(*operands: Any) -> list[Any]:
            outs, differ = self.rules.batch(size, in_batched, consts, operands)
            return [o if on else _batched(o, size) for o, on in zip(outs, differ, strict=True)]

        given = [
            ct if on else _batched(ct, size) for ct, on in zip(cts, batched[n:], strict=True)
        ]
        avals = [a.update(shape=(size, *a.shape)) for a in self.avals]
        return self._pulled(fun, fixed, given, avals), (True,) * len(avals)


def _derived(rules: CustomVmap, key: Any, make: Callable[[], CustomVmap]) -> CustomVmap:
    """What `make` gives, one object for rules that are kept, so that programs are found again."""
    found = rules.known.get(key)
    if found is None:
        found = rules.known[key] = make()
    return found  # type: ignore[no-any-return]


def _push(
    primals: list[Any], tangents: list[Any], params: dict[str, Any], tangents_only: bool
) -> tuple[list[Any], list[Any]]:
    """The results, unless only tangents are wanted, and their tangents, None for zero ones."""
    n, rules = params["num_consts"], params["rules"]
    active = active_mask(tangents[n:])
    key = ("jvp", active, tangents_only)
    made: Any = _derived(rules, key, lambda: _JVP(rules, active, tangents_only))
    results = custom_vmap_call_p.bind(
        *primals, *select(tangents[n:], active), call_jaxpr=None, rules=made, num_consts=n
    )
    n_outs = 0 if tangents_only else len(made.mask)
    return results[:n_outs], spread(results[n_outs:], made.mask)


def _closure_moves(tangents: list[Any], params: dict[str, Any]) -> bool:
    """Whether a value that the function closes over is being differentiated.

    The batching rule is not told of such values, so it has no derivative for them; the function
    itself has.
    """
    return any(t is not None for t in tangents[: params["num_consts"]])


def _jvp(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    if _closure_moves(tangents, params):
        return jvp_flat(params["rules"].call, primals, tangents)
    return _push(primals, tangents, params, tangents_only=False)


jvp_rules.define(custom_vmap_call_p)(_jvp)


@deflinearize(custom_vmap_call_p)
def _linearize(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    if _closure_moves(tangents, params):
        return jvp_flat(params["rules"].call, primals, tangents)
    outs = custom_vmap_call_p.bind(*primals, **params)
    _, moved = _push(primals, tangents, params, tangents_only=True)
    return outs, moved


@deftranspose(custom_vmap_call_p)
def _transpose(
    cts: list[Any], *operands: Any, call_jaxpr: Any, rules: CustomVmap, num_consts: int
) -> list[Any]:
    consts, args = operands[:num_consts], operands[num_consts:]
    nonzero = tuple(type(ct) is not Zero for ct in cts)
    linear = tuple(type(x) is Linear for x in args)
    avals = tuple([x.aval for x in args if type(x) is Linear])
    made = _derived(
        rules,
        ("transpose", linear, nonzero, avals),
        lambda: _Transposed(rules, linear, nonzero, avals),
    )
    fixed = [x for x in args if type(x) is not Linear]
    results = custom_vmap_call_p.bind(
        *consts, *fixed, *select(cts, nonzero), call_jaxpr=None, rules=made, num_consts=num_consts
    )
    return [None] * num_consts + spread(results, linear)

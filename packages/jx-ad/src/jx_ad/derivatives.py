"""`jacobian` and `derivative`: the mode of differentiation is chosen from the shapes.

The function is linearised once, which says what its outputs are and which of them depend on
which arguments. Its derivative is then pushed forward along the columns of the Jacobian, pulled
back along the rows, or both. Jacobians in one given mode are in `jacobians.py`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from jx_core import ShapedArray, lax, tree, typeof
from jx_core.errors import ConcretizationTypeError
from jx_core.mapping import map_leading
from jx_core.staging import function_name, trace_to_jaxpr
from jx_core.tracebacks import filtered

from .api import require_callable, strip
from .dependence import Dependence, cheapest_cover, dependence_of
from .gradients import _argnums, check_input, check_output
from .jacobians import _assemble, _basis, _last, _pieces, _Problem, jacfwd, jacrev
from .tangents import is_differentiable, zeros
from .tape import LinearMap, linearize_flat

MODES = ("auto", "forward", "reverse", "mixed")


class Part(NamedTuple):
    """An argument's leaf that is pushed forward, or an output's that is pulled back.

    Attributes:
        name: such as `argument x['w']` or `output[0]`.
        aval: its type; there are as many passes as it has elements.
    """

    name: str
    aval: ShapedArray


@dataclass(frozen=True, repr=False)
class JacobianPlan:
    """How a Jacobian is worked out; printed, it says so.

    Attributes:
        mode: `forward`, `reverse` or `mixed`.
        reason: why.
        forward: the leaves of arguments whose columns are pushed forward.
        reverse: the leaves of outputs whose rows are pulled back.
        passes: how many columns and rows these are together.
        alone: how many passes `forward` and `reverse` alone would take.
        of: the plan of the function that is differentiated, where that is a derivative itself.
    """

    mode: str
    reason: str
    forward: tuple[Part, ...]
    reverse: tuple[Part, ...]
    passes: int
    alone: dict[str, int]
    of: JacobianPlan | None = None

    def __repr__(self) -> str:
        counts = ", ".join(f"{mode} alone: {n:,}" for mode, n in self.alone.items())
        plural = "" if self.passes == 1 else "es"
        lines = [f"{self.mode} mode, {self.passes:,} pass{plural} ({counts}): {self.reason}"]
        for word, parts in (("push forward", self.forward), ("pull back", self.reverse)):
            lines += [f"  {word} {p.name}: {p.aval.str_short()}" for p in parts]
        if self.of is not None:
            lines.append("of")
            lines += [f"  {line}" for line in str(self.of).split("\n")]
        return "\n".join(lines)


def jacobian(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    mode: str = "auto",
) -> Callable[..., Any]:
    """The Jacobian of `fun`, in the mode that takes the fewest passes.

    Args:
        fun: takes and returns pytrees of arrays.
        argnums: the positional argument or arguments to differentiate.
        has_aux: whether `fun` returns a pair of output and auxiliary data.
        holomorphic: whether `fun` is complex-differentiable.
        allow_int: give `float0` Jacobians for integer arguments instead of an error.
        mode: `forward` is `jacfwd`, a pass for each element of the arguments; `reverse` is
            `jacrev`, a pass for each element of the outputs. `mixed` takes the columns of some
            arguments and the rows of some outputs: the fewest that have in them every pair of an
            output and an argument that it depends on. `auto` is `mixed` where that takes fewer
            passes than either alone, else whichever takes fewer, `forward` where both take as
            many. A function that has no derivative in one mode (one with `custom_vjp` in forward
            mode, one with `while_loop` in reverse) is differentiated in the other.

    Returns:
        A function with the arguments of `fun` that gives what `jacrev` gives, of the dtypes of
        the arguments, whatever the mode. Its method `plan(*args, **kwargs)` gives the
        `JacobianPlan` for such arguments.

    Raises:
        ValueError: `mode` is none of these.
        TypeError: an argument or output has a dtype that has no derivatives.

    >>> import numpy as np
    >>> from jx_core import lax
    >>> def f(x):
    ...     return lax.reduce_sum(lax.mul(x, x), (0,))
    >>> jacobian(f).plan(np.ones(3, np.float32))
    reverse mode, 1 pass (forward alone: 3, reverse alone: 1): the fewest passes
      pull back output: f32[]
    >>> print(jacobian(f)(np.ones(3, np.float32)))
    [2. 2. 2.]
    """
    require_callable(fun, "jacobian")
    if mode not in MODES:
        raise ValueError(f"jacobian: mode must be one of {', '.join(MODES)}, got {mode!r}")
    if mode == "forward" and allow_int:
        raise ValueError("jacobian: allow_int needs reverse mode, and mode is 'forward'")
    choice = _Choice(fun, _argnums(argnums), has_aux, holomorphic, allow_int, mode)
    single = not isinstance(argnums, (tuple, list))
    if mode == "forward":
        worked_out = jacfwd(fun, argnums, has_aux, holomorphic)
    elif mode == "reverse":
        worked_out = jacrev(fun, argnums, has_aux, holomorphic, allow_int)
    else:
        worked_out = filtered(functools.partial(choice.jacobian, single))

    @functools.wraps(fun, updated=())
    def jacobian_f(*args: Any, **kwargs: Any) -> Any:
        return worked_out(*args, **kwargs)

    jacobian_f.__name__ = f"jacobian({function_name(fun)})"
    jacobian_f.plan = filtered(choice.plan)  # type: ignore[attr-defined]
    return jacobian_f


def derivative(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    order: int = 1,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    mode: str = "auto",
) -> Callable[..., Any]:
    """The derivative of `fun` of some order, each in the mode that takes the fewest passes.

    For a function of a number it has the shape of the output, for a function to a number the
    shape of the argument (the gradient), and for others it is the Jacobian.

    Args:
        fun, argnums, has_aux, holomorphic, allow_int, mode: as for `jacobian`.
        order: how often to differentiate. Of a function to a number, the second order is the
            Hessian, by forward mode over reverse mode if the argument is no number.

    Returns:
        A function with the arguments of `fun`; shapes are the output's followed by the
        argument's, `order` times. Its method `plan(*args, **kwargs)` gives the `JacobianPlan`.

    Raises:
        ValueError: `order` is less than 1, or `mode` none of `jacobian`'s.

    >>> from jx_core import lax
    >>> float(derivative(lax.sin)(0.0)), float(derivative(lax.exp, order=3)(0.0))
    (1.0, 1.0)
    >>> import numpy as np
    >>> def f(x):
    ...     return lax.reduce_sum(lax.mul(x, lax.mul(x, x)), (0,))
    >>> derivative(f, order=2).plan(np.ones(3, np.float32))
    forward mode, 3 passes (forward alone: 3, reverse alone: 3): the fewest passes
      push forward argument x: f32[3]
    of
      reverse mode, 1 pass (forward alone: 3, reverse alone: 1): the fewest passes
        pull back output: f32[]
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ValueError(f"derivative: order must be an integer of at least 1, got {order!r}")
    steps: list[Callable[..., Any]] = [fun]
    for _ in range(order):
        steps.append(jacobian(steps[-1], argnums, has_aux, holomorphic, allow_int, mode))

    def plan(*args: Any, **kwargs: Any) -> JacobianPlan:
        found = None
        for step in steps[1:]:
            one = step.plan(*args, **kwargs)  # type: ignore[attr-defined]
            found = JacobianPlan(**{**vars(one), "of": found})
        assert found is not None
        return found

    @functools.wraps(fun, updated=())
    def derivative_f(*args: Any, **kwargs: Any) -> Any:
        return steps[-1](*args, **kwargs)

    derivative_f.__name__ = f"derivative({function_name(fun)})"
    derivative_f.plan = plan  # type: ignore[attr-defined]
    return derivative_f


class _Linearized(NamedTuple):
    """A function linearised at a point, and what follows of it for Jacobians."""

    problem: _Problem
    linear: LinearMap
    active: list[bool]  # which leaves of the arguments have derivatives
    out_avals: list[ShapedArray]
    dependence: Dependence
    pushed: list[int]  # leaves of arguments, by their places among the active ones
    pulled: list[int]  # leaves of outputs
    plan: JacobianPlan


class _Choice:
    """A function to take the Jacobian of, and how."""

    def __init__(
        self, fun: Any, nums: Any, has_aux: bool, holomorphic: bool, allow_int: bool, mode: str
    ) -> None:
        self.fun, self.nums, self.has_aux = fun, nums, has_aux
        self.holomorphic, self.allow_int, self.mode = holomorphic, allow_int, mode

    def linearize(self, args: Any, kwargs: Any) -> _Linearized:
        problem = _Problem(self.fun, self.nums, self.has_aux, "jacobian", args, kwargs)
        for x, a in zip(problem.flat, problem.avals, strict=True):
            check_input(x, a, self.holomorphic, self.allow_int, "jacobian")
        active = [is_differentiable(a) for a in problem.avals]
        outs, linear = linearize_flat(problem.function, problem.flat, active)
        out_avals = [typeof(o) for o in outs]
        for a in out_avals:
            check_output(a, self.holomorphic, "jacobian")
        dependence = dependence_of(linear)
        in_avals = [a for a, on in zip(problem.avals, active, strict=True) if on]
        complex_inputs = not self.holomorphic and any(a.dtype.kind == "c" for a in in_avals)
        pushed, pulled, mode, reason = _choose(
            self.mode, dependence, in_avals, out_avals, complex_inputs
        )
        names = [
            n for n, on in zip(self._argument_names(problem, args), active, strict=True) if on
        ]
        places = tree.leaves_with_path(
            tree.unflatten(problem.function.out_tree, list(range(len(outs))))
        )
        forward = tuple(Part(f"argument {names[j]}", in_avals[j]) for j in pushed)
        reverse = tuple(
            Part(f"output{tree.keystr(places[i][0])}", out_avals[i]) for i in pulled
        )
        plan = JacobianPlan(
            mode, reason, forward, reverse,
            sum(p.aval.size for p in (*forward, *reverse)),
            dependence.alone(in_avals, out_avals),
        )  # fmt: skip
        return _Linearized(
            problem, linear, active, out_avals, dependence, pushed, pulled, plan
        )

    def _argument_names(self, problem: _Problem, args: Any) -> list[str]:
        """A name for each leaf of the differentiated arguments."""
        try:
            parameters = inspect.signature(self.fun).parameters.values()
        except (TypeError, ValueError):
            parameters = ()  # type: ignore[assignment]
        known = [p.name for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD]
        positions = [n % len(args) for n in self.nums]
        roots = [known[p] if p < len(known) else str(p) for p in positions]
        chosen = tree.unflatten(problem.in_tree, list(range(len(problem.flat))))
        return [
            f"{roots[k]}{tree.keystr(path)}"
            for k, part in enumerate(chosen)
            for path, _ in tree.leaves_with_path(part)
        ]

    def plan(self, *args: Any, **kwargs: Any) -> JacobianPlan:
        """How the Jacobian is worked out for arguments of these types.

        Only the types matter, if the function can be traced on them.
        """
        leaves, structure = tree.flatten((args, kwargs))
        plans: list[JacobianPlan] = []

        def traced(*flat: Any) -> list[Any]:
            a, k = tree.unflatten(structure, flat)
            plans.append(self.linearize(a, k).plan)
            return []

        try:
            trace_to_jaxpr(traced, [typeof(x) for x in leaves], function_name(self.fun))
        except ConcretizationTypeError:  # it looks at numbers
            return self.linearize(args, kwargs).plan
        return plans[0]

    def jacobian(self, single: bool, *args: Any, **kwargs: Any) -> Any:
        found = self.linearize(args, kwargs)
        problem = found.problem
        blocks = _blocks(found)
        rows = []
        for i, out in enumerate(found.out_avals):
            following = iter(blocks[i])
            rows.append([
                next(following) if on else zeros(a.update(shape=out.shape + a.shape))
                for a, on in zip(problem.avals, found.active, strict=True)
            ])  # fmt: skip
        result = _assemble(rows, problem, single)
        return (result, problem.function.auxiliary(strip)) if self.has_aux else result


def _choose(
    mode: str,
    dependence: Dependence,
    in_avals: Sequence[ShapedArray],
    out_avals: Sequence[ShapedArray],
    complex_inputs: bool,
) -> tuple[list[int], list[int], str, str]:
    """Which arguments to push forward and which outputs to pull back, the mode and the reason."""
    inputs, outputs = dependence.inputs(), dependence.outputs()
    if mode == "forward":
        return inputs, [], mode, "as asked for"
    if mode == "reverse":
        return [], outputs, mode, "as asked for"
    if complex_inputs:
        return [], outputs, "reverse", "complex arguments have conjugate gradients"
    if dependence.no_forward:
        return [], outputs, "reverse", f"{dependence.no_forward} has no forward mode"
    if dependence.no_reverse:
        return inputs, [], "forward", f"{dependence.no_reverse} has no reverse mode"
    alone = dependence.alone(in_avals, out_avals)
    pushed, pulled = cheapest_cover(
        dependence, [a.size for a in in_avals], [a.size for a in out_avals]
    )
    passes = sum(in_avals[j].size for j in pushed) + sum(out_avals[i].size for i in pulled)
    if passes < min(alone.values()):
        return pushed, pulled, "mixed", "not every output depends on every argument"
    if alone["forward"] <= alone["reverse"]:
        return inputs, [], "forward", "the fewest passes"
    return [], outputs, "reverse", "the fewest passes"


def _blocks(found: _Linearized) -> list[list[Any]]:
    """The Jacobian of each output in each active argument, of the argument's dtype."""
    in_avals = [a for a, on in zip(found.problem.avals, found.active, strict=True) if on]
    out_avals, linear = found.out_avals, found.linear
    blocks = [[zeros(a.update(shape=o.shape + a.shape)) for a in in_avals] for o in out_avals]

    def push(tangents: list[Any]) -> list[Any]:
        given = iter(tangents)
        full = [next(given) if j in found.pushed else zeros(a) for j, a in enumerate(in_avals)]
        moved = linear.forward(full)
        return [zeros(o) if t is None else t for t, o in zip(moved, out_avals, strict=True)]

    def pull(cotangents: list[Any]) -> list[Any]:
        given = iter(cotangents)
        cts = linear.backward([
            next(given) if i in found.pulled else None for i in range(len(out_avals))
        ])  # fmt: skip
        return [zeros(a) if c is None else c for c, a in zip(cts, in_avals, strict=True)]

    if found.pulled:
        rows = [out_avals[i] for i in found.pulled]
        for j, stack in enumerate(map_leading(pull, _basis(rows))):
            for i, piece in zip(found.pulled, _pieces(stack, rows), strict=True):
                blocks[i][j] = piece
    if found.pushed:
        columns = [in_avals[j] for j in found.pushed]
        for i, stack in enumerate(map_leading(push, _basis(columns))):
            for j, piece in zip(found.pushed, _pieces(stack, columns), strict=True):
                block = _last(piece, in_avals[j].ndim)
                blocks[i][j] = lax.convert_element_type(block, in_avals[j].dtype)
    return blocks

"""`custom_vjp`: a function with rules of reverse differentiation of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from jx_core import ShapedArray, tree, typeof
from jx_core.custom_functions import CustomFunction, FlatCall, as_array, check_tree, flat_results
from jx_core.ops.control_flow.custom import CustomVJP, custom_vjp_call_p
from jx_core.references import Ref
from jx_core.tracebacks import filtered
from jx_core.tree import map as tree_map

from .custom_functions import SymbolicZero, fitting
from .tangents import Zero, is_differentiable, tangent_aval


class CustomVJPPrimal(NamedTuple):
    """An argument as a forward rule with `symbolic_zeros` sees it.

    Attributes:
        value: the argument.
        perturbed: whether it is being differentiated.

    >>> from jx_ad import grad
    >>> from jx_core import lax
    >>> @custom_vjp
    ... def product(x, y):
    ...     return lax.mul(x, y)
    >>> def fwd(x, y):  # keeps only what will be needed
    ...     print(x.perturbed, y.perturbed)
    ...     return lax.mul(x.value, y.value), y.value
    >>> def bwd(y, ct):
    ...     return lax.mul(ct, y), None
    >>> product.defvjp(fwd, bwd, symbolic_zeros=True)
    >>> float(grad(lambda x: product(x, 3.0))(2.0))
    True False
    3.0
    """

    value: Any
    perturbed: bool


def custom_vjp_primal_tree_values(tree: Any) -> Any:
    """The values of a pytree of `CustomVJPPrimal`s, which rules with `symbolic_zeros` get.

    >>> custom_vjp_primal_tree_values({"x": CustomVJPPrimal(1.0, perturbed=True)})
    {'x': 1.0}
    """

    def value(leaf: Any) -> Any:
        if type(leaf) is not CustomVJPPrimal:
            raise TypeError(f"unexpected leaf type, expected CustomVJPPrimal, got {type(leaf)}")
        return leaf.value

    return tree_map(value, tree, is_leaf=lambda x: type(x) is CustomVJPPrimal)


class custom_vjp(CustomFunction):
    """Give a function rules of reverse differentiation.

    Args:
        fun: takes and returns pytrees of arrays.
        nondiff_argnums: positions of arguments that are no arrays, or are not differentiated:
            they are handed on as they are, and come first among the backward rule's arguments.
        nondiff_argnames: the same by name.

    The rules are defined with `defvjp`. Forward mode (`jvp`) is then an error.

    >>> from jx_ad import grad
    >>> from jx_core import lax
    >>> @custom_vjp
    ... def clipped(x):  # the identity, whose gradient is clipped
    ...     return x
    >>> clipped.defvjp(
    ...     lambda x: (clipped(x), None),
    ...     lambda residuals, ct: (lax.clamp(-1.0, ct, 1.0),),
    ... )
    >>> float(grad(lambda x: lax.mul(5.0, clipped(x)))(2.0))
    1.0
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        nondiff_argnums: Sequence[int] = (),
        nondiff_argnames: Sequence[str] = (),
    ) -> None:
        super().__init__(fun, nondiff_argnums, nondiff_argnames)
        self.fwd: Callable[..., Any] | None = None
        self.bwd: Callable[..., Any] | None = None
        self.symbolic_zeros = False
        self.optimize_remat = False

    def defvjp(
        self,
        fwd: Callable[..., Any],
        bwd: Callable[..., Any],
        symbolic_zeros: bool = False,
        optimize_remat: bool = False,
    ) -> None:
        """Define the rules.

        Args:
            fwd: takes the arguments of the function, gives `(out, residuals)`.
            bwd: `bwd(*nondiff_args, residuals, ct)` gives a tuple with the cotangent of each
                differentiated argument, None for zero. Python's numbers among the residuals reach
                it as they are.
            symbolic_zeros: whether `fwd` wants `CustomVJPPrimal`s, which say what is being
                differentiated, and `bwd` `SymbolicZero`s where cotangents are zero.
            optimize_remat: keep `fwd` whole in programs, so that the function itself takes its
                place where the residuals are not needed: in the forward pass of a `checkpoint`
                whose policy keeps none of them. For a `fwd` that is one opaque operation, which
                can't be made smaller.

        >>> from jx_ad import grad
        >>> from jx_core import lax
        >>> @custom_vjp
        ... def root(x):
        ...     return lax.sqrt(x)
        >>> def fwd(x):
        ...     out = lax.sqrt(x)
        ...     return out, out  # the result, and what the backward rule needs
        >>> def bwd(out, ct):
        ...     return (lax.div(ct, lax.mul(2.0, out)),)
        >>> root.defvjp(fwd, bwd)
        >>> float(grad(root)(4.0))
        0.25
        """
        self.fwd = fwd
        self.bwd = bwd
        self.symbolic_zeros = symbolic_zeros
        self.optimize_remat = optimize_remat
        self._names.forget()

    @filtered
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.fwd is None or self.bwd is None:
            raise AttributeError(
                f"No VJP defined for custom_vjp function {self._names.name} using defvjp."
            )
        return self._apply(custom_vjp_call_p, _Rules, (self.fwd, self.bwd), args, kwargs)


class _Forward(NamedTuple):
    """What the backward rule needs of a run of the forward one, other than arrays.

    Attributes:
        res_tree: the tree of the residuals.
        kept: the residuals that are no arrays, by place: Refs and Python's numbers.
        avals: the types of the arguments.
        out_avals: the types of the results.
    """

    res_tree: Any
    kept: list[tuple[int, Any]]
    avals: list[ShapedArray]
    out_avals: list[ShapedArray]


# Residuals of these types reach the backward rule as they are, in programs too.
_KEPT_TYPES = frozenset((bool, int, float, complex, Ref))


class _Rules(FlatCall, CustomVJP):
    """One call's function and rules, flat."""

    def __init__(self, owner: custom_vjp, split: Any) -> None:
        super().__init__(owner, split)
        # By what is differentiated: a program's rules are traced for each such choice.
        self._forwards: dict[tuple[bool, ...], _Forward] = {}

    @property
    def optimize_remat(self) -> bool:
        return bool(self.owner.optimize_remat)

    def fwd(
        self, active: Sequence[bool], consts: Sequence[Any], primals: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        assert self.owner.fwd is not None
        given: Sequence[Any] = primals
        if self.owner.symbolic_zeros:
            given = [CustomVJPPrimal(p, on) for p, on in zip(primals, active, strict=True)]
        result = self.owner.fwd(*self._arguments(given))
        if not (isinstance(result, (tuple, list)) and len(result) == 2):
            raise TypeError(
                f"Custom VJP fwd rule for function {self.name} must produce a pair (list or tuple "
                f"of length two) where the first element represents the primal output and the "
                f"second element represents residuals (i.e. values stored from the forward pass "
                f"for use on the backward pass), but got {result!r:.80}"
            )
        out, residuals = result
        outs, out_tree = flat_results(out, f"the fwd rule of {self.name}")
        if self.out_tree is None:
            self.out_tree = out_tree
        check_tree(
            out_tree, self.out_tree,
            f"Custom VJP fwd rule for function {self.name} must produce a pair whose first "
            f"element is like the function's own result, but the (pytree) structures differ:",
        )  # fmt: skip
        leaves, res_tree = tree.flatten(residuals)
        kept = [(i, x) for i, x in enumerate(leaves) if type(x) in _KEPT_TYPES]
        self._forwards[tuple(active)] = _Forward(
            res_tree, kept, [typeof(p) for p in primals], [typeof(o) for o in outs]
        )
        return outs, [as_array(x) for x in leaves if type(x) not in _KEPT_TYPES]

    def _arguments(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """The function's arguments; wrapped leaves are pytrees themselves, put in last."""
        places = self.split.unflatten(list(range(len(leaves))))
        filled = tree.map(lambda i: i if type(i) is Ref else leaves[i], places)
        dynamic = iter(filled)
        known = dict(self.split.static)
        return tuple([
            known[i] if i in known else next(dynamic) for i in range(self.split.length)
        ])  # fmt: skip

    def bwd(
        self, active: Sequence[bool], residuals: Sequence[Any], cotangents: Sequence[Any]
    ) -> list[Any]:
        assert self.owner.bwd is not None
        forward = self._forwards[tuple(active)]
        following = iter(cotangents)
        full = [
            self._cotangent(next(following) if is_differentiable(a) else None, a)
            for a in forward.out_avals
        ]
        leaves = list(residuals)
        for i, value in forward.kept:
            leaves.insert(i, value)
        result = self.owner.bwd(
            *self.split.nondiff,
            tree.unflatten(forward.res_tree, leaves),
            tree.unflatten(self.out_tree, full),
        )
        cts = self._flat_cotangents(result, forward.avals)
        return [ct for ct, on in zip(cts, active, strict=True) if on]

    def _cotangent(self, ct: Any, aval: ShapedArray) -> Any:
        if ct is not None:
            return ct
        if self.owner.symbolic_zeros:
            return SymbolicZero(tangent_aval(aval))
        return Zero(aval).instantiate()

    def _flat_cotangents(self, result: Any, avals: Sequence[ShapedArray]) -> list[Any]:
        """What the backward rule gave, one for each leaf of the differentiated arguments."""
        arguments = self.split.unflatten(list(range(len(avals))), in_place_of_refs=-1)
        if isinstance(result, list):
            result = tuple(result)
        if not isinstance(result, tuple):
            raise TypeError(
                f"Custom VJP bwd rule for function {self.name} must produce a tuple with one "
                f"entry for each differentiated argument, but got {result!r:.80}"
            )
        if len(result) != len(arguments):
            raise TypeError(
                f"Custom VJP bwd rule for function {self.name} must produce a tuple of length "
                f"equal to the number of differentiated arguments, {len(arguments)}, but got a "
                f"tuple of length {len(result)}: {result!r:.80}"
            )
        cts: list[Any] = [None] * len(avals)
        what = (
            f"Custom VJP bwd rule for function {self.name} must produce cotangents with the "
            f"shapes and dtypes of the arguments, but not that of argument "
        )
        for k, (given, places) in enumerate(zip(result, arguments, strict=True)):
            if given is None:
                continue
            leaves, got = tree.flatten(given, is_leaf=lambda x: x is None)
            numbers, expected = tree.flatten(places)
            check_tree(
                got, expected,
                f"Custom VJP bwd rule for function {self.name}: the cotangent of argument {k} "
                f"must have the tree of that argument, but they differ:",
            )  # fmt: skip
            for (path, i), ct in zip(tree.leaves_with_path(places), leaves, strict=True):
                if i < 0:
                    self._check_no_cotangent(ct, f"{k}{tree.keystr(path)}")
                    continue
                cts[i] = fitting(ct, avals[i], f"{k}{tree.keystr(path)}", what)
            assert len(numbers) == len(leaves)
        return cts

    def _check_no_cotangent(self, ct: Any, where: str) -> None:
        if ct is not None:
            raise TypeError(
                f"Custom VJP bwd rule for function {self.name} must produce None for argument "
                f"{where}, which is a Ref, but got {ct!r:.80}: write to the Ref instead"
            )

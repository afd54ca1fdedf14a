"""`custom_jvp`: a function with a rule of forward differentiation of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jx_core import tree, typeof
from jx_core.custom_functions import CustomFunction, FlatCall, check_tree, flat_results
from jx_core.ops.control_flow.custom import CustomJVP, custom_jvp_call_p
from jx_core.tracebacks import filtered

from .custom_functions import fitting, full_tangents
from .tables import add_tangents

_NO_TANGENT = "a Ref has no tangent here"


class custom_jvp(CustomFunction):
    """Give a function a rule of forward differentiation, which serves reverse mode too.

    Args:
        fun: takes and returns pytrees of arrays.
        nondiff_argnums: positions of arguments that are no arrays, or are not differentiated:
            they are handed on as they are, and come first among the rule's arguments.
        nondiff_argnames: the same by name.

    The rule is defined with `defjvp` or `defjvps`. Reverse mode transposes it, so its tangents
    must be computed linearly.

    >>> from jx_ad import grad
    >>> from jx_core import lax
    >>> @custom_jvp
    ... def log1pexp(x):
    ...     return lax.log(lax.add(1.0, lax.exp(x)))
    >>> @log1pexp.defjvp
    ... def _(primals, tangents):
    ...     (x,), (t,) = primals, tangents
    ...     return log1pexp(x), lax.mul(t, lax.sub(1.0, lax.div(1.0, lax.add(1.0, lax.exp(x)))))
    >>> float(grad(log1pexp)(0.0))
    0.5
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        nondiff_argnums: Sequence[int] = (),
        nondiff_argnames: Sequence[str] = (),
    ) -> None:
        super().__init__(fun, nondiff_argnums, nondiff_argnames)
        self.jvp: Callable[..., Any] | None = None
        self.symbolic_zeros = False

    def defjvp(self, jvp: Callable[..., Any], symbolic_zeros: bool = False) -> Callable[..., Any]:
        """Define the rule; may be used as a decorator.

        Args:
            jvp: `jvp(*nondiff_args, primals, tangents)` gives `(out, tangent_out)`. Both tuples
                have an entry for each differentiated argument.
            symbolic_zeros: whether the rule wants `SymbolicZero`s where tangents are zero, in
                place of arrays. A rule that closes over traced values gets arrays all the same
                where its function is called in a program, for it is made a program then.

        Returns:
            `jvp`.

        >>> from jx_ad import grad
        >>> from jx_core import lax
        >>> @custom_jvp
        ... def root(x):
        ...     return lax.sqrt(x)
        >>> @root.defjvp
        ... def _(primals, tangents):
        ...     out = root(*primals)
        ...     return out, lax.div(tangents[0], lax.mul(2.0, out))
        >>> float(grad(root)(4.0))
        0.25
        """
        self.jvp = jvp
        self.symbolic_zeros = symbolic_zeros
        self._names.forget()
        return jvp

    def defjvps(self, *jvps: Callable[..., Any] | None) -> None:
        """Define the rule by one function for each argument.

        Args:
            jvps: each `f(t, out, *primals)` gives what the tangent `t` of its argument
                contributes to the result's; None for an argument that contributes nothing.

        Raises:
            TypeError: there are `nondiff_argnums`, or the result is no single array.

        >>> from jx_ad import grad
        >>> from jx_core import lax
        >>> @custom_jvp
        ... def product(x, y):
        ...     return lax.mul(x, y)
        >>> product.defjvps(lambda t, out, x, y: lax.mul(t, y), None)  # y counts as a constant
        >>> [float(g) for g in grad(product, argnums=(0, 1))(2.0, 3.0)]
        [3.0, 0.0]
        """
        if self._names.nondiff:
            raise TypeError("Can't use ``defjvps`` with ``nondiff_argnums``.")

        def jvp(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
            out = self(*primals)
            total = None
            for f, t in zip(jvps, tangents, strict=True):
                if f is not None:
                    term = f(t, out, *primals)
                    total = term if total is None else tree.map(add_tangents, total, term)
            if total is None:
                total = tree.map(lambda o: o * 0, out)
            return out, total

        self.defjvp(jvp)

    @filtered
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.jvp is None:
            raise AttributeError(
                f"No JVP defined for custom_jvp function {self._names.name} using defjvp."
            )
        return self._apply(custom_jvp_call_p, _Rules, (self.jvp,), args, kwargs)


class _Rules(FlatCall, CustomJVP):
    """One call's function and rule, flat."""

    def jvp(
        self,
        active: Sequence[bool],
        consts: Sequence[Any],
        primals: Sequence[Any],
        tangents: Sequence[Any],
    ) -> tuple[list[Any], list[Any]]:
        owner, split = self.owner, self.split
        avals = [typeof(p) for p in primals]
        full = full_tangents(avals, active, tangents, owner.symbolic_zeros)
        assert owner.jvp is not None
        result = owner.jvp(
            *split.nondiff, split.unflatten(primals), split.unflatten(full, _NO_TANGENT)
        )
        if not (isinstance(result, (tuple, list)) and len(result) == 2):
            raise TypeError(
                f"Custom JVP rule for function {self.name} must produce a pair (list or tuple of "
                f"length two) representing primal and tangent outputs, but got {result!r:.80}"
            )
        out, tangent = result
        outs, out_tree = flat_results(out, f"the JVP rule of {self.name}")
        self._check_primals(out_tree)
        moved, tangent_tree = tree.flatten(tangent, is_leaf=lambda x: x is None)
        check_tree(
            tangent_tree, out_tree,
            f"Custom JVP rule for function {self.name} must produce primal and tangent outputs "
            f"with equal container (pytree) structures, but they differ:",
        )  # fmt: skip
        what = (
            f"Custom JVP rule for function {self.name} must produce primal and tangent outputs "
            f"with corresponding shapes and dtypes, but not those of result"
        )
        paths = [tree.keystr(path) for path, _ in tree.leaves_with_path(out)]
        return outs, [
            fitting(t, typeof(o), where, what)
            for t, o, where in zip(moved, outs, paths, strict=True)
        ]

    def _check_primals(self, out_tree: Any) -> None:
        if self.out_tree is None:
            self.out_tree = out_tree
        check_tree(
            out_tree, self.out_tree,
            f"Custom JVP rule for function {self.name} must produce a pair whose first element is "
            f"like the function's own result, but the (pytree) structures differ:",
        )  # fmt: skip

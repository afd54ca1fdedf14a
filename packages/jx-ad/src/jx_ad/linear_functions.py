"""The linear functions that `linearize` and `vjp` return: pytrees whose leaves are residuals.

As pytrees they cross the boundaries of `jit`, `vmap` and `scan`, in and out. One that has not is
run on its tape; one that has is a program and its residuals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ClosedJaxpr, dtypes, eval_jaxpr, tree, tree_util, typeof
from jx_core.lax import convert_element_type
from jx_core.references import AbstractRef, Ref, held_type
from jx_core.tracebacks import filtered

from .ad import GradValue
from .refs import (
    bound_refs,
    hand_out,
    ref_cotangents,
    tangent_values,
    write_tangents,
)
from .tangents import check_tangent, is_differentiable, zeros
from .tape import LinearMap, transpose_flat


class _Program:
    """A linear map as a program and its residuals: a `LinearMap` that has been a pytree."""

    def __init__(self, closed: ClosedJaxpr, residuals: Sequence[Any], mask: Sequence[bool]) -> None:
        self.closed, self.residuals, self.mask = closed, list(residuals), tuple(mask)

    def forward(self, tangents: Sequence[Any]) -> list[Any]:
        """The output tangents, None for those that are always zero."""
        moved = iter(
            eval_jaxpr(self.closed.jaxpr, self.closed.consts, *self.residuals, *tangents)
        )
        return [next(moved) if on else None for on in self.mask]

    def backward(self, cotangents: Sequence[Any]) -> list[Any]:
        """The input cotangents, None for zero ones."""

        def fun(*tangents: Any) -> list[Any]:
            return eval_jaxpr(self.closed.jaxpr, self.closed.consts, *self.residuals, *tangents)

        avals = self.closed.in_avals[len(self.residuals) :]
        moving = [c for c, on in zip(cotangents, self.mask, strict=True) if on]
        return transpose_flat(fun, avals, moving)


class _LinearFunction:
    """A linear map between tangents, or cotangents, of pytrees.

    Attributes:
        in_tree, in_types: the tree and the types of the differentiated function's arguments.
        out_tree, out_avals: those of its results.
    """

    def __init__(
        self, linear: Any, in_tree: Any, in_types: Any, out_tree: Any, out_avals: Any
    ) -> None:
        self._linear = linear
        self.in_tree, self.in_types = in_tree, tuple(in_types)
        self.out_tree, self.out_avals = out_tree, tuple(out_avals)


class JVP(_LinearFunction):
    """The function from input tangents to output tangents that `linearize` returns."""

    @filtered
    def __call__(self, *tangents: Any) -> Any:
        flat, tangent_tree = tree.flatten(tangents)
        if tangent_tree != self.in_tree:
            raise TypeError(
                f"Tangent values for the linearized function must have the same tree structure "
                f"as the primal inputs: expected {self.in_tree}, got {tangent_tree}"
            )
        in_avals = [held_type(t) for t in self.in_types]
        places = [i for i, t in enumerate(self.in_types) if type(t) is AbstractRef]
        flat, refs = tangent_values(places, flat, "the linearized function")
        for aval, t in zip(in_avals, flat, strict=True):
            check_tangent(Typed(aval), t, "the linearized function")
        moving = [t for t, a in zip(flat, in_avals, strict=True) if is_differentiable(a)]
        results = self._linear.forward(moving)
        if refs:
            write_tangents(refs, results[len(self.out_avals) :])
            del results[len(self.out_avals) :]
        full = [zeros(a) if t is None else t for t, a in zip(results, self.out_avals, strict=True)]
        return tree.unflatten(self.out_tree, full)

    def __repr__(self) -> str:
        return f"<linear function from {self.in_tree} to {self.out_tree}>"


class Typed:
    """Something that has a type only, for checks of arguments against it."""

    def __init__(self, aval: Any) -> None:
        self.aval = aval


class VJP(_LinearFunction):
    """The function from output cotangents to input cotangents that `vjp` returns."""

    def __init__(
        self,
        linear: Any,
        in_tree: Any,
        in_types: Any,
        out_tree: Any,
        out_avals: Any,
        bound: Sequence[Any] = (),
    ) -> None:
        super().__init__(linear, in_tree, in_types, out_tree, out_avals)
        self.bound = tuple(bound) or (GradValue(),) * len(self.in_types)

    def with_refs(self, *entries: Any) -> VJP:
        """The same function, but with gradients added to Refs.

        Args:
            entries: for each argument of the differentiated function, or each leaf of it: a Ref
                that its gradient is added to, `jx.ad.GradValue()` to return it as usual, or
                `jx.ad.DontWant()`. An argument that is a Ref itself needs a Ref: its value is
                the cotangent of the argument's last value, and becomes that of its first.

        Returns:
            A function of a cotangent. In the places of gradients in Refs it returns
            `jx.ad.GradRef()`, in those of unwanted ones `jx.ad.DidntWant()`.

        Raises:
            TypeError, ValueError: an entry is something else, or a Ref of another type.

        >>> from jx_ad import vjp
        >>> from jx_core import lax
        >>> from jx_core.ref import new_ref
        >>> total = new_ref(0.0)
        >>> for x in (1.0, 2.0):
        ...     _ = vjp(lambda x: lax.mul(x, x), x)[1].with_refs(total)(1.0)
        >>> total
        Ref(6., dtype=float32)
        """
        bound = bound_refs(entries, self.in_tree, self.in_types)
        return VJP(
            self._linear, self.in_tree, self.in_types, self.out_tree, self.out_avals, bound
        )

    @filtered
    def __call__(self, *cotangent: Any) -> Any:
        if len(cotangent) != 1:
            raise TypeError(
                f"The function returned by `jx.vjp` takes one argument, a cotangent with the "
                f"tree structure of the output {self.out_tree}; got {len(cotangent)} arguments"
            )
        flat = check_cotangent(cotangent[0], self.out_tree, self.out_avals)
        flat += ref_cotangents(self.in_types, self.bound)
        results = iter(self._linear.backward(flat))
        cts = [next(results) if is_differentiable(held_type(t)) else None for t in self.in_types]
        return tree.unflatten(self.in_tree, hand_out(self.in_types, self.bound, cts))

    def __repr__(self) -> str:
        return f"<vjp function from {self.out_tree} to {self.in_tree}>"


def _flatten(f: _LinearFunction) -> tuple[Any, Any]:
    linear = f._linear
    if isinstance(linear, LinearMap):
        closed, residuals = linear.to_jaxpr(lift_constants=True)
        linear = _Program(closed, residuals, [o is not None for o in linear.outputs])
    fields = f.in_tree, f.in_types, f.out_tree, f.out_avals
    bound = getattr(f, "bound", ())
    refs = [x for x in bound if type(x) is Ref]
    words = tuple([None if type(x) is Ref else x for x in bound])
    return (linear.residuals, refs), (linear.closed, linear.mask, fields, words)


def _unflatten_jvp(static: Any, children: Any) -> JVP:
    closed, mask, fields, _ = static
    return JVP(_Program(closed, children[0], mask), *fields)


def _unflatten_vjp(static: Any, children: Any) -> VJP:
    closed, mask, (in_tree, in_types, out_tree, out_avals), words = static
    residuals, refs = children[0], iter(children[1])
    bound = [next(refs) if word is None else word for word in words]
    program = _Program(closed, residuals, mask)
    return VJP(program, in_tree, in_types, out_tree, out_avals, bound)


tree_util.register_pytree_node(JVP, _flatten, _unflatten_jvp)
tree_util.register_pytree_node(VJP, _flatten, _unflatten_vjp)


def check_cotangent(cotangent: Any, out_tree: Any, out_avals: Sequence[Any]) -> list[Any]:
    """The leaves of a cotangent that fits outputs of these types, None for `float0` ones.

    Raises:
        TypeError, ValueError: its tree, or a leaf's dtype or shape, is another.
    """
    flat, ct_tree = tree.flatten(cotangent)
    if ct_tree != out_tree:
        raise ValueError(
            f"unexpected tree structure of argument to vjp function: got {ct_tree}, but expected "
            f"to match {out_tree}"
        )
    result: list[Any] = []
    for ct, aval in zip(flat, out_avals, strict=True):
        if not is_differentiable(aval):
            if getattr(ct, "dtype", None) != dtypes.float0:
                raise ValueError(
                    f"unexpected JAX type (dtype) for argument to vjp function: the output has "
                    f"dtype {aval.dtype.name}, so its cotangent must be float0, got {ct!r:.60}; "
                    f"np.zeros(shape, jx.dtypes.float0) makes one"
                )
            result.append(None)
            continue
        have = typeof(ct)
        if have.shape != aval.shape or (have.dtype != aval.dtype and not have.weak_type):
            raise ValueError(
                f"unexpected JAX type (e.g. shape/dtype) for argument to vjp function: got "
                f"{have.str_short()}, but expected {aval.str_short()} because the corresponding "
                f"output of the function had JAX type {aval.str_short()}"
            )
        result.append(_cast(ct, aval))
    return result


def _cast(ct: Any, aval: Any) -> Any:
    have = typeof(ct)
    if have.dtype == aval.dtype and have.weak_type <= aval.weak_type:
        return ct
    return convert_element_type(ct, aval.dtype)

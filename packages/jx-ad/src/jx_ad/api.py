"""The public functions of differentiation: `jvp`, `linearize`, `vjp`, `linear_transpose`.

Gradients and Jacobians, built on these, are in `gradients.py` and `jacobians.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jx_core import ShapedArray, dtypes, tree, typeof
from jx_core.references import held_type, type_of
from jx_core.staging import check_outputs, function_name
from jx_core.tracebacks import hide_internal_frames

from .forward import jvp_flat
from .linear_functions import JVP, VJP, Typed, check_cotangent
from .refs import ActiveRefs, active_refs, tangent_values, write_tangents
from .tangents import check_tangent, is_differentiable, zeros
from .tape import linearize_flat, record_linear


class FlatFunction:
    """A function of pytrees as one of flat sequences, which remembers its result's tree."""

    def __init__(
        self,
        fun: Callable[..., Any],
        in_tree: Any,
        has_aux: bool,
        what: str,
        refs: ActiveRefs | None = None,
    ) -> None:
        self.fun = fun
        self.refs = refs  # their last values are further results
        self.in_tree = in_tree
        self.has_aux = has_aux
        self.what = what
        self.out_tree: Any = None
        self.aux: Any = None

    def __call__(self, *flat: Any) -> list[Any]:
        if self.refs is not None:
            given, inside = self.refs.enter(flat)
            return [*self._results(given), *[ref[...] for _, ref, _ in inside.refs]]
        return self._results(flat)

    def _results(self, flat: Sequence[Any]) -> list[Any]:
        out = self.fun(*tree.unflatten(self.in_tree, flat))
        if self.has_aux:
            if not (isinstance(out, (tuple, list)) and len(out) == 2):
                raise TypeError(
                    f"{self.what} with has_aux=True expects the function to return a pair "
                    f"(output, auxiliary data), but {function_name(self.fun)} returned "
                    f"{type(out).__name__}"
                )
            out, self.aux = out
        leaves, self.out_tree = tree.flatten(out)
        check_outputs(leaves, self.out_tree, function_name(self.fun))
        return leaves

    def auxiliary(self, trace_values: Callable[[Any], Any]) -> Any:
        return tree.map(trace_values, self.aux)


def strip(x: Any) -> Any:
    """An auxiliary value without the derivative it carries out of a finished trace."""
    from .forward import JVPTracer

    while type(x) is JVPTracer and x._trace.finished:
        x = x.primal
    return x


def require_callable(fun: Any, what: str) -> None:
    """Raise a TypeError unless `fun` can be called."""
    if not callable(fun):
        raise TypeError(f"{what} expects a callable as its first argument, got {fun!r}")


def jvp(
    fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> Any:
    """The value of `fun` and its directional derivative (forward mode).

    Args:
        fun: takes and returns pytrees of arrays.
        primals: its positional arguments, a tuple or list.
        tangents: the direction: the same tree, shapes and dtypes (`float0` for integers).
        has_aux: whether `fun` returns a pair of output and auxiliary data.

    Returns:
        `(output, output_tangent)`, and the auxiliary data third if `has_aux`.

    Raises:
        TypeError: trees or dtypes of primals and tangents differ.
        ValueError: their shapes differ.

    >>> from jx_core import lax
    >>> y, dy = jvp(lax.sin, (0.0,), (1.0,))
    >>> float(y), float(dy)
    (0.0, 1.0)
    """
    try:
        require_callable(fun, "jvp")
        for name, value in (("primals", primals), ("tangents", tangents)):
            if not isinstance(value, (tuple, list)):
                raise TypeError(
                    f"primal and tangent arguments to jx.jvp must be tuples or lists; "
                    f"{name} is a {type(value).__name__}"
                )
        flat, in_tree = tree.flatten(tuple(primals))
        flat_tangents, tangent_tree = tree.flatten(tuple(tangents))
        if in_tree != tangent_tree:
            raise TypeError(
                f"primal and tangent arguments to jx.jvp must have the same tree structure; "
                f"primals have tree structure {in_tree} whereas tangents have tree structure "
                f"{tangent_tree}."
            )
        refs = active_refs(flat, function_name(fun))
        tangent_refs: list[Any] = []
        if refs is not None:
            flat = refs.values
            flat_tangents, tangent_refs = tangent_values(refs.places, flat_tangents, "jx.jvp")
        for p, t in zip(flat, flat_tangents, strict=True):
            check_tangent(p, t, "jx.jvp")
        active = [
            t if is_differentiable(typeof(p)) else None
            for p, t in zip(flat, flat_tangents, strict=True)
        ]
        function = FlatFunction(fun, in_tree, has_aux, "jvp", refs)
        outs, out_tangents = jvp_flat(function, flat, active)
        if refs is not None:
            outs = refs.write_back(outs)
            write_tangents(tangent_refs, out_tangents[len(outs) :])
            del out_tangents[len(outs) :]
        full = instantiate_all(out_tangents, outs)
        result = tree.unflatten(function.out_tree, outs), tree.unflatten(function.out_tree, full)
        return (*result, function.auxiliary(strip)) if has_aux else result
    except Exception as error:
        hide_internal_frames(error)
        raise


def instantiate_all(tangents: Sequence[Any], primals: Sequence[Any]) -> list[Any]:
    """`tangents` with zeros in place of None."""
    return [
        zeros(typeof(p)) if t is None else t for t, p in zip(tangents, primals, strict=True)
    ]


def linearize(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of `fun` at `primals` and its derivative there, as a function of tangents.

    Args:
        fun: takes and returns pytrees of arrays.
        primals: the point.
        has_aux: whether `fun` returns a pair of output and auxiliary data.

    Returns:
        `(output, f_jvp)`, and the auxiliary data if `has_aux`. `f_jvp` takes tangents like
        `primals` and gives the output's tangent, without evaluating `fun` again. It is a pytree
        of its residuals.

    >>> from jx_core import lax
    >>> y, f_jvp = linearize(lax.sin, 0.0)
    >>> float(f_jvp(2.0))
    2.0
    """
    try:
        require_callable(fun, "linearize")
        flat, in_tree = tree.flatten(primals)
        in_types = [type_of(p) for p in flat]
        active = [is_differentiable(held_type(t)) for t in in_types]
        refs = active_refs(flat, function_name(fun))
        function = FlatFunction(fun, in_tree, has_aux, "linearize", refs)
        outs, linear = linearize_flat(function, flat if refs is None else refs.values, active)
        outs = outs if refs is None else refs.write_back(outs)
        out_avals = [typeof(o) for o in outs]
        f_jvp = JVP(linear, in_tree, in_types, function.out_tree, out_avals)
        out = tree.unflatten(function.out_tree, outs)
        return (out, f_jvp, function.auxiliary(strip)) if has_aux else (out, f_jvp)
    except Exception as error:
        hide_internal_frames(error)
        raise


def vjp(
    fun: Callable[..., Any], *primals: Any, has_aux: bool = False, reduce_axes: Sequence[Any] = ()
) -> Any:
    """The value of `fun` and the function that pulls cotangents back (reverse mode).

    Args:
        fun: takes and returns pytrees of arrays.
        primals: the point.
        has_aux: whether `fun` returns a pair of output and auxiliary data.
        reduce_axes: must be empty; kept from JAX's signature.

    Returns:
        `(output, f_vjp)`, and the auxiliary data if `has_aux`. `f_vjp` takes one cotangent
        like the output and returns a tuple of cotangents like `primals`. It is a pytree of its
        residuals, so that a compiled function can return it or take it.

    >>> from jx_core import lax
    >>> y, f_vjp = vjp(lax.mul, 3.0, 4.0)
    >>> [float(ct) for ct in f_vjp(1.0)]
    [4.0, 3.0]
    """
    try:
        require_callable(fun, "vjp")
        if reduce_axes:
            raise TypeError(f"vjp: reduce_axes is not supported, got {reduce_axes!r}")
        flat, in_tree = tree.flatten(primals)
        in_types = [type_of(p) for p in flat]
        refs = active_refs(flat, function_name(fun))
        function = FlatFunction(fun, in_tree, has_aux, "vjp", refs)
        outs, linear = linearize_flat(function, flat if refs is None else refs.values)
        outs = outs if refs is None else refs.write_back(outs)
        f_vjp = VJP(linear, in_tree, in_types, function.out_tree, [typeof(o) for o in outs])
        out = tree.unflatten(function.out_tree, outs)
        return (out, f_vjp, function.auxiliary(strip)) if has_aux else (out, f_vjp)
    except Exception as error:
        hide_internal_frames(error)
        raise


def linear_transpose(
    fun: Callable[..., Any], *primals: Any, reduce_axes: Sequence[Any] = ()
) -> Callable[[Any], Any]:
    """The transpose of a function that is linear in its arguments.

    Args:
        fun: a linear function of pytrees of arrays.
        primals: arrays, or anything with `shape` and `dtype`; only types matter.
        reduce_axes: must be empty; kept from JAX's signature.

    Returns:
        A function from one cotangent like the output to a tuple like `primals`.

    >>> from jx_core import lax
    >>> t = linear_transpose(lambda x: lax.mul(x, 3.0), 1.0)
    >>> float(t(2.0)[0])
    6.0
    """
    from jx_core import eval_shape

    require_callable(fun, "linear_transpose")
    if reduce_axes:
        raise TypeError(f"linear_transpose: reduce_axes is not supported, got {reduce_axes!r}")
    flat, in_tree = tree.flatten(primals)
    avals = [_described(p) for p in flat]
    for a in avals:
        if not is_differentiable(a):
            raise TypeError(
                f"linear_transpose only supports [float or complex] inputs, got {a.dtype.name}"
            )
    out_shapes = eval_shape(fun, *tree.unflatten(in_tree, [Typed(a) for a in avals]))
    out_avals = [s.aval for s in tree.leaves(out_shapes)]
    out_tree = tree.structure(out_shapes)
    function = FlatFunction(fun, in_tree, False, "linear_transpose")

    def transposed(cotangent: Any) -> Any:
        cts = check_cotangent(cotangent, out_tree, out_avals)
        results = record_linear(function, avals).backward(cts)
        full = [zeros(a) if c is None else c for c, a in zip(results, avals, strict=True)]
        return tree.unflatten(in_tree, full)

    return transposed


def _described(p: Any) -> Any:
    """The type of an array, or of what has no more than a shape and a dtype."""
    if hasattr(p, "aval") or not hasattr(p, "shape"):
        return typeof(p)
    return ShapedArray(p.shape, dtypes.canonicalize_dtype(p.dtype))

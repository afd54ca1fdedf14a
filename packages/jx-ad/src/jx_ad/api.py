"""The public functions of differentiation: `jvp`, `linearize`, `vjp`, `linear_transpose`.

Gradients and Jacobians, built on these, are in `gradients.py` and `jacobians.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jx_core import (
    ClosedJaxpr,
    ShapedArray,
    dtypes,
    eval_jaxpr,
    pullbacks,
    tree,
    tree_util,
    typeof,
)
from jx_core.lax import convert_element_type
from jx_core.staging import check_outputs, function_name
from jx_core.tracebacks import filtered, hide_internal_frames

from .forward import jvp_flat
from .tangents import check_tangent, is_differentiable, zeros
from .tape import LinearMap, linearize_flat, record_linear, transpose_flat


class FlatFunction:
    """A function of pytrees as one of flat sequences, which remembers its result's tree."""

    def __init__(self, fun: Callable[..., Any], in_tree: Any, has_aux: bool, what: str) -> None:
        self.fun = fun
        self.in_tree = in_tree
        self.has_aux = has_aux
        self.what = what
        self.out_tree: Any = None
        self.aux: Any = None

    def __call__(self, *flat: Any) -> list[Any]:
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
        for p, t in zip(flat, flat_tangents, strict=True):
            check_tangent(p, t, "jx.jvp")
        active = [
            t if is_differentiable(typeof(p)) else None
            for p, t in zip(flat, flat_tangents, strict=True)
        ]
        function = FlatFunction(fun, in_tree, has_aux, "jvp")
        outs, out_tangents = jvp_flat(function, flat, active)
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
        `primals` and gives the output's tangent, without evaluating `fun` again.

    >>> from jx_core import lax
    >>> y, f_jvp = linearize(lax.sin, 0.0)
    >>> float(f_jvp(2.0))
    2.0
    """
    try:
        require_callable(fun, "linearize")
        flat, in_tree = tree.flatten(primals)
        in_avals = [typeof(p) for p in flat]
        active = [is_differentiable(a) for a in in_avals]
        function = FlatFunction(fun, in_tree, has_aux, "linearize")
        outs, linear = linearize_flat(function, flat, active)
        out_avals = [typeof(o) for o in outs]
        f_jvp = _forward_function(linear, in_tree, in_avals, function.out_tree, out_avals)
        out = tree.unflatten(function.out_tree, outs)
        return (out, f_jvp, function.auxiliary(strip)) if has_aux else (out, f_jvp)
    except Exception as error:
        hide_internal_frames(error)
        raise


def _forward_function(
    linear: LinearMap,
    in_tree: Any,
    in_avals: Sequence[Any],
    out_tree: Any,
    out_avals: Sequence[Any],
) -> Callable[..., Any]:
    """The function from input tangents to output tangents that `linearize` returns."""

    @filtered
    def f_jvp(*tangents: Any) -> Any:
        flat_tangents, tangent_tree = tree.flatten(tangents)
        if tangent_tree != in_tree:
            raise TypeError(
                f"Tangent values for the linearized function must have the same tree structure "
                f"as the primal inputs: expected {in_tree}, got {tangent_tree}"
            )
        for aval, t in zip(in_avals, flat_tangents, strict=True):
            check_tangent(_Typed(aval), t, "the linearized function")
        moving = [
            t for t, a in zip(flat_tangents, in_avals, strict=True) if is_differentiable(a)
        ]
        results = linear.forward(moving)
        full = [zeros(a) if t is None else t for t, a in zip(results, out_avals, strict=True)]
        return tree.unflatten(out_tree, full)

    return f_jvp


class _Typed:
    """Something that has a type only, for checks of arguments against it."""

    def __init__(self, aval: Any) -> None:
        self.aval = aval


class VJP:
    """The function from output cotangents to input cotangents that `vjp` returns.

    A pytree whose leaves are the residuals, so it may cross `jit` boundaries.
    """

    def __init__(self, linear: Any, in_tree: Any, in_avals: Any, out_tree: Any, out_avals: Any):
        self._linear = linear
        self._static = (in_tree, tuple(in_avals), out_tree, tuple(out_avals))

    @filtered
    def __call__(self, *cotangent: Any) -> Any:
        in_tree, in_avals, out_tree, out_avals = self._static
        if len(cotangent) != 1:
            raise TypeError(
                f"The function returned by `jx.vjp` takes one argument, a cotangent with the "
                f"tree structure of the output {out_tree}; got {len(cotangent)} arguments"
            )
        flat = check_cotangent(cotangent[0], out_tree, out_avals)
        results = iter(self._linear.backward(flat))
        cts = [next(results) if is_differentiable(a) else None for a in in_avals]
        full = [zeros(a) if c is None else c for c, a in zip(cts, in_avals, strict=True)]
        return tree.unflatten(in_tree, full)

    def __repr__(self) -> str:
        in_tree, _, out_tree, _ = self._static
        return f"<vjp function from {out_tree} to {in_tree}>"


class _Program:
    """A linear map as a program and its residuals: a `LinearMap` that has been a pytree."""

    def __init__(self, closed: ClosedJaxpr, residuals: Sequence[Any], mask: Sequence[bool]) -> None:
        self.closed, self.residuals, self.mask = closed, list(residuals), tuple(mask)

    def backward(self, cotangents: Sequence[Any]) -> list[Any]:
        def fun(*tangents: Any) -> list[Any]:
            return eval_jaxpr(self.closed.jaxpr, self.closed.consts, *self.residuals, *tangents)

        avals = self.closed.in_avals[len(self.residuals) :]
        moving = [c for c, on in zip(cotangents, self.mask, strict=True) if on]
        return transpose_flat(fun, avals, moving)


def _flatten_vjp(f: VJP) -> tuple[Any, Any]:
    linear = f._linear
    if isinstance(linear, LinearMap):
        closed, residuals = linear.to_jaxpr(lift_constants=True)
        linear = _Program(closed, residuals, [o is not None for o in linear.outputs])
    return linear.residuals, (linear.closed, linear.mask, f._static)


def _unflatten_vjp(static: Any, residuals: Any) -> VJP:
    closed, mask, fields = static
    return VJP(_Program(closed, residuals, mask), *fields)


tree_util.register_pytree_node(VJP, _flatten_vjp, _unflatten_vjp)


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
    if typeof(ct).dtype == aval.dtype:
        return ct
    return convert_element_type(ct, aval.dtype)


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
        like the output and returns a tuple of cotangents like `primals`.

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
        in_avals = [typeof(p) for p in flat]
        function = FlatFunction(fun, in_tree, has_aux, "vjp")
        outs, linear = linearize_flat(function, flat)
        f_vjp = VJP(linear, in_tree, in_avals, function.out_tree, [typeof(o) for o in outs])
        out = tree.unflatten(function.out_tree, outs)
        return (out, f_vjp, function.auxiliary(strip)) if has_aux else (out, f_vjp)
    except Exception as error:
        hide_internal_frames(error)
        raise


def _flat_pullback(fun: Callable[..., list[Any]]) -> Callable[[list[Any], list[Any]], list[Any]]:
    def pull(primals: list[Any], cotangents: list[Any]) -> list[Any]:
        _, f_vjp = vjp(fun, *primals)
        return list(f_vjp(cotangents))

    return pull


pullbacks.vjp.append(_flat_pullback)


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
    out_shapes = eval_shape(fun, *tree.unflatten(in_tree, [_Typed(a) for a in avals]))
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

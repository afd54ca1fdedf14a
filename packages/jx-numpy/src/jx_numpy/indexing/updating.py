"""Updates that leave the array as it was: `x.at[index].set(values)` and its kin.

Updates of one block whose place is known to lie inside are done by `dynamic_update_slice`,
those at a mask by `select`, others by `scatter`. Eagerly an update is one compiled
dispatch. `add_at` and the like, the `.at` property and the refusal of `x[index] = values`
are here; how an index is read is said in `plan`.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from jx_core import compiled, dtypes, lax, operators
from jx_core.aval import typeof
from jx_core.clashes import marked
from jx_core.dispatch import CallSpec, make_callable, positions_of
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert
from jx_core.ops.indexing import (
    GatherScatterMode,
    ScatterDimensionNumbers,
    dynamic_slice_p,
    dynamic_update_slice_p,
    slice_p,
)
from jx_core.ops.shape import broadcast_in_dim_p, rev_p, squeeze_p
from jx_core.state import state
from jx_core.trace import EVAL

from ..operands import user_stacklevel
from .places import block_spans, block_starts, index_vectors, mode_of, takes_one_block
from .plan import BLOCK, WHOLE, Plan, check_mask_shape, plan_of
from .reading import read_at

_FILL = GatherScatterMode.FILL_OR_DROP
Shape = tuple[int, ...]

_COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "add": lax.add,
    "subtract": lax.sub,
    "multiply": lax.mul,
    "min": lax.min,
    "max": lax.max,
}
_SCATTER: dict[str, Callable[..., Any]] = {
    "set": lax.scatter,
    "add": lax.scatter_add,
    "subtract": lax.scatter_sub,
    "multiply": lax.scatter_mul,
    "min": lax.scatter_min,
    "max": lax.scatter_max,
}
# These divide by, or raise to, the product of the updates at a place, and 1 elsewhere.
_BY_PRODUCT: dict[str, Callable[[Any, Any], Any]] = {
    "divide": operators.divide,
    "power": operators.power,
}


# --- `.at` ---


class IndexUpdateHelper:
    """What `x.at` is: index it to say where to update, as in `x.at[2]`."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    def __getitem__(self, index: Any) -> IndexUpdateRef:
        return IndexUpdateRef(self.array, index)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.array!r})"


class IndexUpdateRef:
    """What `x.at[index]` is: a place in an array, to be read or written by its methods.

    All methods take these, by keyword:

        indices_are_sorted, unique_indices: promises on index arrays, which may save work.
            What happens where they are broken is not defined.
        mode: what becomes of places out of bounds. Updates there are dropped by default
            ("drop"), reads take the nearest place inside ("clip"); "fill" reads
            `fill_value` there, "promise_in_bounds" says that there are none.
        wrap_negative_indices: whether negative integers and entries of index arrays count
            from the end (bounds of slices always do).
    """

    __slots__ = ("array", "index")

    def __init__(self, array: Any, index: Any) -> None:
        self.array = array
        self.index = index

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.array!r}, {self.index!r})"

    def get(
        self,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        fill_value: Any = None,
        out_sharding: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Any:
        """`x[index]`, with a choice of what places out of bounds read.

        Args:
            fill_value: what they read under mode "fill": a number known beforehand. By
                default NaN for inexact dtypes, the least value of signed and the greatest
                of unsigned integers, True for booleans.

        >>> x = jnp.arange(3.0)
        >>> x.at[jnp.array([1, 5])].get(mode="fill", fill_value=-1.0).tolist()
        [1.0, -1.0]
        """
        _refuse_sharding("get", out_sharding)
        return read_at(
            self.array,
            self.index,
            mode,
            fill_value,
            indices_are_sorted,
            unique_indices,
            wrap_negative_indices,
        )

    def apply(
        self,
        func: Callable[[Any], Any],
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Any:
        """`x` with `func` applied to its elements at the index. Not differentiable.

        Args:
            func: takes and returns a scalar. An element that is pointed to several times
                has it applied as often.

        >>> jnp.arange(4.0).at[1:3].apply(jnp.square).tolist()
        [0.0, 1.0, 4.0, 3.0]
        """
        x, mode = self.array, mode_of(mode)
        clamp = mode not in (None, _FILL)
        plan, operands = plan_of(self.index, x.shape, clamp=clamp, wrap=wrap_negative_indices)
        wide = lax.expand_dims(x, plan.expand) if plan.expand else x
        places = index_vectors(plan, operands, wide.shape, wrap_negative_indices)
        known = places.sorted_and_unique
        out = lax.scatter_apply(
            wide,
            places.vectors,
            func,
            ScatterDimensionNumbers(places.window, places.collapsed, places.axes),
            update_shape=places.shape,
            indices_are_sorted=indices_are_sorted or known,
            unique_indices=unique_indices or known,
            mode=mode,
        )
        return squeeze_p.bind(out, dimensions=plan.expand) if plan.expand else out


_METHOD_DOC = """{summary}

        Args:
            values: a number, or an array or list that broadcasts to the shape of `x[index]`.
                They are computed with in the dtype that both promote to.

        Returns:
            A new array of the shape and dtype of `x`; quotients of integers are floats.

        Raises:
            ShapeError: `values` does not broadcast to the shape of `x[index]`.
            IndexError, TypeError: as for `x[index]`.

        >>> x = jnp.array([4.0, 9.0, 16.0])
        >>> x.at[1].{name}(2.0).tolist()
        {result}
        """


def _method(name: str, summary: str, result: str) -> None:
    """Give `IndexUpdateRef` an update method."""

    def method(
        self: IndexUpdateRef,
        values: Any,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        out_sharding: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Any:
        if out_sharding is not None:
            _refuse_sharding(name, out_sharding)
        return update(
            name,
            self.array,
            self.index,
            values,
            mode,
            indices_are_sorted,
            unique_indices,
            wrap_negative_indices,
        )

    method.__name__ = name
    method.__qualname__ = f"IndexUpdateRef.{name}"
    method.__doc__ = _METHOD_DOC.format(name=name, summary=summary, result=result)
    setattr(IndexUpdateRef, name, method)


_method("set", "`x` with the elements at the index replaced.", "[4.0, 2.0, 16.0]")
_method("add", "`x` with `values` added at the index.", "[4.0, 11.0, 16.0]")
_method("subtract", "`x` with `values` subtracted at the index.", "[4.0, 7.0, 16.0]")
_method("multiply", "`x` multiplied by `values` at the index.", "[4.0, 18.0, 16.0]")
_method("divide", "`x` divided by `values` at the index.", "[4.0, 4.5, 16.0]")
_method("power", "`x` raised to `values` at the index.", "[4.0, 81.0, 16.0]")
_method("min", "The minimum of `x` and `values` at the index.", "[4.0, 2.0, 16.0]")
_method("max", "The maximum of `x` and `values` at the index.", "[4.0, 9.0, 16.0]")
IndexUpdateRef.mul = IndexUpdateRef.multiply  # type: ignore[attr-defined]


def _refuse_sharding(name: str, out_sharding: Any) -> None:
    if out_sharding is not None:
        raise ValueError(
            f"x.at[].{name}: out_sharding is for meshes with explicit axes, got {out_sharding!r}; "
            f"jx.lax.with_sharding_constraint says how a result lies on devices"
        )


def refuse_assignment(x: Any, index: Any, values: Any) -> NoReturn:
    """`x[index] = values`, which raises: arrays are immutable.

    Raises:
        TypeError: always.
    """
    raise TypeError(
        "JAX arrays are immutable and do not support in-place item assignment. Instead of "
        "x[idx] = y, use x = x.at[idx].set(y) or another .at[] method"
    )


# --- updating ---


def update(
    method: str,
    x: Any,
    index: Any,
    values: Any,
    mode: Any = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    wrap: bool = True,
    donate: bool = False,
) -> Any:
    """`x.at[index].<method>(values)`; see `IndexUpdateRef`.

    With `donate`, which is for eager calls, `x` is gone afterwards: its buffer is the result's.
    """
    mode = _FILL if mode is None else mode_of(mode)
    if not hasattr(values, "shape") and type(values) not in (float, int, bool, complex):
        values = _array_of(values)
    _check_cast(x, values)
    eager = state.trace is EVAL
    mask = _mask_of(index)
    if mask is not None:
        check_mask_shape(mask, x.shape)
        if 0 in mask.shape:  # it selects nothing, and need not be of the array's shape
            index = np.zeros(mask.shape, np.bool_)
        elif np.ndim(values) <= len(x.shape) - mask.ndim:
            masked = update_masked
            if eager:
                masked = _update_masked_in_place if donate else _update_masked
            return masked(x, values, mask, method)
    plan, operands = plan_of(index, x.shape, clamp=mode is not _FILL, wrap=wrap)
    options = (plan, method, mode, bool(indices_are_sorted), bool(unique_indices), wrap)
    planned = update_plan
    if eager:
        planned = _update_plan_in_place if donate else _update_plan
    return planned(x, values, operands, *options)


def update_ref(method: str, x: Any, index: Any, values: Any, donate: bool) -> Any:
    """How the value `x` of a Ref is updated."""
    return update(method, x, index, values, donate=donate)


def _array_of(values: Any) -> Any:
    """The array that a list of updates stands for."""
    values = operators.as_operand("set", values) if hasattr(values, "__jax_array__") else values
    if isinstance(values, (list, tuple)):
        from ..creation import asarray

        return asarray(values)
    operators.as_operand("set", values)
    return values


def _mask_of(index: Any) -> Any:
    """The boolean array that an index consists of, known or traced, or None."""
    if type(index) is tuple and len(index) == 1:
        (index,) = index
    dtype = getattr(index, "dtype", None)
    if dtype is None or dtype != np.bool_ or not getattr(index, "ndim", 0):
        return None
    return index


def _check_cast(x: Any, values: Any) -> None:
    """Warn where converting `values` to the dtype of `x` may lose something."""
    to, of = x.aval, typeof(values)
    if to.dtype is not of.dtype and not _casts(to.dtype, of.dtype, of.weak_type):
        if isinstance(to.dtype, dtypes.ExtendedDType) or isinstance(of.dtype, dtypes.ExtendedDType):
            raise TypeError(
                f"x.at[].set: an array of dtype {to.dtype.name} can't hold values of dtype "
                f"{of.dtype.name}"
            )
        warnings.warn(
            f"scatter inputs have incompatible types: cannot safely cast value from "
            f"dtype={of.dtype.name} to dtype={to.dtype.name}. Convert it, as in "
            f"x.at[idx].set(values.astype(x.dtype)); this will be an error one day",
            FutureWarning,
            stacklevel=user_stacklevel(),
        )


@functools.lru_cache(maxsize=1024)
def _casts(to: Any, of: Any, weak: bool) -> bool:
    if isinstance(to, dtypes.ExtendedDType) or isinstance(of, dtypes.ExtendedDType):
        return bool(to == of)
    return bool(dtypes.lattice_result_type((to, False), (of, weak))[0] == to)


def update_plan(
    x: Any,
    values: Any,
    operands: Sequence[Any],
    plan: Plan,
    method: str,
    mode: GatherScatterMode,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    wrap: bool = True,
) -> Any:
    """`x` updated at the places of a plan, which is made with `clamp` unless mode is drop."""
    weak, dtype = x.aval.weak_type, x.dtype
    wide = _computed_in(method, x, values)
    values = operators.to_dtype(values, wide, weak and wide == dtype)
    if plan.expand:
        x = lax.expand_dims(x, plan.expand)
    strided = any(a.step > 1 for a in plan.axes)
    if not strided and takes_one_block(plan, mode):
        clip = mode is GatherScatterMode.CLIP
        out = _update_block(x, values, operands, plan, method, wrap, clip)
    else:
        out = _scattered(
            x, values, operands, plan, method, mode, indices_are_sorted, unique_indices, wrap
        )
    if plan.expand:
        out = squeeze_p.bind(out, dimensions=plan.expand)
    return convert(out, out.dtype, True) if weak else out


def _computed_in(method: str, x: Any, values: Any) -> Any:
    """The dtype in which an update is computed, before it is of that of `x` again.

    As in JAX: the dtype that both promote to. (Where it is divided by products, or raised to
    them, the products are computed in it.)
    """
    if method == "set":
        return x.dtype
    of, to = typeof(values), x.aval
    if of.dtype is to.dtype:
        return to.dtype
    return dtypes.lattice_result_type((to.dtype, to.weak_type), (of.dtype, of.weak_type))[0]


def _update_block(
    x: Any, values: Any, operands: Sequence[Any], plan: Plan, method: str, wrap: bool, clip: bool
) -> Any:
    shape = x.shape
    kept = [i for i, a in enumerate(plan.axes) if a.kind in (WHOLE, BLOCK)]
    spans = block_spans(plan, shape)
    values = _values_in_order(values, plan, tuple([spans[i] for i in kept]))
    if values.shape if hasattr(values, "shape") else ():
        values = broadcast_in_dim_p.bind(values, shape=spans, broadcast_dimensions=tuple(kept))
    elif spans:
        values = broadcast_in_dim_p.bind(values, shape=spans, broadcast_dimensions=())
    starts = block_starts(plan, operands, shape, wrap, clip)
    if method != "set":
        known = all(type(s) is int for s in starts)
        if spans == shape:
            old = x
        elif known:
            limits = tuple([s + n for s, n in zip(starts, spans)])
            old = slice_p.bind(x, start_indices=tuple(starts), limit_indices=limits, strides=None)
        else:
            old = dynamic_slice_p.bind(x, *starts, slice_sizes=spans)
        values = _combined(method, old, values)
    if method not in _BY_PRODUCT:
        values = convert(values, x.dtype, x.aval.weak_type)
    elif x.dtype != values.aval.dtype:  # quotients of integers are no integers, as in JAX
        x = convert(x, values.aval.dtype)
    if not starts:
        return values
    return dynamic_update_slice_p.bind(x, values, *starts)


def _combined(method: str, old: Any, values: Any) -> Any:
    """Old elements with updates; the latter may be of a dtype to which the former convert."""
    combine = _COMBINE.get(method)
    dtype = typeof(values).dtype
    if combine is None:
        same = dtype == old.aval.dtype
        return _BY_PRODUCT[method](old, values if same else convert(values, old.aval.dtype))
    return combine(old if old.aval.dtype == dtype else convert(old, dtype), values)


def _scattered(
    x: Any,
    values: Any,
    operands: Sequence[Any],
    plan: Plan,
    method: str,
    mode: GatherScatterMode,
    indices_are_sorted: bool,
    unique_indices: bool,
    wrap: bool,
) -> Any:
    if method in _BY_PRODUCT:
        ones = lax.full_like(x, 1)
        factor = _scattered(
            ones, values, operands, plan, "multiply", mode,
            indices_are_sorted, unique_indices, wrap,
        )  # fmt: skip
        return _combined(method, x, factor)
    places = index_vectors(plan, operands, x.shape, wrap)
    values = _values_in_order(values, plan, places.shape)
    if np.shape(values) != places.shape:
        values = broadcast_in_dim_p.bind(values, shape=places.shape, broadcast_dimensions=())
    if 0 in x.shape:
        return x
    known = places.sorted_and_unique
    weak, dtype, wide = x.aval.weak_type, x.dtype, typeof(values).dtype
    out = _SCATTER[method](
        x if wide == dtype else convert(x, wide),
        places.vectors,
        values,
        ScatterDimensionNumbers(places.window, places.collapsed, places.axes),
        indices_are_sorted=indices_are_sorted or known,
        unique_indices=unique_indices or known,
        mode=mode,
    )
    return out if wide == dtype else convert(out, dtype, weak)


def _values_in_order(values: Any, plan: Plan, shape: Shape) -> Any:
    """Updates as the result without NEW and reversed axes has them; scalars stay scalars.

    Args:
        values: of a shape that broadcasts to that of `x[index]`.
        plan: what the index means.
        shape: the result's shape without NEW axes.

    Raises:
        ShapeError: the shape does not broadcast.
    """
    given = np.shape(values)
    if not given:
        return values
    reverse, new = plan.arrangement(len(shape))
    sizes = iter(shape)
    full = tuple([1 if i in new else next(sizes) for i in range(len(shape) + len(new))])
    if len(given) > len(full) or any(n != 1 and n != d for n, d in zip(given[::-1], full[::-1])):
        raise ShapeError(
            f"Incompatible shapes for broadcasting: values of shape {given} do not go into the "
            f"shape {full} of x[index]:\n{marked([given, full])}"
        )
    if given != full:
        along = tuple(range(len(full) - len(given), len(full)))
        values = broadcast_in_dim_p.bind(values, shape=full, broadcast_dimensions=along)
    if new:
        values = squeeze_p.bind(values, dimensions=new)
    return rev_p.bind(values, dimensions=reverse) if reverse else values


def update_masked(x: Any, values: Any, mask: Any, method: str) -> Any:
    """`x` updated where `mask`, on its first axes, is True; `values` go with the others."""
    shape = x.shape
    weak, dtype = x.aval.weak_type, x.dtype
    wide = _computed_in(method, x, values)
    values = operators.to_dtype(values, wide, weak and wide == dtype)
    along = tuple(range(mask.ndim))
    if mask.ndim < len(shape):
        mask = broadcast_in_dim_p.bind(mask, shape=shape, broadcast_dimensions=along)
    given = np.shape(values)
    if any(n != 1 and n != d for n, d in zip(given[::-1], shape[::-1])):
        raise ShapeError(
            f"Incompatible shapes for broadcasting: values of shape {given} do not go into the "
            f"shape (n, {str(shape[len(along) :])[1:]} of x[mask]"
        )
    if given or method in ("set", *_BY_PRODUCT):
        tail = tuple(range(len(shape) - len(given), len(shape)))
        values = broadcast_in_dim_p.bind(values, shape=shape, broadcast_dimensions=tail)
    if method in _BY_PRODUCT:
        out = _combined(method, x, lax.select(mask, values, lax.full_like(values, 1)))
    else:
        values = values if method == "set" else _combined(method, x, values)
        out = lax.select(mask, convert(values, dtype, values.aval.weak_type), x)
    return convert(out, out.dtype, True) if weak else out


_PLAN_STATICS = ("plan", "method", "mode", "indices_are_sorted", "unique_indices", "wrap")
_update_masked = compiled(update_masked, static_argnames=("method",))
_update_plan = compiled(update_plan, static_argnames=_PLAN_STATICS)


def _in_place(fun: Callable[..., Any], statics: tuple[str, ...]) -> Callable[..., Any]:
    """`fun` compiled so that its result may take over the buffer of its first argument."""
    nums = positions_of(fun, statics)
    spec = CallSpec(
        fun, static_argnums=nums, static_argnames=statics, donate_argnums=(0,), transparent=True
    )
    return make_callable(spec)  # type: ignore[no-any-return]


_update_masked_in_place = _in_place(update_masked, ("method",))
_update_plan_in_place = _in_place(update_plan, _PLAN_STATICS)

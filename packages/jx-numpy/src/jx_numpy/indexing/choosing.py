"""Functions that choose elements by conditions: `where`, `select`, `choose`, `extract`.

`where` with one argument, and all that finds the places of elements, is in `searching`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import compiled, dtypes, lax, operators
from jx_core.dispatch import CallSpec, make_callable, positions_of
from jx_core.errors import ConcretizationTypeError
from jx_core.ops.elementwise import select_n_p
from jx_core.trace import to_concrete

from ..operands import (
    broadcast_shapes,
    broadcast_to,
    one_axis,
    promote_dtypes,
    refuse_out,
    type_of,
)
from .searching import nonzero
from .taking import take

__all__ = ["choose", "compress", "extract", "piecewise", "select", "where"]


# --- where ---


def _where(
    condition: Any, x: Any = None, y: Any = None, /, *, size: Any = None, fill_value: Any = None
) -> Any:
    """The elements of `x` where a condition holds, of `y` elsewhere.

    With the condition alone, as `nonzero`: where it holds.

    Args:
        condition: booleans; other numbers count as whether they are not 0.
        x, y: arrays or numbers. The three broadcast, and `x` and `y` are promoted. Gradients
            flow into both; a NaN in the one not chosen poisons them, so keep the arguments
            of functions in the branches inside their domains.
        size, fill_value: of the form with one argument; see `nonzero`.

    Returns:
        An array of the common shape and dtype.

    Raises:
        TypeError: an operand is no array; one of `x` and `y` is missing.
        ShapeError: shapes don't broadcast.
        ValueError: `size` or `fill_value` beside `x` and `y`.

    >>> x = jnp.array([-1.0, 2.0])
    >>> jnp.where(x > 0, x, 0.0).tolist()
    [0.0, 2.0]
    """
    if x is None and y is None:
        return nonzero(condition, size=size, fill_value=fill_value)
    if size is not None or fill_value is not None:
        raise ValueError(
            "size and fill_value arguments cannot be used in three-term where function."
        )
    return choice(condition, x, y)


def choice(condition: Any, x: Any, y: Any) -> Any:
    """`where` with three arguments, for use by other array functions."""
    test = type_of("where", condition, 0)
    a, b = type_of("where", x, 1), type_of("where", y, 2)
    if test.dtype != np.bool_:
        condition = operators.not_equal(condition, 0)
    if a is not b or not a.shape:
        dtype, weak = dtypes.promote_pair(a.dtype, a.weak_type, b.dtype, b.weak_type)
        x, y = operators.to_dtype(x, dtype, weak), operators.to_dtype(y, dtype, weak)
    if not test.shape == a.shape == b.shape:
        shape = broadcast_shapes("where", test.shape, a.shape, b.shape)
        x, y = broadcast_to(x, shape), broadcast_to(y, shape)
        if test.shape:  # a scalar condition chooses between whole arrays
            condition = broadcast_to(condition, shape)
    return select_n_p.bind(condition, y, x)


class _WhereSpec(CallSpec):
    """The staging of `where`: with one argument the result's shape is known by values only."""

    def miss(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        if len(args) < 3 or args[1] is None or args[2] is None:
            return self.fun(*args, **kwargs), None
        return super().miss(*args, **kwargs)


def _compiled_where() -> Any:
    _where.__name__ = _where.__qualname__ = "where"
    names = ("size", "fill_value")
    spec = _WhereSpec(
        _where,
        static_argnums=positions_of(_where, names),
        static_argnames=names,
        transparent=True,
    )
    return make_callable(spec)


where = _compiled_where()


# --- select, choose, piecewise ---


@compiled
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """The elements of the first of several arrays whose condition holds.

    Args:
        condlist: boolean arrays.
        choicelist: as many arrays; all broadcast and are promoted.
        default: what is taken where no condition holds.

    Raises:
        ValueError: the lists are empty, or differ in length.

    >>> x = jnp.arange(4)
    >>> jnp.select([x < 1, x < 3], [10, x], default=-1).tolist()
    [10, 1, 2, -1]
    """
    if len(condlist) != len(choicelist):
        raise ValueError(
            f"condlist must have length equal to choicelist ({len(condlist)} vs {len(choicelist)})"
        )
    if not condlist:
        raise ValueError("condlist must be non-empty")
    *choices, out = promote_dtypes("select", *choicelist, default)
    for condition, value in zip(reversed(condlist), reversed(choices)):
        out = choice(condition, value, out)
    return out


def choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Any:
    """Elements of several arrays, chosen by number.

    Args:
        a: integers: which of `choices` to take each element of.
        choices: a sequence of arrays, or an array whose first axis counts them; they
            broadcast with `a`.
        out: must be None.
        mode: what numbers out of bounds do: "raise" (not while tracing), "wrap", "clip".

    Raises:
        ValueError: a number is out of bounds, or `a` is not of integers.
        ConcretizationTypeError: mode "raise" with a traced `a`.

    >>> jnp.choose(jnp.array([1, 0, 1]), [jnp.array([1, 2, 3]), jnp.array([7, 8, 9])]).tolist()
    [7, 2, 9]
    """
    refuse_out("choose", out)
    aval = type_of("choose", a)
    if not dtypes.issubdtype(aval.dtype, np.integer):
        raise ValueError(f"`a` array must be integer typed, got {aval.dtype.name}")
    if hasattr(choices, "ndim"):
        choices = [choices[i] for i in range(choices.shape[0])]
    n = len(choices)
    if mode == "raise":
        known = to_concrete(a)
        if known is None:
            raise ConcretizationTypeError(
                a, "It decides whether jnp.choose raises; with mode='wrap' or 'clip' it does not."
            )
        known = np.asarray(known)
        if known.size and not (0 <= known.min() and known.max() < n):
            raise ValueError(
                f"invalid entry in choice array: entries must lie in [0, {n}), got "
                f"{known.min()} to {known.max()}; mode='wrap' or 'clip' brings them in"
            )
    elif mode not in ("wrap", "clip"):
        raise ValueError(f"mode={mode!r} not understood. Must be 'raise', 'wrap', or 'clip'")
    return _chosen(a, list(choices), mode)


@compiled(static_argnames=("mode",))
def _chosen(a: Any, choices: list[Any], mode: str) -> Any:
    n = len(choices)
    if mode == "wrap":
        a = operators.remainder(a, n)
    choices = promote_dtypes("choose", *choices)
    out = broadcast_to(choices[-1], broadcast_shapes("choose", *map(np.shape, (a, *choices))))
    for i in range(n - 2, -1, -1):
        out = choice(lax.le(a, i), choices[i], out)
    return out


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """A function given by others on parts of its domain.

    Args:
        x: an array.
        condlist: boolean arrays, or one; or an array whose slices along the first axis are the
            conditions.
        funclist: as many functions or numbers, or one more, which is for where no condition
            holds (0 by default). Functions are called on all of `x`.
        args, kw: further arguments of the functions.

    Raises:
        ValueError: the lengths of the lists don't go together.

    >>> x = jnp.arange(-2, 3)
    >>> jnp.piecewise(x, [x < 0, x >= 0], [lambda x: -x, lambda x: 10 * x]).tolist()
    [2, 1, 0, 10, 20]
    """
    aval = type_of("piecewise", x)
    if hasattr(condlist, "ndim"):
        is_one = condlist.shape == aval.shape and len(funclist) in (1, 2)
        condlist = [condlist] if is_one else list(condlist)
    conditions = list(condlist)
    n = len(conditions)
    if len(funclist) not in (n, n + 1):
        raise ValueError(
            f"with {n} condition(s), either {n} or {n + 1} functions are expected; got "
            f"{len(funclist)}"
        )
    functions = list(funclist)
    default = functions.pop() if len(functions) > n else 0

    def value(f: Callable[..., Any] | Any) -> Any:
        out = f(x, *args, **kw) if callable(f) else f
        return operators.to_dtype(out, aval.dtype)

    # Where several hold, the last one counts.
    out = value(default)
    for condition, function in zip(conditions, functions):
        out = where(condition, value(function), out)
    return out


# --- compress, extract ---


def compress(
    condition: Any,
    a: Any,
    axis: int | None = None,
    *,
    size: int | None = None,
    fill_value: Any = 0,
    out: None = None,
) -> Any:
    """The slices of an array along an axis where a condition holds.

    Args:
        condition: booleans of rank 1; may be shorter than the axis.
        a: an array.
        axis: the axis; None for the flattened array.
        size: how many slices to return; without it the condition must be concrete.
        fill_value: what fills the result where fewer are chosen than `size`.
        out: must be None.

    Raises:
        ValueError: the condition is not of rank 1, or holds beyond the axis' end.
        ConcretizationTypeError: a traced condition and no `size`.

    >>> jnp.compress(jnp.array([True, False, True]), jnp.array([[1, 2, 3]]), axis=1).tolist()
    [[1, 3]]
    """
    refuse_out("compress", out)
    test, aval = type_of("compress", condition, 0), type_of("compress", a, 1)
    if test.ndim != 1:
        raise ValueError(f"condition must be a 1D array, got shape {test.shape}")
    shape = aval.shape
    if axis is None:
        shape = (aval.size,)
        a, axis = lax.reshape(a, shape), 0
    else:
        axis = one_axis("compress", axis, len(shape))
    known = to_concrete(condition)
    if known is not None and np.asarray(known)[shape[axis] :].any():
        raise ValueError(
            f"condition contains entries that are out of bounds: it holds beyond the length "
            f"{shape[axis]} of axis {axis}"
        )
    (index,) = nonzero(condition, size=size, fill_value=shape[axis])
    if not shape[axis]:
        return lax.full((*shape[:axis], index.shape[0], *shape[axis + 1 :]), fill_value, aval.dtype)
    return take(a, index, axis, fill_value=fill_value)


def extract(condition: Any, arr: Any, *, size: int | None = None, fill_value: Any = 0) -> Any:
    """The elements of an array where a condition holds, as an array of rank 1.

    Args:
        condition: booleans, of the size of `arr`.
        arr: an array.
        size, fill_value: as for `compress`.

    >>> x = jnp.arange(6)
    >>> jnp.extract(x % 2 == 1, x).tolist()
    [1, 3, 5]
    """
    test = type_of("extract", condition, 0)
    return compress(lax.reshape(condition, (test.size,)), arr, size=size, fill_value=fill_value)

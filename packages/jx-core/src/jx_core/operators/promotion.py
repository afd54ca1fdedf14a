"""Bringing operands together as NumPy and JAX do: one dtype, shapes that broadcast.

Every array function starts here. `pair` and `pair_inexact`, for two operands, are on the
path of every traced operator: equal types, and Python numbers of the array's own kind,
pass with a comparison or two. Which dtypes combine to which is said in `jx_core.dtypes`.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..aval import ShapedArray, is_arraylike, typeof
from ..clashes import marked
from ..config import enable_x64, numpy_rank_promotion
from ..dtypes.values import PYTHON_SCALARS
from ..errors import KeyTypeError, ShapeError, TypePromotionError
from ..ops.elementwise.conversion import convert, convert_ndarray
from ..ops.kit import is_literal_of, keys_refused

__all__ = [
    "as_operand", "broadcast_shapes", "pair", "pair_inexact", "promote", "promote_dtypes",
    "promote_dtypes_inexact", "promote_inexact", "promote_shapes", "to_dtype", "to_inexact",
]  # fmt: skip

_x64 = enable_x64.state
_NUMBERS = (bool, int, float, complex)

INEXACT = frozenset(d for d in dtypes.NUMERIC_DTYPES if dtypes.issubdtype(d, np.inexact))


def as_operand(name: str, x: Any, position: int = 0) -> Any:
    """`x` if it is an array, tracer, NumPy value or number; `x.__jax_array__()` if it has that.

    Args:
        name: the function it was passed to, for the message.
        x: the argument.
        position: which argument it is, counted from 0.

    Raises:
        TypeError: it is anything else, such as a list, or a NumPy array of objects.

    >>> as_operand("add", 1.5)
    1.5
    """
    if hasattr(x, "aval") or isinstance(x, _NUMBERS):
        return x
    if isinstance(x, (np.ndarray, np.generic)):
        if dtypes.is_supported(x.dtype):
            return x
        raise TypeError(
            f"{name} requires arrays of numbers, booleans or typed keys, got {type(x).__name__} "
            f"of dtype {x.dtype} at position {position}."
        )
    unwrap = getattr(x, "__jax_array__", None)
    if unwrap is not None:
        return unwrap()
    if is_arraylike(x):
        return x
    raise TypeError(
        f"{name} requires ndarray or scalar arguments, got {type(x)} at position {position}."
    )


def to_inexact(dtype: Any) -> Any:
    """The dtype in which functions of real numbers compute on `dtype`: integers become floats.

    >>> to_inexact(np.dtype("int8"))
    dtype('float32')
    """
    if dtype in INEXACT:
        return dtype
    return dtypes.canonicalize_dtype(np.float64 if dtype.itemsize == 8 else np.float32)


def to_dtype(x: Any, dtype: Any, weak_type: bool = False) -> Any:
    """The operand `x` converted to a promoted dtype; as it is where it has that dtype.

    Python numbers become literals: weak ones where the result is weak or the dtype is the
    number's own, else NumPy scalars. Integers wrap around in narrower dtypes.

    Raises:
        OverflowError: a Python integer does not fit the widest dtype.
    """
    if type(x) in _NUMBERS:
        return _literal(x, dtype, weak_type)
    aval = typeof(x)
    if aval.dtype == dtype:
        return x
    if hasattr(x, "aval") or weak_type or not isinstance(x, (np.ndarray, np.generic)):
        return convert(x, dtype, weak_type)
    converted = convert_ndarray(np.asarray(x, aval.dtype), dtype)
    return converted if converted.ndim else converted[()]


def _literal(x: Any, dtype: Any, weak_type: bool) -> Any:
    if is_literal_of(x, dtype):
        return x
    if dtype in INEXACT and not weak_type and type(x) is not complex and -1e4 < x < 1e4:
        return dtype.type(x)  # what follows, for the most frequent case
    own = PYTHON_SCALARS[_x64.value][type(x)][0]
    if type(x) is int and not is_literal_of(x, own):
        raise OverflowError(
            f"the Python integer {x} is too large for {own.name}, the dtype of Python integers "
            f"here; give it as a float or, for 64 bits, set the option jx_enable_x64"
        )
    if weak_type:
        for python_type, (default, _) in PYTHON_SCALARS[_x64.value].items():
            if default == dtype:
                return python_type(x)
        return convert(x, dtype, True)
    with np.errstate(over="ignore"):  # beyond a narrow float dtype lies infinity
        return convert_ndarray(np.asarray(x, own), dtype)[()]


def _refuse_keys(name: str, avals: Sequence[ShapedArray]) -> None:
    """Raise a KeyTypeError if an operand of the function `name` has a dtype of typed keys."""
    if any(isinstance(a.dtype, dtypes.ExtendedDType) for a in avals):
        raise KeyTypeError(keys_refused(name, *(a.dtype for a in avals)))


# Two operands.


def pair(name: str, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Two operands with one dtype and shapes that fit together, and that dtype.

    As `promote`. Where nothing has to be done that is found out in a few comparisons.
    """
    a: Any = getattr(x, "aval", None)
    b: Any = getattr(y, "aval", None)
    if a is b:
        if a is not None:
            return x, y, a.dtype
    elif b is None:
        adopted = _adopt(y, a)
        if adopted is not None:
            return x, adopted, a.dtype
    elif a is None:
        adopted = _adopt(x, b)
        if adopted is not None:
            return adopted, y, b.dtype
    elif a.dtype == b.dtype and (a.shape == b.shape or not a.shape or not b.shape):
        return x, y, a.dtype
    return _combine_two(name, x, y, inexact=False)


def _adopt(number: Any, aval: Any) -> Any:
    """A Python number as it enters beside an array whose dtype it takes on, else None."""
    kind = type(number)
    own = PYTHON_SCALARS[_x64.value].get(kind)
    if own is None:
        return None
    dtype = aval.dtype
    if own[0] == dtype:
        return number if kind is not int or is_literal_of(number, dtype) else None
    # Integers among narrower ones may wrap around: that is the long road's business.
    if aval.weak_type or dtype not in INEXACT or not dtypes.can_hold(kind, dtype):
        return None
    # So are numbers that a narrow float dtype may not reach.
    return dtype.type(number) if kind is complex or -1e4 < number < 1e4 else None


def pair_inexact(name: str, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """As `pair`, with booleans and integers made floats."""
    a: Any = getattr(x, "aval", None)
    b: Any = getattr(y, "aval", None)
    if (a is None or a.dtype in INEXACT) and (b is None or b.dtype in INEXACT):
        if a is not None or b is not None:
            x, y, dtype = pair(name, x, y)
            if dtype in INEXACT:
                return x, y, dtype
    return _combine_two(name, x, y, inexact=True)


def _combine_two(name: str, x: Any, y: Any, inexact: bool) -> tuple[Any, Any, Any]:
    """The long road of `pair` and `pair_inexact`."""
    x, y = as_operand(name, x, 0), as_operand(name, y, 1)
    a, b = typeof(x), typeof(y)
    try:
        dtype, weak = dtypes.promote_pair(a.dtype, a.weak_type, b.dtype, b.weak_type)
    except TypePromotionError:
        _refuse_keys(name, (a, b))
        raise
    if inexact:
        _refuse_keys(name, (a, b))
        dtype = to_inexact(dtype)
    x, y = to_dtype(x, dtype, weak), to_dtype(y, dtype, weak)
    if a.shape and b.shape and a.shape != b.shape:
        x, y = promote_shapes(name, x, y)
    return x, y, dtype


# One operand, or any number.


def promote_dtypes(name: str, *operands: Any) -> list[Any]:
    """The operands converted to the dtype they combine to; shapes are left alone.

    Args:
        name: the function they were passed to, for messages.
        operands: arrays, tracers, NumPy values or numbers.

    Raises:
        TypeError: an operand is none of these.
        TypePromotionError: the dtypes do not combine.
        KeyTypeError: nor do they because there are typed keys among them.

    >>> promote_dtypes("add", np.float32([1, 2]), 3)
    [array([1., 2.], dtype=float32), np.float32(3.0)]
    """
    return _promote_dtypes(name, operands, lambda dtype: dtype)


def promote_dtypes_inexact(name: str, *operands: Any) -> list[Any]:
    """As `promote_dtypes`, with booleans and integers made floats.

    >>> promote_dtypes_inexact("sin", np.int32([1, 2]))
    [array([1., 2.], dtype=float32)]
    """
    if len(operands) == 1:
        aval = getattr(operands[0], "aval", None)
        if aval is not None and aval.dtype in INEXACT:
            return [operands[0]]
    return _promote_dtypes(name, operands, to_inexact)


def _promote_dtypes(name: str, operands: Sequence[Any], finish: Any) -> list[Any]:
    arrays = [as_operand(name, x, i) for i, x in enumerate(operands)]
    avals = [typeof(x) for x in arrays]
    try:
        dtype, weak = dtypes.lattice_result_type(*[(a.dtype, a.weak_type) for a in avals])
    except TypePromotionError:
        _refuse_keys(name, avals)
        raise
    if finish is to_inexact:
        _refuse_keys(name, avals)
    dtype = finish(dtype)
    return [to_dtype(x, dtype, weak) for x in arrays]


def promote_shapes(name: str, *operands: Any) -> list[Any]:
    """The operands broadcast to the shape they combine to, but for zero-dimensional ones.

    Those stay as they are: elementwise primitives take them beside any shape.

    Raises:
        ShapeError: the shapes do not broadcast.
        ValueError: the ranks differ, and the option numpy_rank_promotion is "raise".
    """
    shapes = [typeof(x).shape for x in operands]
    ranked = {s for s in shapes if s}
    if len(ranked) <= 1:
        return list(operands)
    if numpy_rank_promotion.value != "allow" and len({len(s) for s in ranked}) > 1:
        _object_to_rank_promotion(name, shapes)
    from ..ops.shape import broadcast_in_dim_p

    common = broadcast_shapes(name, *shapes)
    rank = len(common)
    return [
        broadcast_in_dim_p.bind(
            x, shape=common, broadcast_dimensions=tuple(range(rank - len(s), rank))
        )
        if s and s != common
        else x
        for x, s in zip(operands, shapes, strict=True)
    ]


def _object_to_rank_promotion(name: str, shapes: Sequence[tuple[int, ...]]) -> None:
    listed = " ".join(map(str, shapes))
    if numpy_rank_promotion.value == "raise":
        raise ValueError(
            f"{name} got operands of different ranks, of shapes {listed}, which are not "
            f"broadcast while the option jax_numpy_rank_promotion is 'raise'. Reshape them, as "
            f"in x[None, :], or set the option to 'allow'"
        )
    warnings.warn(
        f"{name} broadcasts operands of different ranks, of shapes {listed}. The option "
        f"jax_numpy_rank_promotion is 'warn'; 'allow' disables this warning",
        stacklevel=4,
    )


def broadcast_shapes(name: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that `shapes` broadcast to, by NumPy's rules.

    Raises:
        ShapeError: on some axis, counted from the last, two lengths differ and neither is 1.

    >>> broadcast_shapes("add", (2, 1), (3,))
    (2, 3)
    """
    common = _common_shape(shapes)
    if common is None:
        raise ShapeError(
            f"{name} got incompatible shapes for broadcasting: {', '.join(map(str, shapes))}. "
            f"Counted from the last axis, lengths must be equal or 1:\n{marked(shapes)}"
        )
    return common


@functools.lru_cache(maxsize=4096)
def _common_shape(shapes: tuple[tuple[int, ...], ...]) -> tuple[int, ...] | None:
    rank = max(map(len, shapes), default=0)
    common = [1] * rank
    for shape in shapes:
        for axis, length in enumerate(shape, rank - len(shape)):
            if length != 1 and length != common[axis]:
                if common[axis] != 1:
                    return None
                common[axis] = length
    return tuple(common)


def promote(name: str, *operands: Any) -> list[Any]:
    """The operands with a common dtype and shape (zero-dimensional ones aside).

    What `promote_dtypes` and `promote_shapes` do, one after the other.

    >>> [x.shape for x in promote("where", np.zeros((2, 3)), np.zeros(3), 1.0)[:2]]
    [(2, 3), (2, 3)]
    """
    if len(operands) == 2:
        x, y, _ = pair(name, *operands)
        return [x, y]
    return promote_shapes(name, *promote_dtypes(name, *operands))


def promote_inexact(name: str, *operands: Any) -> list[Any]:
    """As `promote`, with booleans and integers made floats."""
    if len(operands) == 2:
        x, y, _ = pair_inexact(name, *operands)
        return [x, y]
    return promote_shapes(name, *promote_dtypes_inexact(name, *operands))

"""What the families share: matching operands, and making elementwise primitives.

Elementwise primitives take operands of one dtype and of one shape, where a
zero-dimensional operand goes with any shape. That is what lets a Python number stay a
literal in the program. `pair` and `match` bring the operands of a `lax` function to
that form; they promote nothing but Python numbers (see `jx_core.operators` for that).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from .. import dtypes
from ..aval import ShapedArray, typeof
from ..clashes import marked
from ..config import enable_x64
from ..dtypes.values import PYTHON_SCALARS
from ..errors import KeyTypeError, ShapeError
from ..primitive import Primitive

# What functions of arrays take and give. Any array class or tracer will do, so to a type
# checker they are anything; to a reader they say what is meant.
Array: TypeAlias = Any
ArrayLike: TypeAlias = Any

_x64 = enable_x64.state
_PYTHON_SCALARS = (bool, int, float, complex)

# Classes of dtypes that operations accept, by the names used in error messages.
KINDS: dict[str, Callable[[Any], bool]] = {
    "bool": lambda d: d == np.bool_,
    "integer": lambda d: dtypes.issubdtype(d, np.integer),
    "signed": lambda d: dtypes.issubdtype(d, np.signedinteger),
    "unsigned": lambda d: dtypes.issubdtype(d, np.unsignedinteger),
    "floating": lambda d: dtypes.issubdtype(d, np.floating),
    "complex": lambda d: dtypes.issubdtype(d, np.complexfloating),
    "inexact": lambda d: dtypes.issubdtype(d, np.inexact),
    "number": lambda d: dtypes.issubdtype(d, np.number),
    "extended": lambda d: isinstance(d, dtypes.ExtendedDType),
    "float32": lambda d: d == np.float32,
    "float64": lambda d: d == np.float64,
}

inexact = ("floating", "complex")
floating = ("floating",)
number = ("integer", "floating", "complex")
real_number = ("integer", "floating")
integer = ("integer",)
boolean_or_integer = ("bool", "integer")
orderable = ("bool", "integer", "floating")
any_dtype = ("bool", "integer", "floating", "complex")
any_or_key = (*any_dtype, "extended")


def pair(name: str, x: Any, y: Any) -> tuple[Any, Any]:
    """The operands of the binary function `lax.<name>`, in the form its primitive takes.

    As `match`, for two operands: equal types pass at the cost of one comparison.
    """
    a: Any = getattr(x, "aval", None)
    b: Any = getattr(y, "aval", None)
    if a is b:
        if a is not None:
            return x, y
    elif a is None:
        if type(x) in _PYTHON_SCALARS:
            return scalar_like(x, b.dtype, name), y
    elif b is None:
        if type(y) in _PYTHON_SCALARS:
            return x, scalar_like(y, a.dtype, name)
    elif a.dtype == b.dtype and (a.shape == b.shape or not a.shape or not b.shape):
        return x, y
    x, y = match(name, x, y)
    return x, y


def is_literal_of(x: Any, dtype: Any) -> bool:
    """Whether `x` is a Python number whose own default dtype is `dtype`, and fits in it."""
    own = PYTHON_SCALARS[_x64.value].get(type(x))
    if own is None or own[0] != dtype:
        return False
    return type(x) is not int or -_INT_BOUND[_x64.value] <= x < _INT_BOUND[_x64.value]


_INT_BOUND = (2**31, 2**63)


def match(name: str, *operands: Any) -> list[Any]:
    """The operands of `lax.<name>` as `match_dtypes` gives them, shapes brought together.

    Shapes of equal rank that differ only where one has length 1 are broadcast.

    Raises:
        TypeError: an operand is no array or number, or a number does not go into the dtype.
        ShapeError: the shapes don't fit together.
    """
    shapes = [typeof(x).shape for x in operands]
    return _broadcast_ones(name, match_dtypes(name, *operands), shapes)


def match_dtypes(name: str, *operands: Any) -> list[Any]:
    """The operands of `lax.<name>` with Python numbers adopting the dtype of the arrays.

    A Python number of the default dtype for its kind stays as it is, so that weak types
    survive; with another dtype it becomes a NumPy scalar of that dtype.

    Raises:
        TypeError: an operand is no array or number, or a number does not go into the dtype.
    """
    # NumPy's float64 and complex128 are Python's by inheritance, but have a dtype of their own.
    numbers = [
        isinstance(x, _PYTHON_SCALARS) and not isinstance(x, np.generic) for x in operands
    ]
    if all(numbers) or not any(numbers):
        return list(operands)
    dtype = typeof(operands[numbers.index(False)]).dtype
    return [
        scalar_like(x, dtype, name) if is_number else x
        for x, is_number in zip(operands, numbers, strict=True)
    ]


def _broadcast_ones(name: str, operands: list[Any], shapes: list[tuple[int, ...]]) -> list[Any]:
    """The operands with axes of length 1 stretched to those of the others."""
    ranked = {s for s in shapes if s}
    if len(ranked) <= 1:
        return operands
    if len({len(s) for s in ranked}) > 1:
        got = ", ".join(map(str, shapes))
        raise ShapeError(
            f"{name}: arrays must have the same number of dimensions, got shapes {got}. "
            f"lax functions do not promote ranks (a scalar goes with any); jx.numpy functions do"
        )
    lengths = [{n for n in axis if n != 1} for axis in zip(*ranked, strict=True)]
    if any(len(n) > 1 for n in lengths):
        raise ShapeError(_incompatible(name, shapes))
    from .shape import broadcast_in_dim

    common = tuple(n.pop() if n else 1 for n in lengths)
    return [
        broadcast_in_dim(x, common, tuple(range(len(common)))) if s and s != common else x
        for x, s in zip(operands, shapes, strict=True)
    ]


def _incompatible(name: str, shapes: Sequence[tuple[int, ...]]) -> str:
    return (
        f"{name} got incompatible shapes for broadcasting: {', '.join(map(str, shapes))}. "
        f"Axis by axis, lengths must be equal or 1 (a scalar goes with any shape):\n"
        f"{marked(shapes)}"
    )


def scalar_like(x: Any, dtype: Any, name: str) -> Any:
    """The Python number `x` as an operand of `dtype`.

    Raises:
        TypeError: the number's kind does not go into `dtype` (1.5 among integers).
        OverflowError: an integer out of the dtype's range.
    """
    if is_literal_of(x, dtype):
        return x
    if isinstance(dtype, dtypes.ExtendedDType):
        raise KeyTypeError(keys_refused(f"lax.{name}", typeof(x).dtype, dtype))
    if not dtypes.can_hold(type(x), dtype):
        raise TypeError(
            f"lax.{name} requires arguments to have the same dtypes, got {dtype.name} and the "
            f"Python {type(x).__name__} {x!r}; the jx.numpy function promotes types"
        )
    for python_type, (default, _) in PYTHON_SCALARS[_x64.value].items():
        if default == dtype:
            return python_type(x)  # another Python number, so that weak types survive
    return np.asarray(x, dtype)[()]


def result_shape(name: str, avals: Sequence[ShapedArray]) -> tuple[int, ...]:
    """The common shape of elementwise operands, zero-dimensional ones aside.

    Raises:
        ShapeError: two shapes differ.
    """
    shape: tuple[int, ...] = ()
    for a in avals:
        if a.shape and a.shape != shape:
            if shape:
                raise ShapeError(_incompatible(name, [b.shape for b in avals]))
            shape = a.shape
    return shape


def check_kind(name: str, aval: ShapedArray, kinds: Sequence[str], where: str = "") -> None:
    """Raise a TypeError unless the operand's dtype is of one of `kinds`.

    Args:
        name: the primitive.
        aval: the operand's type.
        kinds: the kinds accepted, out of `KINDS`.
        where: which operand it is, such as `" at position 1"`.
    """
    if not any(KINDS[k](aval.dtype) for k in kinds):
        if isinstance(aval.dtype, dtypes.ExtendedDType):
            raise KeyTypeError(keys_refused(name, aval.dtype))
        raise TypeError(
            f"{name} does not accept dtype {aval.dtype.name}{where}. Accepted dtypes are of "
            f"kind {' or '.join(kinds)}; lax.convert_element_type converts"
        )


def keys_refused(name: str, *given: Any) -> str:
    """What to say where the dtypes `given` to an operation on numbers include that of keys."""
    got = ", ".join(d.name for d in given)
    return (
        f"{name} does not accept dtype{'s' * (len(given) > 1)} {got}: typed keys are opaque. Draw "
        f"numbers from a key (jx.random.bits, jx.random.uniform), or derive a key from it "
        f"(jx.random.split, jx.random.fold_in); jx.random.key_data gives its raw words"
    )


def check_same_dtype(name: str, avals: Sequence[ShapedArray]) -> None:
    """Raise a TypeError unless all operands have one dtype."""
    first = avals[0].dtype
    if any(a.dtype != first for a in avals):
        if any(isinstance(a.dtype, dtypes.ExtendedDType) for a in avals):
            raise KeyTypeError(keys_refused(f"lax.{name}", *(a.dtype for a in avals)))
        got = ", ".join(a.dtype.name for a in avals)
        raise TypeError(
            f"lax.{name} requires arguments to have the same dtypes, got {got}. (Tip: jx.numpy "
            f"functions promote types; lax.convert_element_type converts)"
        )


def elementwise(
    name: str,
    kinds: Sequence[str],
    reference: Callable[..., Any] | None,
    *,
    result: Callable[[Any], Any] | None = None,
    decompose: Callable[..., Any] | None = None,
    family: str = "elementwise",
) -> Primitive:
    """A primitive that acts on each element of operands of one dtype and shape.

    Args:
        name: its name.
        kinds: the kinds of dtype it accepts, out of `KINDS`.
        reference: what it computes, on ndarrays that broadcast; extra params by keyword.
            It must do so for every dtype of `kinds`; see `widened` and `in_double`.
        result: gives the result's dtype from the operands'; the same dtype if left out.
        decompose: what it computes in terms of other primitives.
        family: the op family it belongs to.
    """

    def abstract(*avals: ShapedArray, **params: Any) -> ShapedArray:
        first = avals[0]
        for i, a in enumerate(avals):
            check_kind(name, a, kinds, f" at position {i}" if len(avals) > 1 else "")
        check_same_dtype(name, avals)
        shape = result_shape(name, avals)
        weak = all(a.weak_type for a in avals)
        dtype = first.dtype if result is None else result(first.dtype)
        return ShapedArray(shape, dtype, weak)

    primitive = Primitive(name, abstract=abstract, reference=reference, decompose=decompose)
    primitive.family = family
    return primitive


def real_dtype(dtype: Any) -> Any:
    """The dtype of the parts of a complex dtype; any other dtype itself."""
    return _REAL.get(dtype, dtype)


def boolean(dtype: Any) -> Any:
    """The dtype of a comparison's result."""
    return _BOOL


_BOOL = np.dtype(np.bool_)
_FLOAT, _DOUBLE_FLOAT = np.dtype("float32"), np.dtype("float64")
_REAL: dict[Any, Any] = {np.dtype("complex64"): _FLOAT, np.dtype("complex128"): _DOUBLE_FLOAT}

# The dtypes to compute in instead of narrower ones.
_small_floats = dtypes.NARROW_FLOATS | {np.dtype(dtypes.bfloat16)}
_NARROW: dict[Any, Any] = dict.fromkeys(_small_floats, _FLOAT)
_NARROW |= {
    d: np.dtype("uint32" if d.name.startswith("u") else "int32") for d in dtypes.NARROW_INTS
}
_DOUBLE: dict[Any, Any] = dict.fromkeys(_small_floats, _DOUBLE_FLOAT)
_DOUBLE |= {
    np.dtype("float16"): _DOUBLE_FLOAT,
    _FLOAT: _DOUBLE_FLOAT,
    np.dtype("complex64"): np.dtype("complex128"),
}


def widened(reference: Callable[..., Any]) -> Callable[..., Any]:
    """`reference`, which knows NumPy's own dtypes, for those of ml_dtypes as well.

    Narrow operands are computed with in 32 bits and the result is rounded once: for one
    operation of arithmetic, that gives the correctly rounded result.
    """
    return _in_wider(_NARROW, reference)


def in_double(reference: Callable[..., Any]) -> Callable[..., Any]:
    """`reference` computed in 64-bit floats (128-bit complex), for every inexact dtype.

    With a transcendental function good to a few units in the last place of double
    precision, the result is correctly rounded in all narrower ones but for rare ties.
    """
    return _in_wider(_DOUBLE, reference)


def _in_wider(wider: Mapping[Any, Any], reference: Callable[..., Any]) -> Callable[..., Any]:
    def compute(*operands: Any, **params: Any) -> Any:
        dtype = operands[0].dtype
        wide = wider.get(dtype)
        if wide is None:
            return reference(*operands, **params)
        result = np.asarray(
            reference(*[x.astype(wider.get(x.dtype, x.dtype)) for x in operands], **params)
        )
        if result.dtype == wide:
            return result.astype(dtype)
        if wide in _REAL and result.dtype == _REAL[wide]:
            return result.astype(_REAL[dtype])  # such as absolute values of complex numbers
        return result

    return compute

"""Abstract values: what is known of an array before it is computed.

`ShapedArray` (shape, dtype, weak type) is the only type that most rules see. It
is interned: equal types are one object, so caches key on them at the cost of a
pointer comparison. This file also says which abstract value any concrete input
has (`typeof`). It holds no promotion rules (see `dtypes`) and no tracers.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from . import dtypes
from .config import enable_x64
from .errors import InconclusiveDimensionOperation
from .symbolic.expressions import DimExpr

# Dimensions are integers; in a function that is exported for many shapes they may be symbolic.
Shape = tuple[int, ...]


def as_dimension(d: Any) -> int:
    """A dimension as a Python integer, or the symbolic one itself.

    Raises:
        TypeError: it is neither.
    """
    return d if type(d) is DimExpr else operator.index(d)  # type: ignore[return-value]


def as_shape(dims: Iterable[Any]) -> Shape:
    """Dimensions as a tuple of Python integers and symbolic dimensions.

    Raises:
        TypeError: one of them is neither.
    """
    return tuple([as_dimension(d) for d in dims])


class ShapedArray:
    """The type of an array: `shape`, `dtype` and whether the dtype is weak.

    Instances are immutable and interned, so `==` is `is` and hashing is free.

    Args:
        shape: the lengths of the axes, non-negative integers.
        dtype: a NumPy or ml_dtypes dtype, or an extended one (typed PRNG keys).
        weak_type: True where the dtype came from a Python scalar and gives way to
            the other operand's in promotion.

    >>> ShapedArray((3, 4), np.float32)
    ShapedArray(float32[3,4])
    >>> ShapedArray((3,), "int32") is ShapedArray([3], np.int32)
    True
    """

    __slots__ = ("__weakref__", "dtype", "ndim", "shape", "size", "weak_type")

    shape: Shape
    dtype: Any
    weak_type: bool
    ndim: int
    size: int

    def __new__(cls, shape: Iterable[int], dtype: Any, weak_type: bool = False) -> ShapedArray:
        try:
            return _interned[shape, dtype, weak_type]  # type: ignore[index]
        except (KeyError, TypeError):
            return _intern(tuple(shape), dtype, bool(weak_type))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"ShapedArray is immutable: can't set {name!r}; use .update({name}=...) for a new one"
        )

    def __reduce__(self) -> Any:
        return ShapedArray, (self.shape, self.dtype, self.weak_type)

    def update(self, **changes: Any) -> ShapedArray:
        """The same type with `shape`, `dtype` or `weak_type` replaced.

        >>> ShapedArray((3,), np.float32).update(shape=(2, 3))
        ShapedArray(float32[2,3])
        """
        fields = {"shape": self.shape, "dtype": self.dtype, "weak_type": self.weak_type}
        unknown = changes.keys() - fields.keys()
        if unknown:
            raise TypeError(f"ShapedArray has no field {sorted(unknown)}; it has {list(fields)}")
        return ShapedArray(**{**fields, **changes})

    def strip_weak_type(self) -> ShapedArray:
        """The same type with a strong dtype.

        >>> ShapedArray((), np.float32, weak_type=True).strip_weak_type()
        ShapedArray(float32[])
        """
        return ShapedArray(self.shape, self.dtype) if self.weak_type else self

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"len() of a zero-dimensional array of type {self.str_short()}")
        return _length(self)

    def str_short(self) -> str:
        """The type as Jaxprs print it, such as `f32[3,4]`.

        >>> ShapedArray((3, 4), np.float32).str_short()
        'f32[3,4]'
        """
        return f"{short_dtype_name(self.dtype)}[{','.join(map(str, self.shape))}]"

    def __repr__(self) -> str:
        weak = ", weak_type=True" if self.weak_type else ""
        return f"ShapedArray({self.dtype.name}[{','.join(map(str, self.shape))}]{weak})"

    __str__ = str_short


_interned: dict[tuple[Shape, Any, bool], ShapedArray] = {}


def _intern(shape: Shape, dtype: Any, weak_type: bool) -> ShapedArray:
    """The one instance for these fields, made if need be (the slow path of `__new__`)."""
    shape = as_shape(shape)
    if not isinstance(dtype, (np.dtype, dtypes.ExtendedDType)):
        dtype = np.dtype(dtype)
    key = (shape, dtype, weak_type)
    # Types with symbolic dimensions go with the scope of those.
    dims: tuple[Any, ...] = shape
    scope: Any = next((d.scope for d in dims if type(d) is DimExpr), None)
    interned = _interned if scope is None else scope.avals
    found = interned.get(key)
    if found is not None:
        return found
    self = object.__new__(ShapedArray)
    size = 1
    for d in shape:
        size *= d
    for name, value in zip(
        ("shape", "dtype", "weak_type", "ndim", "size"),
        (shape, dtype, weak_type, len(shape), size),
        strict=True,
    ):
        object.__setattr__(self, name, value)
    # setdefault is atomic: of two threads making one type, both get the first one.
    return interned.setdefault(key, self)


def _length(aval: Any) -> int:
    """The first dimension, which Python wants as an integer."""
    if type(aval.shape[0]) is DimExpr:
        raise InconclusiveDimensionOperation(
            f"len() of an array of shape {aval.shape}: Python's len() gives integers only, and "
            f"this dimension is symbolic. Use x.shape[0]"
        )
    return aval.shape[0]  # type: ignore[no-any-return]


_SHORT_KINDS = (("float", "f"), ("uint", "u"), ("int", "i"), ("complex", "c"))
_short_names: dict[Any, str] = {}


def short_dtype_name(dtype: Any) -> str:
    """A dtype as Jaxprs print it: `f32`, `bf16`, `i8`, `c64`, `bool`, `key<fry>`.

    >>> short_dtype_name(np.dtype("uint8"))
    'u8'
    """
    name = _short_names.get(dtype)
    if name is None:
        name = dtype.name.replace("bfloat", "bf")
        for long, short in _SHORT_KINDS:
            if name.startswith(long) and name != "float0":
                name = name.replace(long, short, 1)
                break
        _short_names[dtype] = name = "float0" if dtype == dtypes.float0 else name
    return name


# By enable_x64: the types of Python's and NumPy's numbers, as far as they have been seen.
number_avals: tuple[dict[type, ShapedArray], dict[type, ShapedArray]] = ({}, {})
_x64 = enable_x64.state


def _python_scalar_aval(x: Any) -> ShapedArray:
    kind = type(x)
    aval = ShapedArray((), dtypes.python_scalar_dtype(kind), kind is not bool)
    number_avals[_x64.value][kind] = aval
    return aval


def _ndarray_aval(x: Any) -> ShapedArray:
    if x.dtype.kind in "OSUMm":
        raise TypeError(
            f"an ndarray of dtype {x.dtype} is not a valid array: only booleans, numbers and "
            f"typed keys are"
        )
    return ShapedArray(x.shape, dtypes.canonicalize_dtype(x.dtype))


_handlers: dict[type, Callable[[Any], ShapedArray]] = {
    bool: _python_scalar_aval,
    int: _python_scalar_aval,
    float: _python_scalar_aval,
    complex: _python_scalar_aval,
    np.ndarray: _ndarray_aval,
    DimExpr: lambda dim: _python_scalar_aval(1),
}


def typeof(x: Any) -> ShapedArray:
    """The abstract value of an array, tracer, NumPy value or Python scalar.

    Raises:
        TypeError: `x` is none of these.

    >>> typeof(2.0)
    ShapedArray(float32[], weak_type=True)
    >>> typeof(np.arange(3))
    ShapedArray(int32[3])
    """
    aval = getattr(x, "aval", None)
    if aval is None:
        kind = type(x)
        aval = number_avals[_x64.value].get(kind)
        if aval is None:
            handler = _handlers.get(kind)
            return _typeof_uncommon(x) if handler is None else handler(x)
    return aval


def _typeof_uncommon(x: Any) -> ShapedArray:
    if isinstance(x, (np.generic, np.ndarray)):
        if not dtypes.is_supported(x.dtype):
            raise TypeError(
                f"a value of dtype {x.dtype} is not a valid array: only booleans, numbers and "
                f"typed keys are; got {type(x).__name__} {x!r:.80}"
            )
        aval = _ndarray_aval(x)
        if isinstance(x, np.generic):
            number_avals[_x64.value][type(x)] = aval
        return aval
    if isinstance(x, (int, float, complex)):
        base = next(t for t in (bool, int, float, complex) if isinstance(x, t))
        return _python_scalar_aval(base(x))  # type: ignore[arg-type]
    raise TypeError(
        f"Value {x!r:.200} with type {type(x)} is not a valid JAX type: expected an array, a "
        f"NumPy value or a Python number. If it is a container of arrays, register it as a "
        f"pytree (jx.tree_util.register_pytree_node); if it is a setting, mark the argument static."
    )


def register_array_type(cls: type, handler: Callable[[Any], ShapedArray]) -> None:
    """Say how to find the abstract value of a class that has no `.aval` attribute."""
    _handlers[cls] = handler


def is_arraylike(x: Any) -> bool:
    """Whether `typeof(x)` would succeed."""
    try:
        typeof(x)
    except TypeError:
        return False
    return True


class ShapeDtypeStruct:
    """A stand-in for an array in abstract evaluation: a shape and a dtype, no data.

    Args:
        shape: the lengths of the axes.
        dtype: the element type.
        weak_type: whether the dtype is weak.
        sharding: how a real array would lie on devices, if that matters.

    >>> ShapeDtypeStruct((2, 3), np.float32)
    ShapeDtypeStruct(shape=(2, 3), dtype=float32)
    """

    __slots__ = ("dtype", "shape", "sharding", "weak_type")

    def __init__(
        self,
        shape: Iterable[int],
        dtype: Any,
        *,
        sharding: Any = None,
        weak_type: bool = False,
        vma: Any = None,
        is_ref: bool = False,
        manual_axis_type: Any = None,
    ) -> None:
        if dtype is None:
            raise ValueError("ShapeDtypeStruct: dtype must be given, got None")
        self.shape: Shape = as_shape(shape)
        self.dtype = dtype if isinstance(dtype, dtypes.ExtendedDType) else np.dtype(dtype)
        self.weak_type = weak_type
        self.sharding = sharding

    @classmethod
    def like(cls, x: Any) -> ShapeDtypeStruct:
        """The description of an array, tracer, number or other description.

        With the sharding of an array that has been put somewhere, and of a description.

        Raises:
            TypeError: `x` is none of these.

        >>> ShapeDtypeStruct.like(np.ones((2, 3), np.float32))
        ShapeDtypeStruct(shape=(2, 3), dtype=float32)
        """
        aval = typeof(x)
        placed = isinstance(x, ShapeDtypeStruct) or getattr(x, "committed", False)
        sharding = x.sharding if placed else None
        return cls(aval.shape, aval.dtype, sharding=sharding, weak_type=aval.weak_type)

    @property
    def ndim(self) -> int:
        """The number of axes.

        >>> ShapeDtypeStruct((2, 3), np.float32).ndim
        2
        """
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements.

        >>> ShapeDtypeStruct((2, 3), np.float32).size
        6
        """
        return math.prod(self.shape)

    @property
    def aval(self) -> ShapedArray:
        """Its abstract value.

        >>> ShapeDtypeStruct((2, 3), np.int32).aval
        ShapedArray(int32[2,3])
        """
        return ShapedArray(self.shape, self.dtype, self.weak_type)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a zero-dimensional ShapeDtypeStruct")
        return _length(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ShapeDtypeStruct) and (
            (self.shape, self.dtype, self.weak_type, self.sharding)
            == (other.shape, other.dtype, other.weak_type, other.sharding)
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype, self.weak_type, self.sharding))

    def update(self, **changes: Any) -> ShapeDtypeStruct:
        """The same description with some fields replaced.

        >>> ShapeDtypeStruct((2, 3), np.float32).update(dtype=np.int8)
        ShapeDtypeStruct(shape=(2, 3), dtype=int8)
        """
        fields = {name: getattr(self, name) for name in self.__slots__}
        return ShapeDtypeStruct(**{**fields, **changes})

    def __repr__(self) -> str:
        weak = ", weak_type=True" if self.weak_type else ""
        sharding = f", sharding={self.sharding}" if self.sharding is not None else ""
        return f"ShapeDtypeStruct(shape={self.shape}, dtype={self.dtype.name}{weak}{sharding})"

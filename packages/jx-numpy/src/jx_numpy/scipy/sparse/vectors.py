"""Pytrees of arrays as vectors of one space, for iterations that only add, scale and multiply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from jx_core import dtypes, lax, operators, tree, typeof

Vector: TypeAlias = Any
Operator: TypeAlias = Callable[[Vector], Vector]


def _is_complex(x: Any) -> bool:
    return bool(dtypes.issubdtype(typeof(x).dtype, np.complexfloating))


def all_real(x: Vector) -> bool:
    """Whether no array is complex."""
    return not any(map(_is_complex, tree.leaves(x)))


def plus(x: Vector, factor: Any, y: Vector) -> Vector:
    """`x + factor * y`, in the dtypes of `x`."""
    return tree.map(lambda a, b: lax.add(a, _scaled(factor, b)), x, y)


def minus(x: Vector, y: Vector) -> Vector:
    """`x - y`."""
    return tree.map(lax.sub, x, y)


def times(factor: Any, x: Vector) -> Vector:
    """`factor * x`, in the dtypes of `x`."""
    return tree.map(lambda a: _scaled(factor, a), x)


def zeros_like(x: Vector) -> Vector:
    """The zero of the space."""
    return tree.map(lambda a: lax.full_like(a, 0), x)


def choose(condition: Any, x: Vector, y: Vector) -> Vector:
    """`x` where a scalar is true, and else `y`."""
    return tree.map(lambda a, b: lax.select(condition, a, b), x, y)


def of_dtype(x: Any, dtype: Any) -> Any:
    """A number in a dtype; its real part in a real one."""
    if _is_complex(x) and not dtypes.issubdtype(dtype, np.complexfloating):
        x = lax.real(x)
    return lax.convert_element_type(x, dtype)


def _scaled(factor: Any, x: Any) -> Any:
    return operators.multiply(of_dtype(factor, typeof(x).dtype), x)


def _inner(x: Any, y: Any) -> Any:
    """The sum of `conj(x) * y`."""
    if _is_complex(x):
        x = lax.conj(x)
    axes = tuple(range(typeof(x).ndim))
    return lax.dot_general(x, y, ((axes, axes), ((), ())), precision=lax.Precision.HIGHEST)


def inner(x: Vector, y: Vector) -> Any:
    """The scalar product, conjugate in `x`."""
    total, *rest = [_inner(a, b) for a, b in zip(tree.leaves(x), tree.leaves(y), strict=True)]
    for part in rest:
        total = operators.add(total, part)
    return total


def square(x: Vector) -> Any:
    """The square of the norm, real."""
    total = inner(x, x)
    return lax.real(total) if _is_complex(total) else total


def norm(x: Vector) -> Any:
    """The norm, real."""
    return lax.sqrt(square(x))

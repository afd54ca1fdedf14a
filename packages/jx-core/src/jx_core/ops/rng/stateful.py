"""Random numbers that no key controls: `rng_uniform`, from the back end's own generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray
from ...errors import ShapeError
from ...primitive import Primitive
from ..axes import canonical_shape, check_sizes
from ..kit import check_same_dtype, pair

__all__ = ["rng_uniform", "rng_uniform_p"]

Shape = tuple[int, ...]

# What XLA generates; it ends the process where it is asked for others.
_DTYPES = ("float16", "bfloat16", "float32", "float64", "int32", "int64", "uint32", "uint64")


def _rng_uniform_type(a: ShapedArray, b: ShapedArray, *, shape: Shape) -> ShapedArray:
    check_same_dtype("rng_uniform", (a, b))
    if a.shape or b.shape:
        got = f"{a.shape} and {b.shape}"
        raise ShapeError(f"rng_uniform: the bounds must be scalars, got shapes {got}")
    if a.dtype.name not in _DTYPES:
        raise TypeError(
            f"rng_uniform does not generate {a.dtype.name}, but {', '.join(_DTYPES)}; "
            f"lax.convert_element_type converts, and jx.random draws numbers of any dtype"
        )
    check_sizes("rng_uniform", shape)
    return ShapedArray(shape, a.dtype, a.weak_type and b.weak_type)


_generator = np.random.default_rng()


def _rng_uniform(a: np.ndarray, b: np.ndarray, *, shape: Shape) -> np.ndarray:
    if dtypes.issubdtype(a.dtype, np.integer):
        return _generator.integers(int(a), max(int(a) + 1, int(b)), shape, a.dtype)
    low, high = float(a), float(b)
    return np.asarray(low + (high - low) * _generator.random(shape)).astype(a.dtype)


# Operands: the bounds. Params: shape. Each time it is computed, it gives other numbers.
rng_uniform_p = Primitive("rng_uniform", abstract=_rng_uniform_type, reference=_rng_uniform)


def rng_uniform(a: Any, b: Any, shape: Sequence[int]) -> Any:
    """Uniform random numbers in [a, b), other ones each time they are computed.

    They come from the back end's own generator and can't be repeated or split among devices;
    use `jx.random.uniform`, which takes a key, wherever that matters. NumPy's generator begins
    at random. XLA keeps a state with each compiled program and begins it alike, so that two
    programs may give the same numbers. Under `vmap` rows get numbers of their own where a
    bound is mapped, and share them otherwise.

    Args:
        a, b: the bounds: scalars of one dtype, floats or integers of 32 or 64 bits, or floats
            of 16. Where b <= a, the result is not defined.
        shape: the result's shape.

    Raises:
        TypeError: the bounds differ in dtype, or have another one.
        ShapeError: they are no scalars, or a length is negative.

    >>> x = rng_uniform(2.0, 3.0, (1000,))
    >>> bool((x >= 2).all() & (x <= 3).all())
    True
    """
    a, b = pair("rng_uniform", a, b)
    return rng_uniform_p.bind(a, b, shape=canonical_shape("rng_uniform", shape))

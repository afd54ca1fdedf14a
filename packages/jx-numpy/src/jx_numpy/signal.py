"""Convolution and correlation of vectors."""

from __future__ import annotations

from typing import Any

from jx_core import lax
from jx_core.ops.elementwise import convert

from .functions import array_function
from .operands import (
    Array,
    ArrayLike,
    a_dtype,
    is_complex,
    promote_dtypes_inexact,
    typeof,
)

__all__ = ["convolve", "correlate"]


def _checked(name: str, a: Any, v: Any, mode: str) -> tuple[Any, Any, Any]:
    """The vectors as floats, and their dtype."""
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"jnp.{name}: mode must be 'full', 'same' or 'valid', got {mode!r}")
    a, v = promote_dtypes_inexact(name, a, v)
    for x in (a, v):
        if typeof(x).ndim != 1 or not typeof(x).size:
            raise ValueError(
                f"jnp.{name} takes vectors that are not empty, got shapes {typeof(a).shape} and "
                f"{typeof(v).shape}"
            )
    return a, v, typeof(a).dtype


def _convolved(a: Any, v: Any, mode: str, precision: Any) -> Array:
    if typeof(a).size < typeof(v).size:
        a, v = v, a
    m = typeof(v).size
    padding = {"full": (m - 1, m - 1), "same": (m // 2, m - m // 2 - 1), "valid": (0, 0)}[mode]
    result = lax.conv_general_dilated(
        lax.expand_dims(a, (0, 1)),
        lax.expand_dims(lax.rev(v, (0,)), (0, 1)),
        window_strides=(1,),
        padding=[padding],
        precision=precision,
    )
    return lax.squeeze(result, (0, 1))


@array_function("mode", "precision", "preferred_element_type")
def convolve(
    a: ArrayLike,
    v: ArrayLike,
    mode: str = "full",
    *,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Array:
    """The convolution of two vectors.

    Args:
        a, v: the vectors; dtypes are promoted to floats.
        mode: `full` for all overlaps, `same` for as many as the longer one has elements,
            `valid` for those where the shorter one lies within the longer.
        precision: of the products, as in `lax.conv_general_dilated`.
        preferred_element_type: the result's dtype.

    Raises:
        ValueError: an argument is no vector or empty, or `mode` another word.

    >>> jnp.convolve(jnp.array([1, 2, 3]), jnp.array([1, 1]))
    Array([1., 3., 5., 3.], dtype=float32)
    """
    a, v, own = _checked("convolve", a, v, mode)
    if preferred_element_type is not None:
        own = a_dtype("convolve", preferred_element_type)
    return convert(_convolved(a, v, mode, precision), own)


@array_function("mode", "precision", "preferred_element_type")
def correlate(
    a: ArrayLike,
    v: ArrayLike,
    mode: str = "valid",
    *,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Array:
    """The correlation of two vectors: at each shift, the sum of products of `a` and conj(v).

    Args:
        a, v, mode, precision, preferred_element_type: as for `convolve`.

    Raises:
        ValueError: an argument is no vector or empty, or `mode` another word.

    >>> jnp.correlate(jnp.array([1, 2, 3]), jnp.array([0, 1]))
    Array([2., 3.], dtype=float32)
    """
    a, v, own = _checked("correlate", a, v, mode)
    if preferred_element_type is not None:
        own = a_dtype("correlate", preferred_element_type)
    v = lax.conj(v) if is_complex(typeof(v).dtype) else v
    if typeof(a).size < typeof(v).size and mode != "full":
        # The shorter one slides: its order of shifts is the other way round.
        flipped = _convolved(v, lax.rev(a, (0,)), mode, precision)
        return convert(lax.rev(flipped, (0,)), own)
    return convert(_convolved(a, lax.rev(v, (0,)), mode, precision), own)

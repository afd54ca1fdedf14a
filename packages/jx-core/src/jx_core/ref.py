"""Refs: arrays that can be written to. `jx.ref`.

The functions below make Refs, read them, write to them and end them. How a Ref keeps its value
while programs are traced is in `references`.
"""

from __future__ import annotations

from typing import Any

from . import backend
from .aval import ShapedArray, typeof
from .references import AbstractRef, Ref, TransformedRef, end
from .state import state

__all__ = [
    "AbstractRef", "Ref", "TransformedRef", "addupdate", "empty_ref", "free_ref", "freeze", "get",
    "new_ref", "set", "swap",
]  # fmt: skip

_KINDS = (None, "no_grad_no_remat")


def new_ref(init_val: Any, *, memory_space: Any = None, kind: str | None = None) -> Ref:
    """Make a mutable array.

    Args:
        init_val: an array or number, the first value. It stays as it is when the Ref is written
            to. The Ref has its shape, dtype and sharding, and is never weakly typed.
        memory_space: a memory space for the value, noted in the Ref's type. Where it is a
            sharding or a device, the value is put there.
        kind: None, or 'no_grad_no_remat', noted in the Ref's type.

    Returns:
        A Ref. It lives as long as the call of the function being traced, if there is one; it
        can't be returned from it.

    Raises:
        TypeError: `init_val` is no array, or is a Ref.
        ValueError: an unknown `kind`.

    >>> ref = new_ref(1.0)
    >>> ref[...] = 2.0
    >>> float(ref[...])
    2.0
    """
    if isinstance(init_val, (Ref, TransformedRef)):
        raise TypeError(f"new_ref: a Ref can't hold a Ref; its value is {init_val!r:.80}[...]")
    if kind not in _KINDS:
        raise ValueError(f"new_ref: kind must be one of {_KINDS}, got {kind!r}")
    try:
        aval = typeof(init_val)
    except TypeError as err:
        raise TypeError(f"new_ref: init_val must be an array or a number: {err}") from None
    held = aval.strip_weak_type()
    value = init_val
    if not hasattr(value, "aval"):
        value = backend.current().put(value, held)
    elif aval is not held:
        from .lax import convert_element_type

        value = convert_element_type(value, held.dtype)
    if memory_space is not None and _is_placement(memory_space):
        from .lax import device_put_p

        value = device_put_p.bind(value, device=memory_space, src=None)
    return Ref(value, AbstractRef(held, memory_space, kind), state.trace)


def _is_placement(space: Any) -> bool:
    return hasattr(space, "device_set") or hasattr(space, "device_kind")


def empty_ref(ty: Any, memory_space: Any = None) -> Ref:
    """Make a mutable array whose elements are yet to be written; until then they are zero.

    Args:
        ty: its type: a `ShapeDtypeStruct`, an array, or anything with a shape and a dtype.
        memory_space: as for `new_ref`.

    Raises:
        TypeError: `ty` has no shape or dtype.

    >>> from jx_core import ShapeDtypeStruct
    >>> empty_ref(ShapeDtypeStruct((2,), "float32")).shape
    (2,)
    """
    from .lax import full

    ty = getattr(ty, "inner_aval", ty)
    if not (hasattr(ty, "shape") and hasattr(ty, "dtype")):
        raise TypeError(
            f"empty_ref: ty must have a shape and a dtype, as ShapeDtypeStruct has, got {ty!r}"
        )
    aval = ShapedArray(ty.shape, ty.dtype)
    return new_ref(full(aval.shape, 0, aval.dtype), memory_space=memory_space)


def freeze(ref: Ref) -> Any:
    """End a Ref's life, and return its last value.

    Args:
        ref: a Ref of the function that is running; not one that was passed to it.

    Raises:
        RefError: it has been frozen or freed before, or is from elsewhere.

    >>> ref = new_ref(1.0)
    >>> ref[...] += 1.0
    >>> float(freeze(ref))
    2.0
    """
    return end(_a_ref(ref, "freeze"), "frozen")


def free_ref(ref: Ref) -> None:
    """End a Ref's life. Its last value is lost.

    Raises:
        RefError: as `freeze`.

    >>> free_ref(new_ref(1.0))
    """
    end(_a_ref(ref, "free_ref"), "freed")


def _a_ref(ref: Any, what: str) -> Ref:
    if not isinstance(ref, Ref):
        raise TypeError(f"{what} takes a Ref, got {type(ref).__name__}: {ref!r:.80}")
    return ref


def _check(ref: Any, what: str) -> None:
    if not isinstance(ref, (Ref, TransformedRef)):
        raise ValueError(f"Can only call `ref.{what}` on a `Ref`: got {type(ref).__name__}")


def get(ref: Ref | TransformedRef, idx: Any = None) -> Any:
    """The elements of a Ref at an index, `ref[idx]`.

    Args:
        ref: a Ref, or a part of one, `ref.at[...]`.
        idx: an index as NumPy's; None for all.

    Raises:
        ValueError: an integer index is out of bounds.

    >>> float(get(new_ref(1.0)))
    1.0
    """
    _check(ref, "get")
    return ref.get(... if idx is None else idx)


def set(ref: Ref | TransformedRef, idx: Any, value: Any) -> None:
    """Write elements of a Ref, `ref[idx] = value`.

    Args:
        ref: a Ref, or a part of one.
        idx: an index as NumPy's; None for all.
        value: an array or number, of the Ref's dtype (numbers are converted). It broadcasts.

    Raises:
        ValueError: dtype or shape don't fit; an integer index is out of bounds.
        RefError: the value may not leave the function that is being transformed.

    >>> ref = new_ref(1.0)
    >>> set(ref, ..., 3.0)
    >>> float(ref[...])
    3.0
    """
    _check(ref, "set")
    ref.set(value, ... if idx is None else idx)


def swap(ref: Ref | TransformedRef, idx: Any, value: Any) -> Any:
    """Write elements of a Ref, and return those that were there.

    Args:
        ref, idx, value: as for `set`.

    >>> ref = new_ref(1.0)
    >>> float(swap(ref, ..., 3.0)), float(ref[...])
    (1.0, 3.0)
    """
    _check(ref, "swap")
    return ref.swap(value, ... if idx is None else idx)


def addupdate(ref: Ref | TransformedRef, idx: Any, x: Any) -> None:
    """Add to elements of a Ref. An element that the index names twice is added to twice.

    Args:
        ref, idx: as for `set`.
        x: what to add: an array or number, of the Ref's dtype.

    >>> ref = new_ref(1.0)
    >>> addupdate(ref, ..., 3.0)
    >>> float(ref[...])
    4.0
    """
    _check(ref, "addupdate")
    ref.addupdate(x, ... if idx is None else idx)

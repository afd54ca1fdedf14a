"""`Ref`, the object: what it looks like, and how it is indexed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .. import dtypes
from ..aval import ShapedArray, register_array_type, typeof
from ..errors import UnexpectedTracerError
from ..state import state
from ..trace import EVAL, Tracer
from .storage import lock, read, store_of, write


@dataclass(frozen=True, repr=False)
class AbstractRef:
    """The type of a Ref.

    Attributes:
        inner_aval: the type of its value.
        memory_space: where the value is to be kept, as `new_ref` was told.
        kind: as `new_ref` was told.
    """

    inner_aval: ShapedArray
    memory_space: Any = None
    kind: Any = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.inner_aval.shape

    @property
    def dtype(self) -> Any:
        return self.inner_aval.dtype

    @property
    def ndim(self) -> int:
        return self.inner_aval.ndim

    @property
    def size(self) -> int:
        return self.inner_aval.size

    def update(self, **changes: Any) -> AbstractRef:
        """The same type with some fields replaced."""
        return replace(self, **changes)

    def str_short(self) -> str:
        """The type as messages show it, such as `Ref{float32[3]}`."""
        aval = self.inner_aval
        return f"Ref{{{aval.dtype.name}[{','.join(map(str, aval.shape))}]}}"

    def __repr__(self) -> str:
        return self.str_short()


class _Indexing:
    """How arrays are indexed; the layer that knows fills it in when it is imported."""

    get: Callable[[Any, Any], Any] | None = None
    update: Callable[..., Any] | None = None


def define_indexing(get: Callable[[Any, Any], Any], update: Callable[..., Any]) -> None:
    """Say how Refs are indexed.

    Args:
        get: `get(x, index)`.
        update: `update(method, x, index, values, donate)`, the array with values set ("set") or
            added ("add"), in the buffer of `x` where `donate` says that nothing else needs it.
    """
    _Indexing.get, _Indexing.update = staticmethod(get), staticmethod(update)


def _indexing() -> type[_Indexing]:
    if _Indexing.get is None:
        from ..array_methods import load_late_modules

        load_late_modules()
    if _Indexing.get is None:
        raise TypeError(
            "indexing a Ref by anything but ... needs a layer that knows NumPy's indices: "
            "import jx_numpy"
        )
    return _Indexing


class Ref:
    """A mutable array: read with `ref[index]`, written with `ref[index] = value`.

    Made by `jx.new_ref`. An index is NumPy's: integers, slices, arrays of them, `...` for all.
    It has the attributes `shape`, `dtype`, `ndim`, `size`, `sharding`, `committed`, but is no
    array: arithmetic wants its value, `ref[...]`.

    >>> from jx_core.ref import new_ref
    >>> ref = new_ref(2.0)
    >>> ref[...] += 1.0
    >>> ref
    Ref(3., dtype=float32)
    """

    __slots__ = ("__weakref__", "_ended", "_home", "_lent", "_owned", "_value", "type")

    def __init__(self, value: Any, type: AbstractRef, home: Any, lent: bool = False) -> None:
        self._value = value  # the present value in the trace where the Ref was made
        self._home = home  # that trace
        self._owned = False  # whether the value's buffer is no one else's
        self._ended = ""  # what has ended the Ref's life, if anything
        self._lent = lent  # whether this stands for a Ref that was passed to a function
        self.type = type

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its axes.

        >>> from jx_core.ref import new_ref
        >>> new_ref(np.ones((2, 3))).shape
        (2, 3)
        """
        return self.type.inner_aval.shape

    @property
    def dtype(self) -> Any:
        """Its element type, which never changes.

        >>> from jx_core.ref import new_ref
        >>> new_ref(1.0).dtype
        dtype('float32')
        """
        return self.type.inner_aval.dtype

    @property
    def ndim(self) -> int:
        """The number of its axes.

        >>> from jx_core.ref import new_ref
        >>> new_ref(np.ones((2, 3))).ndim
        2
        """
        return self.type.inner_aval.ndim

    @property
    def size(self) -> int:
        """The number of its elements.

        >>> from jx_core.ref import new_ref
        >>> new_ref(np.ones((2, 3))).size
        6
        """
        return self.type.inner_aval.size

    @property
    def memory_space(self) -> Any:
        """The memory that was asked for when it was made, None for the default.

        >>> from jx_core.ref import new_ref
        >>> print(new_ref(1.0).memory_space)
        None
        """
        return self.type.memory_space

    @property
    def sharding(self) -> Any:
        """How its value lies on devices.

        >>> from jx_core.ref import new_ref
        >>> from jx_core import backend
        >>> with backend.use("xla"):
        ...     new_ref(np.ones(3)).sharding.num_devices
        1
        """
        return self._look().sharding

    @property
    def committed(self) -> bool:
        """Whether the value is bound to its device, so that computations with it run there.

        >>> from jx_core.ref import new_ref
        >>> new_ref(1.0).committed
        False
        """
        return getattr(self._look(), "committed", False)

    @property
    def usable(self) -> bool:
        """Whether neither the Ref nor the call that it belongs to has ended.

        >>> from jx_core.ref import freeze, new_ref
        >>> ref = new_ref(1.0)
        >>> before, value = ref.usable, freeze(ref)
        >>> before, ref.usable
        (True, False)
        """
        home = self._home
        return not (self._ended or home is None or getattr(home, "finished", False))

    @property
    def at(self) -> _At:
        """`ref.at[index]`: a part of the Ref that is read and written like one.

        >>> import jx_numpy  # knows indices
        >>> from jx_core.ref import new_ref
        >>> ref = new_ref(np.zeros((2, 3)))
        >>> row = ref.at[1]
        >>> row[:2] = 7.0
        >>> print(ref[...])
        [[0. 0. 0.]
         [7. 7. 0.]]
        """
        return _At(self)

    def __getitem__(self, index: Any) -> Any:
        return self.get(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.set(value, index)

    def get(self, index: Any = ...) -> Any:
        """The elements at an index.

        >>> import jx_numpy  # knows indices
        >>> from jx_core.ref import new_ref
        >>> print(new_ref(np.arange(6.0)).get(slice(1, 3)))
        [1. 2.]
        """
        if _is_all(index):
            return read(self)
        _check_index(self, index)
        with lock:
            value = self._look()
            part = _indexing().get(value, index)  # type: ignore[misc]
            if part is value:
                self._owned = False
        return part

    def set(self, value: Any, index: Any = ...) -> None:
        """Write elements at an index.

        >>> import jx_numpy  # knows indices
        >>> from jx_core.ref import new_ref
        >>> ref = new_ref(np.zeros(3))
        >>> ref.set(5.0, 1)
        >>> print(ref[...])
        [0. 5. 0.]
        """
        self._update("set", value, index)

    def swap(self, value: Any, index: Any = ...) -> Any:
        """Write elements at an index, and return those that were there.

        >>> from jx_core.ref import new_ref
        >>> ref = new_ref(1.0)
        >>> old = ref.swap(2.0)
        >>> float(old), float(ref[...])
        (1.0, 2.0)
        """
        with lock:
            old = self.get(index)
            self.set(value, index)
        return old

    def addupdate(self, x: Any, index: Any = ...) -> None:
        """Add to the elements at an index; once for each time that an element is named.

        >>> import jx_numpy  # knows indices
        >>> from jx_core.ref import new_ref
        >>> ref = new_ref(np.zeros(3))
        >>> ref.addupdate(1.0, np.array([0, 0, 2]))
        >>> print(ref[...])
        [2. 0. 1.]
        """
        self._update("add", x, index)

    def _update(self, method: str, value: Any, index: Any) -> None:
        value = fitting(self, value)
        with lock:
            if _is_all(index) and method == "set":
                write(self, _spread(self, value))
                return
            _check_index(self, index)
            store = store_of(self)
            donate = store is self and self._owned and state.trace is EVAL
            made = _indexing().update(method, store._value, index, value, donate)  # type: ignore[misc]
            write(self, made, made is not value and made is not store._value)

    def _look(self) -> Any:
        """The present value, to be read or typed but not handed out."""
        return store_of(self)._value

    def unsafe_buffer_pointer(self) -> int:
        """The address of the value's buffer.

        >>> from jx_core import backend
        >>> from jx_core.ref import new_ref
        >>> with backend.use("xla"):
        ...     new_ref(np.ones(3)).unsafe_buffer_pointer() != 0
        True
        """
        return self._look().unsafe_buffer_pointer()  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return len(self.type.inner_aval)

    def __iter__(self) -> Any:
        raise TypeError(f"a {self.type} is not iterated over; its value is: ref[...]")

    def __bool__(self) -> bool:
        raise TypeError(f"a {self.type} is neither true nor false; its value may be: ref[...]")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError(f"a {self.type} is no array; its value is: ref[...]")

    def __reduce__(self) -> Any:
        from ..ref import new_ref

        return new_ref, (read(self),)

    def __repr__(self) -> str:
        if self._ended:
            return f"<{self.type}, {self._ended}>"
        try:
            value = self._look()
        except UnexpectedTracerError:
            return f"<{self.type} of a function that has ended>"
        if isinstance(value, Tracer):
            return str(self.type)
        return f"Ref{repr(value).removeprefix('Array')}"


class _At:
    """What `ref.at` is: index it to name a part of the Ref."""

    __slots__ = ("_ref",)

    def __init__(self, ref: Any) -> None:
        self._ref = ref

    def __getitem__(self, index: Any) -> TransformedRef:
        return TransformedRef(self._ref, index)


class TransformedRef:
    """A part of a Ref, `ref.at[index]`, or a part of one; read and written like a Ref.

    Attributes:
        ref: the Ref, or the part of it, that this is a part of.
        index: which part.
    """

    __slots__ = ("index", "ref")

    def __init__(self, ref: Any, index: Any) -> None:
        self.ref = ref
        self.index = index

    shape = property(lambda self: self.get().shape)
    dtype = property(lambda self: self.ref.dtype)
    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: self.get().size)

    @property
    def at(self) -> _At:
        """A part of this part."""
        return _At(self)

    def __getitem__(self, index: Any) -> Any:
        return self.get(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.set(value, index)

    def get(self, index: Any = ...) -> Any:
        """The elements at an index of this part."""
        part = self.ref.get(self.index)
        return part if _is_all(index) else _indexing().get(part, index)  # type: ignore[misc]

    def set(self, value: Any, index: Any = ...) -> None:
        """Write elements at an index of this part."""
        self._update("set", value, index)

    def swap(self, value: Any, index: Any = ...) -> Any:
        """Write elements at an index of this part, and return those that were there."""
        with lock:
            old = self.get(index)
            self.set(value, index)
        return old

    def addupdate(self, x: Any, index: Any = ...) -> None:
        """Add to the elements at an index of this part."""
        self._update("add", x, index)

    def _update(self, method: str, value: Any, index: Any) -> None:
        with lock:
            if _is_all(index):
                (self.ref.set if method == "set" else self.ref.addupdate)(value, self.index)
                return
            value = fitting(self, value)
            part = _indexing().update(method, self.get(), index, value, False)  # type: ignore[misc]
            self.ref.set(part, self.index)

    def __len__(self) -> int:
        return len(self.get())

    def __repr__(self) -> str:
        return f"{self.ref!r}.at[{self.index!r}]"


def _is_all(index: Any) -> bool:
    if type(index) is tuple and len(index) == 1:
        (index,) = index
    return index is ... or (type(index) is tuple and not index)


def _check_index(ref: Ref, index: Any) -> None:
    """Raise a ValueError for an integer that is known to lie out of bounds."""
    parts = index if type(index) is tuple else (index,)
    if any(not isinstance(p, (int, slice)) or isinstance(p, bool) for p in parts):
        return
    for axis, (part, size) in enumerate(zip(parts, ref.shape, strict=False)):
        if isinstance(part, int) and not -size <= part < size:
            raise ValueError(
                f"Out of bound indexer: index {part} on axis {axis}, of length {size}, of a "
                f"{ref.type}"
            )


def fitting(ref: Any, value: Any) -> Any:
    """A value to be written to a Ref, checked, and of its dtype.

    Raises:
        TypeError: it is no array.
        ValueError: its dtype is another.
    """
    if isinstance(value, (list, tuple)):
        raise TypeError(
            f"only arrays and numbers are written to a Ref, got a {type(value).__name__}: make an "
            f"array of it first, with jx.numpy.array"
        )
    aval = typeof(value)
    if aval.dtype == ref.dtype:
        return value
    if not aval.weak_type or dtypes.result_type(aval, ref.dtype) != ref.dtype:
        raise ValueError(
            f"Invalid dtype for a write to a Ref. Ref dtype: {ref.dtype.name}. Value dtype: "
            f"{aval.dtype.name}. Cast the value, with .astype({ref.dtype.name!r})"
        )
    from ..lax import convert_element_type

    return convert_element_type(value, ref.dtype)


def _spread(ref: Ref, value: Any) -> Any:
    """A value of the Ref's shape and exact type."""
    aval, wanted = typeof(value), ref.type.inner_aval
    if aval is wanted and (hasattr(value, "aval") or state.trace is not EVAL):
        return value
    from .. import backend, lax

    if aval.shape != wanted.shape:
        try:
            value = lax.broadcast_to_rank(value, wanted.ndim)
            shape = typeof(value).shape
            kept = [i for i, n in enumerate(shape) if n == wanted.shape[i]]
            if any(n not in (1, m) for n, m in zip(shape, wanted.shape, strict=True)):
                raise ValueError
        except ValueError:
            raise ValueError(
                f"Invalid shape for a write to a Ref. Ref shape: {wanted.shape}. Value shape: "
                f"{aval.shape}"
            ) from None
        squeezed = lax.squeeze(value, [i for i in range(len(shape)) if i not in kept])
        value = lax.broadcast_in_dim(squeezed, wanted.shape, kept)
    if not hasattr(value, "aval"):
        return backend.current().put(value, wanted)
    return lax.convert_element_type(value, wanted.dtype)


def _refuse(x: Any) -> ShapedArray:
    raise TypeError(
        f"a {x.type} is no array: read its value, with ref[...]"
        if isinstance(x, Ref)
        else "a part of a Ref, ref.at[...], is no array: read its value, with [...]"
    )


register_array_type(Ref, _refuse)
register_array_type(TransformedRef, _refuse)

"""Refs, arrays that can be written to, and how what is read and written is kept track of.

A `Ref` is a Python object that has a type and a present value. No program ever holds one: where
something is being staged, a Ref from outside is a further input of the program, its value at the
end a further result, and in between its present value is whatever was written last ("state is
discharged as it is traced"). So transformations and back ends need no rule for it.

Here are the object, where its present value lies, and what those who stage functions use: types
of arguments that may be Refs, stand-ins for them inside, and `Uses`, what a program does with Refs
of outside. The public functions are in `ref`.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from . import dtypes
from .aval import ShapedArray, register_array_type, typeof
from .errors import RefError, UnexpectedTracerError
from .jaxpr.ir import Jaxpr
from .state import state
from .trace import EVAL, Tracer

# Held while an eager operation gives the buffer of a Ref's value away.
lock = threading.RLock()


class AbstractRef(NamedTuple):
    """The type of a Ref.

    Attributes:
        inner_aval: the type of its value.
        memory_space: where the value is to be kept, as `new_ref` was told.
        kind: as `new_ref` was told.
    """

    inner_aval: ShapedArray
    memory_space: Any = None
    kind: Any = None

    shape = property(lambda self: self.inner_aval.shape)
    dtype = property(lambda self: self.inner_aval.dtype)
    ndim = property(lambda self: self.inner_aval.ndim)
    size = property(lambda self: self.inner_aval.size)

    def str_short(self) -> str:
        """The type as messages show it, such as `Ref{float32[3]}`."""
        aval = self.inner_aval
        return f"Ref{{{aval.dtype.name}[{','.join(map(str, aval.shape))}]}}"

    __repr__ = __str__ = str_short


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
    _Indexing.get, _Indexing.update = staticmethod(get), staticmethod(update)  # type: ignore


def _indexing() -> type[_Indexing]:
    if _Indexing.get is None:
        from .array_methods import load_late_modules

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

    shape = property(lambda self: self.type.inner_aval.shape)
    dtype = property(lambda self: self.type.inner_aval.dtype)
    ndim = property(lambda self: self.type.inner_aval.ndim)
    size = property(lambda self: self.type.inner_aval.size)
    memory_space = property(lambda self: self.type.memory_space)
    sharding = property(lambda self: self._look().sharding)
    committed = property(lambda self: getattr(self._look(), "committed", False))

    @property
    def at(self) -> _At:
        """`ref.at[index]`: a part of the Ref that is read and written like one."""
        return _At(self)

    def __getitem__(self, index: Any) -> Any:
        return self.get(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.set(value, index)

    def get(self, index: Any = ...) -> Any:
        """The elements at an index."""
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
        """Write elements at an index."""
        self._update("set", value, index)

    def swap(self, value: Any, index: Any = ...) -> Any:
        """Write elements at an index, and return those that were there."""
        with lock:
            old = self.get(index)
            self.set(value, index)
        return old

    def addupdate(self, x: Any, index: Any = ...) -> None:
        """Add to the elements at an index; once for each time that an element is named."""
        self._update("add", x, index)

    def _update(self, method: str, value: Any, index: Any) -> None:
        value = fitting(self, value)
        with lock:
            if _is_all(index) and method == "set":
                write(self, _spread(self, value))
                return
            _check_index(self, index)
            store = _store(self)
            donate = store is self and self._owned and state.trace is EVAL
            made = _indexing().update(method, store._value, index, value, donate)  # type: ignore[misc]
            write(self, made, made is not value and made is not store._value)

    def _look(self) -> Any:
        """The present value, to be read or typed but not handed out."""
        return _store(self)._value

    def unsafe_buffer_pointer(self) -> int:
        """The address of the value's buffer."""
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
        from .ref import new_ref

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
    return index is ... or (type(index) is tuple and (not index or index == (...,)))


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
    from .lax import convert_element_type

    return convert_element_type(value, ref.dtype)


def _spread(ref: Ref, value: Any) -> Any:
    """A value of the Ref's shape and exact type."""
    aval, wanted = typeof(value), ref.type.inner_aval
    if aval is wanted and (hasattr(value, "aval") or state.trace is not EVAL):
        return value
    from . import backend, lax

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


# --- where the present value lies ---


class _Cell:
    """What a program that is being staged knows of a Ref of outside.

    Attributes:
        variable: the program's input for it.
        written: whether it has been written to.
    """

    __slots__ = ("_value", "variable", "written")

    def __init__(self, tracer: Any) -> None:
        self._value = tracer
        self.variable = tracer.variable
        self.written = False


def _walk(ref: Ref) -> tuple[Any, list[Any]]:
    """The innermost program being staged between the Ref's home and here, and what lies in it.

    Returns:
        The staging trace, or None where there is none; and the transformations' traces between
        that (or the Ref's home) and here.
    """
    if ref._ended:
        raise RefError(f"a {ref.type} can't be used: {ref._ended}")
    trace, home = state.trace, ref._home
    frame = None
    inside: list[Any] = []
    while trace is not home:
        if hasattr(trace, "outer"):
            frame = trace if frame is None else frame
            trace = trace.outer
        elif trace is EVAL:
            raise _leaked(ref)
        else:
            if frame is None:
                inside.append(trace)
            trace = getattr(trace, "parent", EVAL)
    return frame, inside


def _leaked(ref: Ref) -> Exception:
    lent = (
        ". A backward rule (custom_vjp) runs after the call where grad(jit(f)) is what "
        "differentiates; in jit(grad(f)) it runs within"
    )
    return UnexpectedTracerError(
        f"a {ref.type} was used outside of the function in which it was made, or to which it was "
        f"passed: a Ref lives no longer than the call. Return its value, ref[...], instead of "
        f"keeping the Ref{lent if ref._lent else ''}"
    )


def _store(ref: Ref) -> Any:
    """What holds the present value here: the Ref itself, or a staging trace's cell for it."""
    frame, _ = _walk(ref)
    return ref if frame is None else _cell(frame, ref)


def _cell(frame: Any, ref: Ref) -> _Cell:
    if frame.refs is None:
        frame.refs = {}
    cell = frame.refs.get(ref)
    if cell is None:
        cell = frame.refs[ref] = _Cell(frame.new_input(ref.type.inner_aval))
    return cell  # type: ignore[no-any-return]


def read(ref: Ref) -> Any:
    """The present value, which others may have from now on."""
    with lock:
        ref._owned = False
        return _look(ref)


def _look(ref: Ref) -> Any:
    return _store(ref)._value


def _take(ref: Ref) -> Any:
    """The present value, or a copy if others have it, for an operation that reuses its buffer."""
    value = _look(ref)
    if ref._owned:
        return value
    from .lax import copy_p

    return copy_p.bind(value)


def write(ref: Ref, value: Any, owned: bool = False) -> None:
    """Make `value`, of the Ref's type, the present one.

    Args:
        ref: the Ref.
        value: an array or tracer.
        owned: whether nobody else has the value.

    Raises:
        RefError: it depends on what is being differentiated or mapped over, and the Ref does not.
    """
    frame, inside = _walk(ref)
    if inside:
        _check_outward(ref, value, inside)
    if frame is not None:
        cell = _cell(frame, ref)
        cell._value = value
        cell.written = True
        return
    ref._value = _as_before(ref._value, value)
    ref._owned = owned and state.trace is EVAL


def _check_outward(ref: Ref, value: Any, inside: Sequence[Any]) -> None:
    for trace in inside:
        if getattr(trace, "maps_rows", False):
            raise RefError(
                f"can't write to a {ref.type} that comes from outside of a function mapped by "
                f"vmap: the rows would write to the same place, in no order. Pass the Ref as an "
                f"argument, with a row for each (in_axes says along which axis), or return the "
                f"values"
            )
        if isinstance(value, Tracer) and value._trace is trace:
            raise RefError(
                f"can't write a value that is being differentiated to a {ref.type} that is not: "
                f"the Ref comes from outside of the function that jvp, vjp or grad differentiates. "
                f"Write jx.lax.stop_gradient(value), make the Ref inside of that function, or make "
                f"it an argument that is differentiated (of jvp, or of vjp, with .with_refs)"
            )


def _as_before(old: Any, new: Any) -> Any:
    """`new`, placed on devices as `old` was."""
    if not getattr(old, "committed", False):
        return new
    where, there = getattr(old, "sharding", None), getattr(new, "sharding", None)
    if where is None or there is None or where == there:
        return new
    from . import backend

    return backend.current().put(new, new.aval, where)


def stand_in(value: Any, ref_type: AbstractRef) -> Ref:
    """A Ref of the current trace, with that value, for one that is passed to a function."""
    return Ref(value, ref_type, state.trace, lent=True)


def end(ref: Ref, how: str) -> Any:
    """End the Ref's life; returns its last value.

    Raises:
        RefError: it has ended before, or was not made by the function that is running.
    """
    if not isinstance(ref, Ref):
        raise TypeError(f"expected a Ref, got {type(ref).__name__}: {ref!r:.80}")
    frame, inside = _walk(ref)
    if frame is not None or inside or ref._lent:
        raise RefError(
            f"a {ref.type} can only be {how.split()[0]} by the function that made it, and this one "
            f"was passed to the function that is running, or is from outside of it"
        )
    value = ref._value
    ref._value, ref._ended = None, f"it has been {how}"
    return value


def reads_as_constants(frame: Any, num_args: int) -> list[Ref]:
    """Make the Refs that a trace has read constants of its program, the last ones.

    Raises:
        RefError: it has written to one.
    """
    for ref, cell in frame.refs.items():
        if cell.written:
            raise RefError(
                f"{frame.name} writes to a {ref.type} from outside, and is a function with "
                f"derivatives of its own (or one that a derivative is made of) inside of a staged "
                f"one: return the value and write it outside, or differentiate inside of jit, as "
                f"in jit(grad(f))"
            )
        frame.constvars.append(cell.variable)
    del frame.invars[num_args:]
    return list(frame.refs)


def values_of(refs: Sequence[Ref], name: str) -> list[Any]:
    """The present values of Refs that a program is to hold as constants.

    Raises:
        RefError: one is known now, and would be the same in later calls.
    """
    values = [read(r) for r in refs]
    for ref, value in zip(refs, values, strict=True):
        if not isinstance(value, Tracer):
            raise RefError(
                f"{name} reads a {ref.type} from outside, and is staged for good here: pass its "
                f"value, ref[...], as an argument"
            )
    return values


# --- arguments that may be Refs ---


def type_of(x: Any) -> Any:
    """The type of an argument: an `AbstractRef` for a Ref."""
    return x.type if type(x) is Ref else typeof(x)


def any_refs(leaves: Iterable[Any]) -> bool:
    """Whether there is a Ref among arguments."""
    return Ref in map(type, leaves)


def held_type(t: Any) -> ShapedArray:
    """The type of an argument's value."""
    return t.inner_aval if type(t) is AbstractRef else t


def held_value(x: Any) -> Any:
    """An argument's value: the present one of a Ref."""
    return read(x) if type(x) is Ref else x


def check_distinct(leaves: Sequence[Any], name: str, names: Callable[[], Sequence[str]]) -> None:
    """Raise a ValueError that names both places of a Ref that is passed twice."""
    places: dict[int, int] = {}
    for i, x in enumerate(leaves):
        if type(x) is Ref and places.setdefault(id(x), i) != i:
            called = names()
            raise ValueError(
                f"only one reference to a mutable array may be passed as an argument to a "
                f"function, but in a call of {name} a {x.type} appeared at both "
                f"{called[places[id(x)]]} and {called[i]}"
            )


def refuse_returned(x: Any, name: str, where: str) -> None:
    """Raise a ValueError if a function's result is a Ref."""
    if type(x) is Ref:
        raise ValueError(
            f"the function {name} returned a mutable array reference of type {x.type} at output "
            f"result{where}, but mutable array references cannot be returned: return its value, "
            f"ref[...]"
        )


class StandIns:
    """The Refs that a function being traced sees in place of those that it was passed."""

    __slots__ = ("refs",)

    def __init__(self) -> None:
        self.refs: list[tuple[int, Ref, Any]] = []

    def enter(self, types: Sequence[Any], values: Sequence[Any]) -> list[Any]:
        """The arguments, stand-ins made of the values of those that are Refs."""
        if AbstractRef not in map(type, types):
            return list(values)
        result = []
        for i, (t, value) in enumerate(zip(types, values, strict=True)):
            if type(t) is AbstractRef:
                ref = stand_in(value, t)
                self.refs.append((i, ref, value))
                value = ref
            result.append(value)
        return result

    def written(self) -> list[tuple[int, Any]]:
        """The places of those that have been written to, and their last values."""
        return [(i, r._value) for i, r, first in self.refs if r._value is not first]


class Uses:
    """What a staged program does with Refs: those it was passed, and those it closes over.

    The program takes, after its arguments, the values of the Refs that it only reads and then of
    those that it writes; it gives, after its results, the last values of the latter and then those
    of the arguments that it wrote to.

    Attributes:
        reads, writes: the Refs that it closes over, weakly.
        arguments: the places of the arguments that it writes to.
    """

    __slots__ = ("_reads", "_writes", "arguments")

    def __init__(self) -> None:
        self._reads: tuple[weakref.ref[Ref], ...] = ()
        self._writes: tuple[weakref.ref[Ref], ...] = ()
        self.arguments: tuple[int, ...] = ()

    @classmethod
    def of(cls, writes: Sequence[Ref], arguments: Sequence[int]) -> Uses:
        """What writes these Refs, and the arguments at these places."""
        self = cls()
        self._writes = tuple([weakref.ref(r) for r in writes])
        self.arguments = tuple(arguments)
        return self

    def __bool__(self) -> bool:
        return bool(self._reads or self._writes or self.arguments)

    def leave(self, inside: StandIns, outputs: list[Any]) -> list[Any]:
        """The outputs of a function, with the last values of the arguments that it wrote to."""
        if not inside.refs:
            return outputs
        last = inside.written()
        self.arguments = tuple([i for i, _ in last])
        return [*outputs, *[value for _, value in last]]

    def close(self, frame: Any, num_args: int, outputs: Sequence[Any]) -> list[Any]:
        """Take note of what a trace has done with Refs of outside, and put its inputs in order.

        Returns:
            The outputs, with those for Refs.
        """
        cells = list(frame.refs.items())
        reads = [(r, c) for r, c in cells if not c.written]
        writes = [(r, c) for r, c in cells if c.written]
        self._reads = tuple([weakref.ref(r) for r, _ in reads])
        self._writes = tuple([weakref.ref(r) for r, _ in writes])
        own = [c.variable for _, c in (*reads, *writes)]
        frame.invars[num_args:] = own
        n = len(outputs) - len(self.arguments)
        return [*outputs[:n], *[c._value for _, c in writes], *outputs[n:]]

    def arranged(self, jaxpr: Jaxpr, num_args: int, num_results: int, at: int | None) -> Jaxpr:
        """The program with those Refs as constants that it reads, and the others at a place.

        Args:
            jaxpr: the program.
            num_args, num_results: how many arguments and results are the function's own.
            at: before which of them those for Refs that it closes over and writes are put.
        """
        ins, outs = jaxpr.invars, jaxpr.outvars
        own, closed = ins[:num_args], ins[num_args:]
        n = len(self._reads)
        i, o = (num_args, num_results) if at is None else (at, at)
        m = num_results + len(self._writes)
        return jaxpr.replace(
            constvars=[*jaxpr.constvars, *closed[:n]],
            invars=[*own[:i], *closed[n:], *own[i:]],
            outvars=[*outs[:o], *outs[num_results:m], *outs[o:num_results], *outs[m:]],
        )

    def in_order(self, results: Sequence[Any], num_results: int, at: int) -> list[Any]:
        """The results of a program that `arranged` has made, those for Refs last."""
        k = len(self._writes)
        return [
            *results[:at],
            *results[at + k : num_results + k],
            *results[at : at + k],
            *results[num_results + k :],
        ]

    @property
    def alive(self) -> bool:
        """Whether all Refs that the program closes over can be used still."""
        return all(
            (r := w()) is not None and not r._ended for w in (*self._reads, *self._writes)
        )

    @property
    def reads(self) -> list[Ref]:
        return [_alive(w) for w in self._reads]

    @property
    def writes(self) -> list[Ref]:
        return [_alive(w) for w in self._writes]

    @property
    def num_results(self) -> int:
        """How many of the program's results are for Refs."""
        return len(self._writes) + len(self.arguments)

    def check(self, leaves: Sequence[Any], name: str, names: Callable[[], Sequence[str]]) -> None:
        """Raise a ValueError where a Ref is passed twice, or passed and closed over."""
        check_distinct(leaves, name, names)
        known = {id(r) for w in (*self._reads, *self._writes) if (r := w()) is not None}
        for i, x in enumerate(leaves):
            if type(x) is Ref and id(x) in known:
                raise ValueError(
                    f"in a call of {name}, a mutable array reference of type {x.type} was both "
                    f"closed over and passed as the argument {names()[i]}"
                )

    def operands(self, leaves: Sequence[Any], give_away: bool = False) -> list[Any]:
        """The program's arguments for a call: values in place of Refs, and those closed over.

        Args:
            leaves: the call's arguments.
            give_away: whether the buffers of the Refs that are written to may be reused.
        """
        take = _take if give_away else read
        values = [held_value(x) for x in leaves]
        for i in self.arguments:
            values[i] = take(leaves[i])
        return [*values, *map(read, self.reads), *map(take, self.writes)]

    def extend(self, params: dict[str, Any], types: Sequence[Any]) -> dict[str, Any]:
        """The params of a staged call, made for the function's own arguments and results.

        Args:
            params: shardings and donations for these.
            types: those of the call's arguments.
        """
        closed = (None,) * (len(self._reads) + len(self._writes))
        donated, ins, outs = (params[k] for k in ("donated", "in_shardings", "out_shardings"))
        if donated:
            flags = list(donated)
            for i, t in enumerate(reversed(types), 1):
                flags[-i] = flags[-i] and type(t) is not AbstractRef
            donated = (*flags, *[False] * len(closed))
        return {
            **params,
            "donated": donated,
            "in_shardings": None if ins is None else (*ins, *closed),
            "out_shardings": None if outs is None else (*outs, *(None,) * self.num_results),
        }

    def donated(self, extra: int, leaves: Sequence[Any], given: Sequence[bool]) -> tuple[bool, ...]:
        """Which operands may be reused: those in `given`, and Refs that are written to.

        Args:
            extra: how many operands come before the arguments.
            leaves: the call's arguments.
            given: a flag for each operand, or none.
        """
        n = extra + len(leaves) + len(self._reads)
        flags = list(given) or [False] * (n + len(self._writes))
        for i in (*[extra + k for k in self.arguments], *range(n, n + len(self._writes))):
            flags[i] = True
        return tuple(flags)

    def write_back(self, leaves: Sequence[Any], results: Sequence[Any]) -> list[Any]:
        """Write the last values, which follow the results of a call, to the Refs.

        Args:
            leaves: the call's arguments.
            results: the program's results.

        Returns:
            The results that are the function's own.
        """
        n = len(results) - self.num_results
        own, last = list(results[:n]), results[n:]
        given = {id(x) for x in own}
        refs = [*self.writes, *[leaves[i] for i in self.arguments]]
        for ref, value in zip(refs, last, strict=True):
            write(ref, value, id(value) not in given)
        return own


def _alive(w: weakref.ref[Ref]) -> Ref:
    ref = w()
    if ref is None:
        raise RefError("a Ref that a staged function closes over no longer exists")
    return ref

"""Traces, which give operations their meaning, and tracers, the values they run on.

Each thread has one current trace; `Primitive.bind` hands every operation to it. The
eager trace computes; a staging trace records; a transformation's trace computes
something else as well, under its parent. A tracer belongs to one trace. This file
has the base classes and the eager trace; staging is in `staging.py`, the rest in
packages above.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from . import dtypes, errors
from .aval import ShapedArray
from .config import debug_key_reuse, eager_constant_folding
from .state import ThreadState, state, swap_trace


class Trace:
    """What happens to operations while this trace is current.

    Subclasses implement `process`. A transformation's trace keeps its `parent`, the
    trace that was current when it began, and does its own arithmetic under it.

    >>> class Counting(Trace):
    ...     def __init__(self, parent):
    ...         self.parent, self.count = parent, 0
    ...
    ...     def process(self, primitive, operands, params):
    ...         self.count += 1
    ...         return self.parent.process(primitive, operands, params)
    >>> from jx_core import lax
    >>> counting = Counting(current_trace())
    >>> with use_trace(counting):
    ...     float(lax.add(lax.mul(2.0, 3.0), 1.0))
    7.0
    >>> counting.count
    2
    """

    __slots__ = ("__weakref__",)

    is_eval: ClassVar[bool] = False

    def process(self, primitive: Any, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Apply `primitive`; operands are this trace's tracers or anything older.

        >>> from jx_core import lax
        >>> float(current_trace().process(lax.add_p, (1.0, 2.0), {}))  # what lax.add(1.0, 2.0) does
        3.0
        """
        raise TypeError(f"{type(self).__name__} does not implement process()")


class EvalTrace(Trace):
    """Computes at once, on the current back end."""

    __slots__ = ()
    is_eval = True

    def process(self, primitive: Any, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
        return (state.backend or default_backend.value).evaluate(primitive, operands, params)


class CheckingEvalTrace(EvalTrace):
    """Computes at once, and sees to it that no random key is used twice where that is asked for.

    The eager trace is one of these from when the option `debug_key_reuse` is first on, so that
    programs that never ask for it pay nothing.
    """

    __slots__ = ()

    def process(self, primitive: Any, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
        run = super().process
        if not debug_key_reuse.state.value:
            return run(primitive, operands, params)
        from .key_reuse.eager import checked

        return checked(run, primitive, operands, params)


class _Default:
    """The process-wide default back end; `jx_core.backend` fills it in."""

    __slots__ = ("value",)
    value: Any


default_backend = _Default()
EVAL = EvalTrace()
ThreadState.trace = EVAL


def _check_keys_from_now_on(scope: str, value: Any) -> None:
    if value is True:
        EVAL.__class__ = CheckingEvalTrace


debug_key_reuse.on_change(_check_keys_from_now_on)
_check_keys_from_now_on("global", debug_key_reuse.global_value)


@contextmanager
def use_trace(trace: Trace) -> Iterator[None]:
    """Make `trace` current for the operations inside."""
    before = swap_trace(trace)
    try:
        yield
    finally:
        swap_trace(before)


class CompileTimeTrace(Trace):
    """Computes at once what depends on no traced value, and leaves the rest to its parent."""

    __slots__ = ("parent",)

    def __init__(self, parent: Trace) -> None:
        self.parent = parent

    def process(self, primitive: Any, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
        if any(isinstance(x, Tracer) for x in operands):
            return self.parent.process(primitive, operands, params)
        with use_trace(EVAL):
            return EVAL.process(primitive, tuple(operands), params)


@contextmanager
def ensure_compile_time_eval() -> Iterator[None]:
    """A context manager (or decorator) in which operations on known values are done at once.

    Inside of a staged function, operations are recorded even where all their operands are known.
    In this context they are computed while the function is traced, so that Python can look at
    the results; those on traced values are recorded as ever. It is so in functions that are staged
    in this context as well, by `jit` or by control flow.

    >>> from jx_core import jit, lax
    >>> @jit
    ... def f(x):
    ...     with ensure_compile_time_eval():
    ...         n = int(lax.add(1, 2))  # a number, not a traced value
    ...     return lax.mul(x, float(n))
    >>> float(f(2.0))
    6.0
    """
    current = state.trace
    known = current.is_eval or isinstance(current, CompileTimeTrace)
    # The option is for what is staged inside; as part of the caches' keys it keeps that apart.
    with eager_constant_folding(True), use_trace(current if known else CompileTimeTrace(current)):
        yield


def current_trace() -> Trace:
    """The trace that operations of this thread go to now."""
    return state.trace  # type: ignore[no-any-return]


class Tracer:
    """A value inside a transformed or staged function: it has a type, perhaps no data.

    Subclasses have an `aval` and may override `concrete`, for transformations under
    which the number is known (`grad` outside of `jit`).

    >>> from jx_core import jit, lax
    >>> @jit
    ... def f(x):
    ...     print(isinstance(x, Tracer), x.shape, x.dtype, x.concrete())
    ...     return lax.sin(x)
    >>> print(f(0.0))
    True () float32 None
    0.0
    """

    __slots__ = ("__weakref__", "_trace")
    __array_priority__ = 1000  # NumPy arrays leave `ndarray + tracer` to the tracer
    __hash__ = None  # type: ignore[assignment]

    _trace: Any
    aval: ShapedArray

    def concrete(self) -> Any:
        """The concrete array behind this tracer, or None where there is none.

        >>> from jx_ad import grad
        >>> from jx_core import jit, lax
        >>> def f(x):
        ...     print(x.concrete())
        ...     return lax.mul(x, x)
        >>> float(grad(f)(3.0))
        3.0
        6.0
        >>> float(jit(f)(3.0))
        None
        9.0
        """
        return None

    def origin(self) -> str:
        """A sentence on where this tracer comes from, for error messages.

        >>> from jx_core import jit
        >>> @jit
        ... def f(x):
        ...     print(x.origin())
        ...     return x
        >>> float(f(1.0))
        It is argument 0 of the traced function while tracing the function 'f'.
        1.0
        """
        return ""

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes.

        >>> from jx_core import jit
        >>> jit(lambda x: x.shape[1])(np.ones((2, 3))).item()
        3
        """
        return self.aval.shape

    @property
    def dtype(self) -> Any:
        """The type of the elements.

        >>> from jx_core import jit, lax
        >>> jit(lambda x: lax.convert_element_type(1, x.dtype))(np.float32(5)).dtype
        dtype('float32')
        """
        return self.aval.dtype

    @property
    def ndim(self) -> int:
        """The number of axes.

        >>> from jx_core import jit
        >>> jit(lambda x: x.ndim)(np.ones((2, 3))).item()
        2
        """
        return self.aval.ndim

    @property
    def size(self) -> int:
        """The number of elements.

        >>> from jx_core import jit
        >>> jit(lambda x: x.size)(np.ones((2, 3))).item()
        6
        """
        return self.aval.size

    @property
    def weak_type(self) -> bool:
        """Whether the dtype gives way in promotion, as a Python number's does.

        >>> from jx_core import jit
        >>> jit(lambda x, y: (x.weak_type, y.weak_type))(1.0, np.float32(1))
        (Array(True, dtype=bool), Array(False, dtype=bool))
        """
        return self.aval.weak_type

    @property
    def itemsize(self) -> int:
        """The bytes of one element.

        >>> from jx_core import jit
        >>> jit(lambda x: x.itemsize)(np.float32(1)).item()
        4
        """
        return self.aval.dtype.itemsize  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        """The bytes of all elements.

        >>> from jx_core import jit
        >>> jit(lambda x: x.nbytes)(np.ones((2, 3), np.float32)).item()
        24
        """
        return self.aval.size * self.itemsize

    @property
    def device(self) -> None:
        """None: where a traced value lies is settled when the program runs.

        As the argument `device` it leaves that open, so programs that make arrays on the
        device of their operands can be traced.

        >>> from jx_core import jit
        >>> @jit
        ... def f(x):
        ...     print(x.device)
        ...     return x
        >>> float(f(1.0))
        None
        1.0
        """
        return None

    def __len__(self) -> int:
        return len(self.aval)

    def _value_for(self, error: type[Exception]) -> Any:
        value = self.concrete()
        if value is None:
            raise error(self)
        return value

    def __bool__(self) -> bool:
        size = self.aval.size
        if type(size) is not int or size > 1:
            raise ValueError(
                f"The truth value of an array with more than one element is ambiguous, and this "
                f"one is {self.aval.str_short()}. Use a.any() or a.all()"
            )
        return bool(self._value_for(errors.TracerBoolConversionError))

    def __int__(self) -> int:
        return int(self._value_for(errors.ConcretizationTypeError))

    def __float__(self) -> float:
        return float(self._steady("float"))

    def __complex__(self) -> complex:
        return complex(self._steady("complex"))

    def _steady(self, conversion: str) -> Any:
        """The value behind a tracer of integers or booleans, which do not change smoothly."""
        value = self._value_for(errors.ConcretizationTypeError)
        if dtypes.issubdtype(self.aval.dtype, np.inexact):
            raise errors.ConcretizationTypeError(
                self,
                f"Its value is known, but {conversion}() would silently drop its derivative: "
                f"x.item() reads the number, and lax.stop_gradient(x) has no derivative.",
            )
        return value

    def __index__(self) -> int:
        return self._value_for(errors.TracerIntegerConversionError).__index__()  # type: ignore[no-any-return]

    def __copy__(self) -> Tracer:
        return self  # nothing changes a tracer

    def __deepcopy__(self, memo: Any) -> Tracer:
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        # The number under a gradient is known, but NumPy would silently drop its derivative.
        raise errors.TracerArrayConversionError(self)

    def __format__(self, spec: str) -> str:
        return format(self.concrete(), spec) if spec and is_concrete(self) else str(self)

    def item(self) -> Any:
        """The Python number of a one-element array whose value is known.

        >>> from jx_ad import grad
        >>> from jx_core import lax
        >>> def f(x):
        ...     print(x.item())
        ...     return lax.mul(x, x)
        >>> float(grad(f)(3.0))
        3.0
        6.0
        """
        value = self._value_for(errors.ConcretizationTypeError)
        return value.item() if hasattr(value, "item") else value  # a Python number

    def tolist(self) -> Any:
        """The nested list of an array whose value is known.

        >>> from jx_ad import grad
        >>> from jx_core import lax
        >>> def f(x):
        ...     print(x.tolist())
        ...     return lax.reduce_sum(lax.mul(x, x), (0,))
        >>> grad(f)(np.float32([1, 2])).tolist()
        [1.0, 2.0]
        [2.0, 4.0]
        """
        value = self._value_for(errors.ConcretizationTypeError)
        return value.tolist() if hasattr(value, "tolist") else value  # a Python number

    def block_until_ready(self) -> Tracer:
        """Tracers are always ready.

        >>> from jx_core import jit
        >>> float(jit(lambda x: x.block_until_ready())(1.0))
        1.0
        """
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{self.aval.str_short()}>"


def is_concrete(x: Any) -> bool:
    """Whether the number behind `x` is known now (no tracer, or one under `grad` alone)."""
    return not isinstance(x, Tracer) or x.concrete() is not None


def to_concrete(x: Any) -> Any:
    """`x` itself when it is no tracer, the array behind it, or None where it is unknown."""
    return x.concrete() if isinstance(x, Tracer) else x

"""The one table of operators and methods that arrays and tracers share.

`define` puts a function on `Tracer` and on every array class of every back end, those
registered later included. On arrays an operator is one compiled dispatch; on tracers
it is the plain function. Core defines the arithmetic ones (`operators.py`), jx-numpy
the rest.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

from .aval import is_arraylike
from .dispatch import CallSpec, Dispatcher, Staged, positions_of
from .trace import Tracer

_table: dict[str, tuple[Any, bool, tuple[str, ...]]] = {}
_classes: list[tuple[type, Any]] = []

# Modules that define members when they are imported, which happens when one is first used.
_late_modules: list[str] = []
_late_names: list[str] = []


class OperatorSpec(CallSpec):
    """The staging of a binary operator: leaves operands it does not know to their own class."""

    member = ""

    def miss(self, *args: Any, **kwargs: Any) -> tuple[Any, Staged | None]:
        if not is_arraylike(args[1]):
            if not hasattr(args[1], "__jax_array__"):
                return _leave(self.member, *args), None
            args = (args[0], args[1].__jax_array__())
        return super().miss(*args, **kwargs)


_SYMBOLS = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%",
    "pow": "**", "matmul": "@", "and": "&", "or": "|", "xor": "^", "lshift": "<<",
    "rshift": ">>", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
    "divmod": "divmod()",
}  # fmt: skip


def _leave(member: str, x: Any, other: Any) -> Any:
    """NotImplemented, so that Python asks the class of `other`.

    Raises:
        TypeError: `other` is one of Python's containers. These know nothing of arrays, and
            would say that `[1, 2] == array` is false, or repeat themselves for `[0] * array`.
    """
    kind = type(other)
    if kind not in (list, tuple, set, dict):
        return NotImplemented
    name = member.strip("_")
    operands = [f"{type(x).__name__!r}", f"{kind.__name__!r}"]
    if name not in _SYMBOLS:
        name = name.removeprefix("r")
        operands.reverse()
    raise TypeError(
        f"unsupported operand type(s) for {_SYMBOLS[name]}: {' and '.join(operands)}. "
        f"Make an array of the {kind.__name__} first, with jx.numpy.array"
    )


def define(
    name: str,
    member: Any,
    *,
    compiled: bool = False,
    static_argnames: Sequence[str] = (),
) -> None:
    """Install `member` as attribute `name` of tracers and of all arrays.

    Args:
        name: the attribute, such as `__add__`, `reshape` or `T`.
        member: a function whose first argument is the array, a property, or another
            descriptor or value.
        compiled: on arrays, stage and compile the function for each signature.
        static_argnames: for compiled functions, the arguments that are Python values.

    >>> import jx_core
    >>> from jx_core import lax
    >>> jx_core.define_array_member("_squared", lambda x: lax.mul(x, x))
    >>> float(lax.add(1.0, 2.0)._squared())
    9.0
    """
    _table[name] = (member, compiled, tuple(static_argnames))
    setattr(Tracer, name, _deferring(name, member) if _is_binary(name, member) else member)
    for cls, backend in _classes:
        _set(cls, backend, name)


def promise(module: str, operators: Sequence[str]) -> None:
    """Say that `module` defines members when imported, so that it need not be imported yet.

    The first use of one of `operators`, or of an attribute that arrays don't have, imports it.

    Args:
        module: its name.
        operators: the special methods among its members, which Python looks up on the class.
    """
    _late_modules.append(module)
    _late_names.extend(operators)
    for cls in (Tracer, *(cls for cls, _ in _classes)):
        _put_stubs(cls)


def _put_stubs(cls: type) -> None:
    for name in _late_names:
        if name not in _table:
            setattr(cls, name, _stub(name))
    if _late_modules:
        cls.__getattr__ = _late_attribute  # type: ignore[attr-defined]


def _stub(name: str) -> Callable[..., Any]:
    def late(self: Any, *args: Any) -> Any:
        if not load_late_modules():
            return NotImplemented
        return getattr(type(self), name)(self, *args)

    late.__name__ = name
    return late


def _late_attribute(self: Any, name: str) -> Any:
    if not name.startswith("__") and load_late_modules():
        return getattr(self, name)
    raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def load_late_modules() -> bool:
    """Import what was promised; whether there was anything to import."""
    if not _late_modules:
        return False
    while _late_modules:
        importlib.import_module(_late_modules[0])
        _late_modules.pop(0)
    for cls in (Tracer, *(cls for cls, _ in _classes)):
        if vars(cls).get("__getattr__") is _late_attribute:
            delattr(cls, "__getattr__")
    return True


def install(cls: type, backend: Any) -> None:
    """Put everything defined so far, and all that will be, on a back end's array class."""
    _classes.append((cls, backend))
    _put_stubs(cls)
    for name in _table:
        _set(cls, backend, name)


def _set(cls: type, backend: Any, name: str) -> None:
    member, compiled, statics = _table[name]
    if compiled:
        kind = OperatorSpec if _is_binary(name, member) else CallSpec
        nums = positions_of(member, statics)
        spec = kind(member, static_argnums=nums, static_argnames=statics, transparent=True)
        if isinstance(spec, OperatorSpec):
            spec.member = name
        member = backend.dispatcher(spec) or Dispatcher(spec)
    elif _is_binary(name, member):
        member = _deferring(name, member)
    setattr(cls, name, member)


_UNARY = {"__neg__", "__pos__", "__abs__", "__invert__", "__round__"}


def _is_binary(name: str, member: Any) -> bool:
    code = getattr(member, "__code__", None)
    return name.startswith("__") and name not in _UNARY and code is not None and (
        code.co_argcount == 2 and name not in ("__getitem__", "__contains__")
    )


def _deferring(name: str, member: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """`member` as a method that gives NotImplemented where the other operand is no array."""

    def operator(self: Any, other: Any) -> Any:
        try:
            return member(self, other)
        except TypeError:
            if is_arraylike(other) or hasattr(other, "__jax_array__"):
                raise
            return _leave(name, self, other)

    operator.__name__ = getattr(member, "__name__", "operator")
    operator.__doc__ = member.__doc__
    return operator


promise("jx_core.operators", [
    *(f"__{p}{n}__" for p in ("", "r") for n in (
        "add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "and", "or", "xor",
        "lshift", "rshift",
    )),
    *(f"__{n}__" for n in (
        "eq", "ne", "lt", "le", "gt", "ge", "neg", "pos", "abs", "invert", "len",
    )),
])  # fmt: skip

"""The params of equations as text, and back: numbers, names, tuples and calls, as Python has them.

Here is the notation of single values. Programs among the params, and the lines they are printed
on, are the business of `printing.py`.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import dtypes
from ..symbolic.expressions import DimExpr
from ..symbolic.parsing import parse_dimension
from ..symbolic.scope import SymbolicScope

__all__ = ["define_name", "define_notation", "read_value", "write_value"]


class _Class(NamedTuple):
    """How objects of one class are written and read."""

    fields: Callable[[Any], dict[str, Any]]
    make: Callable[..., Any]


class _Named(NamedTuple):
    """How objects that have names of their own are written and found."""

    name: Callable[[Any], str]
    find: Callable[[str], Any]


_classes: dict[str, _Class] = {}
_named: dict[type, _Named] = {}


def define_notation(
    cls: type,
    fields: Callable[[Any], dict[str, Any]] | None = None,
    make: Callable[..., Any] | None = None,
) -> None:
    """Say how objects of a class outside of `jx_core.lax` are written where they are params.

    Enums, named tuples and dataclasses that `jx_core.lax` offers need no word: they are written
    as `Class.MEMBER` or `Class(field=value)`.

    Args:
        cls: the class; objects are written as `cls.__name__(field=value, ...)`.
        fields: gives an object's fields, values that have a notation themselves. May be left
            out for enums, named tuples and dataclasses.
        make: makes the object of the same fields, passed by keyword; the class if left out.

    >>> class Window:
    ...     def __init__(self, size):
    ...         self.size = size
    >>> define_notation(Window, fields=lambda w: {"size": w.size})
    >>> write_value(Window((3, 3)))
    'Window(size=(3, 3))'
    >>> read_value("Window(size=(3, 3))").size
    (3, 3)
    """
    _classes[cls.__name__] = _Class(fields or _own_fields, make or cls)


def define_name(cls: type, name: Callable[[Any], str], find: Callable[[str], Any]) -> None:
    """Say that objects of a class are written by name alone.

    Args:
        cls: the class.
        name: gives an object's name, a Python identifier.
        find: the object of a name, or None.
    """
    _named[cls] = _Named(name, find)


def write_value(value: Any) -> str:
    """A param as text that `read_value` understands.

    An object that has no notation, which only a primitive from outside can bring, is written as
    its class in angle brackets, `<Window>`; see `define_notation`.

    >>> write_value((1, -0.5, None, "a b", np.dtype("float32")))
    "(1, -0.5, None, 'a b', float32)"
    """
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, (np.generic, np.ndarray)):
        return _write_array(value)
    if value is None or isinstance(value, (bool, int, str, bytes)):
        return repr(value)
    if isinstance(value, (float, complex)):
        return _write_number(value)
    if isinstance(value, DimExpr):
        return str(value)
    if isinstance(value, (np.dtype, dtypes.ExtendedDType)):
        return str(value.name)
    if isinstance(value, type) and issubclass(value, np.generic):
        return f"type({np.dtype(value).name})"
    found = _named.get(type(value))
    if found is not None:
        return found.name(value)
    cls = type(value).__name__
    if cls in _classes:
        return _write_call(cls, _classes[cls].fields(value))
    if hasattr(value, "_fields") or dataclasses.is_dataclass(value):
        return _write_call(cls, _own_fields(value))
    return _write_collection(value)


def _write_collection(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(write_value, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(write_value, value))}]"
    if isinstance(value, frozenset):
        inside = ", ".join(sorted(map(write_value, value)))
        return f"frozenset([{inside}])" if value else "frozenset()"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{write_value(k)}: {write_value(v)}' for k, v in value.items())}}}"
    return f"<{type(value).__name__}>"


def _write_call(name: str, fields: dict[str, Any]) -> str:
    return f"{name}({', '.join(f'{k}={write_value(v)}' for k, v in fields.items())})"


def _own_fields(value: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    return dict(value._asdict())


def _write_number(value: complex) -> str:
    if isinstance(value, complex):
        return f"complex({_write_number(value.real)}, {_write_number(value.imag)})"
    return repr(float(value))  # inf and nan are names here


def _write_array(value: np.generic | np.ndarray) -> str:
    name = value.dtype.name
    if isinstance(value, np.generic):
        return f"{name}({_write_element(value)})"
    if not value.size:
        return f"array([], shape={value.shape}, dtype={name})"
    return f"array({_write_rows(value)}, dtype={name})"


def _write_rows(value: np.ndarray) -> str:
    if value.ndim == 0:
        return _write_element(value[()])
    return f"[{', '.join(_write_rows(np.asarray(row)) for row in value)}]"


def _write_element(value: Any) -> str:
    kind = value.dtype.kind
    if kind == "b":
        return str(bool(value))
    if dtypes.issubdtype(value.dtype, np.integer):
        return str(int(value))
    return _write_number(complex(value) if kind == "c" else float(value))


def read_value(text: str, scope: SymbolicScope | None = None) -> Any:
    """The value that `write_value` wrote.

    Args:
        text: its text.
        scope: the scope of the symbolic dimensions in it, if there are any.

    Raises:
        ValueError: the text is none of its writing; the message shows the part at fault.

    >>> read_value("(1, -0.5, None, 'a b', float32)")
    (1, -0.5, None, 'a b', dtype('float32'))
    """
    try:
        tree = ast.parse(re.sub(r"key<(\w+)>", r"key('\1')", text), mode="eval")
    except SyntaxError as error:
        raise ValueError(f"can't read the param {text!r}: {error.msg}") from None
    return _read(tree.body, scope)


_DIMENSIONS = ("floordiv", "mod", "max", "min")


def _read(node: ast.expr, scope: SymbolicScope | None) -> Any:
    if scope is not None and _is_dimension(node):
        return parse_dimension(ast.unparse(node), scope)
    match node:
        case ast.Constant():
            return node.value
        case ast.Tuple():
            return tuple(_read(e, scope) for e in node.elts)
        case ast.List():
            return [_read(e, scope) for e in node.elts]
        case ast.Dict():
            return {
                _read(k, scope): _read(v, scope)
                for k, v in zip(node.keys, node.values)
                if k is not None
            }
        case ast.UnaryOp(op=ast.USub()):
            return -_read(node.operand, scope)
        case ast.Name():
            return _read_name(node.id)
        case ast.Attribute(value=ast.Name(id=cls)):
            return getattr(_class_of(cls), node.attr)
        case ast.Call(func=ast.Name(id=name)):
            fields = {
                k.arg: _read(k.value, scope) for k in node.keywords if k.arg is not None
            }
            return _read_call(name, [_read(a, scope) for a in node.args], fields)
    raise ValueError(f"can't read the param {ast.unparse(node)!r}: no value is written so")


def _is_dimension(node: ast.expr) -> bool:
    """Whether this is how a symbolic dimension is written: a sum, an operation, a variable."""
    match node:
        case ast.BinOp():
            return True
        case ast.UnaryOp(operand=ast.BinOp() | ast.Name() | ast.Call()):
            return _is_dimension(node.operand)
        case ast.Call(func=ast.Name(id=name)):
            return name in _DIMENSIONS
        case ast.Name(id=name) if name not in ("inf", "nan"):
            try:
                found = _read_name(name)
            except ValueError:
                return True
            return isinstance(found, np.dtype) and found.name != name  # b is NumPy's int8, too
    return False


def _read_name(name: str) -> Any:
    if name in ("inf", "nan"):
        return getattr(math, name)
    for named in _named.values():
        found = named.find(name)
        if found is not None:
            return found
    return _dtype(name)


def _read_call(name: str, args: list[Any], fields: dict[str, Any]) -> Any:
    if name == "complex":
        return complex(*args)
    if name == "frozenset":
        return frozenset(*args)
    if name == "type":
        return args[0].type
    if name == "array":
        shape, dtype = fields.get("shape"), fields["dtype"]
        return np.zeros(shape, dtype) if shape else np.array(args[0], dtype)
    if name == "key":
        from ..ops.rng.keys import key_dtype_of_tag

        return key_dtype_of_tag(args[0])
    if name in _classes:
        return _classes[name].make(**fields)
    if not fields and len(args) == 1:
        return _dtype(name).type(args[0])
    return _class_of(name)(**fields)


def _dtype(name: str) -> Any:
    scalar = getattr(dtypes, name, None) or getattr(np, name, None)
    try:
        return np.dtype(scalar if scalar is not None else name)
    except TypeError:
        raise ValueError(
            f"can't read the param {name!r}: no dtype and no value has this name"
        ) from None


def _class_of(name: str) -> Any:
    """A class that params are made of, by its name."""
    from .. import lax

    if name in _classes:
        return _classes[name].make
    found = getattr(lax, name, None) or getattr(lax.linalg, name, None)
    if not isinstance(found, type):
        raise ValueError(
            f"can't read a param of class {name}: define_notation says how objects of a class "
            f"are written"
        )
    return found

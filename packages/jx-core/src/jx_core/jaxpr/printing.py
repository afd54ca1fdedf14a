"""Jaxprs as text, in JAX's notation: `{ lambda ; a:f32[3]. let b:f32[3] = sin a in (b,) }`."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import numpy as np

from ..aval import typeof
from .ir import ClosedJaxpr, DropVar, Eqn, Jaxpr, Literal, jaxprs_in
from .notation import write_value

_WIDTH = 80
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


class _Names:
    """Letters for variables, and names for programs that are printed more than once."""

    def __init__(self) -> None:
        self.vars: dict[Any, str] = {}
        self.shared: dict[int, str] = {}
        self.open: set[int] = set()  # rules being printed
        self.values: dict[Any, str] = {}  # of the constants of programs among the params

    def of(self, v: Any) -> str:
        if isinstance(v, Literal):
            return f"{_scalar(v.val)}:{v.aval.str_short()}"
        if isinstance(v, DropVar):
            return "_"
        if v not in self.vars:
            self.vars[v] = _letters(len(self.vars))
        return self.vars[v]

    def binder(self, v: Any) -> str:
        value = f"={self.values[v]}" if v in self.values else ""
        return f"{self.of(v)}:{v.aval.str_short()}{value}"


def _letters(n: int) -> str:
    """a, b, ..., z, ba, bb, ... (base 26 with a as zero)."""
    name = _ALPHABET[n % 26]
    while n >= 26:
        n //= 26
        name = _ALPHABET[n % 26] + name
    return name


def _scalar(value: Any) -> str:
    value = value.item() if isinstance(value, (np.generic, np.ndarray)) else value
    return str(value)


_LONGEST_CONSTANT = 16  # elements


def _constant(value: Any) -> str:
    """The elements of an array that a program in the params closes over.

    A longer one is named by the hash of its bytes, by which whoever reads the text finds it
    among the arrays that come with it.
    """
    from .. import backend

    array = np.asarray(backend.current().get(value))
    if array.dtype.kind == "V" and typeof(value).dtype != array.dtype:
        array = np.ascontiguousarray(array)[..., None].view(np.uint32)  # keys, as their words
    if array.size <= _LONGEST_CONSTANT:
        text = write_value(array)
        return text.removeprefix("array(").rpartition(", dtype=")[0]
    return f"#{hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]}"


class _Options:
    def __init__(self, source_info: bool, name_stack: bool) -> None:
        self.source_info = source_info
        self.name_stack = name_stack


def format_jaxpr(jaxpr: Jaxpr, *, source_info: bool = False, name_stack: bool = False) -> str:
    """`jaxpr` as text; `source_info` and `name_stack` annotate each equation."""
    names = _Names()
    options = _Options(source_info, name_stack)
    lets = []
    for shared in _repeated(jaxpr):
        name = shared.debug_name or "jaxpr"
        taken = set(names.shared.values())
        unique = name
        k = 0
        while unique in taken:
            k += 1
            unique = f"{name}{k}"
        names.shared[id(shared)] = unique
        body = _jaxpr_text(shared, names, options, define=True)
        lets.append(f"let {unique} = {body} in\n")
    return "".join(lets) + _jaxpr_text(jaxpr, names, options, define=True)


def format_equation(eqn: Eqn) -> str:
    """One equation as text."""
    return "\n".join(_equation_lines(eqn, _Names(), _Options(False, False)))


def _repeated(jaxpr: Jaxpr) -> list[Jaxpr]:
    """Inner programs that occur more than once, inner ones first."""
    counts: dict[int, int] = {}
    order: list[Jaxpr] = []

    def visit(j: Jaxpr) -> None:
        for eqn in j.eqns:
            for inner in jaxprs_in(eqn.params):
                counts[id(inner)] = counts.get(id(inner), 0) + 1
                if counts[id(inner)] == 1:
                    visit(inner)
                    order.append(inner)

    visit(jaxpr)
    return [j for j in order if counts[id(j)] > 1]


def _jaxpr_text(jaxpr: Jaxpr, names: _Names, options: _Options, define: bool = False) -> str:
    if not define and id(jaxpr) in names.shared:
        return names.shared[id(jaxpr)]
    consts = " ".join(names.binder(v) for v in jaxpr.constvars)
    inputs = " ".join(names.binder(v) for v in jaxpr.invars)
    head = f"{{ lambda {consts}; {inputs}. let"
    lines = [line for eqn in jaxpr.eqns for line in _equation_lines(eqn, names, options)]
    outs = [names.of(v) for v in jaxpr.outvars]
    tail = f"in ({', '.join(outs)}{',' if len(outs) == 1 else ''}) }}"
    flat = f"{head} {'; '.join(lines)} {tail}"
    if len(flat) <= _WIDTH and "\n" not in flat:
        return flat
    body = "\n".join("    " + line for line in lines)
    return f"{head}\n{body}\n  {tail}"


def _equation_lines(eqn: Eqn, names: _Names, options: _Options) -> list[str]:
    operands = " ".join(names.of(v) for v in eqn.invars)
    # Results are named before the variables of programs in the params, which print later.
    left = " ".join(names.binder(v) for v in eqn.outvars)
    params = _params(eqn, names, options)
    head = f"{left} = {eqn.primitive.name}" if left else eqn.primitive.name
    note = ""
    if options.name_stack and eqn.source.scope:
        note += f" [{eqn.source.scope}]"
    if options.source_info:
        note += f" # {eqn.source}"
    if not params:
        return [f"{head} {operands}".rstrip() + note]
    flat = f"{head}[{' '.join(params)}] {operands}".rstrip()
    if len(flat) <= _WIDTH and "\n" not in flat:
        return [flat + note]
    inner = [f"  {line}" for p in params for line in p.split("\n")]
    return [f"{head}[", *inner, f"] {operands}".rstrip() + note]


# Params at these values say nothing, so they are left out of the text, as in JAX.
_QUIET: dict[str, dict[str, Any]] = {
    "jit": {
        "donated": (),
        "in_shardings": None,
        "out_shardings": None,
        "keep_unused": False,
        "inline": False,
        "compiler_options": (),
    },
    "dot_general": {"precision": None, "preferred_element_type": None},
}


def _params(eqn: Eqn, names: _Names, options: _Options) -> list[str]:
    quiet = _QUIET.get(eqn.primitive.name, {})
    shown = {}
    for key, value in eqn.params.items():
        if key in quiet and quiet[key] == value:
            continue
        if eqn.primitive.name == "broadcast_in_dim" and (
            (key == "shape") or (key == "broadcast_dimensions" and value == ())
        ):
            # The result's type says it.
            continue
        if key == "sharding" and value is None:
            continue
        shown[key] = value
    order = shown if eqn.primitive.name == "jit" else sorted(shown)
    ordered = ("name", "jaxpr", *[k for k in order if k not in ("name", "jaxpr")])
    keys = [k for k in ordered if k in shown] if eqn.primitive.name == "jit" else list(order)
    return [f"{k}={_named_value(k, shown[k], names, options)}" for k in keys]


_PLAIN_NAME = re.compile(r"[\w<>.-]+")


def _named_value(key: str, value: Any, names: _Names, options: _Options) -> str:
    """A param's value; what a param called `name` holds needs no quotation marks."""
    if key == "name" and isinstance(value, str) and _PLAIN_NAME.fullmatch(value):
        return value
    return _value(value, names, options)


def _rules(rules: Any, names: _Names, options: _Options) -> str:
    """A call's own rules; one that calls its function again is named there."""
    if id(rules) in names.open:
        return str(rules.name)
    names.open.add(id(rules))
    try:
        return _value(rules.printed(), names, options)
    finally:
        names.open.discard(id(rules))


def _value(value: Any, names: _Names, options: _Options) -> str:
    if hasattr(value, "printed"):  # rules that become programs when they are asked for
        return _rules(value, names, options)
    if isinstance(value, ClosedJaxpr):
        for v, c in zip(value.jaxpr.constvars, value.consts, strict=True):
            names.values[v] = _constant(c)
        value = value.jaxpr
    if isinstance(value, Jaxpr):
        text = _jaxpr_text(value, names, options)
        return text
    if isinstance(value, tuple) and value and isinstance(value[0], (Jaxpr, ClosedJaxpr)):
        items = "\n".join(_value(v, names, options) for v in value)
        return "(\n" + "\n".join("  " + line for line in items.split("\n")) + "\n)"
    if isinstance(value, tuple) and any(isinstance(v, (Jaxpr, ClosedJaxpr)) for v in value):
        return f"({', '.join(_value(v, names, options) for v in value)})"
    return write_value(value)

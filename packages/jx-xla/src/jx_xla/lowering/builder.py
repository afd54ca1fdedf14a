"""Building a StableHLO module as text, in MLIR's generic operation form.

Text is the fastest way from Python to MLIR: one parse in C++ replaces a binding call
for every operation, type and attribute. A `Module` holds functions; a `Block` is a
list of operations being written, in which values are their SSA names (`%12`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import ShapedArray
from jx_core.source import Source
from jx_core.symbolic import DimExpr

from .types import MARK, dense, element_type, size_text, tensor, type_of

Value = str

# In a module for several platforms, each function's first argument: which of them it runs on.
PLATFORM_INDEX = "%platform"


class SeveralPlatforms(Exception):
    """A rule asked for the platform of a module that is for several, and must be asked again.

    `platforms.py` raises no further than where an equation is lowered.
    """


class Module:
    """A StableHLO module being written.

    Attributes:
        platforms: what it is lowered for: `cpu`, `cuda`, `rocm`, `tpu`.
        functions: the text of the functions so far.
        shared: names of the functions made for inner programs, by program.
        overrides: lowering rules to use in place of the tables', by primitive.
        host_callbacks: what the module calls back into Python for.
        num_partitions: over how many devices its values are split.
        devices: the devices it is lowered for, in their order.
        inspections: what asks the compiler how values lie.
    """

    def __init__(self, name: str, platforms: Sequence[str]) -> None:
        self.name = name
        self.platforms = tuple(platforms)
        self.functions: list[str] = []
        self.shared: dict[Any, tuple[str, Any]] = {}
        self.overrides: dict[Any, Any] = {}
        self.host_callbacks: list[Any] = []
        self.num_partitions = 1
        self.devices: Sequence[Any] = ()
        self.inspections: list[Any] = []
        self._meshes: dict[str, str] = {}
        self.attributes: dict[str, str] = {}
        self._names: dict[str, int] = {}
        self._locations: dict[str, str] = {}
        self._source_locations: dict[tuple[int, int, str, str], str] = {}
        self._lines: dict[int, tuple[Any, list[int]]] = {}

    @property
    def platform(self) -> str:
        """The one platform that what is being written is for."""
        if len(self.platforms) > 1:
            raise SeveralPlatforms
        return self.platforms[0]

    def fresh_name(self, wanted: str) -> str:
        """A function name not used yet, made of the letters MLIR allows."""
        base = "".join(c if c.isalnum() or c in "_.$" else "_" for c in wanted) or "fn"
        if base[0].isdigit():
            base = "_" + base
        n = self._names.get(base)
        name = base
        while name in self._names:  # a function may be called f_0, or have come from elsewhere
            assert n is not None
            name = f"{base}_{n - 1}"
            n += 1
        self._names[base] = n or 1
        self._names.setdefault(name, 1)
        return name

    def mesh(self, attribute: str) -> str:
        """The symbol of the mesh with this attribute, `#sdy.mesh<["x"=2]>`; declared once."""
        name = self._meshes.get(attribute)
        if name is None:
            name = self._meshes[attribute] = self.fresh_name("mesh")
        return name

    def location(self, source: Source, name: str) -> str:
        """The alias of a location: operation name and scope, at the user's file and line."""
        code = source.code
        key = (id(code), source.instruction, source.scope, name)
        alias = self._source_locations.get(key)
        if alias is None:
            label = f"{self.name}/{source.scope}/{name}" if source.scope else f"{self.name}/{name}"
            text = _quote(label)
            if code is not None:
                text += f"({_quote(code.co_filename)}:{self._line(source)}:0)"
            alias = self._locations.setdefault(f"loc({text})", f"#loc{len(self._locations)}")
            self._source_locations[key] = alias
        return alias

    def _line(self, source: Source) -> int:
        code: Any = source.code
        if id(code) not in self._lines:
            lines = [p[0] or code.co_firstlineno for p in code.co_positions()]
            self._lines[id(code)] = code, lines
        lines = self._lines[id(code)][1]
        place = source.instruction // 2
        return lines[place] if 0 <= place < len(lines) else int(code.co_firstlineno)

    def text(self) -> str:
        """The whole module."""
        attributes = ", ".join(f"{k} = {v}" for k, v in self.attributes.items())
        head = f"module @{_symbol(self.name)} attributes {{{attributes}}} {{\n"
        aliases = "".join(f"{alias} = {loc}\n" for loc, alias in self._locations.items())
        meshes = "".join(
            f'"sdy.mesh"() {{mesh = {attribute}, sym_name = "{name}"}} : () -> ()\n'
            for attribute, name in self._meshes.items()
        )
        text = aliases + head + meshes + "".join(self.functions) + "}\n"
        return _SYMBOLIC.sub("?", text) if MARK in text else text

    def function_block(self, arguments: Sequence[str], types: Sequence[str], main: bool) -> Block:
        """The block of a new function; `main` is the one that callers of the module call."""
        return Block(self)

    def leading_types(self) -> list[str]:
        """The types of what every function but the main one takes before its arguments."""
        return []


_SYMBOLIC = re.compile("⟦[^⟧]*⟧")


def _symbol(name: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else "_" for c in name) or "main"


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


class Block:
    """Operations being written, and names for their results.

    Blocks of regions (loop bodies) share the counter of the function they are in, and see
    its values, but write constants and broadcasts of their own.

    Attributes:
        token: in a program with ordered effects, what the next of them comes after.
    """

    __slots__ = ("_counter", "_written", "lines", "loc", "module", "token")

    def __init__(self, module: Module, counter: list[int] | None = None) -> None:
        self.module = module
        self.lines: list[str] = []
        self.loc = ""
        self.token: Value = ""
        self._counter = [0] if counter is None else counter
        self._written: dict[Any, Value] = {}  # constants, and what was broadcast: once is enough

    def fresh(self) -> Value:
        """A new SSA name."""
        n = self._counter[0] = self._counter[0] + 1
        return f"%{n}"

    def mark(self) -> tuple[Any, ...]:
        """Where writing stands, for `rewind`: lines, results, and what is known of values."""
        return len(self.lines), self._counter[0], dict(self._written)

    def rewind(self, mark: tuple[Any, ...]) -> None:
        """Forget what has been written since `mark`."""
        length, self._counter[0], self._written = mark
        del self.lines[length:]

    def restart(self, count: int) -> None:
        """Number the results of what is written next from `count` on."""
        self._counter[0] = count

    def inner(self) -> Block:
        """A block for a region of an operation of this one."""
        block = Block(self.module, self._counter)
        block.loc = self.loc
        block.token = self.token
        return block

    def size(self, dim: Any) -> Value:
        """The value of a dimension, a scalar of 64 bits.

        Raises:
            ValueError: it is symbolic, and no argument of the program has a symbolic shape.
        """
        if isinstance(dim, DimExpr):
            raise ValueError(
                f"the symbolic dimension {dim} has no value in a program of whose arguments none "
                f"has a symbolic shape: pass an argument in whose shape its variables occur"
            )
        return self.constant(dim, np.dtype(np.int64))

    def count(self, dim: Any, dtype: np.dtype) -> Value:
        """A dimension as a scalar of an integer dtype."""
        if not isinstance(dim, DimExpr):
            return self.constant(dim, dtype)
        return self.op(
            "stablehlo.convert", (self.size(dim),), ("tensor<i64>",), tensor((), dtype)
        )

    def counts(self, dims: Sequence[Any], dtype: np.dtype) -> Value:
        """Dimensions as a vector of an integer dtype, those that it can't hold cut to its top."""
        top = np.iinfo(dtype).max
        return self.constant(np.asarray([min(n, top) for n in dims], dtype), dtype)

    def leading(self) -> list[Value]:
        """What calls of the module's functions pass before the arguments."""
        return []

    def op(
        self,
        name: str,
        operands: Sequence[Value],
        operand_types: Sequence[str],
        result_type: str,
        attributes: str = "",
        regions: str = "",
    ) -> Value:
        """Write an operation with one result.

        Args:
            name: the full name, `stablehlo.sine`.
            operands: SSA names.
            operand_types, result_type: MLIR types.
            attributes: the inside of the attribute dictionary, `a = 1 : i64, b = ...`.
            regions: the text of its regions (see `region`).
        """
        n = self._counter[0] = self._counter[0] + 1
        out = f"%{n}"
        attrs = f" {{{attributes}}}" if attributes else ""
        self.lines.append(
            f'{out} = "{name}"({", ".join(operands)}){regions}{attrs} : '
            f"({', '.join(operand_types)}) -> {result_type}{self.loc}\n"
        )
        return out

    def ops(
        self,
        name: str,
        operands: Sequence[Value],
        operand_types: Sequence[str],
        result_types: Sequence[str],
        attributes: str = "",
        regions: str = "",
    ) -> list[Value]:
        """Write an operation with any number of results."""
        attrs = f" {{{attributes}}}" if attributes else ""
        outs = [self.fresh() for _ in result_types]
        base = outs[0] if outs else ""
        left = f"{base}:{len(outs)} = " if len(outs) > 1 else f"{base} = " if outs else ""
        self.lines.append(
            f'{left}"{name}"({", ".join(operands)}){regions}{attrs} : '
            f"({', '.join(operand_types)}) -> ({', '.join(result_types)}){self.loc}\n"
        )
        return [f"{base}#{i}" for i in range(len(outs))] if len(outs) > 1 else outs

    def constant(self, value: Any, dtype: Any, shape: tuple[int, ...] = ()) -> Value:
        """A constant: an array, or a number of `dtype` filling `shape`; written once a block."""
        array = np.asarray(value, dtype)
        key = (array.tobytes(), array.shape, element_type(array.dtype), shape) if (
            array.size <= 1
        ) else None
        if key is not None and key in self._written:
            return self._written[key]
        held = shape if array.ndim == 0 else array.shape
        kind = tensor(held, array.dtype)
        value = f"value = dense<{dense(array)}> : {kind}"
        name = self.op("stablehlo.constant", (), (), kind, value)
        if key is not None:
            self._written[key] = name
        return name

    def broadcast(
        self, x: Value, aval: ShapedArray, shape: tuple[int, ...], dims: Sequence[int] = ()
    ) -> Value:
        """`x` of type `aval` broadcast to `shape`, its axes its `dims`; written once a block."""
        if aval.shape == shape and tuple(dims) in ((), tuple(range(len(shape)))):
            return x
        kind = tensor(shape, aval.dtype)
        key = (x, kind, tuple(dims))
        if (known := self._written.get(key)) is not None:
            return known
        out = self._written[key] = self.op(
            "stablehlo.broadcast_in_dim",
            (x,),
            (type_of(aval),),
            kind,
            f"broadcast_dimensions = {i64_array(dims)}",
        )
        return out

    def region(self, arguments: Sequence[tuple[Value, str]], results: Sequence[Value],
               types: Sequence[str], terminator: str = "stablehlo.return") -> str:
        """This block as the text of a region that takes `arguments` and returns `results`."""
        head = ", ".join(f"{name}: {kind}" for name, kind in arguments)
        label = f"^bb0({head}):\n" if arguments else ""
        end = f'"{terminator}"({", ".join(results)}) : ({", ".join(types)}) -> (){self.loc}\n'
        return f"{{\n{label}{''.join(self.lines)}{end}}}"


def i64_array(values: Sequence[int]) -> str:
    """`array<i64: 1, 2>`."""
    return f"array<i64: {', '.join(map(size_text, values))}>" if len(values) else "array<i64>"


def i64_matrix(rows: Sequence[Sequence[int]]) -> str:
    """`dense<[[0, 1], [2, 3]]> : tensor<2x2xi64>`."""
    n, m = len(rows), len(rows[0]) if len(rows) else 2
    if n == 0:
        return f"dense<> : tensor<0x{m}xi64>"
    body = ", ".join(f"[{', '.join(map(size_text, row))}]" for row in rows)
    return f"dense<[{body}]> : tensor<{n}x{m}xi64>"


def bool_array(values: Sequence[bool]) -> str:
    """`array<i1: true, false>`."""
    words = ", ".join("true" if v else "false" for v in values)
    return f"array<i1: {words}>" if words else "array<i1>"


"""Programs with symbolic shapes as dynamic StableHLO.

Lowering rules know nothing of this. They write types and attributes in which a symbolic size
stands as `⟦4*n⟧` (see `types.size_text`). A `DynamicBlock` writes them down as what StableHLO
has: sizes in types become `?` (in `Module.text`), and an operation whose result or attributes
depend on a symbolic size becomes the dynamic operation that takes it as an operand, computed
from the values of the dimension variables. Those are worked out once, at the top of the main
function, from the sizes of its arguments; every other function gets them as its first
arguments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from jx_core import ShapedArray
from jx_core.errors import InconclusiveDimensionOperation
from jx_core.symbolic import DimensionSolver, DimExpr, SymbolicScope
from jx_core.symbolic.bounds import bounds
from jx_core.symbolic.expressions import FLOORDIV, MAX, MIN, Atom, subtract
from jx_core.symbolic.parsing import parse_dimension

from .builder import Block, Module, Value
from .types import MARK, tensor

SIZE = "tensor<i64>"


class DynamicModule(Module):
    """A module being written whose functions know the dimension variables of a scope.

    Attributes:
        scope: the scope.
        variables: the names of the variables, in the order in which functions take them.
    """

    def __init__(self, name: str, platforms: Sequence[str], solver: DimensionSolver) -> None:
        super().__init__(name, platforms)
        assert solver.scope is not None
        self.scope: SymbolicScope = solver.scope
        self.solver = solver
        self.variables = solver.variables

    def function_block(self, arguments: Sequence[str], types: Sequence[str], main: bool) -> Block:
        block = DynamicBlock(self)
        if main:
            _solve(block, self.solver, arguments, types)
        else:
            block.values = {v: f"%dim_{i}" for i, v in enumerate(self.variables)}
        return block

    def leading_types(self) -> list[str]:
        return [SIZE] * len(self.variables)


class DynamicBlock(Block):
    """A block of a function that knows the values of the dimension variables.

    Attributes:
        values: of each variable, a scalar of 64 bits.
    """

    __slots__ = ("_scope", "_sizes", "values")

    def __init__(self, module: DynamicModule, counter: list[int] | None = None) -> None:
        super().__init__(module, counter)
        self._scope = module.scope
        self.values: dict[str, Value] = {}
        self._sizes: dict[DimExpr, Value] = {}

    def inner(self) -> Block:
        block = DynamicBlock(self.module, self._counter)  # type: ignore[arg-type]
        block.loc = self.loc
        block.values = self.values
        block._sizes = dict(self._sizes)
        return block

    def mark(self) -> tuple[Any, ...]:
        return (*super().mark(), dict(self._sizes))

    def rewind(self, mark: tuple[Any, ...]) -> None:
        *written, self._sizes = mark
        super().rewind(tuple(written))

    def leading(self) -> list[Value]:
        return list(self.values.values())

    # --- operations ---

    def op(
        self,
        name: str,
        operands: Sequence[Value],
        operand_types: Sequence[str],
        result_type: str,
        attributes: str = "",
        regions: str = "",
    ) -> Value:
        if MARK in result_type or MARK in attributes:
            dynamic = _DYNAMIC.get(name)
            if dynamic is not None:
                made = dynamic(self, operands, operand_types, result_type, attributes, regions)
                if made is not None:
                    return made
        if MARK in attributes:
            raise self._no_dynamic_form(name, attributes)
        return super().op(name, operands, operand_types, result_type, attributes, regions)

    def ops(
        self,
        name: str,
        operands: Sequence[Value],
        operand_types: Sequence[str],
        result_types: Sequence[str],
        attributes: str = "",
        regions: str = "",
    ) -> list[Value]:
        if any(MARK in t for t in result_types):
            if name == "stablehlo.custom_call":
                operands, operand_types, attributes = _with_result_shapes(
                    self, operands, operand_types, result_types, attributes
                )
        if MARK in attributes:
            raise self._no_dynamic_form(name, attributes)
        return super().ops(name, operands, operand_types, result_types, attributes, regions)

    def _no_dynamic_form(self, name: str, attributes: str) -> InconclusiveDimensionOperation:
        readable = re.sub("[⟦⟧]", "", attributes)
        return InconclusiveDimensionOperation(
            f"{name} needs sizes that are known when the program is exported, and here some are "
            f"symbolic: {readable}. Export with that dimension constant"
        )

    def constant(self, value: Any, dtype: Any, shape: tuple[Any, ...] = ()) -> Value:
        if any(type(d) is DimExpr for d in shape):
            scalar = super().constant(value, dtype)
            return self.broadcast(scalar, ShapedArray((), dtype), shape)
        return super().constant(value, dtype, shape)

    # --- sizes ---

    def size(self, dim: Any) -> Value:
        """The value of a dimension, a scalar of 64 bits."""
        if not isinstance(dim, DimExpr):
            return self.constant(dim, np.dtype(np.int64))
        found = self._sizes.get(dim)
        if found is None:
            found = self._sizes[dim] = self._computed(dim)
        return found

    def _computed(self, dim: DimExpr) -> Value:
        total: Value | None = None
        for monomial, c in dim.terms:
            product: Value | None = None
            for atom, exponent in monomial:
                value = self._atom(atom)
                for _ in range(exponent):
                    product = value if product is None else self.scalar("multiply", product, value)
            if product is None:
                product = self.size(c)
            elif c != 1:
                product = self.scalar("multiply", product, self.size(c))
            total = product if total is None else self.scalar("add", total, product)
        assert total is not None
        return total

    def _atom(self, atom: Atom) -> Value:
        if atom.is_variable:
            value = self.values.get(atom.name)
            if value is None:
                raise ValueError(
                    f"the dimension variable {atom.name!r} does not occur in the shape of an "
                    f"argument: its value can't be known. Pass an argument that has it"
                )
            return value
        a, b = (self.size(x) for x in atom.operands)
        if atom.name in (MAX, MIN):
            return self.scalar("maximum" if atom.name == MAX else "minimum", a, b)
        quotient = self.scalar("divide", a, b)
        rest = self.scalar("subtract", a, self.scalar("multiply", quotient, b))
        (low, _), (divisor, _) = (bounds(x) for x in atom.operands)
        if low < 0 or divisor < 0:
            # StableHLO rounds to zero: one less where the remainder has the other sign.
            zero = self.size(0)
            wrong = self.compare("LT", self.scalar("multiply", rest, b), zero)
            less = self.scalar("subtract", quotient, self.size(1))
            more = self.scalar("add", rest, b)
            quotient, rest = self.choose(wrong, less, quotient), self.choose(wrong, more, rest)
        return quotient if atom.name == FLOORDIV else rest

    def scalar(self, op: str, a: Value, b: Value) -> Value:
        """An operation on two sizes."""
        return super().op(f"stablehlo.{op}", (a, b), (SIZE, SIZE), SIZE)

    def compare(self, direction: str, a: Value, b: Value) -> Value:
        attribute = f"comparison_direction = #stablehlo<comparison_direction {direction}>"
        return super().op("stablehlo.compare", (a, b), (SIZE, SIZE), "tensor<i1>", attribute)

    def choose(self, test: Value, a: Value, b: Value) -> Value:
        return super().op("stablehlo.select", (test, a, b), ("tensor<i1>", SIZE, SIZE), SIZE)

    def vector(self, dims: Sequence[Any]) -> tuple[Value, str]:
        """Dimensions as an array of 64 bits, and its type."""
        kind = f"tensor<{len(dims)}xi64>"
        if not any(isinstance(d, DimExpr) for d in dims):
            return self.constant(np.asarray(dims, np.int64), np.dtype(np.int64)), kind
        one = "tensor<1xi64>"
        parts = [super(DynamicBlock, self).op("stablehlo.reshape", (self.size(d),), (SIZE,), one)
                 for d in dims]  # fmt: skip
        if len(parts) == 1:
            return parts[0], kind
        joined = super().op(
            "stablehlo.concatenate", parts, [one] * len(parts), kind, "dimension = 0 : i64"
        )
        return joined, kind

    def counts(self, dims: Sequence[Any], dtype: np.dtype) -> Value:
        if not any(isinstance(d, DimExpr) for d in dims):
            return super().counts(dims, dtype)
        wide, kind = self.vector(dims)
        if dtype.itemsize < 4:
            top = np.full(len(dims), np.iinfo(dtype).max)
            limit = self.constant(top, np.dtype(np.int64))
            wide = super().op("stablehlo.minimum", (wide, limit), (kind, kind), kind)
        narrow = tensor((len(dims),), dtype)
        if narrow == kind:
            return wide
        return super().op("stablehlo.convert", (wide,), (kind,), narrow)

    def parsed(self, words: Iterable[str]) -> list[Any]:
        """Sizes as they stand in types and attributes, as dimensions."""
        return [
            parse_dimension(w[1:-1], self._scope) if w.startswith(MARK) else int(w)
            for w in words
        ]

    def dims_of(self, kind: str) -> list[Any]:
        """The dimensions of a type."""
        inside = kind[len("tensor<") : -1]
        return self.parsed(re.findall(r"(⟦[^⟧]*⟧|\d+)x", inside))

    def array(self, attributes: str, name: str) -> list[Any]:
        """The sizes in the attribute `name = array<i64: ...>`."""
        found = re.search(rf"\b{name} = array<i64(?:: ((?:⟦[^⟧]*⟧|[^⟦⟧>])*))?>", attributes)
        assert found is not None, attributes
        return self.parsed(re.findall(r"⟦[^⟧]*⟧|-?\d+", found.group(1) or ""))


def _solve(
    block: DynamicBlock, solver: DimensionSolver, arguments: Sequence[str], types: Sequence[str]
) -> None:
    """Write how the dimension variables follow from the sizes of the arguments."""
    for step in solver.steps:
        attribute = f"dimension = {step.axis} : i64"
        kinds = (types[step.argument],)
        narrow = Block.op(
            block, "stablehlo.get_dimension_size", (arguments[step.argument],), kinds,
            "tensor<i32>", attribute,
        )  # fmt: skip
        value = Block.op(block, "stablehlo.convert", (narrow,), ("tensor<i32>",), SIZE)
        if step.rest != 0:
            value = block.scalar("subtract", value, block.size(step.rest))
        if step.coefficient != 1:
            divisor = block.size(step.coefficient)
            exact = value
            value = block.scalar("divide", value, divisor)
            rest = block.scalar("subtract", exact, block.scalar("multiply", value, divisor))
            _assert(
                block, block.compare("EQ", rest, block.size(0)), [rest],
                f"{_MISMATCH} Division had remainder {{0}} when computing the value of "
                f"'{step.variable}'. {solver.described()}",
            )  # fmt: skip
        block.values[step.variable] = value
        _assert(
            block, block.compare("GE", value, block.size(1)), [value],
            f"{_MISMATCH} Expected value >= 1 for dimension variable '{step.variable}', got "
            f"{{0}}. {solver.described()}",
        )  # fmt: skip
    _check(block, solver, arguments, types)


_MISMATCH = "Input shapes do not match the polymorphic shapes specification."


def _check(
    block: DynamicBlock, solver: DimensionSolver, arguments: Sequence[str], types: Sequence[str]
) -> None:
    """Write what else must hold of the sizes of the arguments, and of the variables."""
    for argument, axis, dim in solver.checks:
        if not isinstance(dim, DimExpr):
            continue  # the type says it
        narrow = Block.op(
            block, "stablehlo.get_dimension_size", (arguments[argument],), (types[argument],),
            "tensor<i32>", f"dimension = {axis} : i64",
        )  # fmt: skip
        size = Block.op(block, "stablehlo.convert", (narrow,), ("tensor<i32>",), SIZE)
        expected = block.size(dim)
        _assert(
            block, block.compare("EQ", size, expected), [size, expected],
            f"{_MISMATCH} Found inconsistency between dimension size "
            f"{solver.names[argument]}.shape[{axis}] (= {{0}}) and the specification '{dim}' "
            f"(= {{1}}). {solver.described()}",
        )  # fmt: skip
    signs = {"==": "EQ", ">=": "GE", "<=": "LE"}
    for text, left, sign, right in solver.constraints(solver.variables):
        a, b = block.size(left), block.size(right)
        _assert(
            block, block.compare(signs[sign], a, b), [a, b],
            f"Input shapes do not match the symbolic shape constraint {text}: the left side is "
            f"{{0}}, the right side {{1}}. {solver.described()}",
        )  # fmt: skip


def _assert(block: DynamicBlock, holds: Value, values: Sequence[Value], message: str) -> None:
    """Write an assertion, which refinement checks and takes out."""
    text = message.replace("\\", "\\\\").replace('"', '\\"')
    block.ops(
        "stablehlo.custom_call", (holds, *values), ("tensor<i1>", *[SIZE] * len(values)), (),
        f'api_version = 2 : i32, call_target_name = "shape_assertion", error_message = "{text}", '
        f"has_side_effect = true",
    )  # fmt: skip


# --- the dynamic forms ---

Rewriting = Callable[
    [DynamicBlock, Sequence[Value], Sequence[str], str, str, str], "Value | None"
]


def _without(attributes: str, *names: str) -> str:
    """Attributes without some of them."""
    for name in names:
        value = r"(?:⟦[^⟧]*⟧|[^⟦⟧,<>]|<(?:⟦[^⟧]*⟧|[^⟦⟧<>])*>(?: : tensor<[^>]*>)?)*"
        attributes = re.sub(rf"(?:, )?\b{name} = {value}", "", attributes)
    return attributes.removeprefix(", ")


def _shaped(name: str) -> Rewriting:
    """An operation that takes its result's shape as its last operand."""

    def rewrite(
        block: DynamicBlock, operands: Any, kinds: Any, result: str, attributes: str, regions: str
    ) -> Value:
        shape, kind = block.vector(block.dims_of(result))
        return Block.op(block, name, (*operands, shape), (*kinds, kind), result, attributes)

    return rewrite


def _slice(
    block: DynamicBlock, operands: Any, kinds: Any, result: str, attributes: str, regions: str
) -> Value | None:
    if MARK not in attributes:
        return None
    parts = [
        block.vector(block.array(attributes, name))
        for name in ("start_indices", "limit_indices", "strides")
    ]
    return Block.op(
        block, "stablehlo.real_dynamic_slice", (*operands, *(p for p, _ in parts)),
        (*kinds, *(k for _, k in parts)), result,
    )  # fmt: skip


def _dynamic_slice(
    block: DynamicBlock, operands: Any, kinds: Any, result: str, attributes: str, regions: str
) -> Value | None:
    """Starts that are moved inside, then a slice of a size that is computed."""
    if MARK not in attributes:
        return None
    x, *starts = operands
    sizes = block.array(attributes, "slice_sizes")
    one, count = "tensor<1xi64>", len(sizes)
    parts = []
    for start, kind, n, size in zip(starts, kinds[1:], block.dims_of(kinds[0]), sizes, strict=True):
        wide = start if kind == SIZE else Block.op(
            block, "stablehlo.convert", (start,), (kind,), SIZE
        )
        limit = block.size(subtract(n, size))
        wide = block.scalar("maximum", block.scalar("minimum", wide, limit), block.size(0))
        parts.append(Block.op(block, "stablehlo.reshape", (wide,), (SIZE,), one))
    whole = f"tensor<{count}xi64>"
    first = parts[0] if count == 1 else Block.op(
        block, "stablehlo.concatenate", parts, [one] * count, whole, "dimension = 0 : i64"
    )
    length, _ = block.vector(sizes)
    limits = Block.op(block, "stablehlo.add", (first, length), (whole, whole), whole)
    strides, _ = block.vector([1] * count)
    return Block.op(
        block, "stablehlo.real_dynamic_slice", (x, first, limits, strides),
        (kinds[0], whole, whole, whole), result,
    )  # fmt: skip


def _pad(
    block: DynamicBlock, operands: Any, kinds: Any, result: str, attributes: str, regions: str
) -> Value | None:
    if MARK not in attributes:
        return None
    parts = [
        block.vector(block.array(attributes, name))
        for name in ("edge_padding_low", "edge_padding_high", "interior_padding")
    ]
    return Block.op(
        block, "stablehlo.dynamic_pad", (*operands, *(p for p, _ in parts)),
        (*kinds, *(k for _, k in parts)), result,
    )  # fmt: skip


def _gather(
    block: DynamicBlock, operands: Any, kinds: Any, result: str, attributes: str, regions: str
) -> Value | None:
    if MARK not in attributes:
        return None
    sizes, kind = block.vector(block.array(attributes, "slice_sizes"))
    return Block.op(
        block, "stablehlo.dynamic_gather", (*operands, sizes), (*kinds, kind), result,
        _without(attributes, "slice_sizes"),
    )  # fmt: skip


_PADDING = re.compile(r"padding = dense<(\[(?:⟦[^⟧]*⟧|[^⟦⟧>])*\])> : tensor<\d+x2xi64>")


def _padding(block: DynamicBlock, attributes: str) -> tuple[list[Any], str]:
    """The sizes in the attribute `padding`, one after another, and the other attributes."""
    found = _PADDING.search(attributes)
    assert found is not None, attributes
    words = re.findall(r"⟦[^⟧]*⟧|-?\d+", found.group(1))
    rest = attributes[: found.start()].rstrip(", ") + attributes[found.end() :]
    return block.parsed(words), rest.removeprefix(", ")


def _convolution(
    block: DynamicBlock, operands: Any, kinds: Any, result: str, attributes: str, regions: str
) -> Value | None:
    if MARK not in attributes:
        return None
    amounts, rest = _padding(block, attributes)
    flat, kind = block.vector(amounts)
    square = f"tensor<{len(amounts) // 2}x2xi64>"
    padding = Block.op(block, "stablehlo.reshape", (flat,), (kind,), square)
    return Block.op(
        block, "stablehlo.dynamic_conv", (*operands, padding), (*kinds, square), result, rest
    )


def _reduce_window(
    block: DynamicBlock, operands: Any, kinds: Any, result: str, attributes: str, regions: str
) -> Value | None:
    """The operation that refinement knows, with the combining program as a function."""
    if MARK not in attributes:
        return None
    amounts, rest = _padding(block, attributes)
    names = ("window_dimensions", "window_strides", "base_dilations", "window_dilations")
    sizes = [block.vector(block.array(rest, name)) for name in names]
    flat, kind = block.vector(amounts)
    square = f"tensor<{len(amounts) // 2}x2xi64>"
    padding = Block.op(block, "stablehlo.reshape", (flat,), (kind,), square)
    function = _function_of_region(block, regions, kinds[-1])
    operands = (*operands, *(s for s, _ in sizes), padding)
    kinds = (*kinds, *(k for _, k in sizes), square)
    return Block.op(
        block, "stablehlo.custom_call", operands, kinds, result,
        f'api_version = 2 : i32, call_target_name = "stablehlo.dynamic_reduce_window", '
        f"called_computations = [@{function}]",
    )  # fmt: skip


def _function_of_region(block: DynamicBlock, region: str, kind: str) -> str:
    """A region that combines two scalars, as a function of the module."""
    name = block.module.fresh_name("combine")
    body = region.strip().removeprefix("({").removesuffix("})").strip()
    label, _, lines = body.partition("\n")
    a, b = re.findall(r"(%\w+):", label)
    lines = re.sub(r'"stablehlo\.return"', '"func.return"', lines)
    block.module.functions.append(
        f"func.func private @{name}({a}: {kind}, {b}: {kind}) -> {kind} {{\n{lines}\n}}\n"
    )
    return name


def _with_result_shapes(
    block: DynamicBlock, operands: Any, kinds: Any, results: Sequence[str], attributes: str
) -> tuple[Any, Any, str]:
    """A custom call's operands with the shapes of its results, from which they are refined."""
    shapes = [block.vector(block.dims_of(r)) for r in results]
    first = len(operands)
    places = ", ".join(str(first + i) for i in range(len(shapes)))
    words = f"indices_of_shape_operands = dense<[{places}]> : tensor<{len(shapes)}xi64>"
    layouts = re.search(r"operand_layouts = \[", attributes)
    if layouts is not None:
        depth, end = 1, layouts.end()
        while depth:
            depth += {"[": 1, "]": -1}.get(attributes[end], 0)
            end += 1
        extra = ", ".join(["dense<0> : tensor<1xindex>"] * len(shapes))
        before = attributes[: end - 1]
        comma = "" if before.endswith("[") else ", "
        attributes = f"{before}{comma}{extra}{attributes[end - 1 :]}"
    return (
        (*operands, *(s for s, _ in shapes)),
        (*kinds, *(k for _, k in shapes)),
        f"{attributes}, {words}" if attributes else words,
    )


def _custom_call(
    block: DynamicBlock, operands: Any, kinds: Any, result: str, attributes: str, regions: str
) -> Value | None:
    if MARK in attributes or MARK not in result:
        return None
    operands, kinds, attributes = _with_result_shapes(
        block, operands, kinds, [result], attributes
    )
    return Block.op(block, "stablehlo.custom_call", operands, kinds, result, attributes, regions)


_DYNAMIC: dict[str, Rewriting] = {
    "stablehlo.broadcast_in_dim": _shaped("stablehlo.dynamic_broadcast_in_dim"),
    "stablehlo.reshape": _shaped("stablehlo.dynamic_reshape"),
    "stablehlo.iota": _shaped("stablehlo.dynamic_iota"),
    "stablehlo.slice": _slice,
    "stablehlo.dynamic_slice": _dynamic_slice,
    "stablehlo.pad": _pad,
    "stablehlo.gather": _gather,
    "stablehlo.convolution": _convolution,
    "stablehlo.reduce_window": _reduce_window,
    "stablehlo.custom_call": _custom_call,
}


def module_for(
    name: str, platforms: Sequence[str], avals: Sequence[ShapedArray], names: Sequence[str]
) -> Module:
    """A module to lower a program with arguments of types `avals` in."""
    shapes = [a.shape for a in avals]
    if not any(type(d) is DimExpr for s in shapes for d in s):
        return Module(name, platforms)
    return DynamicModule(name, platforms, DimensionSolver(shapes, names))


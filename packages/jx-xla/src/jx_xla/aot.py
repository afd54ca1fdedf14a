"""Ahead-of-time use: a staged call lowered, then compiled, each step open to inspection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ShapeDtypeStruct, tree, tree_util, typeof
from jx_core.dispatch import argument_name
from jx_core.jit import Traced

from .compiling import Lowering, compile_lowering
from .keys import logical_value, physical_value
from .lowering.types import physical
from .placements import is_committed, placement_of, sharding_of
from .runtime.arrays import Array
from .runtime.mlir import module_text, parse_module


class Lowered:
    """A staged call as StableHLO, not yet compiled.

    Attributes:
        in_tree, out_tree: the trees of ((args), {kwargs}) and of results.
        out_info: shapes and dtypes of the results.
    """

    def __init__(self, traced: Traced, lowering: Lowering) -> None:
        self._traced = traced
        self._lowering = lowering
        self.in_tree = traced.in_tree
        self.out_tree = traced.out_tree
        self.out_info = traced.out_info

    @property
    def args_info(self) -> Any:
        """Shapes and dtypes of the arguments, as ((args), {kwargs})."""
        structs = [ShapeDtypeStruct(a.shape, a.dtype) for a in self._traced.jaxpr.in_avals]
        return tree.unflatten(self.in_tree, structs)

    def as_text(self, dialect: str | None = None, *, debug_info: bool = False) -> str:
        """The program as text.

        Args:
            dialect: `stablehlo` (the default), or `hlo` for XLA's own form, before
                optimisation.
            debug_info: show source locations.

        Raises:
            ValueError: an unknown dialect.
        """
        if dialect in (None, "stablehlo"):
            return module_text(self._lowering.text, debug_info=debug_info)
        if dialect == "hlo":
            from .runtime.hlo import hlo_text

            return hlo_text(self._lowering.text)
        raise ValueError(f"as_text: dialect must be 'stablehlo' or 'hlo', got {dialect!r}")

    def compiler_ir(self, dialect: str | None = None) -> Any:
        """The program as an MLIR module object."""
        if dialect not in (None, "stablehlo"):
            raise ValueError(f"compiler_ir: dialect must be 'stablehlo', got {dialect!r}")
        return parse_module(self._lowering.text)

    def cost_analysis(self) -> Any:
        """XLA's estimate of the work, from the compiled program."""
        return self.compile().cost_analysis()

    def compile(self, compiler_options: dict[str, Any] | None = None) -> Compiled:
        """Compile for the devices it was lowered for.

        Raises:
            ValueError: an argument has a symbolic shape.
        """
        if self._lowering.symbolic:
            types = ", ".join(a.str_short() for a in self._traced.jaxpr.in_avals)
            raise ValueError(
                f"{self._traced.fun_name} was lowered for symbolic shapes ({types}), and a program "
                f"is compiled for given ones: export it (jx.export.export) and call that, or "
                f"refine it (jx_xla.symbolic.refine)"
            )
        params = self._traced.staged.params
        executable = compile_lowering(self._lowering, params, compiler_options)
        return Compiled(self._traced, executable, self._lowering.kept)

    def __repr__(self) -> str:
        return f"Lowered({self._traced.fun_name})"


class Compiled:
    """A compiled program: call it with arguments of the types it was traced for."""

    def __init__(self, traced: Traced, executable: Any, kept: Sequence[bool]) -> None:
        self._traced = traced
        self._executable = executable
        taken = iter(executable.in_shardings[len(executable.consts) :])
        self._in_shardings = [next(taken) if keep else None for keep in kept]
        self.in_tree = traced.in_tree
        self.out_tree = traced.out_tree
        self.out_info = traced.out_info

    @property
    def input_shardings(self) -> Any:
        """The shardings of the arguments, as ((args), {kwargs}); None for unused ones."""
        return tree.unflatten(self.in_tree, self._in_shardings)

    @property
    def output_shardings(self) -> Any:
        """The shardings of the results, as the tree of results."""
        return tree.unflatten(self.out_tree, list(self._executable.out_shardings))

    def as_text(self) -> str:
        """The compiled program in HLO, as XLA has optimised it."""
        return str(self._executable.hlo_text())

    def cost_analysis(self) -> Any:
        """XLA's estimate of the work: "flops", "bytes accessed" and more."""
        return self._executable.cost_analysis()

    def memory_analysis(self) -> Any:
        """The bytes of arguments, results and temporaries."""
        return self._executable.memory_analysis()

    def runtime_executable(self) -> Any:
        """jaxlib's own object for the loaded program."""
        return self._executable.loaded

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it on the dynamic arguments: the static ones are part of the program.

        Raises:
            TypeError: the arguments' tree, shapes or dtypes are others than it was compiled for.
            ValueError: an argument has been placed otherwise than it was compiled for.
        """
        args = self._with_static_places(args)
        leaves, in_tree = tree.flatten((args, kwargs))
        closed = self._traced.jaxpr
        if in_tree != self.in_tree:
            raise TypeError(
                f"Function compiled with input pytree does not match the input pytree it was "
                f"called with: compiled for {self.in_tree}, called with {in_tree}"
            )
        paths = tree.generate_key_paths(args)
        for i, (x, aval) in enumerate(zip(leaves, closed.in_avals, strict=True)):
            have = typeof(x)
            if have.shape != aval.shape or have.dtype != aval.dtype:
                where = tree.keystr(paths[i][0]) if i < len(paths) else f"leaf {i}"
                raise TypeError(
                    f"Argument types differ from the types for which this computation was "
                    f"compiled: argument args{where} has type {have.str_short()}, compiled for "
                    f"{aval.str_short()}"
                )
        self._check_shardings(leaves)
        arguments = [
            physical_value(x) if type(physical_value(x)) is Array else _host(x) for x in leaves
        ]
        results = self._executable(arguments)
        outs = [logical_value(r, a) for r, a in zip(results, closed.out_avals, strict=True)]
        return tree.unflatten(self.out_tree, outs)

    def _with_static_places(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """`args` with None where the function takes a static argument, as in `in_tree`."""
        positional = tree_util.treedef_children(self.in_tree)[0]
        places = self._traced.spec.positions(len(tree_util.treedef_children(positional)))
        filled = list(args)
        for place in places:
            filled.insert(place, None)
        return tuple(filled)

    def _check_shardings(self, leaves: Sequence[Any]) -> None:
        closed = self._traced.jaxpr
        facts = zip(leaves, self._in_shardings, closed.in_avals, strict=True)
        for i, (x, wanted, aval) in enumerate(facts):
            has = sharding_of(x)
            if wanted is None or has is None or not is_committed(x) or has == wanted:
                continue
            if not has.is_equivalent_to(wanted, physical(aval).ndim):
                raise ValueError(
                    f"Computation was compiled for input shardings that disagree with the "
                    f"shardings of arguments passed to it: {argument_name(closed, i)} of type "
                    f"{aval.str_short()} lies as {has}, and {wanted} is required. Move it with "
                    f"jx.device_put"
                )

    def __repr__(self) -> str:
        return f"Compiled({self._traced.fun_name})"


def _host(x: Any) -> Any:
    import numpy as np

    return np.asarray(x, typeof(x).dtype)


def lower(traced: Traced, *, lowering_platforms: Sequence[str] | None = None) -> Lowered:
    """Lower a traced call for the devices that its options and arguments name.

    Args:
        traced: the call.
        lowering_platforms: what to lower for, of `cpu`, `cuda`, `rocm` and `tpu`, if not the
            platform of those devices. Such a program can be looked at; it is compiled only where
            one of them is the devices'.

    Raises:
        ValueError: they name different devices.
    """
    facts = zip(traced.jaxpr.in_avals, traced.in_shardings, strict=True)
    arguments = [ShapeDtypeStruct(a.shape, a.dtype, sharding=s) for a, s in facts]
    params = traced.staged.params
    return Lowered(traced, Lowering(params, placement_of(arguments, params), lowering_platforms))

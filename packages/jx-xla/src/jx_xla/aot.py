"""Ahead-of-time use: a staged call lowered, then compiled, each step open to inspection.

Not here: executables as bytes, for another process (`serialize_executable`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ClosedJaxpr, ShapeDtypeStruct, Tracer, debugging, tree, tree_util, typeof
from jx_core.dispatch import _keywords
from jx_core.jit import Traced, call_leaves
from jx_core.stages import CallTypes, CompilerOptions, Stage
from jx_core.tracebacks import filtered

from .compiling import Lowering, compile_lowering, lower_call
from .keys import KeyArray, elements, logical_value, physical_value
from .lowering.types import physical
from .placements import Placement, is_committed, placement_of, sharding_of
from .runtime.arrays import Array
from .runtime.dispatch import make_fast_callable
from .runtime.executables import Executable
from .runtime.mlir import module_text, parse_module
from .runtime.shardings import Sharding, single_device


class Lowered(Stage):
    """A staged call as StableHLO, not yet compiled.

    Attributes:
        in_tree, out_tree: the trees of ((args), {kwargs}) and of results.
        args_info: the arguments, as ((args), {kwargs}) of `ArgInfo`.
        donate_argnums: the positions of donated arguments among all argument leaves.
        out_info: shapes and dtypes of the results.

    >>> lowered = jx.jit(lambda x, y: x + y).lower(1.0, 2.0)
    >>> lowered.out_info
    ShapeDtypeStruct(shape=(), dtype=float32, weak_type=True)
    >>> lowered.compile()(3.0, 4.0)
    Array(7., dtype=float32, weak_type=True)
    """

    def __init__(self, types: CallTypes, params: dict[str, Any], lowering: Lowering) -> None:
        self.types = types
        self._params = params
        self._lowering = lowering

    def as_text(self, dialect: str | None = None, *, debug_info: bool = False) -> str:
        """The program as text.

        Args:
            dialect: `stablehlo` (the default), or `hlo` for XLA's own form, before
                optimisation.
            debug_info: show source locations.

        Raises:
            ValueError: an unknown dialect.

        >>> print(jx.jit(jnp.sin).lower(1.0).as_text())  # doctest: +ELLIPSIS
        module @jit_sin ...stablehlo.sine...
        """
        if dialect in (None, "stablehlo"):
            return module_text(self._lowering.text, debug_info=debug_info)
        if dialect == "hlo":
            from .runtime.hlo import hlo_text

            return hlo_text(self._lowering.text)
        raise ValueError(f"as_text: dialect must be 'stablehlo' or 'hlo', got {dialect!r}")

    def compiler_ir(self, dialect: str | None = None) -> Any:
        """The program as an object: an MLIR module, or for `hlo` XLA's own.

        Raises:
            ValueError: an unknown dialect.

        >>> module = jx.jit(jnp.sin).lower(1.0).compiler_ir()
        >>> module.operation.verify()
        True
        """
        if dialect in (None, "stablehlo"):
            return parse_module(self._lowering.text)
        if dialect == "hlo":
            from .runtime.hlo import hlo_module

            return hlo_module(self._lowering.text)
        raise ValueError(f"compiler_ir: dialect must be 'stablehlo' or 'hlo', got {dialect!r}")

    def cost_analysis(self) -> Any:
        """XLA's estimate of the work, from the compiled program.

        >>> lowered = jx.jit(lambda x: x @ x).lower(jnp.ones((8, 8)))
        >>> lowered.cost_analysis()["flops"] >= 2 * 8**3 - 8**2
        True
        """
        return self.compile().cost_analysis()

    def compile(
        self,
        compiler_options: CompilerOptions | None = None,
        *,
        device_assignment: Sequence[Any] | None = None,
    ) -> Compiled:
        """Compile for the devices it was lowered for, or for as many others.

        Args:
            compiler_options: XLA's flags by name, over those given to `jit`.
            device_assignment: the devices to run on, in the program's order.

        Raises:
            JaxRuntimeError: XLA can't compile it, or does not know an option.
            ValueError: the number of devices is another, or an argument has a symbolic shape.

        >>> compiled = jx.jit(lambda x: 2 * x).lower(jnp.ones(3)).compile()
        >>> compiled(jnp.arange(3.0))
        Array([0., 2., 4.], dtype=float32)
        """
        if self._lowering.symbolic:
            types = ", ".join(a.str_short() for a in self.types.avals)
            raise ValueError(
                f"{self.types.name} was lowered for symbolic shapes ({types}), and a program "
                f"is compiled for given ones: export it (jx.export.export) and call that, or "
                f"refine it (jx_xla.symbolic.refine)"
            )
        lowering = self._lowering
        if device_assignment is not None:
            moved = _on_devices(lowering.placement, tuple(device_assignment))
            lowering = Lowering(_without_shardings(self._params), moved, lowering.module.platforms)
        executable = compile_lowering(lowering, self._params, compiler_options)
        closed = self._params["jaxpr"]
        return Compiled(self.types, executable, effects=closed.effects, closed=closed)

    def __repr__(self) -> str:
        return f"Lowered({self.types.name})"


def _on_devices(placement: Placement, devices: tuple[Any, ...]) -> Placement:
    """A placement on other devices, laid out in the same way."""
    if len(devices) != len(placement.devices):
        raise ValueError(
            f"compile: device_assignment has {len(devices)} devices, and the program was lowered "
            f"for {len(placement.devices)}"
        )
    if len(devices) == 1:
        here = single_device(devices[0])
        return Placement(devices, tuple(s and here for s in placement.shardings), True)
    raise ValueError(
        "compile: device_assignment is for programs on one device; this one is laid out on "
        f"{len(devices)} by its shardings, so lower it with shardings that name the other devices"
    )


def _without_shardings(params: dict[str, Any]) -> dict[str, Any]:
    """The options of a call on one device without its shardings, which name another device."""
    return {**params, "in_shardings": None, "out_shardings": None}


class Compiled(Stage):
    """A compiled program: call it with arguments of the types it was traced for.

    Attributes:
        in_tree, out_tree: the trees of ((args), {kwargs}) and of results.
        args_info: the arguments, as ((args), {kwargs}) of `ArgInfo`.
        donate_argnums: the positions of donated arguments among all argument leaves.
        out_info: shapes, dtypes and shardings of the results.

    >>> compiled = jx.jit(lambda x, *, y: x - y).lower(1.0, y=2.0).compile()
    >>> compiled(5.0, y=3.0)
    Array(2., dtype=float32, weak_type=True)
    >>> compiled(jnp.ones(2), y=3.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    TypeError: Argument types differ from the types for which this computation was compiled: ...
    """

    def __init__(
        self,
        types: CallTypes,
        executable: Executable,
        *,
        effects: frozenset[Any] = frozenset(),
        closed: ClosedJaxpr | None = None,
    ) -> None:
        self.types = types
        self._executable = executable
        self._effects = effects
        taken = iter(executable.in_shardings[len(executable.consts) :])
        kept = executable.kept[len(executable.consts) :]
        self._in_shardings = [next(taken) if keep else None for keep in kept]
        self._call = _caller(
            _CheckedCall(types, executable, self._in_shardings, bool(effects), closed)
        )

    @property
    def out_info(self) -> Any:
        """Shapes, dtypes and shardings of the results, as a pytree of `ShapeDtypeStruct`.

        >>> jx.jit(jnp.sum).lower(jnp.ones(3)).compile().out_info.shape
        ()
        """
        return self.types.out_info(self._executable.out_shardings)

    @property
    def input_shardings(self) -> Any:
        """The shardings of the arguments, as ((args), {kwargs}); None for unused ones.

        >>> (where,), _ = jx.jit(jnp.sin).lower(jnp.ones(3)).compile().input_shardings
        >>> where.is_fully_replicated
        True
        """
        return tree.unflatten(self.in_tree, self._in_shardings)

    @property
    def output_shardings(self) -> Any:
        """The shardings of the results, as the tree of results.

        >>> compiled = jx.jit(lambda x: {"y": jnp.sin(x)}).lower(jnp.ones(3)).compile()
        >>> compiled.output_shardings["y"].num_devices
        1
        """
        return tree.unflatten(self.out_tree, list(self._executable.out_shardings))

    def as_text(self) -> str:
        """The compiled program in HLO, as XLA has optimised it.

        >>> jx.jit(jnp.sin).lower(1.0).compile().as_text().splitlines()[0]  # doctest: +ELLIPSIS
        'HloModule jit_sin, ...'
        """
        return str(self._executable.hlo_text())

    def cost_analysis(self) -> Any:
        """XLA's estimate of the work: "flops", "bytes accessed" and more.

        >>> compiled = jx.jit(lambda x: x @ x).lower(jnp.ones((8, 8))).compile()
        >>> compiled.cost_analysis()["bytes accessed"] > 0
        True
        """
        return self._executable.cost_analysis()

    def memory_analysis(self) -> Any:
        """The bytes of arguments, results and temporaries.

        >>> memory = jx.jit(jnp.sin).lower(jnp.ones(256)).compile().memory_analysis()
        >>> memory.argument_size_in_bytes, memory.output_size_in_bytes
        (1024, 1024)
        """
        return self._executable.memory_analysis()

    def runtime_executable(self) -> Any:
        """jaxlib's own object for the loaded program.

        >>> loaded = jx.jit(jnp.sin).lower(1.0).compile().runtime_executable()
        >>> type(loaded).__name__
        'LoadedExecutable'
        """
        return self._executable.loaded

    def serialize(self) -> bytes:
        """The compiled program as bytes, which `jx.stages.load` makes a `Compiled` of again, in
        another process on the same kind of machine too.

        Raises:
            ValueError: the program calls Python functions of this process, or its platform has
                no such form.

        >>> from jx_core import jit, lax
        >>> from jx_xla.stages import load
        >>> load(jit(lax.neg).lower(1.0).compile().serialize())(2.0)
        Array(-2., dtype=float32, weak_type=True)
        """
        from .serialize_executable import dump

        return dump(self)

    @property
    def call(self) -> Any:
        """The program as a plain function, without the rest of this object.

        >>> call = jx.jit(jnp.negative).lower(1.0).compile().call
        >>> call(2.0)
        Array(-2., dtype=float32, weak_type=True)
        """
        return self._call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it on the dynamic arguments: the static ones are part of the program.

        Raises:
            TypeError: the arguments' tree, shapes or dtypes are others than it was compiled
                for, or one is traced: a compiled program can't be transformed.
            ValueError: an argument has been placed otherwise than it was compiled for.
            DonatedArrayError: an argument's buffer has been given away.
        """
        return self._call(*args, **kwargs)

    def __repr__(self) -> str:
        return f"Compiled({self.types.name})"


class _CheckedCall:
    """One call of a compiled program whose arguments are of a signature not seen before."""

    def __init__(
        self,
        types: CallTypes,
        executable: Executable,
        in_shardings: Sequence[Sharding | None],
        has_effects: bool,
        closed: ClosedJaxpr | None,
    ) -> None:
        self.types = types
        self.executable = executable
        self.in_shardings = in_shardings
        self.has_effects = has_effects
        self.closed = closed  # None where it was loaded: only the executable is known

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """The result, and what the dispatcher needs to answer the next such call by itself."""
        from .backend import fast_entry

        for x in tree.leaves((args, kwargs)):
            if isinstance(x, Tracer):
                raise TypeError(
                    f"Cannot apply JAX transformations to a function lowered and compiled for a "
                    f"particular signature. Detected argument of Tracer type {type(x)}: "
                    f"{self.types.name} got a traced {x.aval.str_short()}. Transform the function "
                    f"before it is lowered, or call the jitted function instead of the compiled one"
                )
        leaves = call_leaves(self.types, args, kwargs, "compiled")
        self._check_shardings(leaves)
        debugging.refuse_execution(f"function jit({self.types.name})")
        results = self.executable([_argument(x) for x in leaves])
        outs = [logical_value(r, a) for r, a in zip(results, self.types.out_types, strict=True)]
        result = tree.unflatten(self.types.out_tree, outs)
        if debugging.is_looking():
            self._look(leaves, outs)
            return result, None
        if self.has_effects:
            return result, None
        return result, fast_entry(self.executable, result, leaves)

    def _look(self, leaves: Sequence[Any], outs: Sequence[Any]) -> None:
        """Raise an error where a result has a NaN, if that is asked for."""
        if self.closed is None:
            debugging.check_primitive(self.types.name, outs, elements)
        else:
            debugging.check_program(self.types.name, self.closed, leaves, outs, elements)

    def _check_shardings(self, leaves: Sequence[Any]) -> None:
        types = self.types
        facts = zip(leaves, self.in_shardings, types.avals, types.leaf_names, strict=True)
        for x, wanted, aval, name in facts:
            has = sharding_of(x)
            if wanted is None or has is None or not is_committed(x) or has == wanted:
                continue
            if not has.is_equivalent_to(wanted, physical(aval).ndim):
                raise ValueError(
                    f"Computation was compiled for input shardings that disagree with the "
                    f"shardings of arguments passed to it: argument {name} of type "
                    f"{aval.str_short()} lies as {has}, and {wanted} is required. Move it with "
                    f"jx.device_put"
                )


def _argument(x: Any) -> Any:
    import numpy as np

    if type(x) in (Array, KeyArray):
        return physical_value(x)
    return np.asarray(x, typeof(x).dtype)


def _caller(checked: _CheckedCall) -> Any:
    """A compiled dispatcher in front of a checked call."""
    from .backend import dispatch_registry

    types = checked.types
    args, kwargs = tree_util.treedef_children(types.in_tree)
    flags = iter(types.donated)
    dynamic = [
        [next(flags) for _ in range(child.num_leaves)]
        for i, child in enumerate(tree_util.treedef_children(args))
        if i not in types.static_places
    ]
    names = _keywords(kwargs)
    named = [
        [next(flags) for _ in range(child.num_leaves)]
        for child in tree_util.treedef_children(kwargs)
    ]

    def compiled(*args: Any, **kwargs: Any) -> Any:
        return checked(*args, **kwargs)[0]

    compiled.__name__ = types.name
    return make_fast_callable(
        types.name,
        compiled,
        filtered(checked),
        donate_argnums=[i for i, donated in enumerate(dynamic) if any(donated)],
        donate_argnames=[
            name for name, donated in zip(names, named, strict=True) if any(donated)
        ],
        registry=dispatch_registry,
    )


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
    placement = placement_of(arguments, params)
    return Lowered(traced.types, params, lower_call(params, placement, lowering_platforms))

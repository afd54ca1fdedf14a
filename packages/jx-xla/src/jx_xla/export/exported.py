"""`Exported`: a function that has been lowered, and what calling it takes."""

from __future__ import annotations

import dataclasses
import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from jx_core import ShapedArray, tree
from jx_core.jaxpr import define_name
from jx_core.ops.control_flow.custom import CustomVJP

from ..lowering.types import physical
from ..runtime.named_sharding import NamedSharding, like
from ..runtime.shardings import from_hlo
from .checks import DisabledSafetyCheck
from .shapes import is_static, solved_types

# The conventions are JAX's: the main function takes an index into the platforms, if there are
# several, and then the arguments that it uses.
minimum_supported_calling_convention_version = 9
maximum_supported_calling_convention_version = 10


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Exported:
    """A function lowered to StableHLO, with what is needed to call it from any program.

    `jx.export.export` makes one of a function, `jx.export.deserialize` of bytes.

    Attributes:
        fun_name: the function's name.
        in_tree: the tree of `((*args), {**kwargs})`.
        in_avals: the types of the arguments' leaves; dimensions may be symbolic.
        out_tree, out_avals: those of the results.
        in_shardings_hlo, out_shardings_hlo: how arguments and results lie on the devices, as
            the compiler says it; None where that is open.
        nr_devices: for how many devices it was lowered.
        platforms: for which platforms, of `cpu`, `cuda`, `rocm` and `tpu`.
        ordered_effects, unordered_effects: those of a call.
        disabled_safety_checks: the checks that were left out.
        mlir_module_serialized: the module, as a portable artifact of StableHLO.
        calling_convention_version: how the module's main function is called.
        module_kept_var_idx: the arguments that it takes; the others it does not use.
        uses_global_constants: whether it takes an index into `platforms` before them.

    >>> exported = jx.export.export(jx.jit(lambda x: 2 * x))(jx.ShapeDtypeStruct((3,), jnp.float32))
    >>> exported.in_avals, exported.out_avals
    ((ShapedArray(float32[3]),), (ShapedArray(float32[3]),))
    >>> exported.call(jnp.arange(3.0))
    Array([0., 2., 4.], dtype=float32)
    """

    fun_name: str
    in_tree: Any
    in_avals: tuple[ShapedArray, ...]
    out_tree: Any
    out_avals: tuple[ShapedArray, ...]
    in_shardings_hlo: tuple[Any, ...]
    out_shardings_hlo: tuple[Any, ...]
    nr_devices: int
    platforms: tuple[str, ...]
    ordered_effects: tuple[Any, ...]
    unordered_effects: tuple[Any, ...]
    disabled_safety_checks: Sequence[DisabledSafetyCheck]
    mlir_module_serialized: bytes
    calling_convention_version: int
    module_kept_var_idx: tuple[int, ...]
    uses_global_constants: bool
    _get_vjp: Callable[[Exported], Exported] | None = None
    derived: dict[Any, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_name", f"exported_{next(_count)}")
        _live[self._name] = self  # type: ignore[attr-defined]

    @property
    def effects(self) -> frozenset[Any]:
        """Those of a call, ordered or not.

        >>> jx.export.export(jx.jit(jnp.sin))(1.0).effects
        frozenset()
        """
        return frozenset((*self.ordered_effects, *self.unordered_effects))

    def mlir_module(self, serialized: bool = True) -> Any:
        """The module.

        Args:
            serialized: as text; if False, as an MLIR module object.

        >>> text = jx.export.export(jx.jit(jnp.sin))(1.0).mlir_module()
        >>> "stablehlo.sine" in text
        True
        """
        from ..runtime.mlir import from_portable_artifact, module_text

        module = from_portable_artifact(self.mlir_module_serialized)
        return module_text(module, debug_info=True) if serialized else module

    def serialize(self, vjp_order: int = 0) -> bytearray:
        """The function as bytes, for `jx.export.deserialize` in any process.

        Args:
            vjp_order: how often what is loaded can be differentiated in reverse mode.

        Raises:
            ValueError: it can't be differentiated so often, or a class among its arguments or
                results is not registered for serialization.

        >>> exported = jx.export.export(jx.jit(jnp.sin))(1.0)
        >>> loaded = jx.export.deserialize(exported.serialize(vjp_order=1))
        >>> float(jx.grad(loaded.call)(0.0))
        1.0
        """
        from .encoding import serialize

        return serialize(self, vjp_order)

    def has_vjp(self) -> bool:
        """Whether it can be differentiated: `vjp()` has an answer.

        >>> exported = jx.export.export(jx.jit(jnp.sin))(1.0)
        >>> exported.has_vjp(), jx.export.deserialize(exported.serialize()).has_vjp()
        (True, False)
        """
        return self._get_vjp is not None

    def vjp(self) -> Exported:
        """The derivative in reverse mode, exported.

        Its arguments are the leaves of this one's arguments, and then a cotangent for each
        leaf of the results; it gives a tuple with the cotangent of each argument. Those of
        integers are of dtype `float0`.

        Raises:
            ValueError: it was loaded from bytes that have no derivative.

        >>> backward = jx.export.export(jx.jit(lambda x, y: x * y))(1.0, 1.0).vjp()
        >>> [float(ct) for ct in backward.call(2.0, 3.0, 10.0)]  # x, y, and their product's
        [30.0, 20.0]
        """
        if self._get_vjp is None:
            raise ValueError(
                f"No VJP is available for the exported function {self.fun_name}: it was "
                f"serialized without one. exported.serialize(vjp_order=1) keeps it"
            )
        if "vjp" not in self.derived:
            self.derived["vjp"] = self._get_vjp(self)
        return self.derived["vjp"]  # type: ignore[no-any-return]

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, also from functions that are being traced.

        Reverse mode differentiates it through the derivative it brings along. `vmap` can't map
        it: export the function under `vmap`, or with a symbolic batch dimension.

        Args:
            args, kwargs: as of the function it was exported from, without static ones.

        Raises:
            ValueError: their tree, a shape or a dtype is another than it was exported for; or
                it is called on another platform or another number of devices.
            BackendError: the NumPy back end is in use.

        >>> exported = jx.export.export(jx.jit(jnp.sin))(1.0)
        >>> float(jx.jit(lambda x: exported.call(x) + 1)(0.0))
        1.0
        """
        caller = self.derived.get("caller")
        if caller is None:
            from .calling import make_caller

            caller = self.derived.setdefault("caller", make_caller(self))
        return caller(*args, **kwargs)

    def derivative(self) -> CustomVJP:
        """The backward rule of calls.

        Raises:
            ValueError: it has none.

        >>> type(jx.export.export(jx.jit(jnp.sin))(1.0).derivative()).__name__
        'Derivative'
        """
        from .calling import Derivative

        self.vjp()  # raises where there is none, before anything is computed
        return self.derived.setdefault("rule", Derivative(self))  # type: ignore[no-any-return]

    def pieces(self, platform: str, in_avals: Sequence[ShapedArray]) -> Any:
        """The functions of the module, for one that calls it on a platform.

        >>> exported = jx.export.export(jx.jit(jnp.sin))(1.0)
        >>> len(exported.pieces(jx.default_backend(), exported.in_avals).functions)
        1
        """
        from .calling import pieces_for

        return pieces_for(self, platform, in_avals)

    def result_types(self, in_avals: Sequence[ShapedArray]) -> list[ShapedArray]:
        """The types of the results for arguments of these types.

        Raises:
            ValueError: the function takes others.

        >>> (n,) = jx.export.symbolic_shape("n")
        >>> argument = jx.ShapeDtypeStruct((n,), jnp.float32)
        >>> exported = jx.export.export(jx.jit(lambda x: jnp.append(x, x)))(argument)
        >>> exported.out_avals, exported.result_types([jx.typeof(jnp.ones(4))])
        ((ShapedArray(float32[2*n]),), [ShapedArray(float32[8])])
        """
        for i, (want, have) in enumerate(zip(self.in_avals, in_avals, strict=True)):
            self._check_type(i, want, have)
        if all(is_static(a) for a in (*self.in_avals, *self.out_avals)):
            return list(self.out_avals)
        return solved_types(
            self.in_avals, self.out_avals, in_avals, [self.argument_name(i) for i in
                                                      range(len(self.in_avals))],
        )  # fmt: skip

    def _check_type(self, i: int, want: ShapedArray, have: ShapedArray) -> None:
        static = is_static(want)
        fits = have.shape == want.shape if static else have.ndim == want.ndim
        if not fits:
            raise ValueError(
                f"{'Shape' if static else 'Rank'} mismatch for {self.argument_name(i)}: "
                f"{self.fun_name} was exported for {want.str_short()} and is called with "
                f"{have.str_short()}"
            )
        if have.dtype != want.dtype:
            raise ValueError(
                f"Dtype mismatch for {self.argument_name(i)}: expected {want.dtype.name} and "
                f"called with {have.dtype.name}; {self.fun_name} was exported for "
                f"{want.str_short()}"
            )

    def argument_name(self, i: int) -> str:
        """What to call an argument's leaf in a message: `args[0]['w']`.

        >>> scaled = jx.jit(lambda tree, scale: tree["w"] * scale)
        >>> exported = jx.export.export(scaled)({"w": 1.0}, 2.0)
        >>> exported.argument_name(0), exported.argument_name(1)
        ("args[0]['w']", 'args[1]')
        """
        if "names" not in self.derived:
            args, kwargs = tree.unflatten(self.in_tree, list(range(self.in_tree.num_leaves)))
            self.derived["names"] = [
                f"{what}{tree.keystr(path)}"
                for what, given in (("args", args), ("kwargs", kwargs))
                for path, _ in tree.leaves_with_path(given)
            ]
        return self.derived["names"][i]  # type: ignore[no-any-return]

    def in_shardings_jax(self, mesh: Any) -> tuple[Any, ...]:
        """How the arguments' leaves lie on a mesh, to place them with `jx.device_put`.

        Args:
            mesh: of `nr_devices` devices. Its axes need not be those it was exported with.

        Returns:
            A sharding for each leaf, None where any will do.

        Raises:
            ValueError: the mesh has another number of devices.

        >>> mesh = jx.make_mesh((1,), ("data",))
        >>> split = jx.NamedSharding(mesh, jx.P("data"))
        >>> exported = jx.export.export(jx.jit(jnp.sin, in_shardings=split))(jnp.ones(4))
        >>> (where,) = exported.in_shardings_jax(mesh)
        >>> exported.call(jx.device_put(jnp.zeros(4), where))
        Array([0., 0., 0., 0.], dtype=float32)
        """
        return self._on_mesh(self.in_shardings_hlo, self.in_avals, mesh)

    def out_shardings_jax(self, mesh: Any) -> tuple[Any, ...]:
        """How the results' leaves lie on a mesh; see `in_shardings_jax`.

        >>> mesh = jx.make_mesh((1,), ("data",))
        >>> jx.export.export(jx.jit(jnp.sin))(jnp.ones(4)).out_shardings_jax(mesh)
        (None,)
        """
        return self._on_mesh(self.out_shardings_hlo, self.out_avals, mesh)

    def _on_mesh(
        self, splits: Sequence[Any], avals: Sequence[ShapedArray], mesh: Any
    ) -> tuple[Any, ...]:
        if mesh.size != self.nr_devices:
            raise ValueError(
                f"{self.fun_name} was exported for {self.nr_devices} device(s), and the mesh has "
                f"{mesh.size}: {mesh}"
            )
        whole = NamedSharding(mesh, getattr(mesh, "_spec_class", tuple)())
        found = []
        for split, aval in zip(splits, avals, strict=True):
            named = None if split is None else like(whole, split)
            if split is not None and named is None:
                named = from_hlo(tuple(mesh.devices.flat), split)  # type: ignore[assignment]
            if named is not None and is_static(aval):
                named.check_compatible_aval(physical(aval).shape)
            found.append(named)
        return tuple(found)

    def __repr__(self) -> str:
        return f"Exported(fun_name={self.fun_name}, ...)"


# Programs that call exported functions are printed with their names, which mean something in
# this process only.
_count = itertools.count()
_live: weakref.WeakValueDictionary[str, Exported] = weakref.WeakValueDictionary()
define_name(Exported, lambda e: e._name, _live.get)

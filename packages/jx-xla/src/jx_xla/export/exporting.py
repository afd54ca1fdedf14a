"""`export`: from a staged function to an `Exported`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jx_core import ShapeDtypeStruct, jit, tree_util
from jx_core.backend import current
from jx_core.linear_maps import differentiation
from jx_core.ops.control_flow.custom import is_inexact
from jx_core.ops.control_flow.jit import jit_p

from ..compiling import Lowering, platform_of
from ..lowering.types import physical
from ..placements import default_device, placement_of
from ..runtime import linking, mlir
from ..runtime.shardings import from_hlo
from .checks import DisabledSafetyCheck, check_targets
from .exported import Exported, maximum_supported_calling_convention_version

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")


def default_export_platform() -> str:
    """The platform that functions are exported for by default: the default device's.

    >>> default_export_platform() in ("cpu", "cuda", "rocm", "tpu")
    True
    """
    return platform_of(default_device())


def export(
    fun_jit: Any,
    *,
    platforms: Sequence[str] | None = None,
    disabled_checks: Sequence[DisabledSafetyCheck] = (),
    _override_lowering_rules: Sequence[tuple[Any, Any]] | None = None,
) -> Callable[..., Exported]:
    """A function that exports `fun_jit` for arguments of the types of those it is called with.

    Args:
        fun_jit: what `jx.jit` returns, or an array function such as `jnp.sin`.
        platforms: what to lower for, of `cpu`, `cuda`, `rocm` and `tpu`; by default the platform
            of the devices in use. The devices need not be there. For several, one module serves
            all.
        disabled_checks: checks to leave out; see `DisabledSafetyCheck`.
        _override_lowering_rules: pairs of a primitive and a lowering rule, in place of jx's.

    Returns:
        A function of arrays, or of `ShapeDtypeStruct`s in their place, that returns an
        `Exported`. Their dimensions may be symbolic (`symbolic_shape`).

    Raises:
        ValueError: `fun_jit` is not a `jit` function, a platform is unknown, or, when called, the
            program calls native functions that have no guarantee of compatibility.
        NotImplementedError: when called, the program calls Python functions.
        BackendError: when called, the NumPy back end is in use.

    >>> import numpy as np
    >>> from jx_core import lax
    >>> exported = export(jit(lambda x: lax.mul(x, x)), platforms=("cpu", "tpu"))(np.float32(2))
    >>> exported.platforms, exported.in_avals
    (('cpu', 'tpu'), (ShapedArray(float32[]),))
    >>> float(exported.call(np.float32(3)))
    9.0
    """
    fun_jit = _staged(fun_jit)
    if not hasattr(fun_jit, "trace"):
        raise ValueError(
            f"Function to be exported must be the result of `jit` but is: {fun_jit!r}. "
            f"jx.export.export(jx.jit(f))"
        )
    if isinstance(platforms, str):
        raise ValueError(f"platforms must be a sequence of names, got the string {platforms!r}")
    wanted = None if platforms is None else tuple(platforms)
    for name in wanted or ():
        if name not in PLATFORMS:
            raise ValueError(
                f"export: unknown platform {name!r}; expected some of {', '.join(PLATFORMS)}"
            )
    if wanted is not None and (not wanted or len(set(wanted)) != len(wanted)):
        raise ValueError(f"export: platforms must be different and at least one, got {wanted}")
    overrides = tuple(_override_lowering_rules or ())

    def do_export(*args: Any, **kwargs: Any) -> Exported:
        traced = fun_jit.trace(*args, **kwargs)
        return _exported(traced, wanted, tuple(disabled_checks), overrides)

    return do_export


def _staged(fun: Any) -> Any:
    """An array function, which stages itself only where nothing is traced, as one of `jit`.

    All else is returned as it is, wrappers of array functions included.
    """
    spec: Any = getattr(fun, "spec", None)
    if not getattr(spec, "transparent", False) or getattr(fun, "__wrapped__", None) is not spec.fun:
        return fun
    return jit(
        spec.fun, static_argnums=spec.static_argnums, static_argnames=spec.static_argnames
    )


def _exported(
    traced: Any,
    platforms: tuple[str, ...] | None,
    disabled: tuple[DisabledSafetyCheck, ...],
    overrides: tuple[tuple[Any, Any], ...],
) -> Exported:
    if current().name != "xla":
        current().lower(traced)  # which says that this back end has no compiler
    closed, params = traced.jaxpr, traced.staged.params
    facts = zip(closed.in_avals, traced.in_shardings, strict=True)
    stand_ins = [ShapeDtypeStruct(a.shape, a.dtype, sharding=s) for a, s in facts]
    placement = placement_of(stand_ins, params)
    lowering = Lowering(params, placement, platforms, portable=True, overrides=overrides)
    if lowering.module.host_callbacks:
        raise NotImplementedError(
            f"serialization of host_callbacks is not possible: {traced.fun_name} calls Python "
            f"functions (pure_callback, io_callback, debug.print, debug.callback), which exist in "
            f"this process only. Export the function without them"
        )
    module = linking.without_extensions(lowering.text)
    check_targets(linking.custom_call_targets(module), disabled, traced.fun_name)
    ordered = [e for e in closed.effects if e.ordered]
    several = len(lowering.module.platforms) > 1
    devices = placement.devices
    return Exported(
        fun_name=traced.fun_name,
        in_tree=_without_statics(traced),
        in_avals=tuple(closed.in_avals),
        out_tree=traced.out_tree,
        out_avals=tuple(closed.out_avals),
        in_shardings_hlo=_splits(placement.shardings, closed.in_avals, devices),
        out_shardings_hlo=_splits(lowering.out_shardings, closed.out_avals, devices),
        nr_devices=len(devices),
        platforms=lowering.module.platforms,
        ordered_effects=tuple(sorted(ordered, key=repr)),
        unordered_effects=tuple(sorted(closed.effects - set(ordered), key=repr)),
        disabled_safety_checks=disabled,
        mlir_module_serialized=mlir.to_lasting_artifact(module),
        calling_convention_version=maximum_supported_calling_convention_version,
        module_kept_var_idx=tuple(i for i, keep in enumerate(lowering.kept) if keep),
        uses_global_constants=several,
        _get_vjp=lambda primal: _exported_vjp(primal, traced, devices, overrides),
    )


def _without_statics(traced: Any) -> Any:
    """The tree of the arguments that callers pass: static ones are part of the program."""
    positional, keywords = tree_util.treedef_children(traced.in_tree)
    children = tree_util.treedef_children(positional)
    statics = traced.spec.positions(len(children))
    passed = [c for i, c in enumerate(children) if i not in statics]
    return tree_util.treedef_tuple([tree_util.treedef_tuple(passed), keywords])


def _splits(
    shardings: Sequence[Any], avals: Sequence[Any], devices: Sequence[Any]
) -> tuple[Any, ...]:
    """Shardings without their devices."""
    if len(devices) == 1:
        return (None,) * len(avals)
    return tuple(
        None if s is None else s._to_xla_hlo_sharding(physical(a).ndim)
        for s, a in zip(shardings, avals, strict=True)
    )


def _exported_vjp(
    primal: Exported, traced: Any, devices: Sequence[Any], overrides: tuple[tuple[Any, Any], ...]
) -> Exported:
    """The export of a function of (arguments, cotangents of results) for the arguments' ones."""
    params = traced.staged.params
    n = len(primal.in_avals)
    layer = differentiation()
    if layer is None:
        raise RuntimeError(
            f"the derivative of {primal.fun_name} takes a layer that differentiates: import jx_ad"
        )

    def fun(*args: Any) -> list[Any]:
        return jit_p.bind(*args, **{**params, "donated": ()})  # type: ignore[no-any-return]

    def fun_vjp(*args: Any) -> tuple[Any, ...]:
        return tuple(layer.pull_back(fun, args[:n], args[n:]))

    fun_vjp.__name__ = fun_vjp.__qualname__ = f"{primal.fun_name}_vjp"
    cotangents = [a if is_inexact(a) else _float0(a) for a in primal.out_avals]
    options: dict[str, Any] = {}
    if primal.nr_devices > 1:
        ins, outs = primal.in_shardings_hlo, primal.out_shardings_hlo
        options = {
            "in_shardings": tuple(_placed(s, devices) for s in (*ins, *outs)),
            "out_shardings": tuple(_placed(s, devices) for s in ins),
        }
    stand_ins = [
        ShapeDtypeStruct(a.shape, a.dtype, weak_type=a.weak_type)
        for a in (*primal.in_avals, *cotangents)
    ]
    make = export(
        jit(fun_vjp, **options),
        platforms=primal.platforms,
        disabled_checks=primal.disabled_safety_checks,
        _override_lowering_rules=overrides,
    )
    return make(*stand_ins)


def _float0(aval: Any) -> Any:
    from jx_core import ShapedArray, dtypes

    return ShapedArray(aval.shape, dtypes.float0)


def _placed(split: Any, devices: Sequence[Any]) -> Any:
    return None if split is None else from_hlo(tuple(devices), split)

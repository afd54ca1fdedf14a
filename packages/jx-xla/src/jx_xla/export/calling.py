"""Calling exported functions: their derivative, and the pieces of their modules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import ShapedArray, dtypes, lax, tree, tree_util, typeof
from jx_core.dispatch import CallSpec, make_callable
from jx_core.ops.control_flow.custom import CustomVJP, Mask, is_inexact
from jx_core.ops.control_flow.exported import call_exported_p

from ..lowering.types import type_of
from ..runtime import custom_calls, linking, mlir
from .checks import check_no_python
from .exported import Exported
from .shapes import is_static


def make_caller(exported: Exported) -> Callable[..., Any]:
    """The callable behind `exported.call`: compiled once for the shapes it is called with.

    While something is being traced it is plain Python, and checks and binds.
    """
    def caller(*args: Any, **kwargs: Any) -> Any:
        leaves, in_tree = tree.flatten((args, kwargs))
        if in_tree != exported.in_tree:
            raise _other_tree(exported, (args, kwargs))
        results = call_exported_p.bind(*leaves, exported=exported)
        return tree.unflatten(exported.out_tree, results)

    caller.__name__ = caller.__qualname__ = exported.fun_name
    return make_callable(CallSpec(caller, transparent=True))  # type: ignore[no-any-return]


def _other_tree(exported: Exported, arguments: tuple[Any, Any]) -> Exception:
    from jx_core.tree import mismatch

    wanted = tree_util.treedef_children(exported.in_tree)
    for what, given, want in zip(("args", "kwargs"), arguments, wanted, strict=True):
        if tree.structure(given) != want:
            return mismatch.structure_error(
                f"The invocation args and kwargs must have the same pytree structure as when the "
                f"function '{exported.fun_name}' was exported, but they differ",
                given,
                want,
                names=(f"{what} as called", f"{what} as exported"),
                prefix=False,
            )
    raise AssertionError("one of them differs")


class Derivative(CustomVJP):
    """The backward rule of calls: the exported derivative, on the arguments and cotangents."""

    def __init__(self, exported: Exported) -> None:
        self.name = f"the exported function {exported.fun_name}"
        self.source = self.exported = exported
        self.known = {}

    def bwd(self, active: Mask, residuals: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        following = iter(cotangents)
        types = self.exported.result_types([typeof(x) for x in residuals])
        cts = [_cotangent(next(following) if is_inexact(a) else None, a) for a in types]
        results = self.exported.vjp().call(*residuals, *cts)
        return [r for r, on in zip(results, active, strict=True) if on]


def _cotangent(ct: Any, aval: ShapedArray) -> Any:
    if not is_inexact(aval):
        return np.zeros(aval.shape, dtypes.float0)
    return lax.full(aval.shape, 0, aval.dtype) if ct is None else ct


def pieces_for(
    exported: Exported, platform: str, in_avals: Sequence[ShapedArray]
) -> linking.Pieces:
    """The functions of an exported module for a platform and for arguments of given types.

    Raises:
        ValueError: it was not exported for the platform, or its module does not fit what is
            said about it.
    """
    key = "pieces", platform, tuple(in_avals)
    found = exported.derived.get(key)
    if found is None:
        found = exported.derived[key] = _pieces(exported, _index(exported, platform), in_avals)
    return found  # type: ignore[no-any-return]


def _index(exported: Exported, platform: str) -> int:
    if platform in exported.platforms:
        return exported.platforms.index(platform)
    if any(check.kind == "platform" for check in exported.disabled_safety_checks):
        return 0
    names = ", ".join(exported.platforms)
    raise ValueError(
        f"Function '{exported.fun_name}' was exported for platforms '{names}' but it is used on "
        f"'{platform}'. Export it with platforms={(*exported.platforms, platform)!r}"
    )


def _pieces(exported: Exported, index: int, in_avals: Sequence[ShapedArray]) -> linking.Pieces:
    module = mlir.from_portable_artifact(exported.mlir_module_serialized)
    if len(exported.platforms) > 1:
        linking.take_platform(module, index)
    kept = [in_avals[i] for i in exported.module_kept_var_idx]
    symbolic = not all(is_static(a) for a in exported.in_avals)
    if symbolic and all(is_static(a) for a in in_avals):
        from ..symbolic import refine

        module = mlir.parse_module(refine(module, kept))
    linking.drop_unused(module)
    targets = linking.custom_call_targets(module)
    check_no_python(targets, exported.fun_name)
    _register(targets)
    _check_main(exported, module, kept, exported.result_types(in_avals))
    return linking.pieces(module, f"call_{exported.fun_name}")


def _register(targets: set[str]) -> None:
    """Have the native functions that come with jaxlib found."""
    if any(t.startswith("lapack_") for t in targets):
        custom_calls.register_cpu_lapack()
    if any(t.startswith(("cu", "hip")) for t in targets):
        custom_calls.register_gpu_targets()
        if any("hybrid" in t for t in targets):
            custom_calls.initialize_gpu_hybrids()


def _check_main(
    exported: Exported, module: Any, ins: Sequence[ShapedArray], outs: Sequence[ShapedArray]
) -> None:
    """Check that the module is what the rest of the export says."""
    if not all(is_static(a) for a in (*ins, *outs)):
        return  # sizes are compared when the program is refined
    have = linking.main_types(module)
    want = [type_of(a) for a in ins], [type_of(a) for a in outs]
    if have != want:
        raise ValueError(
            f"the module of the exported function {exported.fun_name} takes {have[0]} and gives "
            f"{have[1]}, and it is said to take {want[0]} and give {want[1]}: the bytes it was "
            f"loaded from are damaged"
        )

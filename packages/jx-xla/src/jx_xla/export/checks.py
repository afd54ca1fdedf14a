"""What is checked of exported programs, and how a check is switched off.

A native function that a program calls by name (a custom call) must still be there, and take the
same arguments, where and when the program is loaded. For the ones listed here jaxlib and XLA
promise that; others are refused unless the user vouches for them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

_PLATFORM = "platform"
_CUSTOM_CALL = "custom_call"


class DisabledSafetyCheck:
    """A check that an export leaves out: `export(..., disabled_checks=[...])`.

    Make one with `DisabledSafetyCheck.platform()` or `DisabledSafetyCheck.custom_call(name)`.

    >>> DisabledSafetyCheck.custom_call("my_kernel")
    DisabledSafetyCheck.custom_call('my_kernel')
    >>> DisabledSafetyCheck.custom_call("my_kernel").is_custom_call()
    'my_kernel'
    """

    __slots__ = ("kind", "target")

    def __init__(self, kind: str, target: str | None = None) -> None:
        if kind not in (_PLATFORM, _CUSTOM_CALL) or (target is None) != (kind == _PLATFORM):
            raise ValueError(
                f"DisabledSafetyCheck: expected DisabledSafetyCheck.platform() or "
                f"DisabledSafetyCheck.custom_call(target_name), got kind {kind!r} and "
                f"target {target!r}"
            )
        self.kind = kind
        self.target = target

    @classmethod
    def platform(cls) -> DisabledSafetyCheck:
        """Allow calls on platforms that the function was not exported for.

        They run what was lowered for the first of its platforms.

        >>> DisabledSafetyCheck.platform()
        DisabledSafetyCheck.platform()
        """
        return cls(_PLATFORM)

    @classmethod
    def custom_call(cls, target_name: str) -> DisabledSafetyCheck:
        """Allow programs that call the native function of this name.

        Args:
            target_name: the custom call's target.

        >>> DisabledSafetyCheck.custom_call("my_kernel")
        DisabledSafetyCheck.custom_call('my_kernel')
        """
        return cls(_CUSTOM_CALL, target_name)

    def is_custom_call(self) -> str | None:
        """The name of the native function that it allows, None for another check.

        >>> DisabledSafetyCheck.custom_call("my_kernel").is_custom_call()
        'my_kernel'
        >>> print(DisabledSafetyCheck.platform().is_custom_call())
        None
        """
        return self.target

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DisabledSafetyCheck) and (
            (self.kind, self.target) == (other.kind, other.target)
        )

    def __hash__(self) -> int:
        return hash((self.kind, self.target))

    def __repr__(self) -> str:
        argument = "" if self.target is None else repr(self.target)
        return f"DisabledSafetyCheck.{self.kind}({argument})"


def _lapack() -> set[str]:
    real = ("getrf", "geqrf", "orgqr", "potrf", "gesdd", "syevd", "geev", "gees", "gehrd", "sytrd",
            "trsm", "gtsv")  # fmt: skip
    complex_names = {"orgqr": "ungqr", "syevd": "heevd", "sytrd": "hetrd"}
    names = {f"lapack_{letter}{name}_ffi" for letter, name in itertools.product("sd", real)}
    return names | {
        f"lapack_{letter}{complex_names.get(name, name)}_ffi"
        for letter, name in itertools.product("cz", real)
    }


def _solvers() -> set[str]:
    routines = ("getrf", "geqrf", "orgqr", "potrf", "syevd", "sytrd", "gesvd", "gesvdj")
    names = {f"{maker}solver_{r}_ffi" for maker, r in itertools.product(("cu", "hip"), routines)}
    return names | {"hipsolver_gesdd_ffi"}


# Those whose names and arguments stay as they are, as JAX publishes it.
STABLE_TARGETS = frozenset(
    _lapack() | _solvers()
    | {"cusparse_gtsv2_ffi", "cu_lu_pivots_to_permutation", "hip_lu_pivots_to_permutation",
       "cu_threefry2x32_ffi", "hip_threefry2x32_ffi"}
    | {"LuDecomposition", "Qr", "ProductOfElementaryHouseholderReflectors", "Eigh", "ApproxTopK",
       "tpu_custom_call"}
    | {"Sharding", "SPMDFullToShardShape", "SPMDShardToFullShape", "annotate_device_placement",
       "AllocateBuffer", "shape_assertion"}
    | {f"stablehlo.dynamic_{name}" for name in
       ("approx_top_k", "rng_bit_generator", "reduce_window", "top_k")}
)  # fmt: skip


def check_targets(
    targets: Iterable[str], disabled: Sequence[DisabledSafetyCheck], name: str
) -> None:
    """Check the native functions that a program calls.

    Raises:
        ValueError: there are some without a promise of compatibility, or that call Python.
    """
    targets = set(targets)
    check_no_python(targets, name)
    allowed = STABLE_TARGETS | {c.target for c in disabled if c.target is not None}
    unknown = sorted(targets - allowed)
    if unknown:
        cures = ", ".join(f"DisabledSafetyCheck.custom_call({t!r})" for t in unknown)
        raise ValueError(
            f"Cannot serialize code with custom calls whose targets have no compatibility "
            f"guarantees: {', '.join(unknown)}, called by {name}. Where they are registered when "
            f"the function is loaded, and mean the same there, allow them with "
            f"export(..., disabled_checks=[{cures}])"
        )


def check_no_python(targets: Iterable[str], name: str) -> None:
    """Check that a program does not call into the Python process it was made in.

    Such a call finds its function by a number or an address. In another process those mean
    nothing, or, in bytes that somebody has tampered with, whatever they want.

    Raises:
        ValueError: it does.
    """
    calls = sorted(t for t in targets if "python" in t.lower())
    if calls:
        raise ValueError(
            f"{name} calls Python functions ({', '.join(calls)}), which can't be exported: they "
            f"exist in the process that made them only"
        )

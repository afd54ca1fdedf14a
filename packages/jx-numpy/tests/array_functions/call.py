"""What the op database of array functions is made of: a `Call`, one call of a public function.

A file beside this one has the calls of one module of jx-numpy, in a list `CALLS`. They are
written as the call itself, `of(jnp.sum, x, axis=0)`, with what is to be known besides:
`.having(moving=(0,))`. The generic tests make each of them, eagerly, under `jit`, `vmap` and
`grad`, on both back ends, and compare with NumPy or SciPy.
"""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from jx_core import dtypes, tree

# Relative errors to expect of well-conditioned functions, against NumPy in the same precision.
RTOL = {
    "float64": 1e-12, "complex128": 1e-12, "float32": 4e-6, "complex64": 8e-6,
    "float16": 4e-3, "bfloat16": 2e-2,
}  # fmt: skip
# Where the oracle of a module's functions is, by the module's public path.
ORACLES = {"numpy": "numpy", "numpy.linalg": "numpy.linalg", "numpy.fft": "numpy.fft"}


@dataclass(frozen=True, eq=False)
class Call:
    """One call of an array function.

    Attributes:
        function: what is called.
        args, kwargs: with what. The ndarrays in them are the operands, in the order of their
            leaves: arrays, and tracers under transformations. All else stays as it is.
        expected: called with the same arguments, gives the right results; by default the
            function of that name in NumPy or SciPy. bfloat16 operands reach it as float32.
        moving: which operands to differentiate with respect to: float64 or complex128, at a
            point where the derivatives exist.
        order: how often (1 for piecewise linear functions).
        modes: of differentiation, of `fwd` and `rev`.
        slack: by how much the tolerance of the dtype is to be multiplied.
        atol: an absolute tolerance besides.
        dtype: of the result, or a tuple of those of all; only its kind is compared with the
            oracle's where it is None.
        jit: whether it can be traced; a Python reason why not where it is a string.
        batch: whether it can be mapped, likewise.
        view: `view(result)` gives what is compared, where the result is not unique. It is
            applied to the oracle's result as well, so it must do for both.
        name: of the function, where it is not `module.name`.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    expected: Callable[..., Any] | None = None
    moving: tuple[int, ...] = ()
    order: int = 2
    modes: tuple[str, ...] = ("fwd", "rev")
    slack: float = 1.0
    atol: float = 0.0
    dtype: Any = None
    jit: bool | str = True
    batch: bool | str = True
    view: Callable[[Any], Any] | None = None
    name: str = ""

    def having(self, **facts: Any) -> Call:
        """This call with more known of it."""
        return replace(self, **facts)

    @functools.cached_property
    def operands(self) -> list[np.ndarray]:
        """The ndarrays among the arguments."""
        return [x for x in tree.leaves((self.args, self.kwargs)) if isinstance(x, np.ndarray)]

    def __call__(self, *operands: Any) -> Any:
        """The results, with `operands` in the place of the call's own."""
        args, kwargs = self._filled(operands)
        result = self.function(*args, **kwargs)
        return result if self.view is None else self.view(result)

    def oracle(self, *operands: np.ndarray) -> list[np.ndarray]:
        """What the oracle gives for them."""
        wide = [x.astype(np.float32) if x.dtype == dtypes.bfloat16 else x for x in operands]
        args, kwargs = self._filled(wide)
        expected = oracle_of(self.function) if self.expected is None else self.expected
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of empty slices and the like
            result = expected(*args, **kwargs)
            result = result if self.view is None else self.view(result)
        return [np.asarray(x) for x in tree.leaves(result)]

    def _filled(self, operands: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        rest = iter(operands)
        leaves, structure = tree.flatten((self.args, self.kwargs))
        filled = [next(rest) if isinstance(x, np.ndarray) else x for x in leaves]
        return tree.unflatten(structure, filled)  # type: ignore[no-any-return]

    def restricted(self) -> Callable[..., Any]:
        """It as a function of its moving operands."""

        def fun(*moving: Any) -> Any:
            operands = list(self.operands)
            for i, x in zip(self.moving, moving, strict=True):
                operands[i] = x
            return self(*operands)

        return fun

    def moving_operands(self) -> tuple[np.ndarray, ...]:
        return tuple(self.operands[i] for i in self.moving)

    @property
    def title(self) -> str:
        """The public name of the function, such as `numpy.linalg.norm`."""
        return self.name or f"{home_of(self.function)}.{self.function.__name__}"

    def __str__(self) -> str:
        def shown(x: Any) -> str:
            return f"{x.dtype.name}{list(x.shape)}" if isinstance(x, np.ndarray) else f"{x!r:.60}"

        parts = [str(tree.map(shown, a)) for a in self.args]
        parts += [f"{k}={tree.map(shown, v)}" for k, v in self.kwargs.items()]
        return f"{self.title}({', '.join(parts)})"


def of(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Call:
    """The call `function(*args, **kwargs)`."""
    return Call(function, args, kwargs)


def home_of(function: Callable[..., Any]) -> str:
    """The public module of a function of jx_numpy, without the `jx.`: `numpy.fft`."""
    package, *parts = function.__module__.split(".")
    if package != "jx_numpy":  # re-exported from jx-core
        return "numpy"
    if parts[:1] == ["scipy"]:
        nested = ("cluster", "sparse", "spatial", "stats")
        return ".".join(parts[: 3 if parts[1] in nested and len(parts) > 2 else 2])
    if parts and parts[0] in ("linalg", "fft"):
        return f"numpy.{parts[0]}"
    if parts and parts[0] in ("nn", "random", "image", "ops", "flatten_util"):
        return parts[0]
    return "numpy"


def oracle_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of the same name in NumPy or SciPy."""
    home = home_of(function)
    oracle = ORACLES.get(home, home)
    return getattr(importlib.import_module(oracle), function.__name__)  # type: ignore[no-any-return]


def mismatch(call: Call, got: Any, want: list[np.ndarray]) -> str:
    """What is wrong with the results `got`, or an empty string.

    Shapes and kinds of dtypes must agree, infinities and NaNs lie at the same places.
    """
    results = [np.asarray(x) for x in tree.leaves(got)]
    if len(results) != len(want):
        return f"{call}: got {len(results)} results, expected {len(want)}"
    given = call.dtype if isinstance(call.dtype, tuple) else (call.dtype,) * len(results)
    for i, (x, y, dtype) in enumerate(zip(results, want, given, strict=True)):
        if x.shape != y.shape:
            return f"{call}: result {i} has shape {x.shape}, expected {y.shape}"
        if _kind(x.dtype) != _kind(y.dtype) if dtype is None else x.dtype != dtype:
            return f"{call}: result {i} is {x.dtype}, expected {dtype or y.dtype}"
        wrong = _different(x, y, RTOL.get(x.dtype.name, 0.0) * call.slack, call.atol)
        if wrong.any():
            at = tuple(map(int, np.argwhere(wrong)[0]))
            return (
                f"{call}: {int(wrong.sum())} of {x.size} elements of result {i} differ; at {at} "
                f"got {x[at]!r}, expected {y[at]!r}"
            )
    return ""


def _kind(dtype: Any) -> str:
    for kind in (np.bool_, np.integer, np.floating, np.complexfloating):
        if dtypes.issubdtype(dtype, kind):
            return kind.__name__
    return str(dtype)


def _different(x: np.ndarray, y: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    if not dtypes.issubdtype(x.dtype, np.inexact):
        return np.asarray(x != y)
    kind = np.complex128 if x.dtype.kind == "c" else np.float64
    a, b = x.astype(kind), y.astype(kind)
    with np.errstate(all="ignore"):
        finite = np.isfinite(a) & np.isfinite(b)
        close = np.abs(a - b) <= rtol * np.abs(b) + atol + float(dtypes.finfo(x.dtype).tiny)
        return np.where(finite, ~close, ~((a == b) | (np.isnan(a) & np.isnan(b))))


def other_row(x: np.ndarray) -> np.ndarray:
    """Another operand of the same type, as valid as `x`: its entries turned round."""
    return np.flip(x, 0).copy() if x.ndim else x


def batches(call: Call) -> list[tuple[tuple[int | None, ...], list[np.ndarray]]]:
    """In axes and operands with which to map a call: each operand alone, and all together."""
    count = len(call.operands)
    alone = [tuple(0 if i == k else None for i in range(count)) for k in range(count)]
    chosen = alone + ([(0,) * count] if count > 1 else [])
    return [
        (
            axes,
            [x if a is None else np.stack([x, other_row(x)]) for a, x in zip(axes, call.operands)],
        )
        for axes in chosen
    ]


def row(operands: list[np.ndarray], axes: tuple[int | None, ...], i: int) -> list[np.ndarray]:
    return [x if a is None else np.asarray(x[i], order="C") for a, x in zip(axes, operands)]

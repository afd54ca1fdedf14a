"""What the op database is made of: a `Sample` of a primitive, an `ErrorSample` of bad input.

Here are the two classes and the makers of operands. The samples themselves are in the files
beside this one, one an op family; the generic tests that run them are in `tests/`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import ml_dtypes
import numpy as np

from jx_core import Primitive, ShapeDtypeStruct, backend, dtypes, eval_jaxpr, make_jaxpr
from jx_core.ops.rng.keys import PRNGImpl, prng_impl, random_unwrap, random_wrap

# Dtypes by what samples are about. Half precision stands for all narrow floats in most.
FLOATS = ("float32", "float64", "bfloat16", "float16")
WIDE_FLOATS = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = SIGNED + UNSIGNED
REAL = FLOATS + INTEGERS
NUMBERS = REAL + COMPLEX
ALL = ("bool", *NUMBERS)
# One of each kind, where all behave alike.
FEW = ("float32", "bfloat16", "int32", "uint8", "bool", "complex64")

# The generators of typed keys: threefry's have two words, the others' four.
IMPLS = tuple(map(prng_impl, ("threefry2x32", "rbg", "unsafe_rbg")))
IMPL = IMPLS[0]


@dataclass(frozen=True)
class Sample:
    """One application of a primitive.

    Attributes:
        primitive: what is applied.
        operands: ndarrays.
        params: the primitive's params.
        keys: which operands are the words of typed PRNG keys, to be wrapped.
        moving: which operands are at a point where the derivative exists.
        order: how often the result can be differentiated there and still have a derivative
            that is not zero everywhere (1 for piecewise linear functions).
        slack: by how much the tolerance of the dtype is to be multiplied.
        atol: an absolute tolerance besides.
        modes: the modes of differentiation that it has, of `fwd` and `rev`.
        note: what is special about it, for messages.
        others: operands of the same types and as valid, for the second row of batches; where
            left out, `operands` with their entries in another order.
        view: `view(outs)` gives, by `lax` functions, what is unique of the results, where they
            are not: eigenvectors have arbitrary signs, their products with eigenvalues do not.
            All tests look at that.
        impl: the generator of the keys.
    """

    primitive: Primitive
    operands: tuple[np.ndarray, ...]
    params: dict[str, Any] = field(default_factory=dict)
    keys: tuple[int, ...] = ()
    moving: tuple[int, ...] = ()
    order: int = 2
    slack: float = 1.0
    atol: float = 0.0
    modes: tuple[str, ...] = ("fwd", "rev")
    note: str = ""
    others: tuple[np.ndarray, ...] = ()
    view: Callable[[list[Any]], list[Any]] | None = None
    impl: PRNGImpl = IMPL

    def __call__(self, *operands: Any) -> list[Any]:
        """The results on `operands`, arrays or tracers of the types of this sample's own.

        Typed keys go in and come out as their words, so that all are plain arrays.
        """
        wrapped = [
            random_wrap(x, impl=self.impl) if i in self.keys else x for i, x in enumerate(operands)
        ]
        out = self.primitive.bind(*wrapped, **self.params)
        outs = list(out) if self.primitive.multiple_results else [out]
        if self.view is not None:
            outs = self.view(outs)
        return [random_unwrap(o) if isinstance(o.dtype, dtypes.ExtendedDType) else o for o in outs]

    def on_longer_keys(self) -> Sample:
        """The same with keys of four words in place of those of two."""
        operands, others = (
            tuple(np.concatenate([x, ~x], -1) if i in self.keys else x for i, x in enumerate(given))
            for given in (self.operands, self.others)
        )
        return replace(self, operands=operands, others=others, impl=prng_impl("rbg"))

    def __str__(self) -> str:
        types = ", ".join(f"{x.dtype.name}[{','.join(map(str, x.shape))}]" for x in self.operands)
        params = ", ".join(f"{k}={v!r:.80}" for k, v in self.params.items())
        note = f" ({self.note})" if self.note else ""
        note += f" on {self.impl.name} keys" if self.keys else ""
        return f"{self.primitive.name}({types}; {params}){note}"


@dataclass(frozen=True)
class ErrorSample:
    """Bad input, and the error it must raise.

    Attributes:
        name: what it is, for the test's id.
        call: does it.
        error: the class of the exception.
        text: a regular expression found in the message.
    """

    name: str
    call: Callable[[], Any]
    error: type[Exception]
    text: str


def dtype_of(name: str) -> np.dtype:
    """The dtype of a name, those of ml_dtypes among them."""
    return np.dtype(getattr(ml_dtypes, name, name))


def array(
    shape: tuple[int, ...], dtype: str, low: float = -2.0, high: float = 2.0, seed: int = 0
) -> np.ndarray:
    """Random numbers between `low` and `high`, the same in every run.

    Integers are rounded down; unsigned ones come from the non-negative part of the range.
    """
    kind = dtype_of(dtype)
    generator = np.random.default_rng(zlib.crc32(repr((shape, low, high, seed)).encode()))
    if dtype == "bool":
        return np.asarray(generator.random(shape) < 0.5)
    if dtype.startswith("complex"):
        parts = generator.uniform(low, high, shape) + 1j * generator.uniform(low, high, shape)
        return np.asarray(parts).astype(kind)
    if dtype.startswith("uint"):
        low, high = max(low, 0), max(high, 0)
    return np.asarray(generator.uniform(low, high, shape)).astype(kind)


def apart(shape: tuple[int, ...], dtype: str, step: float = 0.25, seed: int = 0) -> np.ndarray:
    """Distinct numbers in random order, none of them zero, at least `step` from each other.

    At such points maxima and sorting orders stay what they are when elements move a little.
    """
    generator = np.random.default_rng(zlib.crc32(repr((shape, step, seed)).encode()))
    n = int(np.prod(shape))
    values = (generator.permutation(n).reshape(shape) - n // 2 + 0.5) * step
    if dtype.startswith("complex"):
        values = values + 1j * values[..., ::-1] if shape else values + 0.5j
    if dtype[:3] in ("int", "uin"):
        values = np.floor(values / step) + (n // 2 if dtype.startswith("u") else 0)
    return np.asarray(values).astype(dtype_of(dtype))


def words(shape: tuple[int, ...], seed: int = 0, impl: PRNGImpl = IMPL) -> np.ndarray:
    """The words of PRNG keys of shape `shape`."""
    generator = np.random.default_rng(seed)
    return generator.integers(0, 2**32, (*shape, *impl.key_shape), dtype=np.uint32)


# Every elementwise function should be tried on these: zeros, infinities, NaN, extremes.
EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -3.5, np.inf, -np.inf, np.nan, 1e-3, 100.0, -100.0)


def edges(dtype: str) -> np.ndarray:
    """Values at which elementwise functions are apt to go wrong, in a dtype."""
    kind = dtype_of(dtype)
    if dtype == "bool":
        return np.array([False, True])
    if dtype[:3] in ("int", "uin"):
        info = dtypes.iinfo(kind)
        whole = {0, 1, 2, 3, 7, int(info.max), int(info.max) - 1, int(info.min), int(info.min) + 1}
        if info.min < 0:
            whole |= {-1, -2, -7}
        return np.array(sorted(n for n in whole if info.min <= n <= info.max), object).astype(kind)
    return np.asarray(EDGES).astype(kind)


def pairs(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of `edges`, as two arrays."""
    values = edges(dtype)
    x, y = np.meshgrid(np.arange(len(values)), np.arange(len(values)), indexing="ij")
    return values[x].ravel(), values[y].ravel()


def traced(fun: Callable[..., Any], *operands: Any, **facts: Any) -> Sample:
    """The sample whose primitive and params are those that a `lax` function binds.

    Args:
        fun: binds one primitive, on its arguments in their order.
        operands: ndarrays.
        facts: the further fields of the sample.
    """
    keys = facts.get("keys", ())
    types = [
        ShapeDtypeStruct(
            x.shape[:-1] if i in keys else x.shape, IMPL.dtype if i in keys else x.dtype
        )
        for i, x in enumerate(operands)
    ]
    program = make_jaxpr(fun)(*types).jaxpr
    (eqn,) = program.eqns
    assert eqn.invars == program.invars, f"{fun} does not bind its arguments as they are: {program}"
    return Sample(eqn.primitive, operands, eqn.params, **facts)


def held(
    primitive: Primitive,
    fun: Callable[..., Any],
    *operands: Any,
    moves: bool | tuple[int, ...] = True,
    **facts: Any,
) -> Sample:
    """The sample of the one equation of `primitive` in the program of `fun`.

    Its operands are what the program computes for it of `operands`.

    Args:
        primitive: the primitive.
        fun: calls it, on its arguments or on what it makes of them.
        operands: ndarrays; where `keys` says so, words of keys.
        moves: which of the equation's operands are moving; True for those of inexact dtype.
        facts: the further fields of the sample. `others` are of the arguments of `fun`.
    """
    keys = facts.get("keys", ())
    with backend.use("numpy"):
        given = [random_wrap(x, impl=IMPL) if i in keys else x for i, x in enumerate(operands)]
        program = make_jaxpr(fun)(*given)
    (place,) = [i for i, e in enumerate(program.eqns) if e.primitive is primitive]
    eqn = program.eqns[place]

    def values(args: Sequence[Any]) -> tuple[np.ndarray, ...]:
        jaxpr = program.jaxpr
        before = jaxpr.replace(eqns=program.eqns[:place], outvars=eqn.invars)
        with backend.use("numpy"):
            found = eval_jaxpr(before, program.consts, *args)
            return tuple(
                np.asarray(random_unwrap(v))
                if isinstance(a.aval.dtype, dtypes.ExtendedDType)
                else np.asarray(v).astype(a.aval.dtype)
                for v, a in zip(found, eqn.invars, strict=True)
            )

    operands = values(given)
    facts["keys"] = tuple(
        i for i, a in enumerate(eqn.invars) if isinstance(a.aval.dtype, dtypes.ExtendedDType)
    )
    if facts.get("others"):
        facts["others"] = values(facts["others"])
    if moves is True:
        moves = tuple(
            i for i, x in enumerate(operands) if dtypes.issubdtype(x.dtype, np.inexact)
        )
    return Sample(primitive, operands, eqn.params, moving=moves or (), **facts)

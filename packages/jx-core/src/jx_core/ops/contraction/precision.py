"""How exactly contractions are computed: `Precision`, and named dot algorithms.

On some hardware a float32 product is computed from narrower pieces, which is faster. These
are hints and requests to a back end; the NumPy reference always computes at full precision.
The products themselves are in `dot` and `conv`.
"""

from __future__ import annotations

import enum
from typing import Any, NamedTuple, Union

import ml_dtypes
import numpy as np

from ...config import default_matmul_precision

__all__ = ["DotAlgorithm", "DotAlgorithmPreset", "Precision", "PrecisionLike"]


class Precision(enum.Enum):
    """How exactly to multiply, for back ends that offer a choice.

    DEFAULT is the fastest, HIGH more exact (on TPUs three bfloat16 passes), HIGHEST the
    operands' full precision. Each has other names too: `Precision("bfloat16")` is DEFAULT,
    `"bfloat16_3x"` and `"tensorfloat32"` are HIGH, `"float32"` is HIGHEST.

    >>> Precision("float32")
    Precision.HIGHEST
    """

    DEFAULT = 0
    HIGH = 1
    HIGHEST = 2

    @classmethod
    def _missing_(cls, value: object) -> Precision | None:
        return _BY_NAME.get(value)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Precision.{self.name}"


_BY_NAME: dict[Any, Precision] = {
    None: Precision.DEFAULT,
    "default": Precision.DEFAULT,
    "fastest": Precision.DEFAULT,
    "bfloat16": Precision.DEFAULT,
    "high": Precision.HIGH,
    "bfloat16_3x": Precision.HIGH,
    "tensorfloat32": Precision.HIGH,
    "highest": Precision.HIGHEST,
    "float32": Precision.HIGHEST,
}


class DotAlgorithm(NamedTuple):
    """An algorithm for a dot product, as StableHLO's `dot_algorithm` attribute describes it.

    Attributes:
        lhs_precision_type, rhs_precision_type: the dtypes that the operands are rounded to.
        accumulation_type: the dtype that products are summed in.
        lhs_component_count, rhs_component_count: into how many pieces of that dtype an
            operand is split.
        num_primitive_operations: how many products of pieces are added up.
        allow_imprecise_accumulation: whether sums may lose precision on the way.

    >>> DotAlgorithm(np.float16, np.float16, np.float32).accumulation_type
    <class 'numpy.float32'>
    """

    lhs_precision_type: Any
    rhs_precision_type: Any
    accumulation_type: Any
    lhs_component_count: int = 1
    rhs_component_count: int = 1
    num_primitive_operations: int = 1
    allow_imprecise_accumulation: bool = False


class DotAlgorithmPreset(enum.Enum):
    """Algorithms known by name: operand dtypes, then the dtype of the sum.

    `_X3`, `_X6`, `_X9` split float32 operands into pieces and add up that many products;
    `FAST_ACCUM` permits imprecise sums. A back end refuses those that it does not have.

    >>> from jx_core import lax
    >>> x = np.float32([[1, 2]])
    >>> lax.dot(x, x.T, precision=DotAlgorithmPreset.F32_F32_F32)
    Array([[5.]], dtype=float32)
    """

    DEFAULT = 1
    ANY_F8_ANY_F8_F32 = 2
    ANY_F8_ANY_F8_F32_FAST_ACCUM = 3
    ANY_F8_ANY_F8_ANY = 4
    ANY_F8_ANY_F8_ANY_FAST_ACCUM = 5
    F16_F16_F16 = 6
    F16_F16_F32 = 7
    BF16_BF16_BF16 = 8
    BF16_BF16_F32 = 9
    BF16_BF16_F32_X3 = 10
    BF16_BF16_F32_X6 = 11
    BF16_BF16_F32_X9 = 12
    TF32_TF32_F32 = 13
    TF32_TF32_F32_X3 = 14
    F32_F32_F32 = 15
    F64_F64_F64 = 16

    @property
    def supported_lhs_types(self) -> tuple[Any, ...] | None:
        """The dtypes that the left operand may have, or None for any.

        >>> DotAlgorithmPreset.F64_F64_F64.supported_lhs_types
        (<class 'numpy.float64'>,)
        """
        return _PRESET_TYPES.get(self.name, (None, None))[0]

    @property
    def supported_rhs_types(self) -> tuple[Any, ...] | None:
        """The dtypes that the right operand may have, or None for any.

        >>> DotAlgorithmPreset.F16_F16_F32.supported_rhs_types
        (<class 'numpy.float16'>,)
        """
        return self.supported_lhs_types

    @property
    def accumulation_type(self) -> Any:
        """The dtype that products are summed in, or None where it is left open.

        >>> DotAlgorithmPreset.F16_F16_F32.accumulation_type
        <class 'numpy.float32'>
        """
        return _PRESET_TYPES.get(self.name, (None, None))[1]

    def supported_output_types(self, lhs_dtype: Any, rhs_dtype: Any) -> tuple[Any, ...] | None:
        """The dtypes that the result may have, or None for any.

        >>> DotAlgorithmPreset.F16_F16_F32.supported_output_types(np.float16, np.float16)
        (<class 'numpy.float32'>,)
        """
        if self.name in ("ANY_F8_ANY_F8_F32", "ANY_F8_ANY_F8_F32_FAST_ACCUM"):
            return (np.float32, np.float16, ml_dtypes.bfloat16, *_FLOAT8)
        accumulation = self.accumulation_type
        return None if accumulation is None else (accumulation,)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"DotAlgorithmPreset.{self.name}"


_FLOAT8 = (
    ml_dtypes.float8_e4m3fn,
    ml_dtypes.float8_e5m2,
    ml_dtypes.float8_e5m2fnuz,
    ml_dtypes.float8_e4m3fnuz,
    ml_dtypes.float8_e4m3b11fnuz,
)
_F16 = (np.float16,)
_BF16 = (ml_dtypes.bfloat16, np.float32)
_F32 = (np.float32,)
_F64 = (np.float64,)
_PRESET_TYPES: dict[str, tuple[tuple[Any, ...] | None, Any]] = {
    "ANY_F8_ANY_F8_F32": (None, np.float32),
    "ANY_F8_ANY_F8_F32_FAST_ACCUM": (None, np.float32),
    "F16_F16_F16": (_F16, np.float16),
    "F16_F16_F32": (_F16, np.float32),
    "BF16_BF16_BF16": (_BF16, ml_dtypes.bfloat16),
    "BF16_BF16_F32": (_BF16, np.float32),
    "BF16_BF16_F32_X3": (_F32, np.float32),
    "BF16_BF16_F32_X6": (_F32, np.float32),
    "BF16_BF16_F32_X9": (_F32, np.float32),
    "TF32_TF32_F32": (_F32, np.float32),
    "TF32_TF32_F32_X3": (_F32, np.float32),
    "F32_F32_F32": (_F32, np.float32),
    "F64_F64_F64": (_F64, np.float64),
}

PrecisionLike = Union[  # noqa: UP007  (str | tuple of a class that is defined here reads worse)
    None,
    str,
    Precision,
    tuple[str, str],
    tuple[Precision, Precision],
    DotAlgorithm,
    DotAlgorithmPreset,
]

# What primitives hold: a precision for each operand, an algorithm, or None for the default.
CanonicalPrecision = tuple[Precision, Precision] | DotAlgorithm | DotAlgorithmPreset | None


def canonical_precision(name: str, precision: Any) -> CanonicalPrecision:
    """What the primitive `name` holds for the argument `precision` of its function.

    Raises:
        ValueError: it is no precision.
    """
    if precision is None:
        precision = default_matmul_precision.value
        if precision is None:
            return None
    if isinstance(precision, (DotAlgorithm, DotAlgorithmPreset)):
        return precision
    if isinstance(precision, str) and precision in DotAlgorithmPreset.__members__:
        return DotAlgorithmPreset[precision]
    if isinstance(precision, (str, Precision)):
        pair: tuple[Any, ...] = (precision, precision)
    elif isinstance(precision, (tuple, list)) and len(precision) == 2 and None not in precision:
        pair = tuple(precision)
    else:
        raise _no_precision(name, precision)
    try:
        return Precision(pair[0]), Precision(pair[1])
    except ValueError:
        raise _no_precision(name, precision) from None


def _no_precision(name: str, got: Any) -> ValueError:
    names = [n for n in _BY_NAME if n is not None]
    return ValueError(
        f"lax.{name}: precision must be None, a lax.Precision or one of {names}, a pair of those "
        f"(one for each operand), a lax.DotAlgorithm, or a lax.DotAlgorithmPreset or the name of "
        f"one; got {got!r}"
    )

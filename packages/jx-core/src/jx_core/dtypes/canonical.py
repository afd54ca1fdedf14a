"""The dtype that a dtype becomes in an array: canonicalisation.

With the option ``enable_x64`` off (the default) 64-bit dtypes become their
32-bit kin, wherever they come from. `canonicalize_dtype` is called for nearly
every operation and is a dictionary lookup.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal, overload

import numpy as np

from jx_core.config import enable_x64
from jx_core.dtypes.extended import ExtendedDType
from jx_core.dtypes.scalars import NUMERIC_DTYPES, DType, float0

_x64 = enable_x64.state

_NARROWER: dict[DType, DType] = {
    np.dtype(wide): np.dtype(narrow)
    for wide, narrow in [
        ("int64", "int32"),
        ("uint64", "uint32"),
        ("float64", "float32"),
        ("complex128", "complex64"),
    ]
}

# Indexed by enable_x64; keyed by dtypes and by all that NumPy takes for one.
_plain: tuple[dict[Any, DType], dict[Any, DType]] = ({}, {})
_extended: tuple[dict[Any, DType | ExtendedDType], dict[Any, DType | ExtendedDType]] = ({}, {})


@overload
def canonicalize_dtype(dtype: Any, allow_extended_dtype: Literal[False] = False) -> DType: ...
@overload
def canonicalize_dtype(dtype: Any, allow_extended_dtype: bool) -> DType | ExtendedDType: ...


def canonicalize_dtype(dtype: Any, allow_extended_dtype: bool = False) -> DType | ExtendedDType:
    """The dtype an array gets when ``dtype`` is asked for.

    Takes what `numpy.dtype` takes, and narrows 64-bit dtypes unless
    ``enable_x64`` is on; dtypes that arrays cannot have come back as they are
    (see `is_supported`). So do extended dtypes if ``allow_extended_dtype``, which
    raise ValueError if not. Raises TypeError for what is no dtype.

    >>> canonicalize_dtype("float64")
    dtype('float32')
    """
    try:
        return (_extended if allow_extended_dtype else _plain)[_x64.value][dtype]
    except (KeyError, TypeError):
        return _canonicalize(dtype, allow_extended_dtype)


def _canonicalize(dtype: Any, allow_extended_dtype: bool) -> DType | ExtendedDType:
    x64 = _x64.value
    if isinstance(dtype, ExtendedDType):
        if not allow_extended_dtype:
            raise ValueError(
                f"expected a NumPy dtype here; got the extended dtype {dtype}, whose elements are "
                "no numbers (for PRNG keys, jx.random.key_data gives them)"
            )
        _extended[x64][dtype] = dtype
        return dtype
    result: DType = np.dtype(dtype)
    if not x64:
        result = _NARROWER.get(result, result)
    # Only what can be an array's dtype is kept: the rest may be anything at all.
    if result in NUMERIC_DTYPES:
        try:
            _plain[x64][dtype] = _extended[x64][dtype] = result
        except TypeError:
            pass  # an unhashable description of a dtype
    return result


def is_supported(dtype: Any) -> bool:
    """Whether arrays can have this dtype object: boolean, numeric, extended or float0.

    Not so objects, strings, times, records, NumPy's long doubles, nor dtypes in
    another byte order than the machine's.

    >>> is_supported(np.dtype("int4")), is_supported(np.dtype("datetime64[s]"))
    (True, False)
    """
    return dtype in NUMERIC_DTYPES or isinstance(dtype, ExtendedDType) or dtype == float0


def requested_dtype(dtype: Any, function: str, *, stacklevel: int = 3) -> DType | ExtendedDType:
    """The canonical dtype for one that a user named, with a warning if it is narrowed.

    ``function`` is the public function the user called; ``stacklevel`` is as in
    `warnings.warn`, and 3 is the line that called the caller. Python's own types
    (``int``, ``float``) stand for the default widths and never warn. Raises
    TypeError for a dtype that arrays cannot have.

    >>> requested_dtype("float32", "zeros")
    dtype('float32')
    """
    result = canonicalize_dtype(dtype, True)
    if isinstance(result, ExtendedDType):
        return result
    if not is_supported(result):
        raise TypeError(
            f"{function} takes a boolean, numeric or extended dtype; got {_shown(dtype)}"
        )
    if not _x64.value and dtype not in (int, float, complex, None):
        asked = np.dtype(dtype)
        if asked.itemsize != result.itemsize:
            warnings.warn(
                f"{function} was asked for dtype {asked}, which is not available: the result is "
                f"{result}. For 64-bit dtypes run with JX_ENABLE_X64=1, or call "
                "jx.config.update('jx_enable_x64', True) first.",
                stacklevel=stacklevel,
            )
    return result


def _shown(dtype: Any) -> str:
    return dtype.__name__ if isinstance(dtype, type) else str(dtype)

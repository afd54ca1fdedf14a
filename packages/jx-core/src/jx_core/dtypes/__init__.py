"""Dtypes: their names, canonical forms, hierarchy, weak types and promotion.

This face of the folder is ``jx.dtypes``, and what the rest of jx imports from.
"""

from __future__ import annotations

from jx_core.dtypes import scalars
from jx_core.dtypes.canonical import canonicalize_dtype, is_supported, requested_dtype
from jx_core.dtypes.extended import ExtendedDType, extended, prng_key
from jx_core.dtypes.promotion import (
    can_hold,
    lattice_result_type,
    promote_pair,
    promote_types,
    result_type,
)
from jx_core.dtypes.scalars import *  # noqa: F403
from jx_core.dtypes.subtypes import isdtype, issubdtype
from jx_core.dtypes.values import (
    dtype_and_weak,
    dtype_of,
    is_weak,
    python_scalar_dtype,
    scalar_type_of,
)
from jx_core.errors import TypePromotionError

__all__ = [
    "ExtendedDType",
    "TypePromotionError",
    "can_hold",
    "canonicalize_dtype",
    "dtype_and_weak",
    "dtype_of",
    "extended",
    "is_supported",
    "is_weak",
    "isdtype",
    "issubdtype",
    "lattice_result_type",
    "prng_key",
    "promote_pair",
    "promote_types",
    "python_scalar_dtype",
    "requested_dtype",
    "result_type",
    "scalar_type_of",
]
__all__ += scalars.__all__

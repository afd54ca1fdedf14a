"""Sums and products of doubles with what their rounding left out.

T. J. Dekker, "A floating-point technique for extending the available precision" (1971); the sum
is D. E. Knuth's, The Art of Computer Programming, volume 2, section 4.2.2.
"""

from __future__ import annotations

from typing import Any

from jx_core import lax

__all__ = ["exact_product", "exact_sum"]


def exact_sum(x: Any, y: Any) -> tuple[Any, Any]:
    """x + y of arrays of doubles, and what its rounding left out."""
    total = x + y
    part = total - x
    return total, (x - (total - part)) + (y - part)


def exact_product(x: Any, y: Any) -> tuple[Any, Any]:
    """x y of arrays of doubles, and what its rounding left out."""
    product = x * y
    lead, tail = lax.reduce_precision(x, 11, 25), lax.reduce_precision(y, 11, 25)
    rest, end = x - lead, y - tail
    return product, ((lead * tail - product) + (rest * tail + lead * end)) + rest * end

"""Differentiation of operations that say where an array lies: identities, hence linear.

A cotangent is laid out as the value it belongs to, and goes back to where the operand was.
"""

from __future__ import annotations

from typing import Any

from jx_core.lax import device_put_p, sharding_constraint_p

from ..tables import deflinear

deflinear(sharding_constraint_p, lambda ct, x, **params: [sharding_constraint_p.bind(ct, **params)])


def _put_back(ct: Any, x: Any, *, device: Any, src: Any) -> list[Any]:
    return [device_put_p.bind(ct, device=src, src=device)]


deflinear(device_put_p, _put_back)

"""Differentiation of operations that say where an array lies: identities, hence linear.

A cotangent is laid out as the value it belongs to, and goes back to where the operand was.
"""

from __future__ import annotations

from typing import Any

from jx_core.lax import device_put_p, sharding_constraint_p
from jx_core.memory import Space

from ..tables import deflinear

deflinear(sharding_constraint_p, lambda ct, x, **params: [sharding_constraint_p.bind(ct, **params)])


def _put_back(ct: Any, x: Any, *, device: Any, src: Any) -> list[Any]:
    if src is None and isinstance(device, Space):
        src = Space.Device
    return [device_put_p.bind(ct, device=src, src=device)]


deflinear(device_put_p, _put_back)

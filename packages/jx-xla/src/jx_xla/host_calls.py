"""What a compiled program calls when it calls Python: from buffers to arrays and back.

The program waits while the function runs, on a thread of its own or on the one that
called the program. So the function must not wait for a device that waits for the program, or for
others of its kind: its arguments lie, and what it computes with them is computed, on a CPU device
of a client of its own, which does everything at once and on the thread that asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import ShapedArray
from jx_core.config import default_device, enable_x64
from jx_core.ops.callbacks.host import outside_of_tracing
from jx_core.tracebacks import hide_internal_frames

from .keys import logical_value
from .lowering.types import physical
from .runtime import clients, effects
from .runtime.placement import put

_ALIGNMENT = 64  # bytes; memory that is so aligned can serve as an array's own
_WORTH_SHARING = 1 << 16  # bytes; less is copied sooner than looked at


class HostCall:
    """A function as a program calls it: NumPy arrays in, and a tuple of them out.

    Args:
        callback: the `HostFunction` or `Rows`.
        in_avals, result_avals: the types of its arguments and results.
        ordered: whether a token comes first, and is returned first.
    """

    def __init__(
        self,
        callback: Any,
        in_avals: Sequence[ShapedArray],
        result_avals: Sequence[ShapedArray],
        ordered: bool,
        partitioned: bool = False,
    ) -> None:
        self.callback = callback
        self.in_avals = [a.strip_weak_type() for a in in_avals]
        self.result_avals = list(result_avals)
        self.ordered = ordered
        self.partitioned = partitioned
        self.x64 = enable_x64.value  # which is the thread's own, and this may be another

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        token: tuple[Any, ...] = ()
        if self.ordered:
            token, values = values[:1], values[1:]
        try:
            device = clients.inline_device()
            with effects.calling_back(), outside_of_tracing(), default_device(device):
                if enable_x64.value == self.x64:
                    outs = self._call(values, device)
                else:
                    with enable_x64(self.x64):
                        outs = self._call(values, device)
        except BaseException as error:
            hide_internal_frames(error)
            effects.note_failure(error)
            raise
        return (*token, *map(_buffer, outs, self.result_avals))

    def _call(self, values: Sequence[Any], device: Any) -> list[np.ndarray]:
        facts = zip(values, self.in_avals, strict=True)
        arrays = [self._array(value, aval, device) for value, aval in facts]
        return self.callback(self.result_avals, *arrays)  # type: ignore[no-any-return]

    def _array(self, value: np.ndarray, aval: ShapedArray, device: Any) -> Any:
        held = physical(aval)
        if self.partitioned:  # a part of the whole, of whatever shape
            held = held.update(shape=value.shape)
            aval = aval.update(shape=value.shape[: aval.ndim])
        value = np.asarray(value, order="C")
        if value.dtype != held.dtype:
            value = value.view(held.dtype)
        shared = (
            value.nbytes > _WORTH_SHARING
            and value.flags.owndata
            and value.ctypes.data % _ALIGNMENT == 0
        )
        return logical_value(put(value, held, device, committed=False, share=shared), aval)


def _buffer(value: np.ndarray, aval: ShapedArray) -> np.ndarray:
    """A result as the elements that the program holds."""
    held = physical(aval)
    if held is not aval:
        value = np.asarray(value, order="C").reshape(-1).view(held.dtype).reshape(held.shape)
    return np.asarray(value, order="C")

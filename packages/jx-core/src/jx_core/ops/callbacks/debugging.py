"""Looking at values and layouts of a running program: the primitives under `jx.debug`."""

from __future__ import annotations

from typing import Any

from ...effects import DEBUG, ORDERED_DEBUG
from ...primitive import Primitive
from ...trace import Tracer
from .host import evaluate, outside_of_tracing

# Params: callback, a HostFunction or Rows whose result does not matter; ordered; partitioned,
# whether each device calls it on its own part, where operands lie on several.
debug_callback_p = Primitive(
    "debug_callback",
    abstract=lambda *avals, **params: [],
    reference=lambda *operands, callback, **params: evaluate(callback, (), operands),
    effects=lambda *, ordered, **params: ORDERED_DEBUG if ordered else DEBUG,
    multiple_results=True,
    higher_order=True,
)


def _inspect(x: Any, *, callback: Any) -> list[Any]:
    from ... import backend
    from ...errors import UnexpectedTracerError

    if isinstance(x, Tracer):
        raise UnexpectedTracerError(x)
    sharding = getattr(x, "sharding", None)
    if sharding is None:  # the NumPy back end's arrays lie nowhere but on the host
        sharding = backend.current().devices()[0]
    with outside_of_tracing():
        callback((), sharding)
    return []


# One operand, no results. Params: callback, a HostFunction of a sharding.
inspect_sharding_p = Primitive(
    "inspect_sharding",
    abstract=lambda aval, **params: [],
    reference=_inspect,
    effects=lambda **params: DEBUG,
    multiple_results=True,
    higher_order=True,
)

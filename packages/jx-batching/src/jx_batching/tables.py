"""The rule table of batching, and the decorator that fills it.

A batching rule says how a primitive acts on a whole batch at once, given where each
operand's batch axis lies. Rules live in `rules/`, one file an op family; the trace
that applies them is in `trace.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from jx_core import Primitive, RuleTable

BatchRule = Callable[..., tuple[Any, Any]]

batch_rules = RuleTable(
    "batching (jx_batching)", "jx_batching.defbatch({name}_p)(rule)", "jx_batching.rules"
)


class BatchAxis(NamedTuple):
    """The axis that a function is mapped over.

    Attributes:
        size: its length.
        name: what collectives inside the function call it, or None.
        spmd_name: the mesh axis (or axes) that sharding constraints inside the function
            lay it along, or None.
    """

    size: int
    name: Any = None
    spmd_name: Any = None


def defbatch(*primitives: Primitive) -> Callable[[BatchRule], BatchRule]:
    """Decorator: the function it is put on is the batching rule of `primitives`.

    It is called as `rule(batch, operands, dims, **params)`, where `batch` is the `BatchAxis`
    and `dims[i]` says which axis of `operands[i]` is the batch axis, None where it has
    none; at least one has. What it binds runs outside of the batching. It returns
    `(out, out_dim)`, with lists of both for primitives with several results; an `out_dim`
    of None says that the result is the same for all of the batch.

    >>> from jx_core import Primitive, lax
    >>> twice_p = Primitive("twice", abstract=lambda x: x, reference=lambda x: x + x)
    >>> @defbatch(twice_p)
    ... def _(batch, operands, dims):
    ...     return twice_p.bind(*operands), dims[0]
    """
    return batch_rules.define(*primitives)

"""Calls whose intermediate values are computed again for derivatives: the primitive `checkpoint`.

Which of them are kept all the same is a policy's to say, which may know values by name
(`name_p`). What differentiation does with such a call is in `jx_ad`, and so is the decorator.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...aval import ShapedArray
from ...jaxpr.evaluate import eval_jaxpr
from ...jaxpr.ir import ClosedJaxpr
from ...primitive import NO_EFFECTS, Primitive


def _types(*avals: ShapedArray, jaxpr: ClosedJaxpr, **params: Any) -> list[ShapedArray]:
    return jaxpr.out_avals


def _effects(*, jaxpr: ClosedJaxpr, **params: Any) -> frozenset[Any]:
    return jaxpr.effects or NO_EFFECTS


def _inline(*operands: Any, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
    return eval_jaxpr(jaxpr.jaxpr, jaxpr.consts, *operands)


def _evaluate(*operands: Any, jaxpr: ClosedJaxpr, **params: Any) -> Sequence[Any]:
    from ... import backend

    put = backend.current().put
    results = eval_jaxpr(jaxpr.jaxpr, jaxpr.consts, *operands)
    return [put(x, aval) for x, aval in zip(results, jaxpr.out_avals, strict=True)]


# Params: jaxpr; prevent_cse, whether a compiler must be kept from finding the values that are
# computed again among those that were computed before; differentiated, whether this is such a
# second computation; policy, a Policy (or any function like it) or None.
checkpoint_p = Primitive(
    "checkpoint",
    abstract=_types,
    reference=_evaluate,
    decompose=_inline,
    effects=_effects,
    multiple_results=True,
    higher_order=True,
)

# Operands: a value that was kept, and the same value computed again, which is not needed but for
# its derivative: that is the result's.
kept_p = Primitive(
    "kept", abstract=lambda kept, again: kept, reference=lambda kept, again: kept.copy()
)

# The operand as it is. Params: name, which policies look at.
name_p = Primitive(
    "name", abstract=lambda x, *, name: x, reference=lambda x, *, name: x.copy()
)

"""Calls whose intermediate values are computed again for derivatives: the primitive `checkpoint`.

Which of them are kept all the same is a policy's to say, which may know values by name
(`name_p`). What differentiation does with such a call is in `jx_ad`, and so is the decorator.
"""

from __future__ import annotations

from ...primitive import Primitive
from .jit import call_effects, call_types, evaluate, inline

# Params: jaxpr; prevent_cse, whether a compiler must be kept from finding the values that are
# computed again among those that were computed before; differentiated, whether this is such a
# second computation; policy, a Policy (or any function like it) or None.
checkpoint_p = Primitive(
    "checkpoint",
    abstract=call_types,
    reference=evaluate,
    decompose=inline,
    effects=call_effects,
    multiple_results=True,
    higher_order=True,
)

# The operand as it is. Params: name, which policies look at.
name_p = Primitive(
    "name", abstract=lambda x, *, name: x, reference=lambda x, *, name: x.copy()
)

"""Refs, arrays that can be written to, and how what is read and written is kept track of.

A `Ref` is a Python object that has a type and a present value. No program ever holds one: where
something is being staged, a Ref from outside is a further input of the program, its value at the
end a further result, and in between its present value is whatever was written last ("state is
discharged as it is traced"). So transformations and back ends need no rule for it.

`objects` has the object, `storage` where its present value lies, `uses` what those who stage
functions use. The public functions are in `jx_core.ref`.
"""

from .objects import AbstractRef, Ref, TransformedRef, define_indexing
from .storage import end, lock, read, write
from .uses import (
    StandIns,
    Uses,
    any_refs,
    check_distinct,
    held_type,
    held_value,
    reads_as_constants,
    refuse_returned,
    type_of,
    values_of,
)

__all__ = [
    "AbstractRef", "Ref", "StandIns", "TransformedRef", "Uses", "any_refs", "check_distinct",
    "define_indexing", "end", "held_type", "held_value", "lock", "read", "reads_as_constants",
    "refuse_returned", "type_of", "values_of", "write",
]  # fmt: skip

"""Indexing: `x[index]`, `x.at[index]`, and the functions that select, find and place elements.

`plan` says what an index means, `places` turns it into operands, `reading` and `updating`
act on it. `taking`, `choosing`, `searching` and `flat` hold the public functions.
Importing this package installs `__getitem__`, `__setitem__` and `at` on arrays.
"""

from __future__ import annotations

from jx_core import define_array_member
from jx_core.references import define_indexing

from . import choosing as _choosing
from . import flat as _flat
from . import searching as _searching
from . import taking as _taking
from .choosing import *  # noqa: F403
from .flat import *  # noqa: F403
from .reading import getitem
from .searching import *  # noqa: F403
from .taking import *  # noqa: F403
from .updating import IndexUpdateHelper, refuse_assignment, update_ref

define_array_member("__getitem__", getitem)
define_array_member("__setitem__", refuse_assignment)
define_array_member(
    "at",
    property(
        IndexUpdateHelper,
        doc="""Updates that leave the array as it was: `x.at[index].set(values)` and its kin.

        >>> jnp.zeros(3).at[1].add(2)
        Array([0., 2., 0.], dtype=float32)
        """,
    ),
)
define_indexing(getitem, update_ref)

__all__: list[str] = []
__all__ += _choosing.__all__
__all__ += _flat.__all__
__all__ += _searching.__all__
__all__ += _taking.__all__

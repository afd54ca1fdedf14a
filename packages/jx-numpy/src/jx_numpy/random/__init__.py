"""`jx.random`: pseudo-random numbers from explicit keys.

`keys` makes keys and keys of keys; `uniforms` has the bits and what comes straight of them,
`continuous`, `discrete`, `gammas`, `counts` and `vectors` the distributions, `sampling`
permutations and choices. Values
are those of JAX for the same key, on every back end.
"""

# ruff: noqa: F403
from . import continuous as _continuous
from . import counts as _counts
from . import discrete as _discrete
from . import gammas as _gammas
from . import keys as _keys
from . import sampling as _sampling
from . import uniforms as _uniforms
from . import vectors as _vectors
from .continuous import *
from .counts import *
from .discrete import *
from .gammas import *
from .keys import *
from .sampling import *
from .uniforms import *
from .vectors import *

__all__: list[str] = []
__all__ += _continuous.__all__
__all__ += _counts.__all__
__all__ += _discrete.__all__
__all__ += _gammas.__all__
__all__ += _keys.__all__
__all__ += _sampling.__all__
__all__ += _uniforms.__all__
__all__ += _vectors.__all__

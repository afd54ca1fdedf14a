"""`jx.random`: pseudo-random numbers from explicit keys.

`keys` makes keys and keys of keys; `uniforms` has the bits and what comes straight of them,
`continuous` and `discrete` the distributions, `sampling` permutations and choices. Values
are those of JAX for the same key, on every back end.
"""

from .continuous import *  # noqa: F403
from .continuous import __all__ as _continuous
from .discrete import *  # noqa: F403
from .discrete import __all__ as _discrete
from .keys import *  # noqa: F403
from .keys import __all__ as _keys
from .sampling import *  # noqa: F403
from .sampling import __all__ as _sampling
from .uniforms import *  # noqa: F403
from .uniforms import __all__ as _uniforms

__all__ = [*_continuous, *_discrete, *_keys, *_sampling, *_uniforms]

"""Random bits: typed keys, and the threefry generator that they use unless told otherwise.

`keys` has the key arrays, their dtype, the registry of generators and the operations on
keys; `threefry` the default generator. Distributions are made of these in jx-numpy. The
functions on keys are for the layers above; they are no lax functions, and not in `__all__`.
"""

# ruff: noqa: F403
from . import keys as _keys
from . import threefry as _threefry
from .keys import *
from .keys import KeyDType as KeyDType
from .keys import PRNGImpl as PRNGImpl
from .keys import prng_impl as prng_impl
from .keys import random_bits as random_bits
from .keys import random_clone as random_clone
from .keys import random_fold_in as random_fold_in
from .keys import random_seed as random_seed
from .keys import random_split as random_split
from .keys import random_unwrap as random_unwrap
from .keys import random_wrap as random_wrap
from .keys import register_prng_impl as register_prng_impl
from .threefry import *
from .threefry import threefry_2x32 as threefry_2x32
from .threefry import threefry_prng_impl as threefry_prng_impl

__all__: list[str] = []
__all__ += _keys.__all__
__all__ += _threefry.__all__

"""Random bits: typed keys, the generators behind them, and what XLA offers without keys.

`keys` has the key arrays, their dtype, the registry of generators and the operations on keys;
`threefry` the default generator; `bit_generator` XLA's own, of which `rbg` makes two more;
`stateful` the one that no key controls. Distributions are made of these in jx-numpy. The
functions on keys are for the layers above; they are no lax functions, and not in `__all__`.
"""

# ruff: noqa: F403
from . import bit_generator as _bit_generator
from . import keys as _keys
from . import stateful as _stateful
from . import threefry as _threefry
from .bit_generator import *
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
from .rbg import rbg_prng_impl as rbg_prng_impl
from .rbg import unsafe_rbg_prng_impl as unsafe_rbg_prng_impl
from .stateful import *
from .threefry import *
from .threefry import threefry_2x32 as threefry_2x32
from .threefry import threefry_prng_impl as threefry_prng_impl

__all__: list[str] = []
__all__ += _bit_generator.__all__
__all__ += _keys.__all__
__all__ += _stateful.__all__
__all__ += _threefry.__all__

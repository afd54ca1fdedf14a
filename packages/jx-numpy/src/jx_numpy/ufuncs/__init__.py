"""The elementwise functions, a file for each subject.

`arithmetic`, `transcendental`, `rounding`, `floating` (how numbers are represented),
`comparison` and `bitwise`; `ufunc` is the class of those that can be applied along axes,
and `making` how the regular ones are made.
"""

from .arithmetic import *  # noqa: F403
from .arithmetic import __all__ as _arithmetic
from .bitwise import *  # noqa: F403
from .bitwise import __all__ as _bitwise
from .comparison import *  # noqa: F403
from .comparison import __all__ as _comparison
from .floating import *  # noqa: F403
from .floating import __all__ as _floating
from .rounding import *  # noqa: F403
from .rounding import __all__ as _rounding
from .transcendental import *  # noqa: F403
from .transcendental import __all__ as _transcendental
from .ufunc import *  # noqa: F403
from .ufunc import __all__ as _ufunc

__all__ = [  # noqa: PLE0604
    *_arithmetic, *_bitwise, *_comparison, *_floating, *_rounding, *_transcendental, *_ufunc,
]  # fmt: skip

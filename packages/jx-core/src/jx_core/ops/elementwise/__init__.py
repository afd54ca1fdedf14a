"""Operations on each element by itself: arithmetic, functions, comparison, bits, conversion.

One file for each subject. All operands of one operation have one dtype and one shape,
where a zero-dimensional operand goes with any shape; the few exceptions say so. NumPy
gives the reference meaning, corrected where XLA's differs (division of integers, shifts,
conversion of floats to integers). Not here: functions that need series or iteration of
their own (`special`), and promotion of operands (`jx_core.operators`).
"""

from . import (
    accuracy,
    arithmetic,
    barrier,
    bitwise,
    comparison,
    conversion,
    named,
    transcendental,
)
from .accuracy import *  # noqa: F403
from .arithmetic import *  # noqa: F403
from .barrier import *  # noqa: F403
from .bitwise import *  # noqa: F403
from .comparison import *  # noqa: F403
from .conversion import *  # noqa: F403
from .conversion import convert as convert  # for the layers above; it is no lax function
from .named import *  # noqa: F403
from .transcendental import *  # noqa: F403

__all__ = []
__all__ += accuracy.__all__
__all__ += arithmetic.__all__
__all__ += barrier.__all__
__all__ += bitwise.__all__
__all__ += comparison.__all__
__all__ += conversion.__all__
__all__ += named.__all__
__all__ += transcendental.__all__

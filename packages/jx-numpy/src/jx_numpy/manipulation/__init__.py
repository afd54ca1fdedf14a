"""Arrays rearranged.

`reshaping` (shapes and the order of axes), `joining` (and splitting), `repeating` (and
moving), `padding`, and `editing` (inserting and deleting).
"""

from .editing import *  # noqa: F403
from .editing import __all__ as _editing
from .joining import *  # noqa: F403
from .joining import __all__ as _joining
from .padding import *  # noqa: F403
from .padding import __all__ as _padding
from .repeating import *  # noqa: F403
from .repeating import __all__ as _repeating
from .reshaping import *  # noqa: F403
from .reshaping import __all__ as _reshaping

__all__ = [*_editing, *_joining, *_padding, *_repeating, *_reshaping]  # noqa: PLE0604

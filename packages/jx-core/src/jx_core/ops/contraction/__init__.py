"""Contractions: sums of products over axes, `dot_general` and the convolutions.

`precision` says how exactly they are computed, `dot` holds the products of matrices and
their kin, `ragged` those of groups of rows, `scaled` those of numbers with scales, `conv` the
convolutions, `patches` what they see and their unshared kin, `conv_shapes` the arithmetic of
their axes and padding.
Reductions of one array are another family.
"""

# ruff: noqa: F403
from . import conv as _conv
from . import conv_shapes as _conv_shapes
from . import dot as _dot
from . import patches as _patches
from . import precision as _precision
from . import ragged as _ragged
from . import scaled as _scaled
from .conv import *
from .conv_shapes import *
from .dot import *
from .patches import *
from .precision import *
from .ragged import *
from .scaled import *

__all__: list[str] = []
__all__ += _conv.__all__
__all__ += _conv_shapes.__all__
__all__ += _dot.__all__
__all__ += _patches.__all__
__all__ += _precision.__all__
__all__ += _ragged.__all__
__all__ += _scaled.__all__

"""`jx.scipy.spatial.transform`: rotations of three-dimensional space, and paths among them.

`quaternions` has the mathematics, on arrays; `rotation` and `slerp` the classes.
"""

from .rotation import Rotation
from .slerp import Slerp

__all__ = ["Rotation", "Slerp"]

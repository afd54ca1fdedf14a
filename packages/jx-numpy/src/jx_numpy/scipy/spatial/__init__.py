"""`jx.scipy.spatial`: rotations in space, in its module `transform`."""

from . import transform as transform

__all__ = ["transform"]

"""`jx.scipy.sparse`: what `scipy.sparse` has for linear operators, in its module `linalg`."""

from . import linalg as linalg

__all__ = ["linalg"]

"""Matrices taken apart and put together: decompositions, and what is solved with them."""

# ruff: noqa: F403
from .cholesky import *
from .eig import *
from .eigh import *
from .lu import *
from .polar import *
from .qr import *
from .reductions import *
from .schur import *
from .svd import *
from .symmetric_product import *
from .triangular import *
from .tridiagonal_solve import *

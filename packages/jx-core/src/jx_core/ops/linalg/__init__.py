"""Matrices taken apart and put together: decompositions, and what is solved with them."""

# ruff: noqa: F403
from .eig import *
from .eigh import *
from .reductions import *
from .schur import *
from .svd import *

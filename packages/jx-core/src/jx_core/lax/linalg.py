"""`lax.linalg`: decompositions of matrices and what is solved with them, as in `jax.lax.linalg`."""

# ruff: noqa: F403
from ..ops.linalg import *

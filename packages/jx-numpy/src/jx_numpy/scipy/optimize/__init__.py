"""`jx.scipy.optimize`: minimization of functions of several variables."""

from .minimization import OptimizeResults, minimize

__all__ = ["OptimizeResults", "minimize"]
